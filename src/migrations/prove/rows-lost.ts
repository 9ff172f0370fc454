import type { Cell } from "../../driver/index.ts";
import type { RowPrint, RowPrints } from "./row-print.ts";

/** What a way there and back did to the rows that were there before. */
export interface LostRows {
  readonly table: string;
  /** Rows that are gone; 0 when all are there with other values. */
  readonly gone: number;
  readonly had: number;
  /** Columns whose values are not all there any more, as `tasks.title`. */
  readonly columns: readonly string[];
}

/**
 * Compares the rows before `up` with those after `down`. Rows may have been added in between (`added`, by table), none
 * may be missing, and each must still hold its values in the columns both states have. What is declared lost is passed
 * over: a table, or a column of one.
 */
export function findLostRows(
  before: RowPrints,
  after: RowPrints,
  added: ReadonlyMap<string, number>,
  declared: readonly string[],
): readonly LostRows[] {
  const isDeclared = new Set(declared);
  const lost: LostRows[] = [];
  for (const print of before.values()) {
    const now = after.get(print.table);
    // A table that is not there at all is a difference of the catalogs.
    if (now === undefined || isDeclared.has(print.table) || print.count === 0) continue;
    const gone = Math.max(0, Math.min(print.count, print.count + (added.get(print.table) ?? 0) - now.count));
    const columns = print.columns.filter(
      (column) => now.columns.includes(column) && !isDeclared.has(print.labels.get(column) ?? ""),
    );
    const unmatched = countUnmatched(print, now, columns);
    if (gone === 0 && unmatched === 0) continue;
    const changed = columns.filter((column) => countUnmatched(print, now, [column]) > 0);
    const labels = changed.map((column) => print.labels.get(column) ?? column);
    lost.push({ table: print.table, gone, had: print.count, columns: labels });
  }
  return lost;
}

/** Rows of the first print whose values the second does not have, as often as the first does. */
function countUnmatched(print: RowPrint, now: RowPrint, columns: readonly string[]): number {
  if (print.rows === undefined || now.rows === undefined || columns.length === 0) return 0;
  const keys = (of: RowPrint): readonly string[] => {
    const places = columns.map((column) => of.columns.indexOf(column));
    return (of.rows ?? []).map((row: readonly Cell[]) =>
      JSON.stringify(places.map((place) => row[place] ?? null)),
    );
  };
  const left = new Map<string, number>();
  for (const key of keys(now)) left.set(key, (left.get(key) ?? 0) + 1);
  let unmatched = 0;
  for (const key of keys(print)) {
    const count = left.get(key) ?? 0;
    if (count === 0) unmatched += 1;
    else left.set(key, count - 1);
  }
  return unmatched;
}
