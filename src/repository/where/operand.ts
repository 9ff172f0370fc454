import type { ColumnDescription } from "../../schema/index.ts";
import type {
  Call,
  ComparisonOperator,
  Condition,
  Encoded,
  Expression,
  ParameterNode,
} from "../../sql/index.ts";
import { encodeArray, encodeValue } from "../../statement/index.ts";
import { type Given, partOf } from "../given.ts";
import { refuse } from "../options.ts";

/** What an operator works on: a column of the statement, and what the call compares it with. */
export interface Operand {
  readonly column: ColumnDescription;
  readonly of: Expression;
  /** The operator's own value. It is never undefined. */
  readonly given: Given;
  /** The object the operator stands in, for what changes its meaning: `mode`, `config`, `path`. */
  readonly beside: Given;
}

/**
 * Writes the condition of one operator. It runs once for all calls of a shape, so it may look at what the shape holds
 * only: whether the value is null, a list, an object, or something else. The value itself is looked at by parameters.
 */
export type Operator = (operand: Operand) => Condition;

/** Operators by the name a caller knows them by. A map, as every object has a "constructor". */
export type Operators = ReadonlyMap<string, Operator>;

/** A value of the column. */
export function columnValue(column: ColumnDescription, given: Given): ParameterNode {
  return { kind: "parameter", value: (call) => encodeValue(column, given.in(call), given.path) };
}

/** A value that must be there, and whose type PostgreSQL could not infer. */
export function typedValue(column: ColumnDescription, given: Given, type: string): ParameterNode {
  return { kind: "parameter", value: (call) => encodePresent(column, given.in(call), given.path), type };
}

/** `= any($1)`: a list of any length is one parameter, so it never meets the protocol's limit of 65,535. */
export function listOf(
  given: Given,
  type: string,
  encode: (item: unknown, path: string) => string | Buffer,
): ParameterNode {
  const list = (call: Call): string =>
    // `Array.from` also visits holes, as undefined.
    encodeArray(Array.from(itemsIn(given, call), (item, i) => encode(item, `${given.path}.${i}`)));
  return { kind: "parameter", value: list, type };
}

/** The two ends of `between`. */
export function endsOf(
  given: Given,
  encode: (end: unknown, path: string) => Encoded,
  type?: string,
): readonly [from: ParameterNode, to: ParameterNode] {
  const end = (position: number): ParameterNode => {
    const { path } = partOf(given, position);
    const value = (call: Call): Encoded => {
      const ends = itemsIn(given, call);
      if (ends.length !== 2) refuse(given.path, "must be a list of two: from and to, both included");
      return encode(ends[position], path);
    };
    return { kind: "parameter", value, ...(type === undefined ? {} : { type }) };
  };
  return [end(0), end(1)];
}

/** A list, in the call at hand. */
export function itemsIn(given: Given, call: Call): readonly unknown[] {
  const items = given.in(call);
  if (!Array.isArray(items)) refuse(given.path, "must be a list");
  return items;
}

export function encodePresent(column: ColumnDescription, value: unknown, path: string): string | Buffer {
  if (value === null || value === undefined) refuse(path, "must not be null");
  const encoded = encodeValue(column, value, path);
  if (encoded === null) refuse(path, "must not be null");
  return encoded;
}

/** Whether something holds: `exists: false`. One statement serves both answers. */
export function truth(of: Condition, given: Given): Condition {
  const value = (call: Call): string => {
    const wanted = given.in(call);
    if (typeof wanted !== "boolean") refuse(given.path, "must be true or false");
    return wanted ? "true" : "false";
  };
  return { kind: "truth", of, is: { kind: "parameter", value, type: "boolean" } };
}

export function comparison(left: Expression, operator: ComparisonOperator, right: Expression): Condition {
  return { kind: "comparison", operator, left, right };
}

/** @throws {INVALID_QUERY} for null: which of a shape's values are null is part of it. */
export function refuseNull({ value, path }: Given): void {
  if (value === null) refuse(path, "must not be null");
}
