import type { AlterTableCmd } from "libpg-query";
import { relationName } from "../names.ts";
import { familyOf, lockAll, stored } from "./family.ts";
import type { TableChange } from "./table-change.ts";

/** `owner to`: indexes and owned sequences follow. */
export async function changeOwner({ newowner }: AlterTableCmd, change: TableChange): Promise<void> {
  const { relation, effects } = change;
  const isOther = newowner?.roletype === "ROLESPEC_CSTRING" && newowner.rolename !== relation.owner;
  if (!isOther) return;
  for (const index of relation.indexes) effects.lock(index, "AccessExclusiveLock");
  await lockSequences(change);
}

async function lockSequences({ relation, view, effects }: TableChange): Promise<void> {
  for (const { id } of relation.sequences) {
    const sequence = await view.get(id);
    if (sequence !== undefined) effects.lock(sequence, "AccessExclusiveLock");
  }
}

export async function clusterOn({ name }: AlterTableCmd, change: TableChange): Promise<void> {
  const index = change.relation.indexes.find((one) => one.name === name);
  if (index !== undefined) change.effects.lock(index, "ShareUpdateExclusiveLock");
}

export async function replicaIdentity({ def }: AlterTableCmd, change: TableChange): Promise<void> {
  if (def === undefined || !("ReplicaIdentityStmt" in def)) return;
  const index = change.relation.indexes.find((one) => one.name === def.ReplicaIdentityStmt.name);
  if (index !== undefined) change.effects.lock(index, "ShareLock");
}

/** `set logged`, `set unlogged`: every row is written anew, and the sequences with them. */
export async function setPersistence({ subtype }: AlterTableCmd, change: TableChange): Promise<void> {
  const { relation, view, effects } = change;
  const wanted = subtype === "AT_SetUnLogged" ? "unlogged" : "permanent";
  const isSo = relation.persistence === wanted || relation.persistence === "temporary";
  if (relation.isKnown && isSo) return;
  if (relation.kind === "sequence") return;
  if (!relation.isKnown && relation.isOld)
    effects.unknown(`whether ${relation.label} is logged is not known`);
  change.rewrite(relation);
  for (const { id } of relation.sequences) {
    const sequence = await view.get(id);
    if (sequence !== undefined) effects.lock(sequence, "AccessExclusiveLock");
  }
}

/** The default one of the database has no number. */
const DEFAULT_TABLESPACE = "pg_default";

/** `set tablespace`: the file is copied as it is, block by block. */
export async function setTablespace({ name }: AlterTableCmd, change: TableChange): Promise<void> {
  const { relation, effects } = change;
  const isDefault = relation.tablespace === "0" || relation.tablespace === "";
  if (relation.isKnown && name === DEFAULT_TABLESPACE && isDefault) return;
  if (relation.kind !== "partitioned" && relation.kind !== "partitioned-index") effects.rewrite(relation);
}

export async function setAccessMethod({ name }: AlterTableCmd, change: TableChange): Promise<void> {
  // Plain PostgreSQL has one way to store tables only.
  if (name !== undefined && name !== "heap") change.rewrite(change.relation);
}

/** `inherit`, `no inherit`. */
export async function alterInheritance({ subtype, def }: AlterTableCmd, change: TableChange): Promise<void> {
  const { view, effects, relation } = change;
  if (def === undefined || !("RangeVar" in def)) return;
  const parent = await view.find(relationName(def.RangeVar));
  if (parent === undefined) return;
  effects.lock(parent, subtype === "AT_AddInherit" ? "ShareUpdateExclusiveLock" : "AccessShareLock");
  if (subtype === "AT_AddInherit")
    lockAll(effects, stored(await familyOf(view, relation)), "AccessShareLock");
}
