import type { CallSite } from "../errors/index.ts";
import type { Holding } from "./member.ts";

/** One caller in line. */
export interface Waiter {
  readonly site: CallSite | undefined;
  /** The connections held by the work that waits. */
  readonly holds: readonly Holding[];
  /** A write that may also be sent behind others of its kind. */
  readonly isWrite: boolean;
  readonly grant: (holding: Holding) => void;
  readonly refuse: (error: unknown) => void;
}

/** First come, first served; leaving early costs the same as being served. */
export class WaitingLine {
  // A Set keeps its order and removes from the middle in constant time.
  readonly #waiters = new Set<Waiter>();

  get length(): number {
    return this.#waiters.size;
  }

  join(waiter: Waiter): void {
    this.#waiters.add(waiter);
  }

  leave(waiter: Waiter): void {
    this.#waiters.delete(waiter);
  }

  /** The longest waiting caller, who stays in line. */
  get first(): Waiter | undefined {
    const [first] = this.#waiters;
    return first;
  }

  /** Takes the longest waiting caller out of the line. */
  next(): Waiter | undefined {
    const [first] = this.#waiters;
    if (first !== undefined) this.#waiters.delete(first);
    return first;
  }

  /**
   * True when nobody in line can ever be served: every one of `holdings` belongs to work that waits here, the
   * newcomer included.
   */
  wouldDeadlock(holdings: readonly Holding[], newcomer: readonly Holding[]): boolean {
    const blocked = new Set(newcomer);
    for (const waiter of this.#waiters) for (const holding of waiter.holds) blocked.add(holding);
    return holdings.every((holding) => blocked.has(holding));
  }
}
