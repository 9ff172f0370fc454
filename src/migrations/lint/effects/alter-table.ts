import type { AlterTableCmd, AlterTableStmt } from "libpg-query";
import type { CatalogView } from "../catalog-view.ts";
import { relationName } from "../names.ts";
import { addColumn } from "./add-column.ts";
import { dropColumn, dropNotNull, identity, setExpression, setNotNull } from "./alter-column.ts";
import { addConstraint, alterConstraint, dropConstraint, validateConstraint } from "./alter-constraint.ts";
import { strongestLevel } from "./alter-level.ts";
import { attachPartition, detachPartition } from "./alter-partition.ts";
import { changeType } from "./alter-type.ts";
import {
  alterInheritance,
  changeOwner,
  clusterOn,
  replicaIdentity,
  setAccessMethod,
  setPersistence,
  setTablespace,
} from "./alter-whole.ts";
import type { EffectSet } from "./effect-set.ts";
import { TableChange } from "./table-change.ts";

/** `alter table`, and what shares its grammar: indexes, sequences, views, materialized views. */
export async function alterTable(
  statement: AlterTableStmt,
  view: CatalogView,
  effects: EffectSet,
): Promise<void> {
  // Attributes of a composite type: tables made `of` it follow with cascade only, and those are rare enough to look at.
  if (statement.objtype === "OBJECT_TYPE") return;
  const relation = await view.find(relationName(statement.relation));
  if (relation === undefined) return;
  const commands = (statement.cmds ?? []).flatMap((command) =>
    "AlterTableCmd" in command ? [command.AlterTableCmd] : [],
  );
  const change = new TableChange({
    view,
    effects,
    relation,
    mode: strongestLevel(commands),
    isOnly: statement.relation?.inh !== true,
    dropped: new Set(
      commands.flatMap(({ subtype, name }) =>
        subtype === "AT_DropConstraint" && name !== undefined ? [name] : [],
      ),
    ),
  });
  effects.lock(relation, change.mode);
  // What goes away goes first, whatever the order in the text; new values come before what checks them.
  for (const command of [...commands].sort((left, right) => passOf(left) - passOf(right))) {
    await alter(command, change);
  }
  change.finish();
}

/** The passes of `alter table`, as far as they matter here. */
function passOf({ subtype }: AlterTableCmd): number {
  if (subtype === "AT_DropColumn" || subtype === "AT_DropConstraint") return 0;
  if (subtype === "AT_AlterColumnType") return 1;
  return subtype === "AT_AddColumn" ? 2 : 3;
}

async function alter(command: AlterTableCmd, change: TableChange): Promise<void> {
  switch (command.subtype) {
    case "AT_AddColumn":
      return addColumn(command, change);
    case "AT_DropColumn":
      return dropColumn(command, change);
    case "AT_AlterColumnType":
      return changeType(command, change);
    case "AT_SetNotNull":
      return setNotNull(command, change);
    case "AT_DropNotNull":
      return dropNotNull(command, change);
    case "AT_SetExpression":
      return setExpression(command, change);
    case "AT_AddIdentity":
    case "AT_SetIdentity":
    case "AT_DropIdentity":
      return identity(command, change);
    case "AT_AddConstraint":
      return addConstraint(command, change);
    case "AT_DropConstraint":
      return dropConstraint(command, change);
    case "AT_ValidateConstraint":
      return validateConstraint(command, change);
    case "AT_AlterConstraint":
      return alterConstraint(command, change);
    default:
      return alterWhole(command, change);
  }
}

async function alterWhole(command: AlterTableCmd, change: TableChange): Promise<void> {
  switch (command.subtype) {
    case "AT_ColumnDefault":
    case "AT_DropExpression":
    case "AT_SetStatistics":
    case "AT_SetStorage":
      await change.lockFamily();
      return;
    case "AT_EnableTrig":
    case "AT_EnableAlwaysTrig":
    case "AT_EnableReplicaTrig":
    case "AT_EnableTrigAll":
    case "AT_EnableTrigUser":
    case "AT_DisableTrig":
    case "AT_DisableTrigAll":
    case "AT_DisableTrigUser":
      if (change.relation.kind === "partitioned") await change.lockFamily();
      return;
    case "AT_AttachPartition":
      return attachPartition(command, change);
    case "AT_DetachPartition":
    case "AT_DetachPartitionFinalize":
      return detachPartition(command, change);
    case "AT_ChangeOwner":
      return changeOwner(command, change);
    case "AT_ClusterOn":
      return clusterOn(command, change);
    case "AT_ReplicaIdentity":
      return replicaIdentity(command, change);
    case "AT_SetLogged":
    case "AT_SetUnLogged":
      return setPersistence(command, change);
    case "AT_SetTableSpace":
      return setTablespace(command, change);
    case "AT_SetAccessMethod":
      return setAccessMethod(command, change);
    case "AT_AddInherit":
    case "AT_DropInherit":
      return alterInheritance(command, change);
    default:
      // The table's own lock is all there is to the rest: options, row security, storage, rules, triggers, `of`.
      return;
  }
}
