import type { CatalogColumn, TableObject } from "../model.ts";
import { followsParents, type Ground } from "./ground.ts";
import { parentsOf, type Side } from "./sides.ts";

/** The column of a parent, by name. Of several parents, the first one's. */
export function parentColumn(
  side: Side,
  table: TableObject,
  name: string,
): { readonly table: TableObject; readonly column: CatalogColumn } | undefined {
  for (const id of parentsOf(table)) {
    const parent = side.objects.get(id);
    if (parent?.kind !== "table") continue;
    const column = parent.columns.find((one) => one.name === name);
    if (column !== undefined) return { table: parent, column };
  }
  return undefined;
}

/** What a change of the parent's column changes in its partitions' and heirs' as well. */
type Handed = Pick<
  CatalogColumn,
  "type" | "collation" | "default" | "notNull" | "storage" | "statistics" | "generated"
>;

/**
 * How a column of the new catalog stands when its parents have what they are to have, and nothing was done about
 * itself yet. `undefined`: it is not there.
 */
export function columnBefore(
  ground: Ground,
  table: TableObject,
  column: CatalogColumn,
): CatalogColumn | undefined {
  const parent = parentColumn(ground.to, table, column.name);
  const isOld = ground.isKept(table.id);
  const fate = isOld ? ground.decisions.columns.get(column.id) : "make";
  const own = ground.from.columns.get(column.id)?.column;
  const isHanded = parent !== undefined && (!isOld || followsParents(ground, table));
  if (!isHanded) return fate === "keep" || fate === "retype" ? afterRetype(own, column, fate) : undefined;
  if (own === undefined || fate === "make" || fate === "anew") {
    return column.isInherited ? inherited(ground, table, parent.column) : undefined;
  }
  const old = ground.from.columns.get(parent.column.id)?.column;
  const before = columnBefore(ground, parent.table, parent.column);
  if (old === undefined || before === undefined) return own;
  return { ...afterRetype(own, column, fate), ...handedDown(old, before, parent.column) };
}

/** A new type brings its own storage, and the statement that changes it sets the default as well. */
function afterRetype<T extends CatalogColumn | undefined>(own: T, to: CatalogColumn, fate: unknown): T {
  if (own === undefined || fate !== "retype") return own;
  return {
    ...own,
    type: to.type,
    collation: to.collation,
    default: own.identity === undefined ? to.default : undefined,
    storage: undefined,
    compression: undefined,
  };
}

/** A parent's value goes down when the server set it there, by a statement of its own or of its own parent. */
function handedDown(old: CatalogColumn, before: CatalogColumn, after: CatalogColumn): Partial<Handed> {
  const isMoved = (read: (column: CatalogColumn) => unknown): boolean =>
    JSON.stringify(read(old)) !== JSON.stringify(read(before)) ||
    JSON.stringify(read(before)) !== JSON.stringify(read(after));
  const isRetyped = isMoved(({ type, collation }) => [type, collation]);
  return {
    type: after.type,
    collation: after.collation,
    generated: after.generated,
    ...(isRetyped || isMoved((column) => column.default) ? { default: after.default } : {}),
    ...(isMoved((column) => column.notNull) ? { notNull: after.notNull } : {}),
    ...(isMoved((column) => column.storage) ? { storage: after.storage } : {}),
    ...(isMoved((column) => column.statistics) ? { statistics: after.statistics } : {}),
  };
}

/** What a new partition or heir is born with. */
function inherited(ground: Ground, table: TableObject, parent: CatalogColumn): CatalogColumn {
  const handsIdentity = table.partitionOf !== undefined && ground.serverVersion >= 17;
  return {
    ...parent,
    identity: handsIdentity ? parent.identity : undefined,
    statistics: undefined,
    comment: undefined,
    grants: [],
    isInherited: true,
  };
}
