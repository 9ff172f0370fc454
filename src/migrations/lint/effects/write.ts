/** What writing rows brings with it: the checks of foreign keys, triggers, sequences. */
import { parseSql } from "../../parse-sql.ts";
import type { CatalogView, Column, Constraint, Relation } from "../catalog-view.ts";
import type { EffectSet } from "./effect-set.ts";
import { sequencesIn } from "./expressions.ts";
import { familyOf, isPartition, lockIndexes, stored } from "./family.ts";
import { indexBeginningWith } from "./index-use.ts";
import type { Write } from "./query-relations.ts";
import { type Routines, routineEffects } from "./routine.ts";

/** Rows of `relation` are written, as if there were some. */
export async function writeEffects(
  relation: Relation,
  write: Write,
  view: CatalogView,
  effects: EffectSet,
  routines: Routines,
): Promise<void> {
  await rowEffects(relation, write, { view, effects, routines, seen: new Set() });
}

interface WriteGround {
  readonly view: CatalogView;
  readonly effects: EffectSet;
  readonly routines: Routines;
  /** Cascades may come back to where they began. */
  readonly seen: Set<string>;
}

async function rowEffects(relation: Relation, write: Write, ground: WriteGround): Promise<void> {
  const key = `${relation.id} ${write.kind} ${write.columns?.join(" ") ?? ""}`;
  if (ground.seen.has(key)) return;
  ground.seen.add(key);
  if (write.kind === "insert") await useSequences(relation, write, ground);
  if (write.kind !== "delete" && isPartition(relation)) await checkBound(relation, ground);
  if (write.kind !== "delete") await lookUpParents(relation, write, ground);
  if (write.kind !== "insert") await visitChildren(relation, write, ground);
  await fireTriggers(relation, write, ground);
}

/** A row that is written to a part by its name must fit it, which the tables above know. */
async function checkBound(relation: Relation, ground: Pick<WriteGround, "view" | "effects">): Promise<void> {
  const { view, effects } = ground;
  for (const id of relation.parents) {
    const parent = await view.get(id);
    if (parent === undefined) continue;
    effects.lock(parent, "AccessShareLock");
    await checkBound(parent, ground);
  }
}

/** Columns that get a value which may be one to look up. */
function isWritten(relation: Relation, { columns, kind }: Write, name: string): boolean {
  if (columns === undefined || columns.includes(name)) return true;
  return (
    kind === "insert" && relation.columns.find((column) => column.name === name)?.expression !== undefined
  );
}

async function useSequences(
  relation: Relation,
  { columns }: Write,
  { view, effects }: WriteGround,
): Promise<void> {
  for (const column of relation.columns) {
    if (columns === undefined || columns.includes(column.name)) continue;
    const owned = relation.sequences.find((one) => one.column === column.name && one.isIdentity);
    const sequence = owned === undefined ? await sequenceOfDefault(view, column) : await view.get(owned.id);
    if (sequence !== undefined) effects.lock(sequence, "RowExclusiveLock");
  }
}

async function sequenceOfDefault(view: CatalogView, column: Column): Promise<Relation | undefined> {
  if (column.expression === undefined || !column.expression.includes("nextval")) return undefined;
  const { statements } = await parseSql(`select ${column.expression}`);
  const [name] = sequencesIn(statements[0]?.tree);
  const parts = name === undefined ? [] : name.split(".").map((part) => part.replace(/^"(.*)"$/, "$1"));
  return parts.length === 0 ? undefined : view.find({ schema: parts.at(-2), name: parts.at(-1) ?? "" });
}

/** Each new value of a foreign key is looked up, and its row locked. */
async function lookUpParents(
  relation: Relation,
  write: Write,
  { view, effects }: WriteGround,
): Promise<void> {
  for (const constraint of relation.constraints) {
    if (constraint.kind !== "foreign-key" || !constraint.isEnforced) continue;
    if (!constraint.columns.every((name) => isWritten(relation, write, name))) continue;
    const referenced = await view.get(constraint.reference?.tableId ?? "");
    if (referenced === undefined) continue;
    const family = await familyOf(view, referenced);
    for (const member of family) effects.lock(member, "RowShareLock");
    lockIndexes(effects, family, "RowShareLock", view.serverVersion);
  }
}

/** Rows that refer to what is deleted or changed are looked for, and some are changed in turn. */
async function visitChildren(relation: Relation, write: Write, ground: WriteGround): Promise<void> {
  const { view, effects } = ground;
  for (const constraint of relation.referencedBy) {
    const { reference } = constraint;
    if (reference === undefined || !constraint.isEnforced) continue;
    const isConcerned =
      write.kind === "delete" || reference.columns.some((name) => write.columns?.includes(name) !== false);
    const child = isConcerned ? await view.get(constraint.tableId) : undefined;
    if (child === undefined || isPartition(child)) continue;
    const follow = followUp(constraint, write);
    const mode = follow === undefined ? "RowShareLock" : "RowExclusiveLock";
    const family = await familyOf(view, child);
    for (const member of family) effects.lock(member, mode);
    lockIndexes(effects, family, mode, view.serverVersion);
    for (const member of stored(family)) {
      if (indexBeginningWith(member, constraint.columns) === undefined) effects.scan(member);
    }
    if (follow !== undefined) await rowEffects(child, follow, ground);
  }
}

function followUp({ reference, columns }: Constraint, write: Write): Write | undefined {
  const action = write.kind === "delete" ? reference?.onDelete : reference?.onUpdate;
  if (action === undefined || action === "no action" || action === "restrict") return undefined;
  if (action === "cascade" && write.kind === "delete") return { kind: "delete", columns: undefined };
  return { kind: "update", columns };
}

async function fireTriggers(relation: Relation, { kind }: Write, ground: WriteGround): Promise<void> {
  const { view, effects, routines } = ground;
  for (const trigger of relation.triggers) {
    if (!trigger.isEnabled || !trigger.events.includes(kind)) continue;
    await routineEffects(trigger.functionName, 0, view, effects, routines);
  }
}
