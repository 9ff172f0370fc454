import type { Connection } from "../driver/index.ts";
import type { CallSite } from "../errors/index.ts";

/**
 * One place in the pool, taken from the start of connecting to the end of the connection.
 * The state machine is drawn in README.md.
 */
export interface Member {
  state: MemberState;
  /** Undefined while `opening`. */
  connection: Connection | undefined;
  /** Set while `lent`. */
  holding: Holding | undefined;
  idleSince: number;
  expiresAt: number;
}

/** One connection in somebody's hands. */
export interface Holding {
  readonly member: Member;
  readonly connection: Connection;
  /** Undefined for a statement that has just begun; see `Naming`. */
  site: CallSite | undefined;
  /** Has a holder without a name find its own. */
  ask: (() => void) | undefined;
  /** On the pool's clock. */
  since: number;
  /** False once it was given back. */
  isActive: boolean;
  wasReported: boolean;
  /** By the lane of short statements, which gives it back when it has no work. */
  isShared: boolean;
}

export type MemberState = "opening" | "idle" | "probing" | "lent" | "resetting" | "gone";

/** A dead peer answers nothing: a probe or reset that takes longer counts as failed. */
export const CHECK_TIMEOUT_MS = 2_000;

/** Resolves when `check` succeeds within the bound, rejects otherwise. The late outcome of `check` is dropped. */
export function withinBound(check: Promise<unknown>, boundMs: number = CHECK_TIMEOUT_MS): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${boundMs} ms`)), boundMs);
    check.then(
      () => {
        clearTimeout(timer);
        resolve();
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

/** Asks an idle connection whether it is still there. */
export function probe(connection: Connection): Promise<void> {
  return withinBound(connection.query({ text: "select 1", values: [], leavesNoTrace: true }));
}

/** Clears what the last borrower left. */
export function reset(connection: Connection): Promise<void> {
  return withinBound(connection.reset());
}
