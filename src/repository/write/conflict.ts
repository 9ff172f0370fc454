import { InputError, type InputIssue, unknownName } from "../../errors/index.ts";
import type { ColumnDescription, EntityDescription } from "../../schema/index.ts";
import type { Assignment, TableReference } from "../../sql/index.ts";
import { at, type EncodedRow, hasValue, isGiven } from "../input.ts";
import { uniqueKeyOn } from "../key.ts";
import { isPlainObject, refuse } from "../options.ts";
import { assignmentsOf, type EncodedPatch, encodePatch, valueIn } from "./patch.ts";

/** The columns that `on` names. */
export function columnsOf(entity: EntityDescription, on: unknown): readonly ColumnDescription[] {
  const keys: readonly unknown[] = Array.isArray(on) ? on : [on];
  return Array.from(keys, (key) => {
    const column = typeof key === "string" ? entity.byKey.get(key) : undefined;
    return column ?? refuse("on", unknownName("column", key, [...entity.byKey.keys()]));
  });
}

/** The unique key on these columns, in its own order. */
export function keyOn(
  entity: EntityDescription,
  columns: readonly ColumnDescription[],
): readonly ColumnDescription[] {
  return uniqueKeyOn(entity, columns, "on").columns;
}

/** The key that rows are to meet on. All of it must be given: a key that is null, or just made, meets nobody. */
export function requireKey(columns: readonly ColumnDescription[], input: object, path = ""): void {
  for (const { key } of columns)
    if (!hasValue(input, key)) refuse(at(path, key), "is the key to meet on, and must be given");
}

/** What an upsert does to a row that is there: takes columns of the given row, or makes changes of its own. */
export type UpsertChange =
  | { readonly kind: "take"; readonly keys: readonly string[] | undefined }
  | { readonly kind: "change"; readonly patch: EncodedPatch };

/** @throws {INVALID_QUERY} for what is neither; {INVALID_VALUE} for changes that do not fit. */
export function upsertChange(entity: EntityDescription, update: unknown): UpsertChange {
  if (update === undefined) return { kind: "take", keys: undefined };
  if (Array.isArray(update)) return { kind: "take", keys: Array.from(update, columnName) };
  if (!isPlainObject(update)) refuse("update", "must be a list of columns, or an object of changes");
  return { kind: "change", patch: encodePatch(entity, update, { path: "update", isUpsert: true }) };
}

function columnName(key: unknown): string {
  return typeof key === "string" ? key : refuse("update", unknownName("column", key, []));
}

/**
 * Of many rows, a change of the key they meet on would make some of them alike, or like a row that is still to come:
 * PostgreSQL stops there (21000, 23505) without saying which. The key that a row was given with is the one it has.
 *
 * @throws {INVALID_QUERY}
 */
export function refuseChangedKey(change: UpsertChange, on: readonly ColumnDescription[]): void {
  if (change.kind === "take") return;
  const { values, operations } = change.patch;
  const changed = on.find((column) => values.has(column) && operations.get(column)?.operation !== "given");
  if (changed === undefined) return;
  refuse(
    `update.${changed.key}`,
    "is the key that rows meet on; changed for many, rows could get the same one. Use update or updateEach",
  );
}

/** What of the change decides the text of a statement, for a row and what of it was given. */
export function shapeOfChange(change: UpsertChange, row: EncodedRow, input: object): string {
  const given = [...row.keys()].map((column) => (isGiven(input, column.key) ? "g" : "m")).join("");
  if (change.kind === "change") return `${given}/c${change.patch.shape}`;
  const keys = change.keys?.map((key) => `${key.length}:${key}`);
  return `${given}/t${keys === undefined ? "*" : keys.join("")}`;
}

/** What an upsert sets: at least one column, as `do nothing` would give back no row. */
export function upsertSet(
  entity: EntityDescription,
  row: EncodedRow,
  input: object,
  on: readonly ColumnDescription[],
  change: UpsertChange,
  table: TableReference,
): readonly Assignment[] {
  const set =
    change.kind === "change"
      ? assignmentsOf(change.patch, table, valueIn(1))
      : takenColumns(entity, row, input, on, change.keys).map(excluded);
  // Setting the key to itself changes nothing.
  return set.length > 0 ? set : on.slice(0, 1).map(excluded);
}

function excluded({ name }: ColumnDescription): Assignment {
  return { name, value: { kind: "excluded", name } };
}

/** What was given and may change. */
function takenColumns(
  entity: EntityDescription,
  row: EncodedRow,
  input: object,
  on: readonly ColumnDescription[],
  keys: readonly string[] | undefined,
): readonly ColumnDescription[] {
  const changeable = [...row.keys()].filter(
    (column) =>
      isGiven(input, column.key) &&
      !on.includes(column) &&
      !entity.primaryKey.columns.includes(column) &&
      column.marks.writable === undefined,
  );
  const known = changeable.map((column) => column.key);
  for (const key of keys ?? []) {
    if (!known.includes(key)) refuse("update", unknownName("column", key, known));
  }
  return changeable.filter((column) => keys === undefined || keys.includes(column.key));
}

/** Changes that work with a value of the given row need one: the column's default is not what anybody gave. */
export function requireGiven(change: UpsertChange, input: object, path = ""): void {
  if (change.kind === "take") return;
  const issues: InputIssue[] = [];
  for (const [column, { takesGiven }] of change.patch.operations) {
    if (takesGiven && !isGiven(input, column.key))
      issues.push({ path: at(path, column.key), message: "must be given, as update works with it" });
  }
  if (issues.length > 0) throw new InputError("INVALID_VALUE", issues);
}
