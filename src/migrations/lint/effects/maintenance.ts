/** Commands about whole tables: `truncate`, `lock`, `cluster`, `vacuum`, `analyze`, `refresh`. */
import type { ClusterStmt, LockStmt, Node, RefreshMatViewStmt, TruncateStmt, VacuumStmt } from "libpg-query";
import { parseSql } from "../../parse-sql.ts";
import type { CatalogView, Relation } from "../catalog-view.ts";
import { LOCK_MODES } from "../lock-mode.ts";
import type { LockMode } from "../model.ts";
import { relationName } from "../names.ts";
import type { EffectSet } from "./effect-set.ts";
import { familyOf, lockIndexes, rewriteTable, stored } from "./family.ts";
import { queryEffects } from "./query.ts";
import type { Routines } from "./routine.ts";

interface Ranged {
  readonly relation: Relation;
  readonly isOnly: boolean;
}

async function rangesOf(nodes: readonly Node[] | undefined, view: CatalogView): Promise<readonly Ranged[]> {
  const found: Ranged[] = [];
  for (const node of nodes ?? []) {
    if (!("RangeVar" in node)) continue;
    const relation = await view.find(relationName(node.RangeVar));
    if (relation !== undefined) found.push({ relation, isOnly: node.RangeVar.inh !== true });
  }
  return found;
}

/** `truncate`: new, empty storage for tables and indexes; `cascade` takes every table that refers to them. */
export async function truncate(
  { relations, behavior, restart_seqs }: TruncateStmt,
  view: CatalogView,
  effects: EffectSet,
): Promise<void> {
  const emptied = new Map<string, Relation>();
  for (const { relation, isOnly } of await rangesOf(relations, view)) {
    for (const one of isOnly ? [relation] : await familyOf(view, relation)) emptied.set(one.id, one);
  }
  if (behavior === "DROP_CASCADE") {
    // The map grows while it is gone through: tables that refer to those that refer to it are among them.
    for (const relation of emptied.values()) {
      if (!relation.isKnown) effects.unknown(`which tables refer to ${relation.label} is not known`);
      for (const { tableId } of relation.referencedBy) {
        const other = await view.get(tableId);
        for (const one of other === undefined ? [] : await familyOf(view, other)) emptied.set(one.id, one);
      }
    }
  }
  for (const relation of emptied.values()) {
    effects.lock(relation, "AccessExclusiveLock");
    if (relation.kind === "partitioned") continue;
    renew(effects, relation);
    if (restart_seqs === true) await lockSequences(relation, view, effects);
  }
}

/** New storage, empty at first: the old one is not read. */
function renew(effects: EffectSet, relation: Relation): void {
  effects.rewrite(relation);
  for (const index of relation.indexes) {
    effects.lock(index, "AccessExclusiveLock");
    effects.rewrite(index);
  }
}

async function lockSequences(relation: Relation, view: CatalogView, effects: EffectSet): Promise<void> {
  for (const { id } of relation.sequences) {
    const sequence = await view.get(id);
    if (sequence !== undefined) effects.lock(sequence, "AccessExclusiveLock");
  }
}

/** `lock table`: the parser numbers modes from 1. */
export async function lockTables(
  { relations, mode }: LockStmt,
  view: CatalogView,
  effects: EffectSet,
): Promise<void> {
  const wanted = LOCK_MODES[(mode ?? 8) - 1] ?? "AccessExclusiveLock";
  for (const { relation, isOnly } of await rangesOf(relations, view)) {
    await lockDeep(relation, isOnly, wanted, view, effects);
  }
}

async function lockDeep(
  relation: Relation,
  isOnly: boolean,
  mode: LockMode,
  view: CatalogView,
  effects: EffectSet,
): Promise<void> {
  effects.lock(relation, mode);
  if (relation.kind === "view") {
    for (const one of (await view.readBy(relation.id)) ?? []) await lockDeep(one, false, mode, view, effects);
    return;
  }
  if (!isOnly) for (const member of await familyOf(view, relation)) effects.lock(member, mode);
}

