import { MigrationError } from "../../errors/index.ts";
import { qualifiedName, quoteIdentifier } from "../../sql/index.ts";
import type { Batch, BatchResult, BatchWork, Cursor } from "./data-migration.ts";

/** Which rows, and in which order. */
export interface BatchedRows {
  /** The table as it is called in the database. */
  readonly table: string;
  /** Its schema, where it is not the application's. */
  readonly schema?: string | undefined;
  /** Columns of its primary key, or of another unique index without nulls, in order: batches walk along it. */
  readonly key: string | readonly string[];
  /** SQL over the table's columns: which rows to touch. @default all */
  readonly where?: string | undefined;
}

/** What to write into them. */
export interface UpdatedRows extends BatchedRows {
  /** SQL after `set`, over the table's columns: `search = to_tsvector('english', title)`. */
  readonly set: string;
}

/**
 * The usual data migration: an `update` that walks along a key, `batchSize` rows of the table at a time. Rows that
 * `where` leaves out are passed over, but count, so that each batch reads a bounded part of the table. Rows that are
 * added behind the cursor meanwhile are not seen: let the application write the new value first.
 *
 * @throws {MIGRATION_INVALID} when `key` names no column.
 *
 * @example
 * ```ts
 * export default dataMigration({
 *   up: updateBatches({ table: "tasks", key: "id", set: "slug = lower(title)", where: "slug is null" }),
 *   down: "nothing",
 * });
 * // with plinth_keys as (select id as plinth_key_1 from tasks where (id) > ($1) order by id limit 1000), …
 * ```
 */
export function updateBatches(rows: UpdatedRows): BatchWork {
  return walk(rows, (table) => `update ${table}\n  set ${rows.set}\n  from plinth_keys`);
}

/**
 * The same for a `delete`.
 *
 * @throws {MIGRATION_INVALID} when `key` names no column.
 */
export function deleteBatches(rows: BatchedRows): BatchWork {
  return walk(rows, (table) => `delete from ${table}\n  using plinth_keys`);
}

function walk(rows: BatchedRows, change: (table: string) => string): BatchWork {
  const columns = typeof rows.key === "string" ? [rows.key] : rows.key;
  if (columns.length === 0) {
    throw new MigrationError("MIGRATION_INVALID", `batches of ${rows.table}: key names no column`);
  }
  const [first, next] = [false, true].map((isNext) => batchText(rows, columns, change, isNext));
  return async ({ query, cursor, limit }: Batch): Promise<BatchResult> => {
    const place = placeOf(cursor, columns.length);
    const text = place.length === 0 ? first : next;
    const [answer] = await query<{ readonly seen: bigint; readonly changed: bigint; readonly last: Cursor }>(
      text ?? "",
      [limit, ...place],
    );
    if (answer === undefined) return { done: true };
    return { cursor: answer.last, rows: Number(answer.changed), done: answer.seen < BigInt(limit) };
  };
}

/**
 * The keys first and the change after: `limit` bounds what is read, whatever `where` leaves of it. Key columns are
 * renamed, so that the names in `set` and `where` mean the table's.
 */
function batchText(
  { table, schema, where }: BatchedRows,
  columns: readonly string[],
  change: (table: string) => string,
  isNext: boolean,
): string {
  const target = schema === undefined ? quoteIdentifier(table) : qualifiedName(schema, table);
  const quoted = columns.map(quoteIdentifier);
  const list = quoted.join(", ");
  const after = isNext ? `\n  where (${list}) > (${columns.map((_, i) => `$${i + 2}`).join(", ")})` : "";
  const keys = quoted.map((column, i) => `${column} as plinth_key_${i + 1}`).join(", ");
  const joined = quoted
    .map((column, i) => `${quoteIdentifier(table)}.${column} = plinth_key_${i + 1}`)
    .join(" and ");
  const order = (direction: string): string =>
    columns.map((_, i) => `plinth_key_${i + 1}${direction}`).join(", ");
  return `with plinth_keys as materialized (
  select ${keys}
  from ${target}${after}
  order by ${list}
  limit $1
), plinth_changed as (
  ${change(target)}
  where ${joined}${where === undefined ? "" : ` and (${where})`}
  returning 1
)
select
  (select count(*) from plinth_keys) as seen,
  (select count(*) from plinth_changed) as changed,
  (select json_build_array(${columns.map((_, i) => `plinth_key_${i + 1}::text`).join(", ")})
    from plinth_keys order by ${order(" desc")} limit 1) as last`;
}

/** The key of the last row seen, as text; empty at the start. */
function placeOf(cursor: Cursor | undefined, length: number): readonly string[] {
  if (cursor === undefined) return [];
  if (Array.isArray(cursor) && cursor.length === length) return cursor.map(String);
  throw new MigrationError("MIGRATION_FAILED", "its batches so far walked along another key", {
    hint: "Give the key it began with.",
  });
}
