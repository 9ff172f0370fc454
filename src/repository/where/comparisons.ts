import type { ColumnDescription } from "../../schema/index.ts";
import type { ComparisonOperator, Condition, Expression } from "../../sql/index.ts";
import type { Given } from "../given.ts";
import { refuse } from "../options.ts";
import {
  columnValue,
  comparison,
  encodePresent,
  endsOf,
  listOf,
  type Operand,
  type Operator,
  type Operators,
  refuseNull,
} from "./operand.ts";

/** Types that PostgreSQL cannot compare, not even for equality: there null is all that can be asked for. */
const INCOMPARABLE = /^(json|xml|point|polygon)(\[\])*$/;

/** What a column of nearly any type may be compared with. */
export const EQUALITY: Operators = new Map([
  ["equals", ({ column, of, given }) => equals(column, of, given)],
  ["not", differs],
]);

/** Not for arrays, whose lists would be arrays of arrays. */
export const MEMBERSHIP: Operators = new Map([
  ["in", anyOf(false)],
  ["notIn", anyOf(true)],
]);

export const ORDER: Operators = new Map([
  ["gt", ordered(">")],
  ["gte", ordered(">=")],
  ["lt", ordered("<")],
  ["lte", ordered("<=")],
  ["between", between],
]);

/** `column = value`; null means `is null`, as it stands for no value in a row too. */
export function equals(column: ColumnDescription, of: Expression, given: Given): Condition {
  if (given.value === null) return { kind: "null", of, negated: false };
  refuseIncomparable(column, given);
  return comparison(of, "=", columnValue(column, given));
}

function differs({ column, of, given }: Operand): Condition {
  if (given.value === null) return { kind: "null", of, negated: true };
  refuseIncomparable(column, given);
  return comparison(of, "<>", columnValue(column, given));
}

function anyOf(negated: boolean): Operator {
  return ({ column, of, given }) => {
    if (!Array.isArray(given.value)) refuse(given.path, "must be a list");
    refuseIncomparable(column, given);
    // Nothing is in an empty list, which the shape knows: a write of many rows then sees that all are meant.
    if (given.value.length === 0) return { kind: negated ? "and" : "or", of: [] };
    const values = listOf(given, `${column.castType}[]`, (item, path) => encodePresent(column, item, path));
    return { kind: "any-of", of, negated, values };
  };
}

function ordered(operator: ComparisonOperator): Operator {
  return ({ column, of, given }) => {
    refuseNull(given);
    refuseIncomparable(column, given);
    return comparison(of, operator, columnValue(column, given));
  };
}

/** Both ends belong to it, as in SQL. */
function between({ column, of, given }: Operand): Condition {
  if (!Array.isArray(given.value)) refuse(given.path, "must be a list of two: from and to, both included");
  refuseIncomparable(column, given);
  const [from, to] = endsOf(given, (end, path) => encodePresent(column, end, path));
  return { kind: "and", of: [comparison(of, ">=", from), comparison(of, "<=", to)] };
}

function refuseIncomparable({ castType }: ColumnDescription, { path }: Given): void {
  if (!INCOMPARABLE.test(castType)) return;
  refuse(path, `must be null: PostgreSQL cannot compare values of type ${castType}`);
}
