import type { AlterTableCmd, DropStmt, Node } from "libpg-query";
import { namedIn } from "../about-new.ts";
import type { RelationName } from "../catalog-view.ts";
import { nodesIn } from "../effects/expressions.ts";
import { nameOfNode, relationName } from "../names.ts";

/** Relations that a statement changes: these, what they are parts of, their parts, and new ones. */
export interface Changed {
  readonly names: readonly RelationName[];
  /** Those at the other end of their foreign keys as well. */
  readonly isFar: boolean;
}

/** What a statement changes of the facts that effects are worked out from. */
export type Reach =
  | "nothing"
  /** It writes or reads rows, and nothing else unless what it calls does more. */
  | "rows"
  /** It calls something that nobody has looked into. */
  | "calls"
  | "everything"
  /** And from now on rows may be written or read by code that does more. */
  | "code"
  /** No other relation, no type and no function. */
  | Changed;

/** Told from the tree. `everything` is never wrong, only slow: names are given for what migrations mostly do. */
export function reachOf({ tree, text }: { readonly tree: Node; readonly text: string }): Reach {
  const [kind = ""] = Object.keys(tree);
  if (CODE.has(kind) || /set_config|search_path/i.test(text)) return "code";
  if ("SelectStmt" in tree) {
    // Functions in the list of a query are there to be run, and often to change something.
    if (/\(/.test(text)) return "code";
    return tree.SelectStmt.intoClause === undefined ? "rows" : "everything";
  }
  if (ROWS.has(kind)) return callsAny(tree) ? "calls" : "rows";
  if (NOTHING.has(kind)) return "nothing";
  if ("VariableSetStmt" in tree && NOT_ASKED.has(tree.VariableSetStmt.name ?? "")) return "nothing";
  // Temporary relations come before all others of their name.
  if (/\btemp(?:orary)?\b|pg_temp/i.test(text)) return "everything";
  return changedBy(tree) ?? "everything";
}

/** They make code, or run it. */
const CODE: ReadonlySet<string> = new Set([
  "CreateFunctionStmt",
  "AlterFunctionStmt",
  "CreateExtensionStmt",
  "RuleStmt",
  "DoStmt",
  "CallStmt",
  "PrepareStmt",
  "ExecuteStmt",
  "LoadStmt",
]);

const ROWS: ReadonlySet<string> = new Set(["InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"]);

const NOTHING: ReadonlySet<string> = new Set(["CommentStmt", "VariableShowStmt", "GrantStmt"]);

/** Settings that no fact depends on, of those that migrations begin with. */
const NOT_ASKED: ReadonlySet<string> = new Set([
  "lock_timeout",
  "statement_timeout",
  "idle_in_transaction_session_timeout",
  "client_min_messages",
  "maintenance_work_mem",
  "check_function_bodies",
  "row_security",
]);

function callsAny(tree: Node): boolean {
  for (const node of nodesIn(tree)) if ("FuncCall" in node) return true;
  return false;
}

function changedBy(tree: Node): Changed | undefined {
  // A foreign key is a fact about both of its tables, and a new part one about what it is a part of: all are named.
  if ("CreateStmt" in tree) {
    // A partition gets the foreign keys of what it is a part of, in both directions.
    if (tree.CreateStmt.partbound !== undefined) return { names: namedIn(tree), isFar: true };
    return near([relationName(tree.CreateStmt.relation), ...namedIn(tree)]);
  }
  if ("CreateTrigStmt" in tree) return near(namedIn(tree));
  if ("IndexStmt" in tree) return near([relationName(tree.IndexStmt.relation)]);
  if ("ViewStmt" in tree) return near([relationName(tree.ViewStmt.view)]);
  if ("DropStmt" in tree) return droppedBy(tree.DropStmt);
  if (!("AlterTableStmt" in tree) || tree.AlterTableStmt.objtype !== "OBJECT_TABLE") return undefined;
  const commands = tree.AlterTableStmt.cmds ?? [];
  if (!commands.every((node) => isIn(node, IN_TABLE) || isIn(node, BEYOND_TABLE))) return undefined;
  return { names: namedIn(tree), isFar: commands.some((node) => isIn(node, BEYOND_TABLE)) };
}

function near(names: readonly RelationName[]): Changed {
  return { names, isFar: false };
}

/** What others depend on is not dropped without `cascade`; foreign keys of the table itself are. */
function droppedBy({ removeType, objects, behavior }: DropStmt): Changed | undefined {
  const isPlain =
    removeType === "OBJECT_TABLE" || removeType === "OBJECT_VIEW" || removeType === "OBJECT_INDEX";
  if (!isPlain || behavior === "DROP_CASCADE") return undefined;
  return { names: (objects ?? []).map(nameOfNode), isFar: true };
}

function isIn(node: Node, subtypes: ReadonlySet<Subtype>): boolean {
  if (!("AlterTableCmd" in node) || node.AlterTableCmd.behavior === "DROP_CASCADE") return false;
  return node.AlterTableCmd.subtype !== undefined && subtypes.has(node.AlterTableCmd.subtype);
}

type Subtype = NonNullable<AlterTableCmd["subtype"]>;

/** They change the table, its parts and the tables they name. */
const IN_TABLE: ReadonlySet<Subtype> = new Set([
  "AT_AddColumn",
  "AT_AddConstraint",
  "AT_ColumnDefault",
  "AT_SetNotNull",
  "AT_DropNotNull",
  "AT_SetStatistics",
  "AT_SetStorage",
  "AT_EnableRowSecurity",
]);

/** They change foreign keys, or make them anew. */
const BEYOND_TABLE: ReadonlySet<Subtype> = new Set([
  "AT_AlterColumnType",
  "AT_DropColumn",
  "AT_DropConstraint",
  "AT_ValidateConstraint",
]);
