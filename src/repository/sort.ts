import { InputError, nearestName, unknownName } from "../errors/index.ts";
import { type ColumnDescription, type EntityDescription, isSortable } from "../schema/index.ts";
import type { Ordering, TableReference } from "../sql/index.ts";

/** One column of a total order. */
export interface SortColumn {
  readonly column: ColumnDescription;
  readonly descending: boolean;
}

/**
 * What was asked for, or the entity's default, made total: the primary key is added where no unique column
 * decides. Without it, rows that compare equal could change places between two pages.
 *
 * @throws {INVALID_QUERY} for a column that is not on the entity's list; the message says what is.
 */
export function totalOrder(entity: EntityDescription, asked: unknown, path = "sort"): readonly SortColumn[] {
  const wanted = asked ?? entity.list.defaultSort ?? [];
  const names: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted];
  const allowed = sortableKeys(entity);
  const order: SortColumn[] = [];
  for (const name of names) {
    const [key, descending] =
      typeof name === "string" && name.startsWith("-") ? [name.slice(1), true] : [name, false];
    const column = typeof key === "string" && allowed.includes(key) ? entity.byKey.get(key) : undefined;
    if (column === undefined) {
      throw new InputError("INVALID_QUERY", [{ path, message: unknownSort(key, allowed) }]);
    }
    if (!order.some((known) => known.column === column)) order.push({ column, descending });
  }
  if (order.some(({ column }) => isDecisive(entity, column))) return order;
  const descending = order.at(-1)?.descending ?? false;
  for (const column of entity.primaryKey.columns) {
    if (!order.some((known) => known.column === column)) order.push({ column, descending });
  }
  return order;
}

/** No two rows have the same value: neither nulls nor the dead, whom a partial unique index leaves out. */
function isDecisive(entity: EntityDescription, column: ColumnDescription): boolean {
  const isUnique = entity.uniques.some(
    ({ columns, livingOnly }) => !livingOnly && columns.length === 1 && columns[0] === column,
  );
  return isUnique && column.notNull;
}

/** The whole list once, whether or not a name is near. */
function unknownSort(key: unknown, allowed: readonly string[]): string {
  // Where no name is near, unknownName lists them itself.
  const isListed = typeof key === "string" && nearestName(key, allowed) === undefined;
  const list = isListed ? "" : `one of ${allowed.join(", ")}; `;
  return `${unknownName("sort", key, allowed)} (${list}- in front for descending)`;
}

/** What a list may be sorted by: the entity's own allow-list, else every public column that has an order. */
function sortableKeys(entity: EntityDescription): readonly string[] {
  if (entity.list.sort !== undefined) return entity.list.sort;
  return entity.columns.filter(isSortable).map((column) => column.key);
}

export function orderings(order: readonly SortColumn[], table: TableReference): readonly Ordering[] {
  return order.map(({ column, descending }) => ({
    of: { kind: "column", table, name: column.name },
    descending,
  }));
}
