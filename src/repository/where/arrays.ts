import type { ColumnDescription } from "../../schema/index.ts";
import type { ComparisonOperator, Condition, ParameterNode } from "../../sql/index.ts";
import { encodeArray } from "../../statement/index.ts";
import { refuse } from "../options.ts";
import {
  comparison,
  encodePresent,
  listOf,
  type Operand,
  type Operator,
  type Operators,
  refuseNull,
  truth,
} from "./operand.ts";

/**
 * On array columns. `has` is written as containment too, because a GIN index serves `@>` and not `= any(column)`.
 * Source: https://www.postgresql.org/docs/current/gin.html#GIN-BUILTIN-OPCLASSES
 */
export const ARRAY: Operators = new Map([
  ["has", has],
  ["hasEvery", listed("@>")],
  ["hasSome", listed("&&")],
  ["containedBy", listed("<@")],
  ["isEmpty", isEmpty],
]);

function has({ column, of, given }: Operand): Condition {
  refuseNull(given);
  const item = itemOf(column, given.path);
  const value: ParameterNode = {
    kind: "parameter",
    value: (call) => encodeArray([encodePresent(item, given.in(call), given.path)]),
    type: column.castType,
  };
  return comparison(of, "@>", value);
}

/** No array operator finds a null, so a null in the list is a mistake. */
function listed(operator: ComparisonOperator): Operator {
  return ({ column, of, given }) => {
    if (!Array.isArray(given.value)) refuse(given.path, "must be a list");
    const item = itemOf(column, given.path);
    return comparison(
      of,
      operator,
      listOf(given, column.castType, (value, path) => encodePresent(item, value, path)),
    );
  };
}

/** `cardinality`, as `array_length` of an empty array is null. */
function isEmpty({ of, given }: Operand): Condition {
  const none: ParameterNode = { kind: "parameter", value: "0", type: "integer" };
  return truth(comparison({ kind: "function", name: "cardinality", of: [of] }, "=", none), given);
}

/** Types without equality have no containment either. */
function itemOf({ item, castType }: ColumnDescription, path: string): ColumnDescription {
  if (item === undefined || /^(json|xml|point|polygon)$/.test(item.castType))
    refuse(path, `cannot be used: PostgreSQL cannot compare the items of ${castType}`);
  return item;
}
