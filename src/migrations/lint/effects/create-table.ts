import type { Constraint, CreateStmt, Node } from "libpg-query";
import type { CatalogView } from "../catalog-view.ts";
import { relationName } from "../names.ts";
import { narrowDefault, takeForeignKeys } from "./alter-partition.ts";
import type { EffectSet } from "./effect-set.ts";
import { lockReferenced } from "./foreign-key.ts";

/** `create table`: new itself, but foreign keys, parents and partitions touch what is there. */
export async function createTable(
  statement: CreateStmt,
  view: CatalogView,
  effects: EffectSet,
): Promise<void> {
  const own = relationName(statement.relation);
  if (statement.if_not_exists === true && (await view.find(own))?.isKnown === true) return;
  for (const constraint of constraintsIn(statement)) {
    if (constraint.contype !== "CONSTR_FOREIGN") continue;
    const referenced = await view.find(relationName(constraint.pktable));
    if (referenced !== undefined) await lockReferenced(view, effects, referenced);
  }
  for (const element of statement.tableElts ?? []) {
    if (!("TableLikeClause" in element)) continue;
    const source = await view.find(relationName(element.TableLikeClause.relation));
    if (source !== undefined) effects.lock(source, "AccessShareLock");
  }
  for (const parent of statement.inhRelations ?? []) {
    if ("RangeVar" in parent) await inherit(statement, parent, view, effects);
  }
}

async function inherit(
  { partbound }: CreateStmt,
  parent: Extract<Node, { readonly RangeVar: unknown }>,
  view: CatalogView,
  effects: EffectSet,
): Promise<void> {
  const relation = await view.find(relationName(parent.RangeVar));
  if (relation === undefined) return;
  if (partbound === undefined) {
    effects.lock(relation, "ShareUpdateExclusiveLock");
    return;
  }
  effects.lock(relation, "AccessExclusiveLock");
  for (const index of relation.indexes) effects.lock(index, "ShareUpdateExclusiveLock");
  await narrowDefault(view, effects, relation, partbound);
  await takeForeignKeys(view, effects, relation, []);
}

/** Constraints behind columns and those of the table. */
export function constraintsIn({ tableElts, constraints }: CreateStmt): readonly Constraint[] {
  return [...(tableElts ?? []), ...(constraints ?? [])].flatMap((element) => {
    if ("Constraint" in element) return [element.Constraint];
    if (!("ColumnDef" in element)) return [];
    return (element.ColumnDef.constraints ?? []).flatMap((node) =>
      "Constraint" in node ? [node.Constraint] : [],
    );
  });
}
