/** What a transaction of a list-append history does: numbers are appended to lists, and lists are read whole. */
export type Operation =
  | { readonly kind: "append"; readonly key: number; readonly value: number }
  | { readonly kind: "read"; readonly key: number; readonly list: readonly number[] };

/**
 * One transaction as its caller saw it. `info`: nobody could tell whether it happened. No number is appended twice by the
 * program; where one is in a list twice, something ran twice.
 */
export interface Recorded {
  readonly id: number;
  readonly outcome: "ok" | "fail" | "info";
  readonly operations: readonly Operation[];
}

/** What a history must not show at a level, after Adya's and Elle's names. */
export type Anomaly =
  /** Two reads of a list that are no prefixes of each other. */
  | "incompatible-order"
  /** A number that is in a list twice. */
  | "duplicate"
  /** A number nobody appended. */
  | "garbage"
  /** What was committed and is not there in the end. */
  | "lost-append"
  /** A transaction does not see its own appends. */
  | "internal"
  /** A read of what was rolled back. */
  | "G1a"
  /** A read of what was not final. */
  | "G1b"
  /** Cycles of writes; of writes and reads; with one dependency against time; with several, none side by side; any. */
  | "G0"
  | "G1c"
  | "G-single"
  | "G-nonadjacent"
  | "G2";

export interface Finding {
  readonly anomaly: Anomaly;
  /** The transactions or numbers it is about. */
  readonly about: readonly number[];
}

const ALWAYS: readonly Anomaly[] = [
  "incompatible-order",
  "duplicate",
  "garbage",
  "lost-append",
  "internal",
  "G1a",
  "G1b",
  "G0",
  "G1c",
];

/** What each level of PostgreSQL forbids; its `repeatable read` is snapshot isolation. */
export const FORBIDDEN = {
  "read committed": ALWAYS,
  "repeatable read": [...ALWAYS, "G-single", "G-nonadjacent"],
  serializable: [...ALWAYS, "G-single", "G-nonadjacent", "G2"],
} as const satisfies Readonly<Record<string, readonly Anomaly[]>>;
