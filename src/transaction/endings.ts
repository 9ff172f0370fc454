import type { Connection, Outcome, StatementCall } from "../driver/index.ts";
import {
  CommitOutcomeUnknownError,
  isPlinthError,
  StatementError,
  TransactionError,
} from "../errors/index.ts";
import { isSessionLost, type TransactionScope } from "./scope.ts";

/** How transactions and savepoints end; README.md has the table. */

const COMMIT: StatementCall = { text: "commit", values: [] };
const ROLLBACK: StatementCall = { text: "rollback", values: [] };

/**
 * Runs the callback and closes the scope to late work the moment it settles, before COMMIT is sent. The callback is
 * awaited inside its own context: a lazy query that it returns must not start outside the transaction.
 */
export async function settle<T>(scope: TransactionScope, work: () => Promise<T>): Promise<T> {
  try {
    const { signal } = scope;
    const result = await (signal === undefined ? work() : unlessAborted(work, signal));
    if (scope.hasNested) throw unfinished();
    return result;
  } finally {
    scope.end();
  }
}

/**
 * A callback that waits for something else than the database hears of no signal: the transaction ends without it, so that
 * its locks do. What it does afterwards finds the transaction closed.
 */
async function unlessAborted<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(canceled(signal));
    signal.addEventListener("abort", onAbort, { once: true });
  });
  const running = work();
  // Nobody else may be left to hear how it ended.
  running.catch(() => {});
  try {
    return await Promise.race([running, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** Committing would keep half of what it does; waiting might be waiting for something that never ends. */
function unfinished(): TransactionError {
  return new TransactionError(
    "TRANSACTION_CLOSED",
    "the callback ended while a nested transaction or batch in it was still running, so all of it was rolled back",
    { hint: "Await every db.transaction and db.batch inside the callback." },
  );
}

/** Work that was told to stop must not be committed, also when no statement was running at that moment. */
export function refuseCanceled({ signal }: TransactionScope): void {
  if (signal?.aborted === true) throw canceled(signal);
}

function canceled(signal: AbortSignal): StatementError {
  return new StatementError(
    "QUERY_CANCELED",
    "the transaction was canceled before it was committed, and rolled back",
    { sqlstate: "57014" },
    { cause: signal.reason },
  );
}

/** Undoes what ran since the savepoint. Nothing to do where the whole transaction is over. */
export async function undoSavepoint(outer: TransactionScope, name: string): Promise<void> {
  const { connection } = outer;
  if (!connection.isOpen || !outer.isOpen) return;
  try {
    await connection.query({ text: `rollback to savepoint ${name}`, values: [] });
    await connection.query({ text: `release savepoint ${name}`, values: [] });
  } catch (failure) {
    // The error that led here tells more; the transaction is failed or lost, and cannot be committed any more.
    if (!isPlinthError(failure)) throw failure;
    outer.firstError ??= failure;
  }
}

/**
 * PostgreSQL answers COMMIT of a failed transaction with ROLLBACK and no error, and a lost reply leaves the
 * outcome open: both would otherwise look like success, or like a failure that may be retried.
 */
export async function commit(scope: TransactionScope): Promise<void> {
  const { connection } = scope;
  refuseCanceled(scope);
  if (!scope.hasBegun) return;
  if (connection.transactionStatus === "failed") throw abortedBy(scope.firstError);
  if (scope.doom !== undefined) throw abortedBy(scope.doom);
  // Lost before COMMIT was sent: then the server has rolled back, and nothing is unknown.
  const wasOpen = connection.isOpen;
  let outcome: Outcome;
  try {
    outcome = await connection.query(COMMIT);
  } catch (error) {
    if (!wasOpen || !isSessionLost(connection, error)) throw error;
    throw new CommitOutcomeUnknownError("the connection was lost while COMMIT was on its way", {
      hint: "The transaction may or may not have happened: ask db.outcomeOf(error), or look, before trying again.",
      cause: error,
      transactionId: scope.transactionId,
    });
  }
  if (outcome.command === "ROLLBACK") throw abortedBy(scope.firstError);
}

export function abortedBy(firstError: unknown): TransactionError {
  return new TransactionError(
    "TRANSACTION_ABORTED",
    "the transaction was rolled back, because a statement in it had failed and the error was swallowed",
    {
      hint: "Let the first error (see cause) reach db.transaction, or put the statement into a nested transaction.",
      ...(firstError === undefined ? {} : { cause: firstError }),
    },
  );
}

/** Rolls back what is left; false when the session cannot be used again. */
export async function rolledBack(connection: Connection, error: unknown): Promise<boolean> {
  if (!connection.isOpen) return false;
  if (connection.transactionStatus === "idle" && !connection.isBusy) return !isSessionLost(connection, error);
  try {
    await connection.query(ROLLBACK);
    return true;
  } catch (failure) {
    // The caller gets the error that caused the rollback; this one only says that the session is broken.
    if (isPlinthError(failure)) return false;
    throw failure;
  }
}
