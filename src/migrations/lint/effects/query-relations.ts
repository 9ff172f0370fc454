/** The relations a query names, and how each of them is locked when the query is analysed. */
import type { Node, RangeVar, SelectStmt, WithClause } from "libpg-query";
import type { RelationName } from "../catalog-view.ts";
import { strongerOf } from "../lock-mode.ts";
import type { LockMode } from "../model.ts";
import { relationName } from "../names.ts";

/** One mention of a relation. */
export interface Mention {
  readonly name: RelationName;
  readonly mode: LockMode;
  /** What is written to it. */
  readonly writes: readonly Write[];
  /** `only`: its children are left alone. */
  readonly isOnly: boolean;
  /** The planner plans how to find rows in it. The target of an `insert` it does not. */
  readonly isPlanned: boolean;
}

export interface Write {
  readonly kind: "insert" | "update" | "delete";
  /** Columns that get a value. Undefined: all of them. */
  readonly columns: readonly string[] | undefined;
}

/** Every relation of a statement. Names that `with` makes are none. */
export function mentionsIn(tree: Node): readonly Mention[] {
  const mentions: Mention[] = [];
  walk(tree, { tables: new Set(), mode: "AccessShareLock", locked: undefined, mentions });
  return mentions;
}

interface Scope {
  /** Names of the `with` queries in sight. */
  readonly tables: ReadonlySet<string>;
  /** `for update` reaches into subqueries. */
  readonly mode: LockMode;
  /** The only relations `for update of …` means. */
  readonly locked: ReadonlySet<string> | undefined;
  readonly mentions: Mention[];
}

/** Trees of expressions can be deep, so only statements and what holds them are walked by hand. */
function walk(tree: unknown, scope: Scope): void {
  if (typeof tree !== "object" || tree === null) return;
  if (Array.isArray(tree)) {
    for (const item of tree) walk(item, scope);
    return;
  }
  const node: object = tree;
  if (isSelect(node)) {
    walkSelect(node.SelectStmt, scope);
    return;
  }
  if (isRange(node)) {
    const { alias, relname } = node.RangeVar;
    const isLocked = scope.locked?.has(alias?.aliasname ?? relname ?? "") !== false;
    const mode = isLocked ? scope.mode : "AccessShareLock";
    note(node.RangeVar, scope, { mode, writes: [], isPlanned: true });
    return;
  }
  const target = targetOf(node);
  if (target !== undefined) walkWrite(target, scope);
  else for (const child of Object.values(node)) walk(child, scope);
}

function walkSelect(select: SelectStmt, outer: Scope): void {
  const { withClause, lockingClause = [], intoClause: _, larg, rarg, ...rest } = select;
  const names = lockingClause.flatMap((node) =>
    "LockingClause" in node ? (node.LockingClause.lockedRels ?? []) : [],
  );
  const isLocking = lockingClause.length > 0;
  const scope = withTables(withClause, {
    ...outer,
    mode: isLocking ? strongerOf("RowShareLock", outer.mode) : outer.mode,
    locked:
      isLocking && names.length > 0 ? new Set(names.map(rangeName)) : isLocking ? undefined : outer.locked,
  });
  if (larg !== undefined) walkSelect(larg, scope);
  if (rarg !== undefined) walkSelect(rarg, scope);
  walk(rest, scope);
}

function rangeName(node: Node): string {
  return "RangeVar" in node ? (node.RangeVar.relname ?? "") : "";
}

/** The queries of a `with` see the ones before them; a recursive one sees itself. */
function withTables(clause: WithClause | undefined, outer: Scope): Scope {
  if (clause === undefined) return outer;
  const tables = new Set(outer.tables);
  const queries = (clause.ctes ?? []).flatMap((node) =>
    "CommonTableExpr" in node ? [node.CommonTableExpr] : [],
  );
  if (clause.recursive === true) for (const { ctename } of queries) tables.add(ctename ?? "");
  for (const { ctename, ctequery } of queries) {
    walk(ctequery, { ...outer, tables: new Set(tables), mode: "AccessShareLock", locked: undefined });
    tables.add(ctename ?? "");
  }
  return { ...outer, tables };
}

