import { setTimeout as pause } from "node:timers/promises";
import type { StatementCall } from "../driver/index.ts";
import { CommitOutcomeUnknownError, InputError, isPlinthError } from "../errors/index.ts";
import type { Pool } from "../pool/index.ts";

/** What became of a transaction whose COMMIT was never answered. */
export type TransactionOutcome = "committed" | "aborted" | "unknown";

/**
 * Gives the transaction its number, which its first write would do too. Travels with that, in its flight: at COMMIT it would be
 * too late, as the answer is what gets lost.
 */
export const READ_TRANSACTION_ID: StatementCall = {
  name: "plinth_transaction_id",
  text: "select pg_catalog.pg_current_xact_id()",
  values: [],
  leavesNoTrace: true,
};

/** What may write. A select can by a function of its own: then there is no number, and the outcome stays unknown. */
const MAY_WRITE = /^\s*(?:insert|update|delete|merge|with|call)\b/i;

export function mayWrite({ text }: StatementCall): boolean {
  return MAY_WRITE.test(text);
}

/** How long an answer "still running" is waited out: the server may not have noticed yet that nobody is there. */
const STILL_RUNNING_MS = 10_000;
const POLL_MS = 50;

/**
 * Asks the server what became of a transaction.
 *
 * @throws {INVALID_VALUE} for anything but a `COMMIT_OUTCOME_UNKNOWN`.
 */
export async function outcomeOf(pool: Pool, error: unknown): Promise<TransactionOutcome> {
  if (!(error instanceof CommitOutcomeUnknownError)) {
    throw new InputError("INVALID_VALUE", [
      { path: "error", message: "must be a COMMIT_OUTCOME_UNKNOWN; of any other error the outcome is known" },
    ]);
  }
  const { transactionId } = error;
  if (transactionId === undefined) return "unknown";
  for (
    const startedAt = performance.now();
    performance.now() - startedAt < STILL_RUNNING_MS;
    await pause(POLL_MS)
  ) {
    const status = await statusOf(pool, transactionId);
    if (status === "committed" || status === "aborted") return status;
    if (status !== "in progress") return "unknown";
  }
  return "unknown";
}

/**
 * `committed`, `aborted`, `in progress`; undefined for one so old that the server has forgotten it, or that this server has
 * never seen, as after a failover that lost it.
 *
 * @see https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT
 */
async function statusOf(pool: Pool, transactionId: string): Promise<string | undefined> {
  const call: StatementCall = {
    text: "select pg_catalog.pg_xact_status($1::pg_catalog.xid8)",
    values: [transactionId],
    leavesNoTrace: true,
  };
  try {
    const { rows } = await pool.run(call);
    return rows[0]?.[0] ?? undefined;
  } catch (error) {
    // "transaction ID … is in the future"
    if (isPlinthError(error) && error.code === "INVALID_DATA") return undefined;
    throw error;
  }
}
