import type { Outcome } from "../driver/index.ts";
import type { Select } from "../sql/index.ts";
import { statementName } from "../statement/index.ts";
import { rowsOf } from "./answer.ts";
import { type Plan, planOf } from "./plan.ts";

/**
 * How many rows the planner expects of a select: from what ANALYZE last saw, scaled by the size the table has now. Reads
 * no row of it. As good as the statistics; conditions on several columns that depend on each other lead it astray.
 *
 * Source: https://www.postgresql.org/docs/current/row-estimation-examples.html
 */
export function planEstimate(select: Select): Plan<number> {
  const rows = planOf({ ...select, projections: [], joins: [], orderJoins: [], orderBy: [] }, ([outcome]) =>
    estimateIn(outcome),
  );
  const text = `explain (format json) ${rows.statement.text}`;
  return { ...rows, statement: { ...rows.statement, text }, name: statementName(text) };
}

/** The number in the planner's answer; 0 where it is missing. */
export function estimateIn(outcome: Outcome | undefined): number {
  const [cell] = rowsOf(outcome)[0] ?? [];
  if (cell === undefined || cell === null) return 0;
  const [explained]: readonly unknown[] = JSON.parse(cell);
  return rowCountOf(explained);
}

function rowCountOf(explained: unknown): number {
  const { Plan: plan } = Object(explained) as { readonly Plan?: { readonly "Plan Rows"?: unknown } };
  const rows = plan?.["Plan Rows"];
  return typeof rows === "number" ? Math.round(rows) : 0;
}