/** `cluster`: every row is written in another order. Without a table, every table that was clustered before. */
export async function cluster(
  { relation: range }: ClusterStmt,
  view: CatalogView,
  effects: EffectSet,
): Promise<void> {
  if (range === undefined) return effects.unknown("which tables were clustered before is not known");
  const relation = await view.find(relationName(range));
  if (relation === undefined) return;
  for (const member of stored(await familyOf(view, relation))) {
    effects.lock(member, "AccessExclusiveLock");
    rewriteTable(effects, member);
  }
}

/** `vacuum` and `analyze`. Without tables every table is meant. */
export async function vacuum(statement: VacuumStmt, view: CatalogView, effects: EffectSet): Promise<void> {
  const options = new Set(
    (statement.options ?? []).flatMap((node) =>
      "DefElem" in node && isOn(node.DefElem.arg) ? [node.DefElem.defname ?? ""] : [],
    ),
  );
  const named = (statement.rels ?? []).flatMap((node) =>
    "VacuumRelation" in node && node.VacuumRelation.relation !== undefined
      ? [{ RangeVar: node.VacuumRelation.relation }]
      : [],
  );
  const ranges = await rangesOf(named, view);
  const roots = named.length > 0 ? ranges.map(({ relation }) => relation) : await view.inSchema(view.home);
  if (roots === undefined) return effects.unknown("which tables it is about is not known");
  for (const root of roots) {
    for (const relation of await familyOf(view, root)) {
      if (statement.is_vacuumcmd === true) vacuumOne(relation, options, effects);
      else analyzeOne(relation, view, effects);
    }
  }
}

function vacuumOne(relation: Relation, options: ReadonlySet<string>, effects: EffectSet): void {
  if (relation.kind !== "table" && relation.kind !== "materialized") return;
  if (options.has("full")) {
    effects.lock(relation, "AccessExclusiveLock");
    rewriteTable(effects, relation);
    return;
  }
  effects.lock(relation, "ShareUpdateExclusiveLock");
  for (const index of relation.indexes) effects.lock(index, "RowExclusiveLock");
}

function analyzeOne(relation: Relation, view: CatalogView, effects: EffectSet): void {
  effects.lock(relation, "ShareUpdateExclusiveLock");
  lockIndexes(effects, stored([relation]), "AccessShareLock", view.serverVersion);
}

function isOn(value: Node | undefined): boolean {
  if (value === undefined) return true;
  if ("String" in value) return !/^(?:false|off|no|0)$/i.test(value.String.sval ?? "");
  return !("Integer" in value) || (value.Integer.ival ?? 0) !== 0;
}

/** `refresh materialized view`: its query is run; without `concurrently` nobody can read it meanwhile. */
export async function refresh(
  statement: RefreshMatViewStmt,
  view: CatalogView,
  effects: EffectSet,
  routines: Routines,
): Promise<void> {
  const relation = await view.find(relationName(statement.relation));
  if (relation === undefined) return;
  if (statement.concurrent === true) {
    effects.lock(relation, "ExclusiveLock");
    for (const index of relation.indexes) effects.lock(index, "RowExclusiveLock");
  } else {
    effects.lock(relation, "AccessExclusiveLock");
    renew(effects, relation);
  }
  if (statement.skipData === true) return;
  // The new rows are read once to build the indexes.
  if (relation.indexes.length > 0) effects.scan(relation);
  const query = await view.queryOf(relation.id);
  const tree = query === undefined ? undefined : (await parseSql(query)).statements[0]?.tree;
  if (query === undefined || tree === undefined) {
    return effects.unknown(`what ${relation.label} reads is not known`);
  }
  await queryEffects(tree, query.replace(/;\s*$/, ""), "run", view, effects, routines);
}
