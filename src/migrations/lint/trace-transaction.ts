import type { Node } from "libpg-query";
import type { ParsedStatement } from "../parse-sql.ts";
import { classifyStatement } from "../statement-kind.ts";
import type { StepFailure } from "./walk.ts";

/** How a statement is traced. */
export type TraceKind =
  /** In a transaction, alone. */
  | "transaction"
  /** As PostgreSQL wants it: outside any. */
  | "outside"
  /** It sets the transaction up and does nothing else: run before each statement that comes after it. */
  | "setup"
  /** Not at all: about the transaction itself, which the tracer controls. */
  | "boundary"
  /** Not at all: about the whole server, and no table of this database. */
  | "server"
  /** Not at all: the runner refuses it. */
  | "refused";

/** Tells how a statement is traced. */
export function traceKindOf(tree: Node): TraceKind {
  if ("TransactionStmt" in tree) return "boundary";
  if (isAboutServer(tree)) return "server";
  if (isSetup(tree)) return "setup";
  const { run } = classifyStatement(tree);
  // A concurrent build without a name: the runner could not resume it, the server can run it.
  if (run === "outside" || (run === "refused" && "IndexStmt" in tree)) return "outside";
  return run === "refused" ? "refused" : "transaction";
}

/** `vacuum full`, `reindex database` and the like rewrite the system catalogs as well, and keep everybody out of them. */
export function keepsCatalogs(tree: Node): boolean {
  if ("VacuumStmt" in tree) return (tree.VacuumStmt.rels ?? []).length === 0;
  if ("ReindexStmt" in tree) {
    return (
      tree.ReindexStmt.kind === "REINDEX_OBJECT_DATABASE" || tree.ReindexStmt.kind === "REINDEX_OBJECT_SYSTEM"
    );
  }
  return false;
}

/** How a section's statements are put into transactions. */
export interface TransactionRules {
  /** False: every statement commits by itself. */
  readonly isTransactional: boolean;
  /** As Plinth's runner does: some statements begin or end a transaction. */
  readonly splitsPhases: boolean;
}

/** Statements that share a transaction when the runner runs them. What runs outside any is alone. */
export function transactionsOf(
  statements: readonly ParsedStatement[],
  { isTransactional, splitsPhases }: TransactionRules,
): readonly (readonly ParsedStatement[])[] {
  const transactions: ParsedStatement[][] = [];
  let isOpen = false;
  for (const statement of statements) {
    const { before, after } = transactionEdges(statement.tree, splitsPhases);
    if (!isOpen || before || !isTransactional) transactions.push([]);
    transactions.at(-1)?.push(statement);
    isOpen = !after && isTransactional;
  }
  return transactions;
}

/** The runner puts a transaction of its own around these. */
export function isWrapped(
  transaction: readonly ParsedStatement[],
  { isTransactional, splitsPhases }: TransactionRules,
): boolean {
  return isTransactional && (transaction.length > 1 || !splitsPhases);
}

/** ACTIVE_SQL_TRANSACTION */
const IN_TRANSACTION = "25001";

/**
 * A rebuild of a partitioned table, which the server takes outside of transactions only: it was tried in one of the
 * linter's, and the runner has none around it. The catalog is the same without it.
 */
export function isOurTransaction(
  failure: StepFailure | undefined,
  { tree }: ParsedStatement,
  hasRunnersTransaction: boolean,
): boolean {
  const isRefused = failure?.sqlstate === IN_TRANSACTION && !hasRunnersTransaction;
  return isRefused && classifyStatement(tree).run === "apart";
}

/** Whether a new transaction begins for the statement, and whether one ends with it. */
function transactionEdges(
  tree: Node,
  splitsPhases: boolean,
): { readonly before: boolean; readonly after: boolean } {
  const { run } = classifyStatement(tree);
  const kind = traceKindOf(tree);
  const isApart =
    kind === "outside" || kind === "boundary" || (splitsPhases && (run === "alone" || run === "apart"));
  return { before: isApart, after: isApart || (splitsPhases && run === "boundary") };
}

/**
 * What these make lasts as long as the transaction, so the statements after them need it in theirs: settings, cursors,
 * temporary tables that end with it, and what is written to those.
 */
export function endsWithTransaction(tree: Node, temporary: ReadonlySet<string>): boolean {
  if (isSetup(tree) || isAboutCursor(tree) || temporaryTableOf(tree) !== undefined) return true;
  const target = targetOf(tree);
  return (target !== undefined && temporary.has(target)) || callsSetConfig(tree);
}

function isAboutCursor(tree: Node): boolean {
  return "DeclareCursorStmt" in tree || "FetchStmt" in tree || "ClosePortalStmt" in tree;
}

/** The name of the temporary table it makes, if that, or its rows, end with the transaction. */
export function temporaryTableOf(tree: Node): string | undefined {
  const [relation, atCommit] =
    "CreateStmt" in tree
      ? [tree.CreateStmt.relation, tree.CreateStmt.oncommit]
      : "CreateTableAsStmt" in tree
        ? [tree.CreateTableAsStmt.into?.rel, tree.CreateTableAsStmt.into?.onCommit]
        : [undefined, undefined];
  const isShort = atCommit === "ONCOMMIT_DROP" || atCommit === "ONCOMMIT_DELETE_ROWS";
  return relation?.relpersistence === "t" && isShort ? relation.relname : undefined;
}

function isSetup(tree: Node): boolean {
  if ("ConstraintsSetStmt" in tree) return true;
  if (!("VariableSetStmt" in tree)) return false;
  // `set transaction` as well, which has to come before the first query.
  return tree.VariableSetStmt.is_local === true || tree.VariableSetStmt.kind === "VAR_SET_MULTI";
}

const ABOUT_SERVER = [
  "CreatedbStmt",
  "DropdbStmt",
  "AlterDatabaseStmt",
  "AlterDatabaseSetStmt",
  "AlterDatabaseRefreshCollStmt",
  "AlterSystemStmt",
  "CreateRoleStmt",
  "AlterRoleStmt",
  "AlterRoleSetStmt",
  "DropRoleStmt",
  "GrantRoleStmt",
  "CreateTableSpaceStmt",
  "DropTableSpaceStmt",
  "AlterTableSpaceOptionsStmt",
  "CreateSubscriptionStmt",
  "AlterSubscriptionStmt",
  "DropSubscriptionStmt",
] as const;

/** A shadow server is not always Plinth's own: what outlives the database is not tried out on it. */
function isAboutServer(tree: Node): boolean {
  return ABOUT_SERVER.some((kind) => kind in tree);
}

function targetOf(tree: Node): string | undefined {
  if ("InsertStmt" in tree) return tree.InsertStmt.relation?.relname;
  if ("UpdateStmt" in tree) return tree.UpdateStmt.relation?.relname;
  if ("DeleteStmt" in tree) return tree.DeleteStmt.relation?.relname;
  if ("CopyStmt" in tree) return tree.CopyStmt.relation?.relname;
  if ("IndexStmt" in tree) return tree.IndexStmt.relation?.relname;
  return undefined;
}

/** `select set_config('lock_timeout', '2s', true)`, among whatever else it selects. */
function callsSetConfig(tree: Node): boolean {
  if (!("SelectStmt" in tree)) return false;
  return (tree.SelectStmt.targetList ?? []).some((target) => {
    const value = "ResTarget" in target ? target.ResTarget.val : undefined;
    if (value === undefined || !("FuncCall" in value)) return false;
    const last = (value.FuncCall.funcname ?? []).at(-1);
    return last !== undefined && "String" in last && last.String.sval === "set_config";
  });
}
