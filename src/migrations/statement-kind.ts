import type { AlterTableStmt, DropStmt, IndexStmt, Node, RangeVar, ReindexStmt } from "libpg-query";
import { commitsInside } from "./do-block.ts";

/** A relation as a statement names it; without a schema the search path decides. */
export interface RelationName {
  readonly schema: string | undefined;
  readonly name: string;
}

/**
 * What a runner that was killed during a statement outside a transaction may find, and so how the next one goes
 * on. `rerun`: running the statement again is right, whatever happened.
 */
export type Recovery =
  | { readonly kind: "rerun" }
  /** The same, but it keeps everybody away while it waits for its lock: it waits as briefly as an `alter table`. */
  | { readonly kind: "rebuild" }
  | {
      readonly kind: "create-index";
      readonly index: string;
      readonly table: RelationName;
      readonly ifNotExists: boolean;
    }
  | { readonly kind: "drop-index"; readonly index: RelationName }
  | { readonly kind: "reindex"; readonly relation: RelationName | undefined }
  | { readonly kind: "detach"; readonly parent: RelationName; readonly partition: RelationName }
  | { readonly kind: "create-database"; readonly name: string }
  | { readonly kind: "drop-database"; readonly name: string };

/**
 * Where a statement runs: with its neighbours in one transaction (`transaction`), as the last one of a
 * transaction because its effect is only usable after the commit (`boundary`), in a transaction of its own
 * because it takes long and its neighbours hold locks (`alone`), or outside any (`outside`). `apart`: outside any
 * as well, though PostgreSQL refuses it in a transaction only for a partitioned table, which parsing does not show.
 */
export type StatementKind =
  | { readonly run: "transaction" | "boundary" | "alone" }
  | { readonly run: "outside" | "apart"; readonly recovery: Recovery }
  | { readonly run: "refused"; readonly why: string; readonly fix: string };

const TRANSACTION: StatementKind = { run: "transaction" };
const ALONE: StatementKind = { run: "alone" };
const RERUN: StatementKind = { run: "outside", recovery: { kind: "rerun" } };
const REBUILD: StatementKind = { run: "outside", recovery: { kind: "rebuild" } };
const REBUILD_APART: StatementKind = { run: "apart", recovery: { kind: "rebuild" } };

/**
 * Tells where a parsed statement has to run. The list of what PostgreSQL refuses inside a transaction is that
 * of `PreventInTransactionBlock` in its sources, 15 to 18.
 *
 * @see https://github.com/postgres/postgres/blob/REL_18_STABLE/src/backend/tcop/utility.c
 */
export function classifyStatement(node: Node): StatementKind {
  return refusedKind(node) ?? objectKind(node) ?? serverKind(node) ?? TRANSACTION;
}

/** The name of a setting the statement changes for the rest of the session, as in `set work_mem = …`. */
export function settingOf(node: Node): string | undefined {
  if (!("VariableSetStmt" in node) || node.VariableSetStmt.is_local === true) return undefined;
  // SET TRANSACTION ends with its transaction.
  return node.VariableSetStmt.kind === "VAR_SET_MULTI" ? undefined : (node.VariableSetStmt.name ?? "all");
}

/** `set role` and `set session authorization`, after which the ledger may be out of reach. */
export function changesRole(node: Node): boolean {
  if (!("VariableSetStmt" in node)) return false;
  const { name } = node.VariableSetStmt;
  return name === "role" || name === "session_authorization";
}

/** `do` and `call` may commit inside, which they cannot when a transaction is wrapped around them. */
export function mayCommitInside(node: Node): boolean {
  return "DoStmt" in node || "CallStmt" in node;
}

function refusedKind(node: Node): StatementKind | undefined {
  if ("TransactionStmt" in node) {
    return {
      run: "refused",
      why: "the file controls transactions itself, but the runner does that",
      fix: "Remove begin, commit, rollback and savepoint; for a statement that must run alone write -- migrate:up transaction:false.",
    };
  }
  if ("DiscardStmt" in node && node.DiscardStmt.target === "DISCARD_ALL") {
    return {
      run: "refused",
      why: "discard all would give up the lock that keeps other runners out",
      fix: "Remove it: every migration begins with a clean session.",
    };
  }
  if ("CopyStmt" in node && node.CopyStmt.filename === undefined) {
    return {
      run: "refused",
      why: "copy from stdin and copy to stdout need a client that sends or takes the rows",
      fix: "Use insert … values, or load the rows in a seed.",
    };
  }
  return undefined;
}

function objectKind(node: Node): StatementKind | undefined {
  if ("IndexStmt" in node) return indexKind(node.IndexStmt);
  if ("DropStmt" in node) return dropKind(node.DropStmt);
  if ("ReindexStmt" in node) return reindexKind(node.ReindexStmt);
  if ("AlterTableStmt" in node) return alterTableKind(node.AlterTableStmt);
  // A new value of an enum cannot be used before the transaction that added it has ended (55P04).
  if ("AlterEnumStmt" in node && node.AlterEnumStmt.oldVal === undefined) return { run: "boundary" };
  // A validation scans; in the transaction that added the constraint it would hold that one's lock all the while.
  if ("AlterDomainStmt" in node && node.AlterDomainStmt.subtype === "V") return ALONE;
  if ("DoStmt" in node && commitsInside(node.DoStmt)) return RERUN;
  return undefined;
}

