import { isPlinthError } from "../errors/index.ts";
import type { Pool } from "../pool/index.ts";

/** One thing that was looked at. */
export interface Check {
  /** `skipped`: nobody looked, which is not the same as being in order. */
  readonly status: "ok" | "failed" | "skipped";
  /** Why it failed or was skipped, in a sentence; never a password or a value. */
  readonly reason?: string;
}

/** The pool's check says how full it is, whatever its status. */
export interface PoolCheck extends Check {
  readonly inUse: number;
  readonly waiting: number;
  readonly max: number;
}

/** Whether this process can do its work, and if not, why. */
export interface Health {
  readonly status: "ok" | "unavailable";
  readonly checks: { readonly database: Check; readonly migrations: Check; readonly pool: PoolCheck };
}

/** What health looks at. */
export interface HealthSources {
  readonly pool: Pool;
  /** Names of migrations that are not applied; absent where the database was made without a folder. */
  readonly pendingMigrations?: (() => Promise<readonly string[]>) | undefined;
}

/** A probe that takes longer is as good as a failed one: a load balancer will not wait. */
export const HEALTH_TIMEOUT_MS = 2_000;

const NO_ANSWER = `no answer within ${HEALTH_TIMEOUT_MS} ms`;

/**
 * Looks at the server (`select 1`), the migrations and the pool: one round trip, and what `pendingMigrations` takes.
 * The answer comes within two seconds, whatever hangs. Never throws: what is wrong is in the report.
 */
export async function checkHealth({ pool, pendingMigrations }: HealthSources): Promise<Health> {
  const deadline = AbortSignal.timeout(HEALTH_TIMEOUT_MS);
  const database = await attempt(deadline, () => probe(pool, deadline));
  const migrations = await checkMigrations(database, deadline, pendingMigrations);
  const checks = { database, migrations, pool: checkPool(pool, database) };
  const isHealthy = Object.values(checks).every((check) => check.status !== "failed");
  return { status: isHealthy ? "ok" : "unavailable", checks };
}

const OK: Check = { status: "ok" };

async function probe(pool: Pool, signal: AbortSignal): Promise<void> {
  const ping = { text: "select 1", values: [], leavesNoTrace: true };
  await pool.run(ping, { signal });
}

async function checkMigrations(
  database: Check,
  deadline: AbortSignal,
  pending: HealthSources["pendingMigrations"],
): Promise<Check> {
  if (pending === undefined) return { status: "skipped", reason: "createDatabase got no pendingMigrations" };
  if (database.status === "failed") return { status: "failed", reason: "unknown while the database is away" };
  return attempt(deadline, async () => refusePending(await pending()));
}

/** A full pool is no failure while the probe still gets its turn: that is what a queue is for. */
function checkPool({ stats }: Pool, database: Check): PoolCheck {
  const { waiting, inUse, max } = stats;
  const isStuck = database.status === "failed" && inUse >= max;
  return isStuck
    ? {
        status: "failed",
        reason: `all ${max} connections are in use and ${waiting} callers wait`,
        inUse,
        waiting,
        max,
      }
    : { status: "ok", inUse, waiting, max };
}

function refusePending(pending: readonly string[]): void {
  if (pending.length > 0) throw new Error(`${pending.length} migrations are pending: ${pending.join(", ")}`);
}

/** Does not wait for work that ignores the deadline: a cut cable answers no cancel request either. */
async function attempt(deadline: AbortSignal, work: () => Promise<void>): Promise<Check> {
  try {
    await Promise.race([work(), expiry(deadline)]);
    return OK;
  } catch (error) {
    // The first line: what follows (who holds which connection) is for the log, not for whoever may ask.
    const reason = isPlinthError(error) ? error.summary : error instanceof Error ? error.message : "unknown";
    return { status: "failed", reason: deadline.aborted ? NO_ANSWER : (reason.split("\n")[0] ?? reason) };
  }
}

function expiry(deadline: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const expire = () => reject(new Error(NO_ANSWER));
    if (deadline.aborted) expire();
    deadline.addEventListener("abort", expire, { once: true });
  });
}
