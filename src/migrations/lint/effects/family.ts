import type { CatalogView, Constraint, Index, Relation } from "../catalog-view.ts";
import type { LockMode } from "../model.ts";
import type { EffectSet } from "./effect-set.ts";

/** The relation and everything that inherits from it or is a part of it, parents first. */
export async function familyOf(view: CatalogView, relation: Relation): Promise<readonly Relation[]> {
  const family = [relation];
  const seen = new Set([relation.id]);
  for (let at = 0; at < family.length; at++) {
    for (const id of family[at]?.children ?? []) {
      if (seen.has(id)) continue;
      seen.add(id);
      const child = await view.get(id);
      if (child !== undefined) family.push(child);
    }
  }
  return family;
}

/** Those that have storage of their own. */
export function stored(relations: readonly Relation[]): readonly Relation[] {
  return relations.filter(({ kind }) => kind === "table" || kind === "materialized");
}

export function isPartition(relation: Relation): boolean {
  return relation.partition?.bound !== undefined;
}

export function lockAll(effects: EffectSet, relations: readonly Relation[], mode: LockMode): void {
  for (const relation of relations) effects.lock(relation, mode);
}

/** The whole storage is written anew, with every index but those that go away. */
export function rewriteTable(
  effects: EffectSet,
  relation: Relation,
  without: (index: Index) => boolean = () => false,
): void {
  effects.scan(relation);
  effects.rewrite(relation);
  for (const index of relation.indexes) {
    if (without(index)) continue;
    effects.lock(index, "AccessExclusiveLock");
    effects.rewrite(index);
  }
}

/** The planner opens every index of a table it plans for, and keeps the lock. */
export function lockIndexes(
  effects: EffectSet,
  relations: readonly Relation[],
  mode: LockMode,
  serverVersion: number,
): void {
  for (const relation of relations) {
    // Since 16 it looks at the indexes of partitioned tables as well.
    if (relation.kind === "partitioned" && serverVersion < 16) continue;
    for (const index of relation.indexes) effects.lock(index, mode);
  }
}

/** A constraint of the relation by its name. */
export function constraintOf(relation: Relation, name: string | undefined): Constraint | undefined {
  return relation.constraints.find((constraint) => constraint.name === name);
}

export function columnOf(relation: Relation, name: string | undefined) {
  return relation.columns.find((column) => column.name === name);
}
