import type { Outcome } from "../driver/index.ts";

/** The rows of an answer; none where it is missing. */
export function rowsOf(outcome: Outcome | undefined): Outcome["rows"] {
  return outcome?.rows ?? [];
}

/** What the plan's slots made of an answer's rows. */
export function recordsOf(outcome: Outcome | undefined): readonly Record<string, unknown>[] {
  return (outcome?.records ?? []) as readonly Record<string, unknown>[];
}

/** The number in an answer that is one count. */
export function countIn(outcome: Outcome | undefined): number {
  return Number(rowsOf(outcome)[0]?.[0] ?? 0);
}
