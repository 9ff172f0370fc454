import type { LockBlocker } from "./lock-watch.ts";
import type { LockHolder } from "./runner-lock.ts";

/** What a runner tells while it works. Nothing in it holds a value of a row. */
export type MigrationProgress =
  /** Another runner is at work; told every 2 s. */
  | { readonly kind: "waiting"; readonly holder: LockHolder | undefined; readonly waitedMs: number }
  | {
      readonly kind: "started";
      readonly direction: "up" | "down";
      readonly fileName: string;
      readonly statements: number;
      /** Statements an interrupted run had finished already. */
      readonly resumeAt: number;
      readonly isOutOfOrder: boolean;
    }
  /** A table lock was not to be had, or a deadlock was broken; the phase is run again. */
  | {
      readonly kind: "retrying";
      readonly fileName: string;
      readonly attempt: number;
      readonly delayMs: number;
      readonly reason: string;
      /** Who held the lock, as far as it was seen; at most 5. */
      readonly blockers: readonly LockBlocker[];
    }
  /** A statement that may wait long, a concurrent index build say, waits for others; told every 10 s at most. */
  | {
      readonly kind: "blocked";
      readonly fileName: string;
      readonly waitedMs: number;
      readonly blockers: readonly LockBlocker[];
    }
  /** How far a data migration is, over all runs; told every second at most, and at its end. */
  | {
      readonly kind: "batches";
      readonly direction: "up" | "down";
      readonly fileName: string;
      readonly batches: number;
      readonly rows: number;
    }
  /** What an interrupted run left behind was removed. */
  | { readonly kind: "cleaned"; readonly fileName: string; readonly what: string }
  /** A notice of the server. */
  | { readonly kind: "notice"; readonly message: string }
  | {
      readonly kind: "finished";
      readonly direction: "up" | "down";
      readonly fileName: string;
      readonly durationMs: number;
    };

export type ProgressListener = (progress: MigrationProgress) => void;
