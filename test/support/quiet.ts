import { expect, vi } from "vitest";
import { connect, parseTarget } from "../../src/driver/index.ts";
import type { Pool } from "../../src/pool/index.ts";

/** What no test may cause; collected from the moment this module is loaded. */
const unhandled: unknown[] = [];
process.on("unhandledRejection", (reason) => unhandled.push(reason));
process.on("uncaughtExceptionMonitor", (error) => unhandled.push(error));

/** Generous: a loaded machine needs time to notice closed sockets. */
const SETTLE_MS = 10_000;

/**
 * What has to hold after every fault: nothing unhandled, nobody holds or waits for a connection, and on the server
 * no session of ours is inside a transaction or holds an advisory lock.
 *
 * @param applicationName the `application_name` of the sessions that are "ours"
 */
export async function expectQuiet(pool: Pool, url: string, applicationName: string): Promise<void> {
  await vi.waitFor(
    () => expect({ inUse: pool.stats.inUse, waiting: pool.stats.waiting }).toEqual({ inUse: 0, waiting: 0 }),
    { timeout: SETTLE_MS },
  );
  await vi.waitFor(() => expect(pool.stats.total).toBe(pool.stats.idle), { timeout: SETTLE_MS });
  await vi.waitFor(async () => expect(await leftovers(url, applicationName)).toEqual([]), {
    timeout: SETTLE_MS,
    interval: 100,
  });
  expect(unhandled).toEqual([]);
}

/** Sessions of that name that are inside a transaction or hold an advisory lock. */
async function leftovers(url: string, applicationName: string): Promise<readonly unknown[]> {
  const connection = await connect(parseTarget(url));
  try {
    const outcome = await connection.query({
      text: `select state, query from pg_stat_activity a
        where application_name = $1
          and (state like 'idle in transaction%' or exists (select from pg_locks l where l.pid = a.pid and locktype = 'advisory'))`,
      values: [applicationName],
    });
    return outcome.rows;
  } finally {
    await connection.close();
  }
}
