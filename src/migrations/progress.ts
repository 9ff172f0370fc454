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
