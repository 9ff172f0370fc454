import type { AlterTableCmd, PartitionBoundSpec } from "libpg-query";
import type { CatalogView, Relation } from "../catalog-view.ts";
import { relationName } from "../names.ts";
import { excludesBound, impliesBound } from "./bounds.ts";
import type { EffectSet } from "./effect-set.ts";
import { familyOf, lockAll, lockIndexes, stored } from "./family.ts";
import { lockReferenced, readForValidation } from "./foreign-key.ts";
import type { TableChange } from "./table-change.ts";

/** `attach partition`: reads the new part, and the default one, unless checks show that rows fit. */
export async function attachPartition({ def }: AlterTableCmd, change: TableChange): Promise<void> {
  const { view, effects, relation } = change;
  if (def === undefined || !("PartitionCmd" in def)) return;
  const part = await view.find(relationName(def.PartitionCmd.name));
  if (part === undefined) return;
  if (relation.kind === "partitioned-index" || part.tableId !== undefined) {
    return attachIndex(part, change);
  }
  const family = await familyOf(view, part);
  lockAll(effects, family, "AccessExclusiveLock");
  for (const index of relation.indexes) {
    effects.lock(index, "ShareUpdateExclusiveLock");
    if (!hasSameIndex(part, index)) for (const leaf of stored(family)) effects.scan(leaf);
  }
  const { bound } = def.PartitionCmd;
  if (bound !== undefined && !(await impliesBound(relation, part, bound))) {
    for (const leaf of stored(family)) effects.scan(leaf);
  }
  await narrowDefault(view, effects, relation, bound);
  await takeForeignKeys(view, effects, relation, family);
}

function hasSameIndex(part: Relation, wanted: Relation["indexes"][number]): boolean {
  return part.indexes.some(
    (index) =>
      index.parentId === undefined &&
      index.method === wanted.method &&
      index.isUnique === wanted.isUnique &&
      (index.constraint === undefined) === (wanted.constraint === undefined) &&
      index.predicate === wanted.predicate &&
      index.keys.length === wanted.keys.length &&
      index.keys.every(
        ({ text, operatorClass, collation }, at) =>
          text === wanted.keys[at]?.text &&
          operatorClass === wanted.keys[at]?.operatorClass &&
          collation === wanted.keys[at]?.collation,
      ),
  );
}

/** Rows of the default partition must not belong to the new part. */
export async function narrowDefault(
  view: CatalogView,
  effects: EffectSet,
  parent: Relation,
  bound: PartitionBoundSpec | undefined,
): Promise<void> {
  const rest = await view.get(parent.partition?.defaultId ?? "");
  if (!parent.isKnown && parent.isOld)
    effects.unknown(`whether ${parent.label} has a default partition is not known`);
  if (rest === undefined) return;
  const family = await familyOf(view, rest);
  lockAll(effects, family, "AccessExclusiveLock");
  if (bound !== undefined && (await excludesBound(parent, rest, bound))) return;
  for (const leaf of stored(family)) effects.scan(leaf);
}

/** A new part takes over the foreign keys of the whole, which are checked for its rows. */
export async function takeForeignKeys(
  view: CatalogView,
  effects: EffectSet,
  parent: Relation,
  family: readonly Relation[],
): Promise<void> {
  for (const constraint of parent.constraints) {
    const referenced = await view.get(constraint.reference?.tableId ?? "");
    if (constraint.kind !== "foreign-key" || referenced === undefined) continue;
    await lockReferenced(view, effects, referenced);
    if (family.length > 0) await readForValidation(view, effects, family, referenced);
  }
  for (const { tableId } of parent.referencedBy) {
    const referencing = await view.get(tableId);
    if (referencing !== undefined) effects.lock(referencing, "ShareRowExclusiveLock");
  }
}

async function attachIndex(part: Relation, { view, effects, relation }: TableChange): Promise<void> {
  effects.lock(part, "AccessExclusiveLock");
  for (const id of [part.tableId, relation.tableId]) {
    const table = await view.get(id ?? "");
    if (table !== undefined) effects.lock(table, "AccessShareLock");
  }
}

/** `detach partition`: the part keeps its rows, but its indexes and the default partition change. */
export async function detachPartition({ def }: AlterTableCmd, change: TableChange): Promise<void> {
  const { view, effects, relation } = change;
  if (def === undefined || !("PartitionCmd" in def)) return;
  const part = await view.find(relationName(def.PartitionCmd.name));
  if (part === undefined) return;
  const isConcurrent = def.PartitionCmd.concurrent === true;
  effects.lock(part, "AccessExclusiveLock");
  if (!part.isKnown && part.isOld)
    effects.unknown(`whether foreign keys point to ${part.label} is not known`);
  const rest = isConcurrent ? undefined : await view.get(relation.partition?.defaultId ?? "");
  if (rest !== undefined) effects.lock(rest, "AccessExclusiveLock");
  for (const index of part.indexes) {
    if (index.parentId !== undefined) effects.lock(index, "AccessExclusiveLock");
  }
  await separateForeignKeys(part, change);
}

/**
 * Foreign keys of the whole become the part's own. Those that point to the whole must not point to a row of the part, so
 * the tables that have them are read.
 */
async function separateForeignKeys(part: Relation, { view, effects, relation }: TableChange): Promise<void> {
  for (const { kind, parentId, reference } of part.constraints) {
    const referenced = await view.get(reference?.tableId ?? "");
    if (kind === "foreign-key" && parentId !== undefined && referenced !== undefined) {
      await lockReferenced(view, effects, referenced);
    }
  }
  const pointing = part.referencedBy.filter(({ parentId }) => parentId !== undefined);
  if (pointing.length === 0) return;
  const family = await familyOf(view, part);
  lockAll(effects, family, "AccessExclusiveLock");
  lockIndexes(effects, stored(family), "AccessShareLock", view.serverVersion);
  for (const { tableId } of pointing) {
    const referencing = await view.get(tableId);
    if (referencing === undefined) continue;
    effects.lock(referencing, "AccessExclusiveLock");
    lockIndexes(effects, [referencing], "AccessShareLock", view.serverVersion);
    effects.scan(referencing);
  }
  for (const id of relation.parents) {
    const above = await view.get(id);
    if (above !== undefined) effects.lock(above, "AccessShareLock");
  }
}
