import type { AlterTableCmd } from "libpg-query";
import { parseSql } from "../../parse-sql.ts";
import type { Relation } from "../catalog-view.ts";
import { columnOf } from "./family.ts";
import { impliesNotNull } from "./predicates.ts";
import type { TableChange } from "./table-change.ts";

/** `drop column`: with what depends on it, in the table and in everything below it. */
export async function dropColumn({ name }: AlterTableCmd, change: TableChange): Promise<void> {
  const { relation, view, effects } = change;
  if (name === undefined || columnOf(relation, name) === undefined) return;
  const family = await change.lockFamily();
  const seeds = family.map(({ id }): { kind: "column"; id: string; column: string } => ({
    kind: "column",
    id,
    column: name,
  }));
  const locks = await view.dropLocks(seeds);
  if (locks === undefined) return effects.unknown(`what goes with ${relation.label}.${name} is not known`);
  for (const { relation: locked, mode } of locks) effects.lock(locked, mode);
  for (const member of family) {
    for (const index of member.indexes) if (index.uses.includes(name)) change.dropIndex(index);
  }
}

/** `set not null`: reads every row, unless a constraint already says so. */
export async function setNotNull({ name }: AlterTableCmd, change: TableChange): Promise<void> {
  const { relation } = change;
  if (isProvenNotNull(relation, name)) return;
  for (const member of await change.lockFamily()) {
    if (isProvenNotNull(member, name) || (await isImplied(member, name, change.dropped))) continue;
    change.scan(member);
  }
}

/** It is not null already, and by a constraint that is valid. */
function isProvenNotNull(relation: Relation, name: string | undefined): boolean {
  const isInvalid = relation.constraints.some(
    ({ kind, columns, isValid }) => kind === "not-null" && !isValid && columns[0] === name,
  );
  return columnOf(relation, name)?.isNotNull === true && !isInvalid;
}

/** A valid check of the table implies that the column is not null. */
export async function isImplied(
  relation: Relation,
  name: string | undefined,
  dropped: ReadonlySet<string> = new Set(),
): Promise<boolean> {
  for (const { kind, isValid, isEnforced, expression, name: own } of relation.constraints) {
    if (kind !== "check" || !isValid || !isEnforced || expression === undefined || dropped.has(own)) continue;
    const { statements } = await parseSql(`select ${expression}`);
    const tree = statements[0]?.tree;
    if (tree !== undefined && name !== undefined && impliesNotNull(tree, name)) return true;
  }
  return false;
}

export async function dropNotNull({ name }: AlterTableCmd, change: TableChange): Promise<void> {
  const { relation, view } = change;
  if (columnOf(relation, name)?.isNotNull !== true) return;
  if (view.serverVersion >= 18 || relation.kind === "partitioned") await change.lockFamily();
}

/** `set expression`: stored values are computed again, virtual ones are not there. */
export async function setExpression({ name }: AlterTableCmd, change: TableChange): Promise<void> {
  const { relation, effects } = change;
  if (!relation.isKnown && relation.isOld)
    effects.unknown(`whether ${relation.label}.${name} is stored is not known`);
  for (const member of await change.lockFamily()) {
    if (columnOf(member, name)?.generated === "stored") change.rewrite(member);
  }
}

/** An identity column's sequence is changed, rewritten or dropped with it. */
export async function identity({ name, subtype }: AlterTableCmd, change: TableChange): Promise<void> {
  const { relation, view, effects } = change;
  const isOnParts = view.serverVersion >= 17 && relation.kind === "partitioned";
  if (isOnParts) await change.lockFamily();
  if (subtype === "AT_AddIdentity" || name === undefined) return;
  const owned = relation.sequences.find(({ column, isIdentity }) => column === name && isIdentity);
  const sequence = owned === undefined ? undefined : await view.get(owned.id);
  if (sequence === undefined) return;
  if (subtype === "AT_DropIdentity") return effects.lock(sequence, "AccessExclusiveLock");
  effects.lock(sequence, "ShareRowExclusiveLock");
}
