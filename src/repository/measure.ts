import type { ColumnDescription } from "../schema/index.ts";
import type { AggregateNode, Expression } from "../sql/index.ts";
import { refuse } from "./options.ts";

export type MeasureName = "countDistinct" | "sum" | "avg" | "min" | "max";
export const MEASURE_NAMES: readonly MeasureName[] = ["countDistinct", "sum", "avg", "min", "max"];

/** What a group or a number is about: a column of the rows or of those they lead to, or what is computed of them. */
export interface Subject {
  /** As callers name it: `hours`, `project.budget`. */
  readonly key: string;
  readonly of: Expression;
  /** Its type, as a column would have it. */
  readonly column: ColumnDescription;
  readonly isNullable: boolean;
}

/** One number about a group of rows. */
export interface Measure {
  /** As callers name it: `count`, `sum.hours`. */
  readonly path: string;
  readonly of: Expression;
  /** The type of its values, as a column would have it. */
  readonly result: ColumnDescription;
}

type ResultType = Pick<ColumnDescription, "kind" | "castType">;

const BIGINT: ResultType = { kind: "bigint", castType: "bigint" };
const COUNT: ResultType = { kind: "safe-bigint", castType: "bigint" };
const NUMERIC: ResultType = { kind: "text", castType: "numeric" };
const DOUBLE: ResultType = { kind: "float", castType: "double precision" };
const INTERVAL: ResultType = { kind: "text", castType: "interval" };

/**
 * What PostgreSQL makes of the sum of a type: the next wider one, so that it seldom overflows.
 *
 * Source: https://www.postgresql.org/docs/current/functions-aggregate.html
 */
const SUMS: Readonly<Record<string, ResultType>> = {
  smallint: BIGINT,
  integer: BIGINT,
  bigint: NUMERIC,
  numeric: NUMERIC,
  real: { kind: "float", castType: "real" },
  "double precision": DOUBLE,
  interval: INTERVAL,
};
const AVERAGES: Readonly<Record<string, ResultType>> = {
  smallint: NUMERIC,
  integer: NUMERIC,
  bigint: NUMERIC,
  numeric: NUMERIC,
  real: DOUBLE,
  "double precision": DOUBLE,
  interval: INTERVAL,
};
/** Types that have a least and a greatest value in every supported release. */
const RANKED =
  /^(smallint|integer|bigint|numeric|real|double precision|text|varchar|bpchar|date|interval|inet|time(stamp)?( with time zone)?)$/;

export function countOfRows(): Measure {
  return { path: "count", of: { kind: "count" }, result: derived(COUNT) };
}

/** @throws {INVALID_QUERY} for a column whose type has no such measure. */
export function measureOf(name: MeasureName, { key, of: value, column }: Subject): Measure {
  const path = `${name}.${key}`;
  const of = (node: Pick<AggregateNode, "name" | "isDistinct">): AggregateNode => ({
    kind: "aggregate",
    ...node,
    of: value,
  });
  if (name === "countDistinct") {
    return { path, of: of({ name: "count", isDistinct: true }), result: derived(COUNT) };
  }
  const result = resultOf(name, column);
  if (result === undefined) refuse(name, `cannot be of "${key}", whose type is ${column.sqlType}`);
  return { path, of: of({ name, isDistinct: false }), result };
}

function resultOf(
  name: Exclude<MeasureName, "countDistinct">,
  column: ColumnDescription,
): ColumnDescription | undefined {
  const { castType, kind } = column;
  if (name === "min" || name === "max") {
    return kind === "enum" || RANKED.test(castType) ? column : undefined;
  }
  const type = (name === "sum" ? SUMS : AVERAGES)[castType];
  return type === undefined || kind === "array" ? undefined : derived(type);
}

/** A value that is in no table. */
function derived(type: ResultType): ColumnDescription {
  return {
    key: "",
    name: "",
    sqlType: type.castType,
    domain: undefined,
    item: undefined,
    fields: undefined,
    enumValues: undefined,
    notNull: false,
    hasServerDefault: false,
    defaultSql: undefined,
    identity: undefined,
    identityOptions: undefined,
    generatedSql: undefined,
    isPrimaryKey: false,
    produce: undefined,
    marks: {},
    custom: undefined,
    ...type,
  };
}
