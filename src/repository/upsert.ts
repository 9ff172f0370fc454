import { unknownName } from "../errors/index.ts";
import type { ColumnDescription, EntityDescription } from "../schema/index.ts";
import type { Assignment } from "../sql/index.ts";
import { type EncodedRow, hasValue, isGiven } from "./input.ts";
import { uniqueKeyOn } from "./key.ts";
import { refuse } from "./options.ts";

/** The columns to meet on. All must be given: a key that is null, or just made, meets nobody. */
export function conflictColumns(
  entity: EntityDescription,
  on: unknown,
  input: object,
): readonly ColumnDescription[] {
  const keys: readonly unknown[] = Array.isArray(on) ? on : [on];
  const columns = Array.from(keys, (key) => {
    const column = typeof key === "string" ? entity.byKey.get(key) : undefined;
    if (column === undefined) refuse("on", unknownName("column", key, [...entity.byKey.keys()]));
    if (!hasValue(input, column.key)) refuse(column.key, "is the key to meet on, and must be given");
    return column;
  });
  return uniqueKeyOn(entity, columns, "on").columns;
}

/** What an upsert changes in the row that is there: what was given and may change, else the key onto itself. */
export function upsertSet(
  entity: EntityDescription,
  row: EncodedRow,
  on: readonly ColumnDescription[],
  input: object,
  update: readonly string[] | undefined,
): readonly Assignment[] {
  if (update !== undefined && !Array.isArray(update)) refuse("update", "must be a list");
  const changeable = [...row.keys()].filter(
    (column) =>
      isGiven(input, column.key) &&
      !on.includes(column) &&
      !entity.primaryKey.columns.includes(column) &&
      column.marks.writable === undefined,
  );
  const known = changeable.map((column) => column.key);
  for (const key of update ?? []) {
    if (typeof key !== "string" || !known.includes(key)) refuse("update", unknownName("column", key, known));
  }
  const changing = changeable.filter((column) => update === undefined || update.includes(column.key));
  // `do nothing` would give back no row; setting the key to itself changes nothing and returns it.
  const set = changing.length > 0 ? changing : on.slice(0, 1);
  return set.map((column) => ({ name: column.name, value: { kind: "excluded", name: column.name } }));
}
