import { is } from "drizzle-orm";
import { PgColumn } from "drizzle-orm/pg-core";
import type { ColumnDescription, EntityDescription } from "./description.ts";
import { describeTable } from "./drizzle-adapter.ts";

/** A column of an entity, with what it means: of `tasks.title` in a template. `undefined` for anything else. */
export function findColumn(
  value: unknown,
): { readonly entity: EntityDescription; readonly column: ColumnDescription } | undefined {
  // Drizzle's `is` asks for the prototype's constructor, and an object may have no prototype.
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) === null) return undefined;
  if (!is(value, PgColumn)) return undefined;
  const entity = describeTable(value.table);
  const column = entity.columns.find(({ name }) => name === value.name);
  return column === undefined ? undefined : { entity, column };
}
