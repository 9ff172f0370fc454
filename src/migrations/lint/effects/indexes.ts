import type { IndexStmt, ReindexStmt } from "libpg-query";
import type { CatalogView, Index, Relation } from "../catalog-view.ts";
import { relationName } from "../names.ts";
import { buildIndex, statementIndex } from "./build-index.ts";
import type { EffectSet } from "./effect-set.ts";
import { familyOf, stored } from "./family.ts";

/** `create index`. */
export async function createIndex(
  statement: IndexStmt,
  view: CatalogView,
  effects: EffectSet,
): Promise<void> {
  const relation = await view.find(relationName(statement.relation));
  if (relation === undefined) return;
  const isConcurrent = statement.concurrent === true;
  effects.lock(relation, isConcurrent ? "ShareUpdateExclusiveLock" : "ShareLock");
  if (statement.if_not_exists === true && statement.idxname !== undefined) {
    const there = await view.find({ schema: relation.schema, name: statement.idxname });
    if (there?.isKnown === true) return;
  }
  if (relation.kind !== "partitioned") {
    effects.scan(relation);
    return;
  }
  if (statement.relation?.inh !== true) return;
  buildIndex(effects, await familyOf(view, relation), statementIndex(statement));
}

/** `reindex`. Of a schema or database every table is meant. */
export async function reindex(statement: ReindexStmt, view: CatalogView, effects: EffectSet): Promise<void> {
  const isConcurrent = (statement.params ?? []).some(
    (param) => "DefElem" in param && param.DefElem.defname === "concurrently",
  );
  if (statement.relation === undefined) {
    return reindexAll(statement.name ?? view.home, isConcurrent, view, effects);
  }
  const relation = await view.find(relationName(statement.relation));
  if (relation === undefined) return;
  if (relation.tableId !== undefined) return reindexOne(relation, isConcurrent, view, effects);
  if (relation.kind === "index" || !relation.isKnown) {
    return effects.unknown(`which indexes are built again on ${relation.label} is not known`);
  }
  for (const member of stored(await familyOf(view, relation))) {
    reindexTable(member, member.indexes, isConcurrent, effects);
  }
}

async function reindexOne(
  relation: Relation,
  isConcurrent: boolean,
  view: CatalogView,
  effects: EffectSet,
): Promise<void> {
  const table = await view.get(relation.tableId ?? "");
  if (table === undefined) return;
  const family = await familyOf(view, table);
  const wanted = new Set([relation.id]);
  for (const member of family) {
    for (const index of member.indexes) if (wanted.has(index.parentId ?? "")) wanted.add(index.id);
  }
  for (const member of stored(family)) {
    const indexes = member.indexes.filter(({ id }) => wanted.has(id));
    if (indexes.length > 0) reindexTable(member, indexes, isConcurrent, effects);
  }
}

function reindexTable(
  table: Relation,
  indexes: readonly Index[],
  isConcurrent: boolean,
  effects: EffectSet,
): void {
  effects.lock(table, isConcurrent ? "ShareUpdateExclusiveLock" : "ShareLock");
  for (const index of indexes) {
    effects.lock(index, isConcurrent ? "ShareUpdateExclusiveLock" : "AccessExclusiveLock");
    effects.rewrite(index);
  }
  if (indexes.length > 0) effects.scan(table);
}

async function reindexAll(
  schema: string,
  isConcurrent: boolean,
  view: CatalogView,
  effects: EffectSet,
): Promise<void> {
  const relations = await view.inSchema(schema);
  if (relations === undefined) return effects.unknown("which tables it is about is not known");
  for (const relation of stored(relations)) {
    reindexTable(relation, relation.indexes, isConcurrent, effects);
  }
}
