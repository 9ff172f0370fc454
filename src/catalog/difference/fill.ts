import type { TableObject } from "../model.ts";
import type { Ground } from "./ground.ts";
import { literal, sqlName } from "./names.ts";

/** At most 9,312 rows: a page of 8 kB holds no more than 291. */
const PAGES_PER_BATCH = 32;

/** Passes over the table: one usually, more while others move rows behind the reader. */
const PASSES_LIMIT = 100;

/** Every table that holds the rows of this one: itself, its partitions and its heirs. */
export function rowTables(ground: Ground, table: TableObject): readonly TableObject[] {
  const children = ground.to.children.get(table.id) ?? [];
  const own = table.partitionKey === undefined ? [table] : [];
  return [...own, ...children.flatMap((child) => rowTables(ground, child))];
}

/**
 * Statements that give every row without a value its value, a batch a transaction. Batches go by pages, which needs
 * no key and reads every page once. A row that somebody updates meanwhile may move to a page that was read before, so
 * it goes over the table until there is nothing left to do.
 */
export function fillColumn(
  ground: Ground,
  table: TableObject,
  column: string,
  value: string,
): readonly string[] {
  return rowTables(ground, table).map(({ id }) => batches(ground.ref(id), sqlName(column), value));
}

function batches(table: string, column: string, value: string): string {
  return `do $$
declare
  page bigint;
  changed bigint;
  total bigint;
begin
  for pass in 1..${PASSES_LIMIT} loop
    page := 0;
    total := 0;
    while page * current_setting('block_size')::bigint < pg_relation_size(${literal(table)}) loop
      update only ${table} set ${column} = ${value}
      where ${column} is null
        and ctid >= format('(%s,0)', page)::tid and ctid < format('(%s,0)', page + ${PAGES_PER_BATCH})::tid;
      get diagnostics changed = row_count;
      total := total + changed;
      commit;
      page := page + ${PAGES_PER_BATCH};
    end loop;
    exit when total = 0;
  end loop;
end
$$`;
}
