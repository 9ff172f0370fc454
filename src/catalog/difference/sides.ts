import { type KeptColumn, keptBy } from "../kept-column.ts";
import type {
  Catalog,
  CatalogColumn,
  CatalogObject,
  ConstraintObject,
  IndexObject,
  PolicyObject,
  RuleObject,
  StatisticsObject,
  TableObject,
  TriggerObject,
} from "../model.ts";
import { sqlName } from "./names.ts";

/** What belongs to a table or a view, and goes with it. */
export type PartObject =
  | ConstraintObject
  | IndexObject
  | TriggerObject
  | PolicyObject
  | RuleObject
  | StatisticsObject;

/** A column and its table. */
export interface ColumnPlace {
  readonly table: TableObject;
  readonly column: CatalogColumn;
}

/** One of the two catalogs, with what is looked up in it. */
export interface Side {
  readonly catalog: Catalog;
  readonly objects: ReadonlyMap<string, CatalogObject>;
  readonly columns: ReadonlyMap<string, ColumnPlace>;
  /** By id of the table or view. */
  readonly parts: ReadonlyMap<string, readonly PartObject[]>;
  /** Ids of objects and columns, by id of what they need. */
  readonly dependents: ReadonlyMap<string, readonly string[]>;
  /** Partitions and inheriting tables, by id of the parent. */
  readonly children: ReadonlyMap<string, readonly TableObject[]>;
  /** Columns that a trigger keeps computed, by their id. */
  readonly kept: ReadonlyMap<string, KeptColumn>;
}

export function sideOf(catalog: Catalog): Side {
  const objects = new Map<string, CatalogObject>();
  const columns = new Map<string, ColumnPlace>();
  const parts = new Map<string, PartObject[]>();
  const children = new Map<string, TableObject[]>();
  for (const object of catalog.objects) {
    objects.set(object.id, object);
    if (isPart(object)) push(parts, object.table, object);
    if (object.kind !== "table") continue;
    for (const column of object.columns) columns.set(column.id, { table: object, column });
    for (const parent of parentsOf(object)) push(children, parent, object);
  }
  const dependents = new Map<string, string[]>();
  for (const object of catalog.objects) {
    for (const id of needsOf(object)) push(dependents, id, object.id);
    if (object.kind !== "table") continue;
    for (const column of object.columns) for (const id of column.dependsOn) push(dependents, id, column.id);
  }
  return { catalog, objects, columns, parts, dependents, children, kept: keptColumns(objects) };
}

function keptColumns(objects: Side["objects"]): ReadonlyMap<string, KeptColumn> {
  const found = [...objects.values()].flatMap((object): readonly (readonly [string, KeptColumn])[] => {
    const kept = object.kind === "trigger" ? keptBy(object, objects) : undefined;
    const table = object.kind === "trigger" ? objects.get(object.table) : undefined;
    if (kept === undefined || table?.kind !== "table") return [];
    const column = table.columns.find(({ name }) => name === kept.column);
    return column === undefined || column.generated !== undefined ? [] : [[column.id, kept]];
  });
  return new Map(found);
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}

export function isPart(object: CatalogObject): object is PartObject {
  return "table" in object;
}

/** Ids of the tables it is a partition of or inherits from. */
export function parentsOf(table: TableObject): readonly string[] {
  return table.partitionOf === undefined ? table.inherits : [table.partitionOf.parent];
}

/** What an object needs, besides what its columns need. A sequence does not need the column that owns it. */
export function needsOf(object: CatalogObject): readonly string[] {
  const needs = new Set(object.dependsOn);
  if (object.schema !== undefined && object.kind !== "schema") needs.add(`schema ${sqlName(object.schema)}`);
  if (isPart(object)) needs.add(object.table);
  switch (object.kind) {
    case "table":
      for (const parent of parentsOf(object)) needs.add(parent);
      for (const column of object.columns) needs.delete(column.id);
      break;
    case "constraint":
      if (object.references !== undefined) needs.add(object.references);
      break;
    case "index":
      if (object.attachedTo !== undefined) needs.add(object.attachedTo);
      break;
    case "extension":
      if (object.home !== undefined) needs.add(`schema ${sqlName(object.home)}`);
      break;
    case "sequence":
      if (object.ownedBy === undefined) break;
      needs.delete(object.ownedBy);
      needs.delete(tableIdOf(object.ownedBy));
  }
  needs.delete(object.id);
  return [...needs];
}

/** `column audit."a.b".c` belongs to `table audit."a.b"`. */
export function tableIdOf(columnId: string): string {
  const path = columnId.slice("column ".length);
  const last = /\.(?:"(?:[^"]|"")*"|[^".]*)$/.exec(path);
  return `table ${last === null ? path : path.slice(0, last.index)}`;
}

/** The names a new object takes: relations share one space, and each has a type of its name as well. */
export function namesOf(object: CatalogObject): readonly string[] {
  const place = object.schema === undefined ? object.name : `${object.schema}.${object.name}`;
  switch (object.kind) {
    case "table":
    case "view":
    case "materialized view":
    case "foreign table":
    case "composite type":
      return [`relation ${place}`, `type ${place}`];
    case "sequence":
    case "index":
      return [`relation ${place}`];
    case "enum":
    case "domain":
    case "range type":
      return [`type ${place}`];
    case "constraint":
      return hasIndex(object) ? [object.id, `relation ${place}`] : [object.id];
    case "function":
    case "procedure":
    case "aggregate":
      return [`routine ${place}(${object.signature})`];
    default:
      return [object.id];
  }
}

/** Keys and exclusions stand on an index of the same name. */
export function hasIndex(constraint: ConstraintObject): boolean {
  return constraint.type === "primary key" || constraint.type === "unique" || constraint.type === "exclusion";
}

/** What the values of a column are made of: it cannot go while they are there. */
export function isType(object: CatalogObject | undefined): boolean {
  switch (object?.kind) {
    case "enum":
    case "domain":
    case "composite type":
    case "range type":
    case "collation":
      return true;
    default:
      return false;
  }
}
