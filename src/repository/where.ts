import { unknownName } from "../errors/index.ts";
import type { ColumnDescription, EntityDescription } from "../schema/index.ts";
import type {
  ComparisonOperator,
  Condition,
  Expression,
  ParameterNode,
  TableReference,
} from "../sql/index.ts";
import { encodeArray, encodeValue } from "../statement/index.ts";
import { isPlainObject, plainObject, refuse } from "./options.ts";

// Maps, not objects: an operator comes from a caller, and every object has a "constructor".
const COMPARISONS: ReadonlyMap<string, ComparisonOperator> = new Map([
  ["gt", ">"],
  ["gte", ">="],
  ["lt", "<"],
  ["lte", "<="],
]);
const PATTERNS: ReadonlyMap<string, (literal: string) => string> = new Map([
  ["startsWith", (literal) => `${literal}%`],
  ["endsWith", (literal) => `%${literal}`],
  ["contains", (literal) => `%${literal}%`],
]);
const OPERATORS = ["equals", "not", "in", "notIn", ...COMPARISONS.keys(), ...PATTERNS.keys(), "mode"];

/** Conditions inside conditions; deeper ones are no longer something a person wrote. */
const DEPTH_LIMIT = 20;

/**
 * A caller's `where` as a condition of the tree. Unknown properties, `undefined` and unfit values are refused: a
 * filter that silently fell away would show or touch every row.
 *
 * @throws {INVALID_QUERY} {INVALID_VALUE} with the path of each offender.
 */
export function conditionOf(
  entity: EntityDescription,
  table: TableReference,
  where: unknown,
  path = "where",
  depth = 0,
): Condition {
  if (depth > DEPTH_LIMIT) refuse(path, `is nested more than ${DEPTH_LIMIT} levels deep`);
  const parts: Condition[] = [];
  for (const [key, value] of Object.entries(plainObject(where, path))) {
    const at = `${path}.${key}`;
    if (value === undefined) refuse(at, "is undefined; leave the property out instead");
    if (key === "and" || key === "or") {
      if (!Array.isArray(value)) refuse(at, "must be a list of conditions");
      parts.push({
        kind: key,
        of: Array.from(value, (part: unknown, i) =>
          conditionOf(entity, table, part, `${at}.${i}`, depth + 1),
        ),
      });
    } else if (key === "not" && !entity.byKey.has("not")) {
      parts.push({ kind: "not", of: conditionOf(entity, table, value, at, depth + 1) });
    } else {
      parts.push(columnCondition(filterableColumn(entity, key, at), table, value, at));
    }
  }
  return { kind: "and", of: parts };
}

function filterableColumn(entity: EntityDescription, key: string, path: string): ColumnDescription {
  const column = entity.byKey.get(key);
  if (column === undefined || column.marks.secret === true) {
    const known = entity.columns.filter((candidate) => candidate.marks.secret !== true).map((c) => c.key);
    refuse(path, unknownName("column", key, known));
  }
  return column;
}

function columnCondition(
  column: ColumnDescription,
  table: TableReference,
  value: unknown,
  path: string,
): Condition {
  const of: Expression = { kind: "column", table, name: column.name };
  if (!isOperators(column, value)) return equals(column, of, value, path);
  const given = Object.keys(value);
  if (given.length === 0) refuse(path, "is an empty condition; leave the property out instead");
  const insensitive = isInsensitive(value, path);
  return {
    kind: "and",
    of: given
      .filter((name) => name !== "mode")
      .map((name) => operator(column, of, name, value[name], insensitive, `${path}.${name}`)),
  };
}

/** A `mode` alone would be no condition at all. */
function isInsensitive(operators: Readonly<Record<string, unknown>>, path: string): boolean {
  if (!Object.hasOwn(operators, "mode")) return false;
  const { mode } = operators;
  if (mode !== "sensitive" && mode !== "insensitive")
    refuse(`${path}.mode`, "must be sensitive or insensitive");
  const patterns = [...PATTERNS.keys()];
  if (!patterns.some((name) => Object.hasOwn(operators, name))) {
    refuse(`${path}.mode`, `belongs to one of ${patterns.join(", ")}`);
  }
  return mode === "insensitive";
}

function operator(
  column: ColumnDescription,
  of: Expression,
  name: string,
  operand: unknown,
  insensitive: boolean,
  path: string,
): Condition {
  if (operand === undefined) refuse(path, "is undefined; leave the operator out instead");
  if (name === "equals") return equals(column, of, operand, path);
  if (name === "not") {
    if (operand === null) return { kind: "null", of, negated: true };
    return { kind: "comparison", operator: "<>", left: of, right: parameter(column, operand, path) };
  }
  if (name === "in" || name === "notIn") return anyOf(column, of, operand, name === "notIn", path);
  const comparison = COMPARISONS.get(name);
  if (comparison !== undefined) {
    if (operand === null) refuse(path, "must not be null");
    return { kind: "comparison", operator: comparison, left: of, right: parameter(column, operand, path) };
  }
  const pattern = PATTERNS.get(name);
  if (pattern === undefined) refuse(path, unknownName("operator", name, OPERATORS));
  if (!IS_TEXT.test(column.castType)) refuse(path, "needs a text column");
  const literal = encodeValue({ ...column, marks: {} }, operand, path);
  if (typeof literal !== "string") refuse(path, "must be a string");
  return {
    kind: "comparison",
    operator: insensitive ? "ilike" : "like",
    left: of,
    right: { kind: "parameter", value: pattern(escapeLike(literal)) },
  };
}

const IS_TEXT = /^(text|varchar|bpchar)$/;

/** `%`, `_` and the escape character itself stand for themselves. Backslash is LIKE's default escape character. */
export function escapeLike(literal: string): string {
  return literal.replaceAll(/[\\%_]/g, (character) => `\\${character}`);
}

function equals(column: ColumnDescription, of: Expression, value: unknown, path: string): Condition {
  if (value === null) return { kind: "null", of, negated: false };
  if (column.kind === "json") refuse(path, "JSON columns cannot be compared as a whole");
  return { kind: "comparison", operator: "=", left: of, right: parameter(column, value, path) };
}

/** `= any($1)`: a list of any length is one parameter, so it never meets the protocol's limit of 65,535. */
function anyOf(
  column: ColumnDescription,
  of: Expression,
  operand: unknown,
  negated: boolean,
  path: string,
): Condition {
  if (!Array.isArray(operand)) refuse(path, "must be a list");
  if (column.kind === "array") refuse(path, "cannot be used on an array column; combine equals with or");
  const items = Array.from(operand, (item: unknown, i) => {
    if (item === null || item === undefined) refuse(`${path}.${i}`, "must not be null");
    return encodeValue(column, item, `${path}.${i}`);
  });
  return {
    kind: "any-of",
    of,
    negated,
    values: { kind: "parameter", value: encodeArray(items), type: `${column.castType}[]` },
  };
}

function parameter(column: ColumnDescription, value: unknown, path: string): ParameterNode {
  return { kind: "parameter", value: encodeValue(column, value, path) };
}

/** A custom type may have objects as values; those that look like operators throughout are taken as such. */
function isOperators(column: ColumnDescription, value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isPlainObject(value) || column.kind === "json") return false;
  const takesObjects = column.kind === "custom" || column.kind === "composite";
  return !takesObjects || Object.keys(value).every((name) => OPERATORS.includes(name));
}
