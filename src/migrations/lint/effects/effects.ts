import type { CreateTableAsStmt, Node, ViewStmt } from "libpg-query";
import { parseSql } from "../../parse-sql.ts";
import type { CatalogView } from "../catalog-view.ts";
import { relationName } from "../names.ts";
import { alterTable } from "./alter-table.ts";
import { createTable } from "./create-table.ts";
import { drop } from "./drop.ts";
import { EffectSet } from "./effect-set.ts";
import { HARMLESS } from "./harmless.ts";
import { createIndex, reindex } from "./indexes.ts";
import { cluster, lockTables, refresh, truncate, vacuum } from "./maintenance.ts";
import {
  alterDomain,
  alterSequence,
  comment,
  createTrigger,
  grant,
  lockNamed,
  moveToSchema,
  ownedBy,
  rename,
} from "./objects.ts";
import { queryEffects } from "./query.ts";
import { blockEffects, callEffects, type Routines } from "./routine.ts";

/** What a statement does, on the catalog as it is just before it. */
export async function effectsOf(tree: Node, text: string, view: CatalogView): Promise<EffectSet> {
  const effects = new EffectSet();
  const routines: Routines = {
    textEffects: (inner, into, nested) => textEffects(inner, view, into, nested),
    treeEffects: (inner, innerText, into, nested) => treeEffects(inner, innerText, view, into, nested),
    open: new Set(),
  };
  await treeEffects(tree, text, view, effects, routines);
  return effects;
}

async function textEffects(
  text: string,
  view: CatalogView,
  effects: EffectSet,
  routines: Routines,
): Promise<void> {
  const { statements, problem } = await parseSql(text);
  if (problem !== undefined) return effects.unknown("a statement inside it cannot be parsed");
  for (const statement of statements) {
    await treeEffects(statement.tree, statement.text, view, effects, routines);
  }
}

async function treeEffects(
  tree: Node,
  text: string,
  view: CatalogView,
  effects: EffectSet,
  routines: Routines,
): Promise<void> {
  if (isQuery(tree)) return runQuery(tree, text, view, effects, routines);
  const isDone =
    (await tableEffects(tree, view, effects, routines)) ||
    (await queryInside(tree, text, view, effects, routines)) ||
    (await objectEffects(tree, view, effects, routines));
  const [kind = ""] = Object.keys(tree);
  if (!isDone && !HARMLESS.has(kind)) effects.unknown(`what ${kind.replace(/Stmt$/, "")} does is not known`);
}

function isQuery(tree: Node): boolean {
  return (
    "SelectStmt" in tree ||
    "InsertStmt" in tree ||
    "UpdateStmt" in tree ||
    "DeleteStmt" in tree ||
    "MergeStmt" in tree ||
    "ReturnStmt" in tree
  );
}

