import type { ColumnDescription } from "../../schema/index.ts";
import type {
  Call,
  ComparisonOperator,
  Condition,
  Expression,
  JsonPathNode,
  ParameterNode,
} from "../../sql/index.ts";
import { encodeArray, encodePlainValue } from "../../statement/index.ts";
import { type Given, partOf } from "../given.ts";
import { refuse } from "../options.ts";
import { encodeJsonScalar, encodeJsonValue } from "./json-value.ts";
import {
  comparison,
  endsOf,
  itemsIn,
  listOf,
  type Operand,
  type Operator,
  type Operators,
  refuseNull,
  truth,
} from "./operand.ts";

/** Keys and positions of one path. */
const PATH_LENGTH_LIMIT = 64;

/**
 * On a whole jsonb document. A GIN index serves `contains` and, but for the operator class `jsonb_path_ops`, `hasKey`.
 * Source: https://www.postgresql.org/docs/current/datatype-json.html#JSON-INDEXING
 */
export const DOCUMENT: Operators = new Map<string, Operator>([
  ["equals", whole("=", false)],
  ["not", whole("<>", true)],
  ["contains", ({ of, given }) => comparison(of, "@>", jsonOf(given))],
  ["containedBy", ({ of, given }) => comparison(of, "<@", jsonOf(given))],
  ["hasKey", hasKey],
]);

/** On what stands at a path of a document. A missing path answers no comparison, as null in a column does. */
export const AT_PATH: Operators = new Map<string, Operator>([
  ["equals", ({ of, given }) => comparison(of, "=", jsonOf(given))],
  ["not", ({ of, given }) => comparison(of, "<>", jsonOf(given))],
  ["in", anyOf(false)],
  ["notIn", anyOf(true)],
  ["gt", ordered(">")],
  ["gte", ordered(">=")],
  ["lt", ordered("<")],
  ["lte", ordered("<=")],
  ["between", between],
  ["contains", ({ of, given }) => comparison(of, "@>", jsonOf(given))],
  ["exists", ({ of, given }) => truth({ kind: "null", of, negated: true }, given)],
]);

/** `column #> path`: keys of objects, positions in lists (from 0; from the end when negative). */
export function atPath({ castType }: ColumnDescription, of: Expression, beside: Given): JsonPathNode {
  const path = partOf(beside, "path");
  const value = (call: Call): string => {
    const steps = itemsIn(path, call);
    if (steps.length === 0 || steps.length > PATH_LENGTH_LIMIT)
      refuse(path.path, `must have 1 to ${PATH_LENGTH_LIMIT} keys or positions`);
    return encodeArray(Array.from(steps, (step, i) => encodeStep(step, `${path.path}.${i}`)));
  };
  const parameter: ParameterNode = { kind: "parameter", value, type: "text[]" };
  return { kind: "json-path", of, path: parameter, isCast: castType !== "jsonb" };
}

function encodeStep(step: unknown, path: string): string {
  if (typeof step === "number" && Number.isSafeInteger(step)) return String(step);
  const encoded = typeof step === "string" ? encodePlainValue(step, path) : undefined;
  return typeof encoded === "string" ? encoded : refuse(path, "must be a key or a position");
}

/** Of a document itself, null means that there is none. */
function whole(operator: ComparisonOperator, negated: boolean): Operator {
  return ({ of, given }) =>
    given.value === null ? { kind: "null", of, negated } : comparison(of, operator, jsonOf(given));
}

function hasKey({ of, given }: Operand): Condition {
  const value = (call: Call): string => {
    const key = given.in(call);
    const encoded = typeof key === "string" ? encodePlainValue(key, given.path) : undefined;
    return typeof encoded === "string" ? encoded : refuse(given.path, "must be a key");
  };
  return comparison(of, "?", { kind: "parameter", value, type: "text" });
}

/** Any JSON value; null is JSON's own, as it stands in a document. */
function jsonOf(given: Given): ParameterNode {
  return { kind: "parameter", value: (call) => encodeJsonValue(given.in(call), given.path), type: "jsonb" };
}

function anyOf(negated: boolean): Operator {
  return ({ of, given }) => {
    if (!Array.isArray(given.value)) refuse(given.path, "must be a list");
    return { kind: "any-of", of, negated, values: listOf(given, "jsonb[]", encodeJsonValue) };
  };
}

/**
 * jsonb has one order for all its types (every object above every number), so that a comparison is made between values
 * of one type only. Source: https://www.postgresql.org/docs/current/datatype-json.html#JSON-INDEXING
 */
function ordered(operator: ComparisonOperator): Operator {
  return ({ of, given }) => {
    refuseNull(given);
    return comparedInType(of, operator, {
      kind: "parameter",
      value: (call) => encodeJsonScalar(given.in(call), given.path),
      type: "jsonb",
    });
  };
}

function between({ of, given }: Operand): Condition {
  if (!Array.isArray(given.value)) refuse(given.path, "must be a list of two: from and to, both included");
  const [from, to] = endsOf(given, encodeJsonScalar, "jsonb");
  return { kind: "and", of: [comparedInType(of, ">=", from), comparedInType(of, "<=", to)] };
}

function comparedInType(of: Expression, operator: ComparisonOperator, value: ParameterNode): Condition {
  const typeOf = (expression: Expression): Expression => ({
    kind: "function",
    name: "jsonb_typeof",
    of: [expression],
  });
  return {
    kind: "and",
    of: [comparison(typeOf(of), "=", typeOf(value)), comparison(of, operator, value)],
  };
}
