/**
 * Limits that stand in the text of a statement: those that people write in programs. PostgreSQL then knows how few rows are
 * wanted. Of a parameter it expects a tenth of all, so that a plan for any value looks dearer than one for this value, and
 * it plans anew at every call. Any other number is a parameter: whoever chooses it freely (`?limit=37`) would make a
 * statement of each.
 *
 * @see https://www.postgresql.org/docs/current/sql-prepare.html#SQL-PREPARE-NOTES
 */
const USUAL_LIMITS: ReadonlySet<unknown> = new Set([
  1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 24, 25, 30, 40, 50, 60, 75, 100,
]);

export function isUsualLimit(limit: unknown): limit is number {
  return USUAL_LIMITS.has(limit);
}