interface WrittenNode {
  readonly relation: RangeVar | undefined;
  readonly writes: readonly Write[];
  readonly isPlanned: boolean;
  readonly withClause: WithClause | undefined;
  readonly rest: object;
}

function walkWrite({ relation, writes, isPlanned, withClause, rest }: WrittenNode, outer: Scope): void {
  const scope = withTables(withClause, { ...outer, mode: "AccessShareLock", locked: undefined });
  if (relation !== undefined) {
    note(relation, { ...scope, tables: new Set() }, { mode: "RowExclusiveLock", writes, isPlanned });
  }
  walk(rest, scope);
}

function targetOf(node: object): WrittenNode | undefined {
  if (isInsert(node)) {
    const { relation, withClause, ...rest } = node.InsertStmt;
    const columns = rest.cols === undefined ? undefined : namesOf(rest.cols);
    const { onConflictClause: conflict } = rest;
    const writes: Write[] = [{ kind: "insert", columns }];
    if (conflict?.action === "ONCONFLICT_UPDATE") {
      writes.push({ kind: "update", columns: namesOf(conflict.targetList) });
    }
    return { relation, withClause, rest, writes, isPlanned: conflict?.infer !== undefined };
  }
  if (isUpdate(node)) {
    const { relation, withClause, ...rest } = node.UpdateStmt;
    const writes: Write[] = [{ kind: "update", columns: namesOf(rest.targetList) }];
    return { relation, withClause, rest, writes, isPlanned: true };
  }
  if (isDelete(node)) {
    const { relation, withClause, ...rest } = node.DeleteStmt;
    return { relation, withClause, rest, writes: [{ kind: "delete", columns: undefined }], isPlanned: true };
  }
  if (!isMerge(node)) return undefined;
  const { relation, withClause, ...rest } = node.MergeStmt;
  const writes = (rest.mergeWhenClauses ?? []).flatMap((clause) => mergeWrite(clause));
  return { relation, withClause, rest, writes, isPlanned: true };
}

function mergeWrite(node: Node): readonly Write[] {
  if (!("MergeWhenClause" in node)) return [];
  const { commandType, targetList } = node.MergeWhenClause;
  const columns = namesOf(targetList);
  switch (commandType) {
    case "CMD_INSERT":
      return [{ kind: "insert", columns: columns.length === 0 ? undefined : columns }];
    case "CMD_UPDATE":
      return [{ kind: "update", columns }];
    case "CMD_DELETE":
      return [{ kind: "delete", columns: undefined }];
    default:
      return [];
  }
}

function note(range: RangeVar, scope: Scope, how: Pick<Mention, "mode" | "writes" | "isPlanned">): void {
  const name = relationName(range);
  if (name.schema === undefined && scope.tables.has(name.name)) return;
  scope.mentions.push({ name, isOnly: range.inh !== true, ...how });
}

function namesOf(nodes: readonly Node[] | undefined): readonly string[] {
  return (nodes ?? []).flatMap((node) => ("ResTarget" in node ? [node.ResTarget.name ?? ""] : []));
}

type Of<K extends string> = Extract<Node, Record<K, unknown>>;

function isSelect(node: object): node is Of<"SelectStmt"> {
  return "SelectStmt" in node;
}
function isRange(node: object): node is Of<"RangeVar"> {
  return "RangeVar" in node;
}
function isInsert(node: object): node is Of<"InsertStmt"> {
  return "InsertStmt" in node;
}
function isUpdate(node: object): node is Of<"UpdateStmt"> {
  return "UpdateStmt" in node;
}
function isDelete(node: object): node is Of<"DeleteStmt"> {
  return "DeleteStmt" in node;
}
function isMerge(node: object): node is Of<"MergeStmt"> {
  return "MergeStmt" in node;
}