/** Statements about the server, a database or a subscription. */
function serverKind(node: Node): StatementKind | undefined {
  if ("CreatedbStmt" in node) {
    return { run: "outside", recovery: { kind: "create-database", name: node.CreatedbStmt.dbname ?? "" } };
  }
  if ("DropdbStmt" in node) {
    return { run: "outside", recovery: { kind: "drop-database", name: node.DropdbStmt.dbname ?? "" } };
  }
  if ("VacuumStmt" in node) {
    if (node.VacuumStmt.is_vacuumcmd !== true) return undefined;
    return isAsked(node.VacuumStmt.options, "full") ? REBUILD : RERUN;
  }
  if ("ClusterStmt" in node) return node.ClusterStmt.relation === undefined ? REBUILD : REBUILD_APART;
  if ("AlterDatabaseStmt" in node) {
    const movesTablespace = (node.AlterDatabaseStmt.options ?? []).some(
      (option) => "DefElem" in option && option.DefElem.defname === "tablespace",
    );
    return movesTablespace ? RERUN : undefined;
  }
  const isOutside =
    "AlterSystemStmt" in node ||
    "CreateTableSpaceStmt" in node ||
    "DropTableSpaceStmt" in node ||
    "CreateSubscriptionStmt" in node ||
    "AlterSubscriptionStmt" in node ||
    "DropSubscriptionStmt" in node;
  return isOutside ? RERUN : undefined;
}

function indexKind(statement: IndexStmt): StatementKind {
  if (statement.concurrent !== true) return TRANSACTION;
  if (statement.idxname === undefined) {
    return {
      run: "refused",
      why: "an index built concurrently needs a name, or a build that was interrupted could not be recognised",
      fix: "Write create index concurrently NAME on ….",
    };
  }
  return {
    run: "outside",
    recovery: {
      kind: "create-index",
      index: statement.idxname,
      table: relationOf(statement.relation),
      ifNotExists: statement.if_not_exists === true,
    },
  };
}

function dropKind(statement: DropStmt): StatementKind {
  if (statement.concurrent !== true) return TRANSACTION;
  const [object] = statement.objects ?? [];
  const parts = object !== undefined && "List" in object ? (object.List.items ?? []).flatMap(stringOf) : [];
  const name = parts.at(-1);
  if (name === undefined) return RERUN;
  return { run: "outside", recovery: { kind: "drop-index", index: { schema: parts.at(-2), name } } };
}

function reindexKind(statement: ReindexStmt): StatementKind {
  const isSingle = statement.kind === "REINDEX_OBJECT_INDEX" || statement.kind === "REINDEX_OBJECT_TABLE";
  if (isAsked(statement.params, "concurrently")) {
    const relation = statement.relation === undefined ? undefined : relationOf(statement.relation);
    return { run: "outside", recovery: { kind: "reindex", relation } };
  }
  return isSingle ? REBUILD_APART : REBUILD;
}

function alterTableKind(statement: AlterTableStmt): StatementKind {
  for (const command of statement.cmds ?? []) {
    if (!("AlterTableCmd" in command)) continue;
    if (command.AlterTableCmd.subtype === "AT_ValidateConstraint") return ALONE;
    if (command.AlterTableCmd.subtype !== "AT_DetachPartition") continue;
    const { def } = command.AlterTableCmd;
    if (def === undefined || !("PartitionCmd" in def) || def.PartitionCmd.concurrent !== true) continue;
    return {
      run: "outside",
      recovery: {
        kind: "detach",
        parent: relationOf(statement.relation),
        partition: relationOf(def.PartitionCmd.name),
      },
    };
  }
  return TRANSACTION;
}

/** Whether an option in parentheses, or as a word of its own, is on. */
function isAsked(options: readonly Node[] | undefined, name: string): boolean {
  return (options ?? []).some(
    (option) => "DefElem" in option && option.DefElem.defname === name && isOn(option.DefElem.arg),
  );
}

/** An option is on when it has no value, and off only for these words. */
function isOn(value: Node | undefined): boolean {
  if (value === undefined) return true;
  if ("String" in value) return !/^(false|off|no|0)$/i.test(value.String.sval ?? "");
  return !("Integer" in value) || (value.Integer.ival ?? 0) !== 0;
}

function relationOf(relation: RangeVar | undefined): RelationName {
  return { schema: relation?.schemaname, name: relation?.relname ?? "" };
}

function stringOf(node: Node): readonly string[] {
  return "String" in node && node.String.sval !== undefined ? [node.String.sval] : [];
}
