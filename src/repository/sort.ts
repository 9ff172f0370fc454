import { InputError, nearestName, unknownName } from "../errors/index.ts";
import { type ColumnDescription, type EntityDescription, isSortable } from "../schema/index.ts";
import type { TableReference } from "../sql/index.ts";
import { type ColumnPath, columnPath } from "./column-path.ts";
import type { ComputedValue, Scope, TableScope } from "./context.ts";
import { isPlainObject, refuse, refuseUnknownOptions } from "./options.ts";

/** One column of an order. */
export interface SortTerm extends ColumnPath {
  /** Set where it is a value that the read computes. */
  readonly computed?: ComputedValue | undefined;
  /** Set where it is a column of the row between: then the column is that one's. */
  readonly link?: TableReference | undefined;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
  /** A related column is null where there is no related row. */
  readonly isNullable: boolean;
}

/** Where an order stands: what its terms may name. */
export type SortScope = Scope & Pick<TableScope, "computed" | "link">;

/** One term as it was asked for. */
export interface AskedTerm {
  readonly by: unknown;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/**
 * What was asked for, or the entity's default, made total: the primary key is added where no unique column
 * decides. Without it, rows that compare equal could change places between two pages.
 *
 * @throws {INVALID_QUERY} for a column that is not on the entity's list; the message says what is.
 */
export function totalOrder(scope: SortScope, asked: unknown, path = "sort"): readonly SortTerm[] {
  const { entity } = scope;
  const order: SortTerm[] = [];
  for (const { by, ...way } of askedTerms(asked ?? entity.list.defaultSort ?? [], path)) {
    const found = sortColumn(scope, by, path);
    if (order.some((known) => isSame(known, found))) continue;
    order.push({ ...found, ...way, isNullable: found.through.length > 0 || !found.column.notNull });
  }
  if (order.some(({ through, column }) => through.length === 0 && isDecisive(entity, column))) return order;
  const descending = order.at(-1)?.descending ?? false;
  for (const column of entity.rowKey) {
    const key: SortTerm = {
      through: [],
      column,
      descending,
      nullsFirst: descending,
      isNullable: !column.notNull,
    };
    if (!order.some((known) => isSame(known, key))) order.push(key);
  }
  return order;
}

/** `"-dueDate"` or `{ by: "dueDate", direction: "desc", nulls: "last" }`, one or several. */
export function askedTerms(asked: unknown, path: string): readonly AskedTerm[] {
  return (Array.isArray(asked) ? Array.from(asked) : [asked]).map((term: unknown) => {
    if (!isPlainObject(term)) {
      const descending = typeof term === "string" && term.startsWith("-");
      return { by: descending ? term.slice(1) : term, descending, nullsFirst: descending };
    }
    refuseUnknownOptions(term, ["by", "direction", "nulls"], path);
    const descending = oneOf(term.direction, ["asc", "desc"], `${path}.direction`) === "desc";
    const nulls = oneOf(term.nulls, ["first", "last"], `${path}.nulls`);
    return { by: term.by, descending, nullsFirst: nulls === undefined ? descending : nulls === "first" };
  });
}

function oneOf(value: unknown, allowed: readonly string[], path: string): unknown {
  if (value === undefined || (typeof value === "string" && allowed.includes(value))) return value;
  return refuse(path, `must be ${allowed.join(" or ")}`);
}

type Target = Pick<SortTerm, "through" | "column" | "computed" | "link">;

function isSame(one: Target, other: Target): boolean {
  return (
    one.column === other.column &&
    one.through.length === other.through.length &&
    one.through.every((relation, i) => relation === other.through[i])
  );
}

/** No two rows have the same value: neither nulls nor the dead, whom a partial unique index leaves out. */
function isDecisive(entity: EntityDescription, column: ColumnDescription): boolean {
  const isUnique = entity.uniques.some(
    ({ columns, livingOnly }) =>
      !livingOnly && columns.every((part) => part === column || part === entity.tenant),
  );
  return isUnique && column.notNull;
}

/**
 * A column by its property, or by the relations that lead to it: `project.owner.name`. Each entity on the way says what
 * it may be sorted by: its list, where it has one, else its own public columns and those its relations allow.
 */
function sortColumn(scope: SortScope, by: unknown, path: string): Target {
  const refuseSort = (allowed: readonly string[]): never => {
    const besides = [...(scope.computed?.keys() ?? []), ...linkKeys(scope)];
    throw new InputError("INVALID_QUERY", [{ path, message: unknownSort(by, [...allowed, ...besides]) }]);
  };
  if (typeof by !== "string") return refuseSort(sortableKeys(scope.entity));
  const computed = scope.computed?.get(by);
  if (computed !== undefined) return { through: [], column: computedColumn(computed, by, path), computed };
  const { link } = scope;
  if (link !== undefined && linkKeys(scope).includes(by)) {
    const column = link.entity.byKey.get(by.slice(LINK_PREFIX.length));
    if (column !== undefined) return { through: [], column, link: link.table };
  }
  return columnPath(scope, by, {
    path,
    isFit: isSortable,
    allowedBy: (entity) => entity.list.sort,
    purpose: "a list is sorted",
    refuseUnknown: refuseSort,
  });
}

/** The call says what it computes, so no list of what may be sorted by stands in its way. */
function computedColumn({ column }: ComputedValue, by: string, path: string): ColumnDescription {
  if (isSortable(column)) return column;
  return refuse(path, `cannot be by "${by}": values of type ${column.sqlType} have no order`);
}

/** How a relation through a table of links names that table's columns: `link.position`. */
const LINK_PREFIX = "link.";

/** A relation that is called so takes precedence. */
function linkKeys({ link, entity, context }: SortScope): readonly string[] {
  if (link === undefined || context.schema.relationsOf(entity).has("link")) return [];
  return link.entity.columns.filter(isSortable).map(({ key }) => LINK_PREFIX + key);
}

/** The whole list once, whether or not a name is near. */
export function unknownSort(key: unknown, allowed: readonly string[]): string {
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
