import { keepsWritersOut } from "./lock-mode.ts";
import type { StatementEffects } from "./model.ts";
import type { HeldLock } from "./rules/subject.ts";

/** What a transaction holds on its way: strong locks on relations that were there before the file. */
export class TransactionLocks {
  readonly #held: HeldLock[] = [];

  get held(): readonly HeldLock[] {
    return this.#held;
  }

  /**
   * While the transaction keeps readers or writers of a relation out, the statement rewrites or reads through relations;
   * or nobody knows what it does.
   */
  isBlocking({ locks, rewrites, scans }: StatementEffects, isUnknown: boolean): boolean {
    const keepsOut = this.#held.length > 0 || locks.some(({ mode }) => keepsWritersOut(mode));
    return isUnknown || (keepsOut && rewrites.length + scans.length > 0);
  }

  take({ locks }: StatementEffects, tables: ReadonlySet<string>, line: number): void {
    for (const lock of locks) {
      if (keepsWritersOut(lock.mode)) this.#held.push({ ...lock, line, isTable: tables.has(lock.relation) });
    }
  }
}
