import { cyclesIn, type Edge } from "./cycles.ts";
import type { Anomaly, Finding, Operation, Recorded } from "./history.ts";

/**
 * Finds what a list-append history should not show, after Elle (https://arxiv.org/abs/2003.10554): the order of each
 * list's versions is seen in the longest read of it, and from there on every dependency between transactions is known.
 */
export function check(history: readonly Recorded[]): readonly Finding[] {
  const writers = writersOf(history);
  const orders = longestReads(history);
  const seen = new Set([...orders.values()].flat());
  return [
    ...history.flatMap((transaction) => aboutReads(transaction, writers, orders)),
    ...lostAppends(history, orders),
    ...[...orders.values()].flatMap(duplicates),
    ...cyclesIn(edgesOf(history, writers, orders, seen)),
  ];
}

interface Writer {
  readonly transaction: Recorded;
  /** Its last append to that list. */
  readonly isFinal: boolean;
}

type Writers = ReadonlyMap<number, Writer>;
type Orders = ReadonlyMap<number, readonly number[]>;

function appendsOf({ operations }: Recorded): readonly (Operation & { readonly kind: "append" })[] {
  return operations.filter((operation) => operation.kind === "append");
}

function writersOf(history: readonly Recorded[]): Writers {
  const writers = new Map<number, Writer>();
  for (const transaction of history) {
    const appends = appendsOf(transaction);
    for (const { key, value } of appends) {
      const isFinal = appends.findLast((other) => other.key === key)?.value === value;
      writers.set(value, { transaction, isFinal });
    }
  }
  return writers;
}

function* readsOf(
  transaction: Recorded,
): Generator<{ readonly key: number; readonly list: readonly number[] }> {
  if (transaction.outcome === "fail") return;
  for (const operation of transaction.operations) if (operation.kind === "read") yield operation;
}

function longestReads(history: readonly Recorded[]): Orders {
  const longest = new Map<number, readonly number[]>();
  for (const transaction of history) {
    if (transaction.outcome !== "ok") continue;
    for (const { key, list } of readsOf(transaction)) {
      if (list.length > (longest.get(key)?.length ?? -1)) longest.set(key, list);
    }
  }
  return longest;
}

function aboutReads(transaction: Recorded, writers: Writers, orders: Orders): readonly Finding[] {
  if (transaction.outcome !== "ok") return [];
  const found: Finding[] = [];
  const note = (anomaly: Anomaly, ...about: number[]) =>
    found.push({ anomaly, about: [transaction.id, ...about] });
  const own = new Map<number, number[]>();
  for (const operation of transaction.operations) {
    const { key } = operation;
    const mine = own.get(key) ?? [];
    own.set(key, mine);
    if (operation.kind === "append") {
      mine.push(operation.value);
      continue;
    }
    const { list } = operation;
    const order = orders.get(key) ?? [];
    if (list.some((value, i) => order[i] !== value)) note("incompatible-order", key);
    if (list.filter((value) => mine.includes(value)).join() !== mine.join()) note("internal", ...mine);
    for (const value of list) {
      const writer = writers.get(value);
      if (writer === undefined) note("garbage", value);
      else if (writer.transaction.outcome === "fail") note("G1a", value);
    }
    const last = list.at(-1);
    const writer = last === undefined ? undefined : writers.get(last);
    if (last !== undefined && writer !== undefined && !writer.isFinal && writer.transaction !== transaction) {
      note("G1b", last);
    }
  }
  return found;
}

/** Whatever was committed is in the longest list, as the last transaction of a history reads all of them. */
function lostAppends(history: readonly Recorded[], orders: Orders): readonly Finding[] {
  const there = new Set([...orders.values()].flat());
  return history
    .filter(({ outcome }) => outcome === "ok")
    .flatMap((transaction) => appendsOf(transaction).filter(({ value }) => !there.has(value)))
    .map(({ value }): Finding => ({ anomaly: "lost-append", about: [value] }));
}

function duplicates(list: readonly number[]): readonly Finding[] {
  const twice = new Set(list.filter((value, i) => list.indexOf(value) !== i));
  return [...twice].map((value): Finding => ({ anomaly: "duplicate", about: [value] }));
}

/** Transactions nobody knows the end of took part only if somebody has seen them. */
function edgesOf(
  history: readonly Recorded[],
  writers: Writers,
  orders: Orders,
  seen: ReadonlySet<number>,
): readonly Edge[] {
  const takesPart = (transaction: Recorded) =>
    transaction.outcome === "ok" ||
    (transaction.outcome === "info" && appendsOf(transaction).some(({ value }) => seen.has(value)));
  const writerOf = (value: number | undefined): Recorded | undefined => {
    const writer = value === undefined ? undefined : writers.get(value)?.transaction;
    return writer !== undefined && takesPart(writer) ? writer : undefined;
  };
  const edges: Edge[] = [];
  const add = (kind: Edge["kind"], from: Recorded | undefined, to: Recorded | undefined) => {
    if (from !== undefined && to !== undefined && from !== to) edges.push({ kind, from: from.id, to: to.id });
  };
  for (const order of orders.values()) {
    for (const [i, value] of order.entries()) add("ww", writerOf(order[i - 1]), writerOf(value));
  }
  for (const transaction of history) {
    if (transaction.outcome !== "ok") continue;
    for (const { key, list } of readsOf(transaction)) {
      add("wr", writerOf(list.at(-1)), transaction);
      add("rw", transaction, writerOf(orders.get(key)?.[list.length]));
    }
  }
  return edges;
}
