import { setTimeout as pause } from "node:timers/promises";
import {
  ConfigError,
  isPlinthError,
  isRetryable,
  RetriesExhaustedError,
  unknownName,
} from "../errors/index.ts";

/** How often, and for how long, a transaction that others got in the way of is run again. */
export interface RetryOptions {
  /** How often the callback runs at most, the first time included. From 1 to 100. @default 5 */
  readonly maxAttempts?: number;
  /** No attempt begins later than this after the first one did, in milliseconds. @default 10_000 */
  readonly deadlineMs?: number;
}

/** What `db.transaction` does unless it is told otherwise. */
export const RETRY_DEFAULT: Required<RetryOptions> = { maxAttempts: 5, deadlineMs: 10_000 };

const MAX_ATTEMPTS_LIMIT = 100;
const NAMES: readonly string[] = ["maxAttempts", "deadlineMs"] satisfies readonly (keyof RetryOptions)[];

/** @throws {CONFIG_INVALID} naming what is wrong. */
export function checkRetry(retry: RetryOptions): void {
  if (typeof retry !== "object" || retry === null) {
    throw new ConfigError("transaction: retry must be an object such as { maxAttempts: 3 }, or false");
  }
  for (const name of Object.keys(retry)) {
    if (!NAMES.includes(name))
      throw new ConfigError(`transaction.retry: ${unknownName("option", name, NAMES)}`);
  }
  const { maxAttempts, deadlineMs } = retry;
  const isCount = (n: number, limit: number) => Number.isInteger(n) && n >= 1 && n <= limit;
  if (maxAttempts !== undefined && !isCount(maxAttempts, MAX_ATTEMPTS_LIMIT)) {
    throw new ConfigError(
      `transaction.retry: maxAttempts must be a whole number from 1 to ${MAX_ATTEMPTS_LIMIT}`,
    );
  }
  if (deadlineMs !== undefined && !isCount(deadlineMs, Number.MAX_SAFE_INTEGER)) {
    throw new ConfigError("transaction.retry: deadlineMs must be a whole number of milliseconds");
  }
}

/**
 * The first wait is up to this, or up to what the failed attempt took where that is longer (whoever was in the way takes about
 * as long), and doubles with each attempt…
 */
const FIRST_WAIT_MS = 10;
/** …up to this. */
const LONGEST_WAIT_MS = 1_000;

/** Retries that a database can have at once… */
const BUDGET_LIMIT = 500;
/** …after which every commit earns so many more. */
const EARNED_BY_COMMIT = 2;

/**
 * Bounds what retries add to the load of a server that is in trouble: where nearly every transaction fails, running each
 * of them five times makes it worse. One per database. A full bucket lets bursts through; an empty one means that there
 * have been twice as many retries as commits for a while.
 */
export class RetryBudget {
  #left = BUDGET_LIMIT;

  earn(): void {
    this.#left = Math.min(BUDGET_LIMIT, this.#left + EARNED_BY_COMMIT);
  }

  /** False when there is none left. */
  spend(): boolean {
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}

interface Retrying {
  readonly retry: RetryOptions | false | undefined;
  readonly budget: RetryBudget;
  readonly signal: AbortSignal | undefined;
}

/**
 * Runs `attempt` until it commits, fails with something that running it again cannot help, or has been tried enough.
 * Waits a random time before each new attempt (full jitter), so that those who met once do not meet again.
 *
 * @throws {RETRIES_EXHAUSTED} with the last failure as its cause.
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export async function retrying<T>(
  attempt: (number: number) => Promise<T>,
  { retry, budget, signal }: Retrying,
): Promise<T> {
  if (retry === undefined || retry === false) return attempt(1);
  const { maxAttempts = RETRY_DEFAULT.maxAttempts, deadlineMs = RETRY_DEFAULT.deadlineMs } = retry;
  const startedAt = performance.now();
  for (let number = 1; ; number++) {
    const begunAt = performance.now();
    try {
      const result = await attempt(number);
      budget.earn();
      return result;
    } catch (error) {
      if (!isWorthAnother(error)) throw error;
      const giveUp = (why: string) => new RetriesExhaustedError(number, why, { cause: error });
      if (number >= maxAttempts) throw giveUp("as many as were allowed");
      const now = performance.now();
      const firstMs = Math.max(FIRST_WAIT_MS, now - begunAt);
      const waitMs = Math.random() * Math.min(LONGEST_WAIT_MS, firstMs * 2 ** (number - 1));
      if (now - startedAt + waitMs > deadlineMs) throw giveUp(`the limit of ${deadlineMs} ms was near`);
      if (!budget.spend()) throw giveUp("too many other transactions are being run again");
      await pause(waitMs, undefined, { signal }).catch(() => {});
    }
  }
}

/** Another transaction was in the way, and this one is certainly rolled back, also where the error was swallowed. */
function isWorthAnother(error: unknown): boolean {
  if (isRetryable(error)) return true;
  return isPlinthError(error) && error.code === "TRANSACTION_ABORTED" && isRetryable(error.cause);
}
