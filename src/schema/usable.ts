import type { PgColumn } from "drizzle-orm/pg-core";
import { SchemaError, unknownName } from "../errors/index.ts";
import type { ColumnDescription, EntityDescription } from "./description.ts";
import type { ListRules } from "./entity.ts";

/**
 * Refuses what would fail, or be passed over in silence, at the first call: two properties in one column, a secret
 * key, Drizzle's `$onUpdate`, and list rules that name what cannot be sorted by.
 *
 * @throws {SCHEMA_INVALID}
 */
export function refuseUnusable(entity: EntityDescription, columns: readonly PgColumn[]): void {
  refuseSharedColumns(entity);
  for (const column of columns) {
    if (column.onUpdateFn === undefined) continue;
    throw new SchemaError(
      `column "${column.name}" of "${entity.name}" uses $onUpdate, which only Drizzle's own client runs`,
      {
        hint: "Use timestamps(), whose trigger every client meets.",
      },
    );
  }
  for (const { key, marks } of entity.primaryKey.columns) {
    if (marks.secret === true)
      throw new SchemaError(`"${key}" of "${entity.name}" is a primary key and cannot be secret`);
  }
  for (const { key, marks } of entity.columns) {
    if (marks.mode !== undefined)
      throw new SchemaError(`"${key}" of "${entity.name}" says out() or inOut(), which are for arguments`);
  }
  refuseForeignEnums(entity);
  refuseListRules(entity, entity.list);
}

/** It would be created in the application's schema and looked for elsewhere. */
function refuseForeignEnums({ name, schema, enums }: EntityDescription): void {
  const foreign = enums.find((declared) => declared.schema !== schema);
  if (foreign === undefined) return;
  throw new SchemaError(`"${name}" uses the enum "${foreign.name}", which is not in its schema "${schema}"`, {
    hint: `Declare it there: app.enum("${foreign.name}", [...]).`,
  });
}

function refuseSharedColumns({ name, columns }: EntityDescription): void {
  const keys = new Map<string, string>();
  for (const column of columns) {
    const other = keys.get(column.name);
    if (other !== undefined) {
      throw new SchemaError(
        `"${other}" and "${column.key}" of "${name}" are both the column "${column.name}"`,
        {
          hint: 'Rename one, or give its column a name of its own: text("…").',
        },
      );
    }
    keys.set(column.name, column.key);
  }
}

function refuseListRules(entity: EntityDescription, { sort, defaultSort, limit, maxLimit }: ListRules): void {
  const sortable = entity.columns.filter(isSortable).map((column) => column.key);
  for (const key of sortsOf(entity)) {
    // Columns of related rows wait until the relations are known.
    if (!sortable.includes(key) && !key.includes("."))
      throw new SchemaError(`list of "${entity.name}": ${unknownName("sort", key, sortable)}`);
  }
  if (sort !== undefined && defaultSort !== undefined && !sort.includes(defaultSort.replace(/^-/, ""))) {
    throw new SchemaError(
      `list of "${entity.name}": the default sort "${defaultSort}" is not among those allowed`,
    );
  }
  for (const [name, value] of Object.entries({ limit, maxLimit })) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0)) {
      throw new SchemaError(`list of "${entity.name}": ${name} must be a whole number, 1 or more`);
    }
  }
}

/** What list rules name, without directions. */
export function sortsOf({ list: { sort = [], defaultSort } }: EntityDescription): readonly string[] {
  return [...sort, ...(defaultSort === undefined ? [] : [defaultSort.replace(/^-/, "")])];
}

const WITHOUT_ORDER = new Set(["json", "custom", "composite"]);

/** Has an order, and may be seen: a sort by a secret would tell it, comparison by comparison. */
export function isSortable(column: ColumnDescription): boolean {
  return column.marks.secret !== true && !WITHOUT_ORDER.has(column.kind);
}
