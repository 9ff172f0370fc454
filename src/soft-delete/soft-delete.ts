import type { Behaviour, ColumnDescription, EntityDescription, ReferenceContext } from "../schema/index.ts";
import type { Assignment, Condition, Insert, ParameterNode, TableReference, Write } from "../sql/index.ts";
import { softDeleteObjects } from "./objects.ts";
import { TAKES_LEAVE } from "./purge-leave.ts";

const NAME = "soft delete";

/**
 * `delete` stamps the row instead of removing it, `purge` removes it, and every reference to the table sees the living only.
 * What the database holds itself, for every client, is in `objects.ts`.
 */
export const softDeleteBehaviour: Behaviour = {
  name: NAME,
  // A hard-deleted child of a soft-deleted parent needs the check of its parent, and nothing else.
  appliesTo: (entity) => entity.softDelete || entity.foreignKeys.some((key) => key.target.softDelete),
  objects: softDeleteObjects,
  filter: visibleRows,
  rewrite: stampInsteadOfDelete,
};

function visibleRows(
  entity: EntityDescription,
  table: TableReference,
  { visibility }: ReferenceContext,
): Condition | undefined {
  if (visibility === "all" || !entity.softDelete) return undefined;
  return {
    kind: "null",
    of: { kind: "column", table, name: deletedAtOf(entity).name },
    negated: visibility === "dead",
  };
}

function stampInsteadOfDelete(write: Write, entity: EntityDescription): Write {
  if (!entity.softDelete) return write;
  if (write.kind === "insert") return meetingTheLiving(write, entity);
  if (write.kind === "update") return write;
  if (write.isForGood === true) {
    const leave: Condition = { kind: "sql", parts: [TAKES_LEAVE] };
    return { ...write, filters: [...write.filters, { condition: leave, addedBy: NAME }] };
  }
  const deletedBy = entity.byRole.get("deletedBy");
  const author: ParameterNode = { kind: "parameter", value: ({ actor }) => actor?.userId ?? null };
  return {
    kind: "update",
    table: write.from,
    set: [
      { name: deletedAtOf(entity).name, value: { kind: "now" }, addedBy: NAME },
      ...(deletedBy === undefined ? [] : [{ name: deletedBy.name, value: author, addedBy: NAME }]),
    ],
    filters: write.filters,
    returning: write.returning,
  };
}

/**
 * Unique keys are partial, so a conflict on one names its predicate, without which PostgreSQL finds no index. The
 * primary key is not: there a dead row that an upsert meets comes back to life.
 */
function meetingTheLiving(insert: Insert, entity: EntityDescription): Insert {
  const { conflict } = insert;
  if (conflict === undefined || conflict.columns.length === 0) return insert;
  const key = entity.primaryKey.columns.map((column) => column.name);
  const isPrimary =
    key.length === conflict.columns.length && key.every((name) => conflict.columns.includes(name));
  if (!isPrimary) {
    const indexFilter = visibleRows(entity, insert.into, { visibility: "living" });
    return { ...insert, conflict: { ...conflict, indexFilter } };
  }
  const revived = ["deletedAt", "deletedBy"].flatMap((role): Assignment[] => {
    const column = entity.byRole.get(role);
    return column === undefined
      ? []
      : [{ name: column.name, value: { kind: "parameter", value: null }, addedBy: NAME }];
  });
  return conflict.set === undefined
    ? insert
    : { ...insert, conflict: { ...conflict, set: [...conflict.set, ...revived] } };
}

function deletedAtOf(entity: EntityDescription): ColumnDescription {
  const column = entity.byRole.get("deletedAt");
  if (column === undefined)
    throw new TypeError(`"${entity.name}" is soft-deleted but has no deletedAt column`);
  return column;
}
