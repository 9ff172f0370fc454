import type { ComparisonOperator } from "../../sql/index.ts";
import { comparison, type Operator, type Operators, refuseNull, typedValue } from "./operand.ts";

/** On inet and cidr: a network and what is in it, or is the same. */
export const NETWORK: Operators = new Map([
  ["contains", within(">>=", "inet")],
  ["containedBy", within("<<=", "inet")],
]);

/** On ranges and multiranges, with another range of the column's type: `[5,5]` for one value. */
export const RANGE: Operators = new Map([
  ["contains", within("@>")],
  ["containedBy", within("<@")],
  ["overlaps", within("&&")],
]);

function within(operator: ComparisonOperator, type?: string): Operator {
  return ({ column, of, given }) => {
    refuseNull(given);
    return comparison(of, operator, typedValue(column, given, type ?? column.castType));
  };
}
