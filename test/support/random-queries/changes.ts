/** What changes make of the values that are there. */

import { listOf } from "./conditions.ts";
import { decimalOf, decimalText, negative, plus, rounded, times } from "./decimal.ts";
import { type EntityName, MODEL, type Row } from "./model.ts";
import type { Operation, Patch } from "./random-writes.ts";

/** A number that its column cannot hold. */
export const OVERFLOW = Symbol("overflow");

const LIMITS: Readonly<Record<string, bigint>> = {
  small: 2n ** 15n,
  int: 2n ** 31n,
  few: 2n ** 31n,
  big: 2n ** 63n,
};

/** `given` is the row of an upsert. */
export function changedRow(entity: EntityName, row: Row, patch: Patch, given: Row): Row | typeof OVERFLOW {
  const changes = Object.entries(patch.changes).map(([column, [operation, operand]]) => [
    column,
    changed(entity, column, row[column] ?? null, operation, operand, given[column] ?? null),
  ]);
  if (changes.some(([, value]) => value === OVERFLOW)) return OVERFLOW;
  return { ...row, ...patch.values, ...Object.fromEntries(changes) };
}

function changed(
  entity: EntityName,
  column: string,
  value: unknown,
  operation: Operation,
  operand: unknown,
  given: unknown,
): unknown {
  switch (operation) {
    case "given":
      return given;
    case "addGiven":
      return given === null ? null : computed(entity, column, value ?? 0, "add", given);
    case "toggle":
      return value === null ? null : !value;
    case "append":
      return [...listOf(value), ...listOf(operand)];
    case "remove":
      return value === null ? null : listOf(value).filter((item) => item !== operand);
    case "merge":
      if (value !== null && (typeof value !== "object" || Array.isArray(value)))
        return [...(Array.isArray(value) ? value : [value]), operand];
      return { ...value, ...Object(operand) };
    case "multiply":
      return value === null ? null : computed(entity, column, value, operation, operand);
    default:
      return computed(entity, column, value ?? 0, operation, operand);
  }
}

function computed(
  entity: EntityName,
  column: string,
  value: unknown,
  operation: Operation,
  operand: unknown,
): unknown {
  const [a, b] = [decimalOf(value), decimalOf(operand)];
  const result = operation === "multiply" ? times(a, b) : plus(a, operation === "subtract" ? negative(b) : b);
  if (column === "price") return decimalText(rounded(result, 1n, 2));
  if (column === "exact") return decimalText(result);
  const limit = LIMITS[MODEL[entity].columns[column] ?? ""] ?? 0n;
  const whole = BigInt(decimalText(result));
  if (whole >= limit || whole < -limit) return OVERFLOW;
  return column === "big" || (entity === "permits" && column === "id") ? whole : Number(whole);
}
