import type { Step } from "./step.ts";

/**
 * Puts steps in an order that runs: by rank, and within a rank as given, as far as their needs allow. A preference
 * that cannot be met is passed over.
 */
export function orderSteps(steps: readonly Step[]): readonly Step[] {
  const graph = connect(steps);
  const ready = new Queue(steps);
  for (let index = 0; index < steps.length; index++) if (graph.isFree(index)) ready.add(index);
  const ordered: Step[] = [];
  const done = new Set<number>();
  while (done.size < steps.length) {
    const index = ready.take() ?? graph.leastBound(done);
    const step = steps[index];
    if (step === undefined || done.has(index)) continue;
    done.add(index);
    ordered.push(step);
    for (const freed of graph.finish(index)) if (!done.has(freed)) ready.add(freed);
  }
  return ordered;
}

/** Who has to wait for whom. */
class Graph {
  readonly #steps: readonly Step[];
  readonly #hard: Set<number>[];
  readonly #soft: Set<number>[];
  readonly #followers: Set<number>[];

  constructor(steps: readonly Step[]) {
    this.#steps = steps;
    this.#hard = steps.map(() => new Set());
    this.#soft = steps.map(() => new Set());
    this.#followers = steps.map(() => new Set());
  }

  add(before: number, after: number, isSoft = false): void {
    if (before === after) return;
    (isSoft ? this.#soft : this.#hard)[after]?.add(before);
    this.#followers[before]?.add(after);
  }

  isFree(index: number): boolean {
    return this.#hard[index]?.size === 0 && this.#soft[index]?.size === 0;
  }

  /** The steps that wait for nothing any more once this one is done. */
  finish(index: number): readonly number[] {
    const freed: number[] = [];
    for (const follower of this.#followers[index] ?? []) {
      this.#hard[follower]?.delete(index);
      this.#soft[follower]?.delete(index);
      if (this.isFree(follower)) freed.push(follower);
    }
    return freed;
  }

  /** In a circle: a step that only preferences hold up, else the one with the fewest needs left. */
  leastBound(done: ReadonlySet<number>): number {
    let best = -1;
    let bestWeight = Number.POSITIVE_INFINITY;
    for (const [index, step] of this.#steps.entries()) {
      if (done.has(index)) continue;
      const weight = (this.#hard[index]?.size ?? 0) * 1000 + step.rank;
      if (weight < bestWeight) [best, bestWeight] = [index, weight];
    }
    return best;
  }
}

function connect(steps: readonly Step[]): Graph {
  const graph = new Graph(steps);
  const makers = placesOf(steps, (step) => step.makes);
  const droppers = placesOf(steps, (step) => step.drops);
  const leavers = placesOf(steps, (step) => step.givesUp);
  for (const [index, step] of steps.entries()) {
    for (const id of step.needs ?? []) for (const maker of makers.get(id) ?? []) graph.add(maker, index);
    for (const id of step.prefers ?? [])
      for (const maker of makers.get(id) ?? []) graph.add(maker, index, true);
    for (const id of step.frees ?? [])
      for (const dropper of droppers.get(id) ?? []) graph.add(index, dropper);
    for (const name of step.takes ?? [])
      for (const leaver of leavers.get(name) ?? []) graph.add(leaver, index);
  }
  return graph;
}

function placesOf(
  steps: readonly Step[],
  idsOf: (step: Step) => readonly string[] | undefined,
): ReadonlyMap<string, readonly number[]> {
  const places = new Map<string, number[]>();
  for (const [index, step] of steps.entries()) {
    for (const id of idsOf(step) ?? []) {
      const known = places.get(id);
      if (known === undefined) places.set(id, [index]);
      else known.push(index);
    }
  }
  return places;
}

/** Ready steps, lowest rank first. */
class Queue {
  readonly #steps: readonly Step[];
  readonly #waiting: number[] = [];

  constructor(steps: readonly Step[]) {
    this.#steps = steps;
  }

  add(index: number): void {
    const key = this.#keyOf(index);
    let [low, high] = [0, this.#waiting.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      // Last is taken first.
      if (this.#keyOf(this.#waiting[middle] ?? 0) > key) low = middle + 1;
      else high = middle;
    }
    this.#waiting.splice(low, 0, index);
  }

  take(): number | undefined {
    return this.#waiting.pop();
  }

  #keyOf(index: number): number {
    return (this.#steps[index]?.rank ?? 0) * this.#steps.length + index;
  }
}
