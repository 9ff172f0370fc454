import type { CatalogObject, TableObject } from "../model.ts";
import { type Decisions, decide, type Fate } from "./decide.ts";
import { derivedName, refTo, sqlName } from "./names.ts";
import type { DifferencePlan, Loss } from "./plan.ts";
import { Reach } from "./reach.ts";
import { isPart, parentsOf, type Side } from "./sides.ts";

/** What everything that writes steps looks things up in. */
export interface Ground {
  readonly from: Side;
  readonly to: Side;
  readonly online: boolean;
  /** Of the server that will run it. */
  readonly serverVersion: number;
  readonly decisions: Decisions;
  /** What needs what, in either catalog. */
  readonly reach: { readonly from: Reach; readonly to: Reach };
  readonly losses: Loss[];
  readonly mayFail: string[];
  readonly irreversible: string[];
  fateOf(id: string): Fate | undefined;
  /** It is there before and after, under the same identity: not dropped, not made anew. */
  isKept(id: string): boolean;
  /** People use the table while the statements run. */
  isBusy(tableId: string): boolean;
  /** Nothing that is there is changed: the statements make new things only. */
  isQuiet(): boolean;
  /** How SQL names a table or view: `tasks`, `audit.entries`. Both sides know the same names. */
  ref(id: string): string;
  /** `task_status_old`, or with a number where that is taken. The same one for the same question. */
  spareName(name: string, ending: string): string;
  /** Ids of `from` to let go of, by a step that runs after retired types were renamed. */
  lateNeeds(ids: readonly string[]): readonly string[];
}

export function groundOf(from: Side, to: Side, online: boolean): Ground {
  const decisions = decide(from, to, online);
  const taken = new Set([...from.objects.values(), ...to.objects.values()].map(({ name }) => name));
  const spare = new Map<string, string>();
  const fateOf = (id: string): Fate | undefined => decisions.objects.get(id);
  const isKept = (id: string): boolean => fateOf(id) === "keep" || fateOf(id) === "alter";
  return {
    from,
    to,
    online,
    serverVersion: to.catalog.serverVersion,
    decisions,
    reach: { from: new Reach(from, false), to: new Reach(to, true) },
    losses: [],
    mayFail: [],
    irreversible: [],
    fateOf,
    isKept,
    isBusy: (id) => online && isKept(id),
    isQuiet: () =>
      [...from.objects.values()].every((object) => isUntouched(object, to.objects.get(object.id))) &&
      [...to.objects.values()].every(
        (object) => from.objects.has(object.id) || !isOnOldTable(object, isKept),
      ),
    ref: (id) => refOf(to.objects.get(id) ?? from.objects.get(id), id),
    spareName: (name, ending) => {
      const known = spare.get(name + ending);
      if (known !== undefined) return known;
      const chosen = derivedName(name, ending, taken);
      taken.add(chosen);
      spare.set(name + ending, chosen);
      return chosen;
    },
    lateNeeds: (ids) => ids.map((id) => (fateOf(id) === "retire" ? retiredId(id) : id)),
  };
}

/** But for its comment and rights, which change in passing. */
function isUntouched(from: CatalogObject, to: CatalogObject | undefined): boolean {
  if (to === undefined) return false;
  const plain = { comment: undefined, grants: [] };
  return JSON.stringify({ ...from, ...plain }) === JSON.stringify({ ...to, ...plain });
}

/** Making it takes a lock that others wait for. */
function isOnOldTable(object: CatalogObject, isKept: (id: string) => boolean): boolean {
  if (!isPart(object)) return false;
  const refers = object.kind === "constraint" && object.references !== undefined && isKept(object.references);
  return refers || (isKept(object.table) && object.kind !== "statistics");
}

function refOf(object: CatalogObject | undefined, id: string): string {
  return object === undefined ? id.replace(/^(materialized view|foreign table|\w+) /, "") : refTo(object);
}

/** What a retired object is called until it is dropped. */
export function retiredId(id: string): string {
  return `retired ${id}`;
}

/** A column of its table: `tasks.due_date`. */
export function columnPath(ground: Ground, table: TableObject, column: string): string {
  return `${ground.ref(table.id)}.${sqlName(column)}`;
}

/** It is, and stays, a partition or heir of the same tables: what they get, it gets. */
export function followsParents(ground: Ground, table: TableObject): boolean {
  const before = ground.from.objects.get(table.id);
  const after = ground.to.objects.get(table.id);
  if (before?.kind !== "table" || after?.kind !== "table") return false;
  // One with other bounds is detached meanwhile.
  if (before.partitionOf?.bound !== after.partitionOf?.bound) return false;
  return parentsOf(after).join() === parentsOf(before).join() && parentsOf(after).length > 0;
}

/**
 * Ids that a step of a partitioned table waits for, so that partitions that leave, or move, are no more reached by it:
 * what they had from the table is their own then.
 */
export function partitionsGone(ground: Ground, tableId: string): readonly string[] {
  const children = ground.from.children.get(tableId) ?? [];
  return children.flatMap(({ id }) => [`detached ${id}`, ...partitionsGone(ground, id)]);
}

/** Ids that a step of a partitioned table waits for, so that every partition is there, and hears of it. */
export function partitionsThere(ground: Ground, tableId: string): readonly string[] {
  const children = ground.to.children.get(tableId) ?? [];
  return children.flatMap(({ id }) => [id, `attached ${id}`, ...partitionsThere(ground, id)]);
}

/** A plan under way becomes what the caller gets. */
export function planOf(ground: Ground, statements: readonly string[]): DifferencePlan {
  return {
    statements,
    losses: [...ground.losses].sort((a, b) => (a.object < b.object ? -1 : 1)),
    mayFail: [...ground.mayFail].sort(),
    irreversible: [...ground.irreversible].sort(),
  };
}
