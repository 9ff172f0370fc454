import type { Constraint } from "libpg-query";
import type { CatalogView, Relation } from "../catalog-view.ts";
import { qualified, relationName, stringsIn } from "../names.ts";
import type { EffectSet } from "./effect-set.ts";
import { familyOf, lockAll, lockIndexes, stored } from "./family.ts";
import type { TableChange } from "./table-change.ts";

/** A foreign key on a table that is there. */
export async function addForeignKey(
  constraint: Constraint,
  change: TableChange,
  { isValidated }: { readonly isValidated: boolean },
): Promise<void> {
  const { view, effects, relation } = change;
  const referenced = await view.find(relationName(constraint.pktable));
  const family = relation.kind === "partitioned" ? await change.lockFamily() : [relation];
  if (referenced === undefined) return;
  await lockReferenced(view, effects, referenced);
  if (!isValidated) return;
  // With nulls only there is nothing to look up.
  const isEmpty = stringsIn(constraint.fk_attrs).some((name) => change.empty.has(name));
  if (isEmpty) return lookForRows(view, effects, family, referenced);
  await readForValidation(view, effects, family, referenced);
}

/** Writers of the table it points to wait until its triggers are there. */
export async function lockReferenced(
  view: CatalogView,
  effects: EffectSet,
  referenced: Relation,
): Promise<void> {
  if (!referenced.isKnown) effects.lock(referenced, "ShareRowExclusiveLock");
  const family = referenced.kind === "partitioned" ? await familyOf(view, referenced) : [referenced];
  lockAll(effects, family, "ShareRowExclusiveLock");
}

/**
 * The one query that looks for rows without a partner: it reads both sides, and its planner opens all their indexes.
 *
 * @see https://github.com/postgres/postgres/blob/REL_18_STABLE/src/backend/utils/adt/ri_triggers.c RI_Initial_Check
 */
export async function readForValidation(
  view: CatalogView,
  effects: EffectSet,
  referencing: readonly Relation[],
  referenced: Relation,
): Promise<void> {
  await lookForRows(view, effects, referencing, referenced);
  const target = await referencedFamily(view, referenced);
  for (const relation of target) effects.scan(relation);
}

/** The same query where the first table has no row to look up. */
async function lookForRows(
  view: CatalogView,
  effects: EffectSet,
  referencing: readonly Relation[],
  referenced: Relation,
): Promise<void> {
  const target = await referencedFamily(view, referenced);
  for (const relation of stored(referencing)) effects.scan(relation);
  for (const relation of [...stored(referencing), ...target]) effects.lock(relation, "AccessShareLock");
  // Each part of the referencing table is looked through by itself.
  lockIndexes(effects, stored(referencing), "AccessShareLock", view.serverVersion);
  lockIndexes(effects, target, "AccessShareLock", view.serverVersion);
}

async function referencedFamily(view: CatalogView, referenced: Relation): Promise<readonly Relation[]> {
  return referenced.kind === "partitioned" ? familyOf(view, referenced) : [referenced];
}

/** The name of the table a foreign key points to, as written. */
export function referencedName(constraint: Constraint): string {
  return qualified(relationName(constraint.pktable));
}
