import { InputError, nearestName, unknownName } from "../errors/index.ts";
import {
  type ColumnDescription,
  type EntityDescription,
  isSortable,
  type RelationDescription,
} from "../schema/index.ts";
import type { Scope } from "./context.ts";
import { isPlainObject, refuse, refuseUnknownOptions } from "./options.ts";
import { isJoinable } from "./related-rows.ts";

/** Relations on the way to a column, as in `with`. */
const DEPTH_LIMIT = 6;

/** One column of an order. */
export interface SortTerm {
  /** The relations to one row that lead to the column; none for a column of the entity's own. */
  readonly through: readonly RelationDescription[];
  readonly column: ColumnDescription;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
  /** A related column is null where there is no related row. */
  readonly isNullable: boolean;
}

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
export function totalOrder(scope: Scope, asked: unknown, path = "sort"): readonly SortTerm[] {
  const { entity } = scope;
  const order: SortTerm[] = [];
  for (const { by, ...way } of askedTerms(asked ?? entity.list.defaultSort ?? [], path)) {
    const found = sortColumn(scope, by, path);
    if (order.some((known) => isSame(known, found))) continue;
    order.push({ ...found, ...way, isNullable: found.through.length > 0 || !found.column.notNull });
  }
  if (order.some(({ through, column }) => through.length === 0 && isDecisive(entity, column))) return order;
  const descending = order.at(-1)?.descending ?? false;
  for (const column of entity.primaryKey.columns) {
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

type Target = Pick<SortTerm, "through" | "column">;

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
    ({ columns, livingOnly }) => !livingOnly && columns.length === 1 && columns[0] === column,
  );
  return isUnique && column.notNull;
}

/**
 * A column by its property, or by the relations that lead to it: `project.owner.name`. Each entity on the way says what
 * it may be sorted by: its list, where it has one, else its own public columns and those its relations allow.
 */
function sortColumn(scope: Scope, by: unknown, path: string): Target {
  const refuseSort = (allowed: readonly string[]): never => {
    throw new InputError("INVALID_QUERY", [{ path, message: unknownSort(by, allowed) }]);
  };
  if (typeof by !== "string") return refuseSort(sortableKeys(scope.entity));
  const through: RelationDescription[] = [];
  let [at, isListed] = [scope.entity, false];
  for (let rest = by; ; ) {
    const allowed = at.list.sort;
    const prefix = by.slice(0, by.length - rest.length);
    if (!isListed && allowed !== undefined) {
      isListed = allowed.includes(rest);
      if (!isListed) return refuseSort(allowed.map((key) => prefix + key));
    }
    const column = at.byKey.get(rest);
    if (column !== undefined && isSortable(column)) return { through, column };
    const name = rest.split(".", 1)[0] ?? "";
    const relation = scope.context.schema.relationsOf(at).get(name);
    if (relation === undefined || name === rest)
      return refuseSort(sortableKeys(at).map((key) => prefix + key));
    refuseManyRows(scope, relation, prefix + name, path);
    if (through.push(relation) > DEPTH_LIMIT)
      refuse(path, `leads through more than ${DEPTH_LIMIT} relations`);
    at = relation.target;
    rest = rest.slice(name.length + 1);
  }
}

function refuseManyRows(scope: Scope, relation: RelationDescription, name: string, path: string): void {
  if (relation.kind === "one" && isJoinable(relation, scope)) return;
  refuse(path, `"${name}" may be several rows; a list is sorted by relations to one row only`);
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
