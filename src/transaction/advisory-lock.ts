import type { Connection, StatementCall } from "../driver/index.ts";
import { ConfigError, ConnectionError, InputError, StatementError, unknownName } from "../errors/index.ts";
import type { TransactionScope } from "./scope.ts";

/** How `db.withLock` waits. */
export interface LockOptions {
  /** `nowait` rejects with `LOCK_TIMEOUT` at once where somebody else has it. @default waits for `timeoutMs` */
  readonly wait?: "nowait";
  /** How long to wait, in whole milliseconds, from 1 to 2,147,483,647. @default 30_000 */
  readonly timeoutMs?: number;
}

/** What runs while the lock is held. `signal` is aborted when the lock is lost, because its connection is. */
export type LockedWork<T> = (signal: AbortSignal) => PromiseLike<T>;

const NAMES: readonly string[] = ["wait", "timeoutMs"] satisfies readonly (keyof LockOptions)[];
const TIMEOUT_MS_DEFAULT = 30_000;
/** PostgreSQL's settings of milliseconds hold 31 bits. */
const TIMEOUT_MS_LIMIT = 2_147_483_647;

/**
 * @throws {CONFIG_INVALID} naming the option.
 * @throws {INVALID_VALUE} for a key that is no text, or none that PostgreSQL can hold.
 */
export function checkLock(key: unknown, options: LockOptions): void {
  if (typeof key !== "string" || key === "" || key.includes("\0") || !key.isWellFormed()) {
    throw new InputError("INVALID_VALUE", [
      { path: "key", message: "must be a text that is not empty, without NUL and lone surrogates" },
    ]);
  }
  for (const name of Object.keys(options)) {
    if (!NAMES.includes(name)) throw new ConfigError(`withLock: ${unknownName("option", name, NAMES)}`);
  }
  const { wait, timeoutMs } = options;
  if (wait !== undefined && wait !== "nowait") {
    throw new ConfigError('withLock: wait must be "nowait", or be left out');
  }
  const isTime = (n: number) => Number.isInteger(n) && n >= 1 && n <= TIMEOUT_MS_LIMIT;
  if (timeoutMs !== undefined && !isTime(timeoutMs)) {
    throw new ConfigError(`withLock: timeoutMs must be a whole number from 1 to ${TIMEOUT_MS_LIMIT}`);
  }
}

/**
 * Takes the lock until the transaction of `scope` ends. Keys are hashed to 64 bits, so two of them can mean one lock: that
 * makes somebody wait who need not, and lets nobody in.
 *
 * @throws {LOCK_TIMEOUT}
 * @see https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
 */
export async function takeLock(scope: TransactionScope, key: string, options: LockOptions): Promise<void> {
  if (options.wait === "nowait") {
    const { rows } = await scope.send(callOf(`select pg_catalog.pg_try_advisory_xact_lock(${HASH})`, key));
    if (rows[0]?.[0] !== "t") throw heldByAnother();
    return;
  }
  // The time-out of a statement would cut the wait short, and is not meant for it.
  const waitMs = String(options.timeoutMs ?? TIMEOUT_MS_DEFAULT);
  const { rows } = await scope.send(callOf(LIMITS, waitMs, "0"));
  await scope.send(callOf(`select pg_catalog.pg_advisory_xact_lock(${HASH})`, key));
  const [lock, statement] = rows[0] ?? [];
  await scope.send(callOf(SET_LIMITS, lock ?? "0", statement ?? "0"));
}

const HASH = "pg_catalog.hashtextextended($1, 0)";
const SET_LIMITS =
  "select pg_catalog.set_config('lock_timeout', $1, true), pg_catalog.set_config('statement_timeout', $2, true)";
/** What they were, and what they are from now on: the list is worked out from left to right. */
const LIMITS = `select pg_catalog.current_setting('lock_timeout'), pg_catalog.current_setting('statement_timeout'), ${SET_LIMITS.slice("select ".length)}`;

/** A transaction that only holds a lock is idle as long as the work takes: that is its purpose. */
export const STAY_IDLE: StatementCall = callOf(
  "select pg_catalog.set_config('idle_in_transaction_session_timeout', '0', true)",
);

function callOf(text: string, ...values: readonly string[]): StatementCall {
  return { text, values, leavesNoTrace: true };
}

function heldByAnother(): StatementError {
  return new StatementError("LOCK_TIMEOUT", "somebody else has the lock", { sqlstate: "55P03" });
}

/** Runs `work` while `connection` lives, and says so when it did not live long enough. */
export async function whileHeld<T>(connection: Connection, work: LockedWork<T>): Promise<T> {
  const lost = new AbortController();
  connection.onClose((error) => lost.abort(lockLost(error)));
  const result = await work(lost.signal);
  if (lost.signal.aborted || !connection.isOpen) throw lockLost(lost.signal.reason);
  return result;
}

function lockLost(cause: unknown): ConnectionError {
  if (cause instanceof ConnectionError && cause.summary === LOST) return cause;
  return new ConnectionError("CONNECTION_LOST", LOST, {
    hint: "What it committed stays. Look whether somebody else did the same work.",
    cause,
  });
}

const LOST =
  "the connection that held the lock was lost while the work ran, so somebody else may have had it too";
