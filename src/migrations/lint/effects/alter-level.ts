import type { AlterTableCmd, Node } from "libpg-query";
import { strongerOf } from "../lock-mode.ts";
import type { LockMode } from "../model.ts";

/** Options of tables, views and indexes that are read at any time, so that nobody may use the relation meanwhile. */
const EXCLUSIVE_OPTIONS = new Set([
  "user_catalog_table",
  "security_barrier",
  "security_invoker",
  "check_option",
  "fastupdate",
  "gin_pending_list_limit",
  "pages_per_range",
  "autosummarize",
  "buffering",
]);

/**
 * The lock one command of `alter table` needs on its table.
 *
 * @see https://github.com/postgres/postgres/blob/REL_18_STABLE/src/backend/commands/tablecmds.c AlterTableGetLockLevel
 */
export function levelOf(command: AlterTableCmd): LockMode {
  switch (command.subtype) {
    case "AT_SetStatistics":
    case "AT_SetOptions":
    case "AT_ResetOptions":
    case "AT_ClusterOn":
    case "AT_DropCluster":
    case "AT_ValidateConstraint":
    case "AT_AttachPartition":
    case "AT_DetachPartitionFinalize":
      return "ShareUpdateExclusiveLock";
    case "AT_SetRelOptions":
    case "AT_ResetRelOptions":
    case "AT_ReplaceRelOptions":
      return optionNames(command.def).some((name) => EXCLUSIVE_OPTIONS.has(name))
        ? "AccessExclusiveLock"
        : "ShareUpdateExclusiveLock";
    case "AT_EnableTrig":
    case "AT_EnableAlwaysTrig":
    case "AT_EnableReplicaTrig":
    case "AT_EnableTrigAll":
    case "AT_EnableTrigUser":
    case "AT_DisableTrig":
    case "AT_DisableTrigAll":
    case "AT_DisableTrigUser":
      return "ShareRowExclusiveLock";
    case "AT_AddConstraint":
      return isForeignKey(command.def) ? "ShareRowExclusiveLock" : "AccessExclusiveLock";
    case "AT_DetachPartition":
      return isConcurrent(command.def) ? "ShareUpdateExclusiveLock" : "AccessExclusiveLock";
    default:
      return "AccessExclusiveLock";
  }
}

/** The strongest lock that any of the commands needs; they share it. */
export function strongestLevel(commands: readonly AlterTableCmd[]): LockMode {
  return commands.map(levelOf).reduce(strongerOf, "ShareUpdateExclusiveLock");
}

function optionNames(def: Node | undefined): readonly string[] {
  if (def === undefined || !("List" in def)) return [];
  return (def.List.items ?? []).flatMap((item) => ("DefElem" in item ? [item.DefElem.defname ?? ""] : []));
}

function isForeignKey(def: Node | undefined): boolean {
  return def !== undefined && "Constraint" in def && def.Constraint.contype === "CONSTR_FOREIGN";
}

function isConcurrent(def: Node | undefined): boolean {
  return def !== undefined && "PartitionCmd" in def && def.PartitionCmd.concurrent === true;
}
