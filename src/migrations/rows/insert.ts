import type { Connection } from "../../driver/index.ts";
import { isPlinthError, StatementError } from "../../errors/index.ts";
import { candidates } from "./candidates.ts";
import { type PlanGround, planRows, type Row, type RowPlan } from "./compose.ts";
import { insertRows } from "./queries.ts";
import type { TableShape } from "./shape.ts";

/** Single inserts that may fail after the first all-at-once one failed. */
const TRIES_LIMIT = 20;

/**
 * Inserts up to `wanted` rows into a table that has `had`. Gives why there is none, or undefined.
 */
export async function insertInto(
  ground: PlanGround,
  table: TableShape,
  { had, wanted }: { readonly had: number; readonly wanted: number },
): Promise<string | undefined> {
  const planned = await planRows(ground, table, { explicit: new Set(), ignoredKeys: new Set() });
  if (planned.plan === undefined) return planned.why;
  const { plan } = planned;
  const { rows, why } = await candidates(ground, plan, had, wanted);
  if (rows.length === 0) return why;
  const first = await tryInsert(ground.connection, plan, rows.slice(0, wanted));
  if (first.inserted >= wanted) return undefined;
  let { inserted, reason } = first;
  let failures = 0;
  for (const row of distinctKeys(plan, rows)) {
    if (inserted >= wanted || failures >= TRIES_LIMIT) break;
    const single = await tryInsert(ground.connection, plan, [row]);
    inserted += single.inserted;
    reason = single.reason ?? reason;
    failures += single.inserted === 0 ? 1 : 0;
  }
  return inserted > 0 ? undefined : (reason ?? "it stayed empty");
}

/** Without rows whose keys an earlier one has: two of a kind cannot both be in. */
function distinctKeys(plan: RowPlan, rows: readonly Row[]): readonly Row[] {
  const places = plan.columns.flatMap(({ name }, index) => (plan.table.keyColumns.has(name) ? [index] : []));
  if (places.length === 0) return rows;
  const keys = new Map(rows.map((row) => [JSON.stringify(places.map((place) => row[place])), row]));
  return [...keys.values()];
}

interface Attempt {
  readonly inserted: number;
  readonly reason: string | undefined;
}

async function tryInsert(connection: Connection, plan: RowPlan, rows: readonly Row[]): Promise<Attempt> {
  const { schema, name } = plan.table;
  const columns = plan.columns.map((column) => column.name);
  const text = insertRows(schema, name, columns, rows.length);
  try {
    const { rowCount } = await connection.query({ text, values: rows.flat() });
    const reason = rowCount > 0 ? undefined : "a trigger or rule turned the insert away";
    return { inserted: rowCount, reason };
  } catch (error) {
    if (!connection.isOpen) throw error;
    return { inserted: 0, reason: refusal(error) };
  }
}

/** The server's words for why it took no row; never the row itself. */
export function refusal(error: unknown): string {
  const words = isPlinthError(error)
    ? error.summary
    : error instanceof Error
      ? error.message
      : "unknown error";
  // What a trigger says quotes generated values only.
  const said = error instanceof StatementError && error.code === "RAISED" ? `: ${error.serverMessage}` : "";
  return `the server refuses every generated row: ${words.split("\n", 1)[0]}${said}`;
}
