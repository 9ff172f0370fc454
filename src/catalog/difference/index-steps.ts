import type { IndexObject } from "../model.ts";
import { changedAttributes, newAttributes } from "./attributes.ts";
import { dropping, fromServer, making } from "./build.ts";
import { isTakenAlong } from "./drop-column.ts";
import { isTangled } from "./drop-table.ts";
import { followsParents, type Ground, partitionsGone, partitionsThere } from "./ground.ts";
import { refTo, sqlName } from "./names.ts";
import { namesOf, needsOf } from "./sides.ts";
import { RANK, type Step } from "./step.ts";
import { canSwap } from "./swap.ts";

export function createIndex(ground: Ground, index: IndexObject): readonly Step[] {
  if (comesByItself(ground, index)) return [];
  const old = ground.from.objects.get(index.id);
  if (old?.kind === "index" && isSwapped(ground, old, index)) return swapIndex(ground, old, index);
  const isOnline = isConcurrent(ground, index);
  const definition = fromServer(index.definition);
  const text = isOnline
    ? concurrently(definition)
    : isSpreading(ground, index)
      ? definition.replace(" on only ", " on ")
      : definition;
  const step = making(ground, index, isOnline ? RANK.concurrentIndex : RANK.index, [text]);
  return [
    {
      ...step,
      needs: [...(step.needs ?? []), `rows of ${index.table}`, ...partitionsThere(ground, index.table)],
    },
    ...attach(ground, index),
  ];
}

/** The index of a partition, which is there when its parent's is. */
function comesByItself(ground: Ground, index: IndexObject): boolean {
  const parent = ground.to.objects.get(index.attachedTo ?? "");
  if (parent?.kind !== "index") return false;
  if (ground.isKept(parent.id)) return !ground.isKept(index.table) || !wasAttached(ground, index);
  return isSpreading(ground, parent) || comesByItself(ground, parent);
}

/** Attaching a partition gives it the indexes of its parent. */
function wasAttached(ground: Ground, index: IndexObject): boolean {
  const table = ground.to.objects.get(index.table);
  return table?.kind === "table" && followsParents(ground, table);
}

/** Made on a partitioned table it is made on the partitions as well, under names of the server's own. */
function isSpreading(ground: Ground, index: IndexObject): boolean {
  return !ground.isBusy(index.table) && childrenOf(ground, index).every((child) => child.isNameGenerated);
}

function childrenOf(ground: Ground, index: IndexObject): readonly IndexObject[] {
  const own = [...(ground.to.dependents.get(index.id) ?? [])].flatMap((id) => {
    const object = ground.to.objects.get(id);
    return object?.kind === "index" && object.attachedTo === index.id ? [object] : [];
  });
  return own.flatMap((child) => [child, ...childrenOf(ground, child)]);
}

function isConcurrent(ground: Ground, index: IndexObject): boolean {
  return ground.isBusy(index.table) && !isPartitioned(index);
}

/** Partitioned indexes hold nothing themselves; the server builds none of them concurrently. */
function isPartitioned({ definition }: IndexObject): boolean {
  return / ON ONLY /i.test(definition);
}

function concurrently(definition: string): string {
  return definition.replace(/^create (unique )?index /, "create $1index concurrently ");
}

function isSwapped(ground: Ground, from: IndexObject, to: IndexObject): boolean {
  const isAlone = from.attachedTo === undefined && !isPartitioned(from);
  return isAlone && isConcurrent(ground, to) && canSwap(ground, from, to);
}

/** Its parent is complete once every partition's index is attached to it. */
function attach(ground: Ground, index: IndexObject): readonly Step[] {
  const parent = ground.to.objects.get(index.attachedTo ?? "");
  if (parent?.kind !== "index") return [];
  return [
    {
      rank: RANK.swapIndex,
      statements: [`alter index ${refTo(parent)} attach partition ${refTo(index)}`],
      needs: [parent.id, index.id],
    },
  ];
}

/** The new one is built beside the old one, so that queries are never without. */
function swapIndex(ground: Ground, old: IndexObject, index: IndexObject): readonly Step[] {
  const spare = ground.spareName(index.name, "_new");
  const own = ` index ${sqlName(index.name)} on `;
  const definition = concurrently(fromServer(index.definition).replace(own, ` index ${sqlName(spare)} on `));
  const place = refTo({ schema: index.schema, name: spare });
  return [
    {
      rank: RANK.concurrentIndex,
      statements: [definition],
      needs: needsOf(index),
      makes: [`built ${index.id}`],
    },
    {
      rank: RANK.swapIndex,
      statements: [
        `drop index concurrently ${refTo(old)}`,
        `alter index ${place} rename to ${sqlName(index.name)}`,
        ...newAttributes(ground, index),
      ],
      drops: [old.id],
      frees: needsOf(old),
      needs: [`built ${index.id}`],
      makes: [index.id],
    },
  ];
}

export function alterIndex(ground: Ground, from: IndexObject, to: IndexObject): readonly Step[] {
  return [
    ...(from.attachedTo === undefined ? attach(ground, to) : []),
    { rank: RANK.attributes, statements: changedAttributes(ground, from, to) },
  ];
}

export function dropIndex(ground: Ground, index: IndexObject): readonly Step[] {
  if (isImplied(ground, index)) return [];
  const next = ground.to.objects.get(index.id);
  if (next?.kind === "index" && isSwapped(ground, index, next)) return [];
  const isOnline = ground.isBusy(index.table) && !isPartitioned(index) && index.attachedTo === undefined;
  const statement = `drop index ${isOnline ? "concurrently " : ""}${refTo(index)}`;
  const along = attachedBelow(ground, index).filter(({ id }) => ground.fateOf(id) !== "keep");
  const rank = isOnline ? concurrentRank(ground, index) : RANK.dropIndex;
  const step = dropping(index, rank, [statement]);
  return [
    {
      ...step,
      needs: [`detached ${index.table}`, ...partitionsGone(ground, index.table)],
      drops: [index.id, ...along.map(({ id }) => id)],
      givesUp: [index, ...along].flatMap(namesOf),
    },
  ];
}

/**
 * Outside of a transaction it either comes first, as nothing is taken apart yet that the next one has to put together;
 * or, where nothing stands on its going, last.
 */
function concurrentRank(ground: Ground, index: IndexObject): number {
  const isInTheWay =
    ground.to.objects.has(index.id) ||
    index.dependsOn.some((id) => {
      const fate = ground.decisions.columns.get(id) ?? ground.fateOf(id);
      return fate !== "keep" && fate !== "alter";
    });
  return isInTheWay ? RANK.clearIndex : RANK.swapIndex;
}

/** The indexes of partitions that go with it. */
function attachedBelow(ground: Ground, index: IndexObject): readonly IndexObject[] {
  return (ground.from.dependents.get(index.id) ?? []).flatMap((id) => {
    const object = ground.from.objects.get(id);
    const isBelow = object?.kind === "index" && object.attachedTo === index.id;
    return isBelow ? [object, ...attachedBelow(ground, object)] : [];
  });
}

function isImplied(ground: Ground, index: IndexObject): boolean {
  const fate = ground.fateOf(index.table);
  const owner = ground.from.objects.get(index.table);
  if (owner?.kind !== "table" && (fate === "drop" || fate === "replace")) return true;
  if (fate === "drop") return !isTangled(ground, index);
  if (isTakenAlong(ground, index)) return true;
  const parent = ground.from.objects.get(index.attachedTo ?? "");
  const isDetached = owner?.kind === "table" && !followsParents(ground, owner) && fate !== "retire";
  return parent !== undefined && !ground.isKept(parent.id) && !isDetached;
}
