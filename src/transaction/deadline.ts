import { isPlinthError, TransactionError } from "../errors/index.ts";
import type { TransactionOptions } from "./options.ts";
import { eitherSignal } from "./scope.ts";

/** The time that one call of `db.transaction` may take. */
export interface TimeLimit {
  /** Aborted by the caller, or when the time is over. */
  readonly signal: AbortSignal | undefined;
  /** The error to throw: of one that the time-out has caused, that it was the time-out. */
  explain(error: unknown): unknown;
  clear(): void;
}

const NO_LIMIT: Pick<TimeLimit, "explain" | "clear"> = { explain: (error) => error, clear: () => {} };

/** Starts the clock. */
export function timeLimit({
  timeoutMs,
  signal,
}: Pick<TransactionOptions, "timeoutMs" | "signal">): TimeLimit {
  if (timeoutMs === undefined) return { signal, ...NO_LIMIT };
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), timeoutMs);
  return {
    signal: eitherSignal(over.signal, signal),
    explain: (error) => (over.signal.aborted && isCausedByAbort(error) ? timedOut(timeoutMs, error) : error),
    clear: () => clearTimeout(timer),
  };
}

/** A lost COMMIT stays unknown, and what the callback threw by itself says more. */
function isCausedByAbort(error: unknown): boolean {
  const codes = ["QUERY_CANCELED", "SERIALIZATION_FAILURE", "DEADLOCK", "TRANSACTION_CLOSED"];
  return isPlinthError(error) && codes.includes(error.code);
}

function timedOut(timeoutMs: number, cause: unknown): TransactionError {
  return new TransactionError(
    "TRANSACTION_TIMEOUT",
    `the transaction took longer than its timeoutMs of ${timeoutMs} ms, and was rolled back`,
    { hint: "Do slow work, such as calls to other services, outside the transaction.", cause },
  );
}