async function runQuery(
  tree: Node,
  text: string,
  view: CatalogView,
  effects: EffectSet,
  routines: Routines,
): Promise<void> {
  // `explain` does not know `select … into`; the plan is the same without it.
  const isInto = "SelectStmt" in tree && tree.SelectStmt.intoClause !== undefined;
  const planned = isInto
    ? text.replace(/\binto\s+(?:temp(?:orary)?\s+|unlogged\s+)?(?:table\s+)?[\w".]+/i, "")
    : text;
  return queryEffects(tree, planned, "run", view, effects, routines);
}

/** Statements about tables and indexes. False: it is none. */
async function tableEffects(
  tree: Node,
  view: CatalogView,
  effects: EffectSet,
  routines: Routines,
): Promise<boolean> {
  if ("AlterTableStmt" in tree) await alterTable(tree.AlterTableStmt, view, effects);
  else if ("CreateStmt" in tree) await createTable(tree.CreateStmt, view, effects);
  else if ("IndexStmt" in tree) await createIndex(tree.IndexStmt, view, effects);
  else if ("DropStmt" in tree) await drop(tree.DropStmt, view, effects);
  else if ("ReindexStmt" in tree) await reindex(tree.ReindexStmt, view, effects);
  else if ("RenameStmt" in tree) await rename(tree.RenameStmt, view, effects);
  else if ("TruncateStmt" in tree) await truncate(tree.TruncateStmt, view, effects);
  else if ("LockStmt" in tree) await lockTables(tree.LockStmt, view, effects);
  else if ("ClusterStmt" in tree) await cluster(tree.ClusterStmt, view, effects);
  else if ("VacuumStmt" in tree) await vacuum(tree.VacuumStmt, view, effects);
  else if ("RefreshMatViewStmt" in tree) await refresh(tree.RefreshMatViewStmt, view, effects, routines);
  else return false;
  return true;
}

/** Statements that hold a query. */
async function queryInside(
  tree: Node,
  text: string,
  view: CatalogView,
  effects: EffectSet,
  routines: Routines,
): Promise<boolean> {
  if ("ViewStmt" in tree) await createView(tree.ViewStmt, view, effects, routines);
  else if ("CreateTableAsStmt" in tree) await createAs(tree.CreateTableAsStmt, text, view, effects, routines);
  else if ("CreatePolicyStmt" in tree) {
    await lockNamed([{ RangeVar: tree.CreatePolicyStmt.table ?? {} }], "AccessExclusiveLock", view, effects);
    await queryEffects(tree, "", "analysed", view, effects, routines);
  } else if ("AlterPolicyStmt" in tree) {
    await lockNamed([{ RangeVar: tree.AlterPolicyStmt.table ?? {} }], "AccessExclusiveLock", view, effects);
    await queryEffects(tree, "", "analysed", view, effects, routines);
  } else if ("RuleStmt" in tree) {
    await lockNamed([{ RangeVar: tree.RuleStmt.relation ?? {} }], "AccessExclusiveLock", view, effects);
    await queryEffects(tree, "", "analysed", view, effects, routines);
  } else if ("CreateFunctionStmt" in tree) await createFunction(tree, text, view, effects, routines);
  else if ("CopyStmt" in tree) await copy(tree, view, effects, routines);
  else if ("ExplainStmt" in tree && tree.ExplainStmt.query !== undefined) {
    await queryEffects(tree.ExplainStmt.query, "", "run", view, effects, routines);
  } else return false;
  return true;
}

async function createView(
  { view: range, query, replace }: ViewStmt,
  view: CatalogView,
  effects: EffectSet,
  routines: Routines,
): Promise<void> {
  if (query === undefined) return;
  const old = replace === true ? await view.find(relationName(range)) : undefined;
  if (old !== undefined) effects.lock(old, "AccessExclusiveLock");
  await queryEffects(query, "", "analysed", view, effects, routines);
}

/** `create table as`, `create materialized view`. */
async function createAs(
  { query, into, if_not_exists }: CreateTableAsStmt,
  text: string,
  view: CatalogView,
  effects: EffectSet,
  routines: Routines,
): Promise<void> {
  if (query === undefined) return;
  if ("ExecuteStmt" in query) return effects.unknown("what the prepared statement does is not known");
  const isThere = if_not_exists === true && (await view.find(relationName(into?.rel)))?.isKnown === true;
  const reach = isThere || into?.skipData === true ? "analysed" : "run";
  // `explain` takes the whole statement and plans its query.
  await queryEffects(query, text, reach, view, effects, routines);
}

async function createFunction(
  tree: Extract<Node, { readonly CreateFunctionStmt: unknown }>,
  text: string,
  view: CatalogView,
  effects: EffectSet,
  routines: Routines,
): Promise<void> {
  const { options, sql_body: body } = tree.CreateFunctionStmt;
  if (body !== undefined) return queryEffects(body, "", "analysed", view, effects, routines);
  const isSql = (options ?? []).some(
    (option) =>
      "DefElem" in option &&
      option.DefElem.defname === "language" &&
      option.DefElem.arg !== undefined &&
      "String" in option.DefElem.arg &&
      option.DefElem.arg.String.sval?.toLowerCase() === "sql",
  );
  if (!isSql) return;
  // The server analyses the body when it is made, and keeps the locks.
  const { readBody } = await import("./plpgsql.ts");
  const parts = await readBody("sql", text);
  for (const inner of parts?.texts ?? []) {
    for (const statement of (await parseSql(inner)).statements) {
      await queryEffects(statement.tree, "", "analysed", view, effects, routines);
    }
  }
}

async function copy(
  tree: Extract<Node, { readonly CopyStmt: unknown }>,
  view: CatalogView,
  effects: EffectSet,
  routines: Routines,
): Promise<void> {
  const { relation: range, query, is_from } = tree.CopyStmt;
  if (query !== undefined) return queryEffects(query, "", "run", view, effects, routines);
  const relation = await view.find(relationName(range));
  if (relation === undefined) return;
  effects.lock(relation, is_from === true ? "RowExclusiveLock" : "AccessShareLock");
  if (is_from !== true) effects.scan(relation);
}

/** Everything else that touches tables. */
async function objectEffects(
  tree: Node,
  view: CatalogView,
  effects: EffectSet,
  routines: Routines,
): Promise<boolean> {
  if ("CommentStmt" in tree) await comment(tree.CommentStmt, view, effects);
  else if ("GrantStmt" in tree) await grant(tree.GrantStmt, view, effects);
  else if ("CreateTrigStmt" in tree) await createTrigger(tree.CreateTrigStmt, view, effects);
  else if ("AlterDomainStmt" in tree) await alterDomain(tree.AlterDomainStmt, view, effects);
  else if ("AlterSeqStmt" in tree) await alterSequence(tree.AlterSeqStmt, view, effects);
  else if ("CreateSeqStmt" in tree) await ownedBy(tree.CreateSeqStmt.options, view, effects);
  else if ("CreateStatsStmt" in tree) {
    await lockNamed(tree.CreateStatsStmt.relations, "ShareUpdateExclusiveLock", view, effects);
  } else if ("AlterObjectSchemaStmt" in tree) {
    const { relation: range } = tree.AlterObjectSchemaStmt;
    const relation = range === undefined ? undefined : await view.find(relationName(range));
    if (relation !== undefined) await moveToSchema(relation, view, effects);
  } else if ("AlterObjectDependsStmt" in tree) {
    const { relation: range } = tree.AlterObjectDependsStmt;
    if (range !== undefined) await lockNamed([{ RangeVar: range }], "AccessExclusiveLock", view, effects);
  } else return otherEffects(tree, view, effects, routines);
  return true;
}

async function otherEffects(
  tree: Node,
  view: CatalogView,
  effects: EffectSet,
  routines: Routines,
): Promise<boolean> {
  if ("CreatePublicationStmt" in tree || "AlterPublicationStmt" in tree) {
    const objects =
      "CreatePublicationStmt" in tree
        ? tree.CreatePublicationStmt.pubobjects
        : tree.AlterPublicationStmt.pubobjects;
    const tables = (objects ?? []).flatMap((node) =>
      "PublicationObjSpec" in node && node.PublicationObjSpec.pubtable?.relation !== undefined
        ? [{ RangeVar: node.PublicationObjSpec.pubtable.relation }]
        : [],
    );
    await lockNamed(tables, "ShareUpdateExclusiveLock", view, effects);
  } else if ("DropOwnedStmt" in tree) {
    const seeds = (tree.DropOwnedStmt.roles ?? []).flatMap((role) =>
      "RoleSpec" in role ? [{ kind: "owned" as const, name: role.RoleSpec.rolename ?? "" }] : [],
    );
    const locks = await view.dropLocks(seeds);
    if (locks === undefined) effects.unknown("what the role owns is not known");
    for (const { relation, mode } of locks ?? []) effects.lock(relation, mode);
  } else if ("CreateSchemaStmt" in tree) {
    for (const element of tree.CreateSchemaStmt.schemaElts ?? []) {
      await treeEffects(element, "", view, effects, routines);
    }
  } else if ("DoStmt" in tree) await blockEffects(tree.DoStmt, effects, routines);
  else if ("CallStmt" in tree) {
    const call = tree.CallStmt.funccall;
    const wrapped: Node = { FuncCall: call ?? {} };
    await callEffects(wrapped, view, effects, routines);
  } else return false;
  return true;
}
