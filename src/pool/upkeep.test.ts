import { createServer, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { call } from "../../test/conformance/connection.ts";
import { fillPool, watchedPool } from "../../test/support/pool.ts";
import { directly } from "../../test/support/pooler.ts";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { createPool } from "./index.ts";

let server: TestServer;

beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.stop());

describe("upkeep", () => {
  it("closes idle connections down to min", async () => {
    const { pool, quiet } = watchedPool(server.url, { max: 4, min: 1, idleTimeoutMs: 30 });
    await fillPool(pool, 4);
    await vi.waitFor(() => expect(pool.stats.total).toBe(1), { timeout: 5_000 });
    await quiet();
  });

  it("fills up to min once the first connection was needed", async () => {
    const { pool } = watchedPool(server.url, { max: 4, min: 3, idleTimeoutMs: 40 });
    expect(pool.stats.total).toBe(0);
    await fillPool(pool, 1);
    await vi.waitFor(() => expect(pool.stats.idle).toBe(3), { timeout: 5_000 });
  });

  it("replaces a connection at the end of its life, which is jittered", async () => {
    const { pool, quiet } = watchedPool(server.url, { max: 1, maxLifetimeMs: 60, random: () => 1 });
    const first = await pool.use(async (connection) => {
      await connection.query(call("select pg_sleep(0.1)"));
      return connection.processId;
    });
    expect(await pool.use(async (connection) => connection.processId)).not.toBe(first);
    await quiet();
  });
});

describe("close", () => {
  it("waits for what runs, refuses what waits and what comes, and can be called twice", async () => {
    const { pool, quiet } = watchedPool(server.url, { max: 1 });
    const running = pool.use(
      async (connection) => (await connection.query(call("select pg_sleep(0.1), 'done'"))).rows[0]?.[1],
    );
    await vi.waitFor(() => expect(pool.stats.inUse).toBe(1));
    const waiting = pool.use(async () => "never");
    const refused = expect(waiting).rejects.toMatchObject({ code: "POOL_CLOSED" });
    const closing = pool.close();
    expect(pool.close()).toBe(closing);
    await refused;
    await expect(pool.acquire()).rejects.toMatchObject({ code: "POOL_CLOSED" });
    expect(await running).toBe("done");
    await closing;
    expect(pool.stats).toMatchObject({ total: 0, idle: 0, inUse: 0, waiting: 0 });
    await quiet();
  });

  it("stops on the server what still runs at the deadline", async () => {
    const { pool, quiet, name } = watchedPool(server.url, { max: 2 });
    const running = pool.use((connection) => connection.query(call("select pg_sleep(60)")));
    const refused = expect(running).rejects.toMatchObject({
      code: expect.stringMatching(/QUERY_CANCELED|CONNECTION_LOST/),
    });
    await vi.waitFor(() => expect(pool.stats.inUse).toBe(1));
    await pool.close({ deadlineMs: 50 });
    await refused;
    expect(pool.stats.total).toBe(0);
    await vi.waitFor(async () => expect(await sessionsOf(name)).toBe("0"), { timeout: 5_000 });
    await quiet();
  });

  it("lets a lease end quietly after the deadline has cut it off", async () => {
    const { pool, quiet } = watchedPool(server.url, { max: 1 });
    const lease = await pool.acquire();
    await pool.close({ deadlineMs: 10 });
    await expect(lease.connection.query(call("select 1"))).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    lease.release();
    await quiet();
  });

  it("does not wait for connections that are still being opened", async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket.on("error", () => {})));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const address = silent.address();
    const port = address !== null && typeof address === "object" ? address.port : 0;
    const { pool } = watchedPool(`postgres://a@127.0.0.1:${port}/b`, {
      max: 20,
      session: { connectTimeoutMs: 60_000 },
    });
    const callers = Array.from({ length: 20 }, () => pool.acquire());
    const refusals = Promise.all(
      callers.map((caller) => expect(caller).rejects.toMatchObject({ code: "POOL_CLOSED" })),
    );
    await vi.waitFor(() => expect(sockets).toHaveLength(20));
    // Longer than the test may take: only giving up the attempts ends it in time.
    await pool.close({ deadlineMs: 120_000 });
    await refusals;
    expect(pool.stats.total).toBe(0);
  });
});

describe("verify", () => {
  it("reports the server's limits and the fleet's budget", async () => {
    const { pool, quiet } = watchedPool(server.url, { max: 3, instances: 2 });
    const [maximum, version] = await pool.use(async (connection) => {
      const outcome = await connection.query(
        call("select current_setting('max_connections'), current_setting('server_version_num')"),
      );
      return (outcome.rows[0] ?? []).map(Number);
    });
    expect(await pool.verify()).toEqual({
      serverVersion: version,
      maxConnections: maximum,
      reservedConnections: 3,
      budget: 6,
    });
    await quiet();
  });

  it("explains a budget that does not fit, and what would", async () => {
    const { pool } = watchedPool(server.url, {
      max: 60,
      instances: 4,
      ...directly("the budget of connections, which is the pooler's own affair"),
    });
    const maximum = await pool.use(async (connection) =>
      Number((await connection.query(call("show max_connections"))).rows[0]?.[0]),
    );
    await expect(pool.verify()).rejects.toMatchObject({
      code: "POOL_BUDGET_EXCEEDED",
      message:
        `4 instances × 60 connections (pool.max) = 240, but the server takes ${maximum - 3} ` +
        `(max_connections ${maximum} − 3 reserved)\n` +
        `  Set pool.max to at most ${Math.floor((maximum - 3) / 4)}, run fewer instances, raise max_connections, or put PgBouncer between.`,
    });
  });
});

describe("createPool", () => {
  it.each([
    [{ max: 0 }, "pool.max is 0; it has to be a whole number from 1 to 1000"],
    [{ max: 2, min: 3 }, "pool.min is 3; it has to be a whole number from 0 to 2"],
    [
      { acquireTimeoutMs: Number.NaN },
      "pool.acquireTimeoutMs is NaN; it has to be a whole number from 1 to 2147483647",
    ],
  ])("refuses %o", (options, summary) => {
    const make = () => createPool({ target: () => expect.unreachable(), ...options });
    expect(make).toThrow(expect.objectContaining({ code: "CONFIG_INVALID", summary }));
  });
});

async function sessionsOf(name: string): Promise<string | null | undefined> {
  const { pool } = watchedPool(server.url);
  const outcome = await pool.use((connection) =>
    connection.query(call("select count(*) from pg_stat_activity where application_name = $1", name)),
  );
  await pool.close();
  return outcome.rows[0]?.[0];
}
