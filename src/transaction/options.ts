import { ConfigError, unknownName } from "../errors/index.ts";
import { checkRetry, type RetryOptions } from "./retry.ts";

/** The isolation levels PostgreSQL has; `read uncommitted` is `read committed` there. */
export type IsolationLevel = "read committed" | "repeatable read" | "serializable";

/** How a transaction runs. */
export interface TransactionOptions {
  /** @default the server's `default_transaction_isolation`, normally read committed */
  readonly isolation?: IsolationLevel;
  /** The server refuses writes with `READ_ONLY`. @default false */
  readonly readOnly?: boolean;
  /**
   * Waits at its beginning for a snapshot that no other transaction can make fail, so that a long report neither fails nor
   * makes others fail. For `serializable` with `readOnly` only. @default false
   */
  readonly deferrable?: boolean;
  /**
   * How long the whole call may take, from waiting for a connection to the last attempt: then it is rolled back and
   * rejects with `TRANSACTION_TIMEOUT`, also while the callback waits for something else. Whole milliseconds.
   * @default no limit but the server's own time-outs
   */
  readonly timeoutMs?: number;
  /**
   * Whether serialization failures and deadlocks run the callback again. Of the outermost transaction: inside another it
   * says nothing. @default { maxAttempts: 5, deadlineMs: 10_000 } for `db.transaction`
   */
  readonly retry?: RetryOptions | false;
  /** Aborting it cancels the running statement on the server and rolls back. */
  readonly signal?: AbortSignal;
}

const LEVELS: readonly string[] = ["read committed", "repeatable read", "serializable"];
const NAMES: readonly string[] = [
  "isolation",
  "readOnly",
  "deferrable",
  "timeoutMs",
  "retry",
  "signal",
] satisfies readonly (keyof TransactionOptions)[];

/** Node's timers hold 31 bits of milliseconds; more would fire at once. */
const TIMER_LIMIT_MS = 2_147_483_647;

/** @throws {CONFIG_INVALID} naming an option or isolation level that does not exist, and the nearest that does. */
export function checkOptions(options: TransactionOptions): void {
  for (const name of Object.keys(options)) {
    if (!NAMES.includes(name)) throw new ConfigError(`transaction: ${unknownName("option", name, NAMES)}`);
  }
  const { isolation, readOnly, deferrable, timeoutMs, retry } = options;
  if (isolation !== undefined && !LEVELS.includes(isolation)) {
    throw new ConfigError(`transaction: ${unknownName("isolation level", String(isolation), LEVELS)}`);
  }
  if (deferrable === true && !(isolation === "serializable" && readOnly === true)) {
    throw new ConfigError('transaction: deferrable is for isolation "serializable" with readOnly: true', {
      hint: "PostgreSQL would ignore it anywhere else.",
    });
  }
  if (
    timeoutMs !== undefined &&
    !(Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= TIMER_LIMIT_MS)
  ) {
    throw new ConfigError(
      `transaction: timeoutMs must be a whole number of milliseconds from 1 to ${TIMER_LIMIT_MS}`,
    );
  }
  if (retry !== undefined && retry !== false) checkRetry(retry);
}

/** `BEGIN` with what was asked. Every word is from a fixed list: nothing of a caller gets into the text. */
export function beginStatement({ isolation, readOnly, deferrable }: TransactionOptions): string {
  const modes: string[] = [];
  if (isolation !== undefined) modes.push(`isolation level ${isolation}`);
  if (readOnly !== undefined) modes.push(readOnly ? "read only" : "read write");
  if (deferrable !== undefined) modes.push(deferrable ? "deferrable" : "not deferrable");
  return modes.length === 0 ? "begin" : `begin ${modes.join(", ")}`;
}
