import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { call } from "../../test/conformance/connection.ts";
import { fillPool, watchedPool } from "../../test/support/pool.ts";
import { startPostgres, type ThrowAwayPostgres } from "../../test/support/postgres.ts";
import { startProxy } from "../../test/support/proxy.ts";
import { connect, parseTarget } from "../driver/index.ts";
import type { Pool } from "./index.ts";

/** Of its own: it is killed, stopped, and short of connections. */
let postgres: ThrowAwayPostgres;

beforeAll(async () => {
  // Without fsync a killed server keeps what the operating system has; what it never handed over would be lost.
  postgres = await startPostgres({
    settings: { max_connections: 12, superuser_reserved_connections: 3, synchronous_commit: "on" },
  });
  await asAdmin(
    "create role app login; create role locked login password 'right-s3cret'; create table t (id int primary key)",
  );
});
afterAll(() => postgres.remove());

async function asAdmin(script: string): Promise<void> {
  const connection = await connect(parseTarget(postgres.url));
  await connection.script(script);
  await connection.close();
}

const appUrl = () => postgres.url.replace("postgres@", "app@");
const ping = (pool: Pool) =>
  pool.use(async (connection) => (await connection.query(call("select 1"))).rows[0]?.[0]);

describe("a server that is away", () => {
  it("fails every caller at once while it is down, and serves again by itself when it is back", async () => {
    const { pool, quiet } = watchedPool(postgres.url, { max: 2, acquireTimeoutMs: 20_000 });
    await postgres.stop();
    const results = await Promise.allSettled(Array.from({ length: 7 }, () => ping(pool)));
    for (const result of results) {
      expect(result).toMatchObject({
        reason: {
          code: "CONNECTION_FAILED",
          summary: expect.stringContaining(`127.0.0.1:${postgres.port}/postgres`),
        },
      });
    }
    expect(pool.stats).toMatchObject({ total: 0, waiting: 0 });
    await postgres.start();
    expect(await ping(pool)).toBe("1");
    await quiet();
  });

  it("is survived under load: kill -9 of the server, typed errors meanwhile, no acknowledged write lost", async () => {
    const { pool, quiet } = watchedPool(postgres.url, { max: 4 });
    const acknowledged: number[] = [];
    const codes = new Set<unknown>();
    let next = 0;
    let isOver = false;
    const worker = async () => {
      while (!isOver) {
        const id = ++next;
        try {
          await pool.use((connection) =>
            connection.query({ ...call("insert into t values ($1)", String(id)), name: "put" }),
          );
          acknowledged.push(id);
        } catch (error) {
          codes.add(error instanceof Error && "code" in error ? error.code : error);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
    };
    const workers = Array.from({ length: 8 }, worker);
    await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(50), { timeout: 10_000 });
    await postgres.kill9();
    await postgres.start();
    const before = acknowledged.length;
    await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(before + 50), { timeout: 25_000 });
    isOver = true;
    await Promise.all(workers);
    for (const code of codes) {
      expect(["CONNECTION_LOST", "CONNECTION_FAILED", "SERVER_UNAVAILABLE"]).toContain(code);
    }
    const stored = await pool.use(
      async (connection) => (await connection.query(call("select id from t"))).rows,
    );
    const storedIds = new Set(stored.map(([id]) => Number(id)));
    expect(acknowledged.filter((id) => !storedIds.has(id))).toEqual([]);
    await quiet();
  });

  it("does not disturb anybody when idle connections are ended: they are evicted at once", async () => {
    const { pool, quiet, name } = watchedPool(postgres.url, { max: 3 });
    await fillPool(pool, 3);
    expect(pool.stats.idle).toBe(3);
    await asAdmin(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = '${name}'`,
    );
    await vi.waitFor(() => expect(pool.stats).toMatchObject({ total: 0, idle: 0 }));
    expect(await ping(pool)).toBe("1");
    await quiet();
  });

  it("replaces a connection that was ended while it was lent", async () => {
    const { pool, quiet } = watchedPool(postgres.url, { max: 1 });
    const work = pool.use(async (connection) => {
      await asAdmin(`select pg_terminate_backend(${connection.processId})`);
      return connection.query(call("select 1"));
    });
    await expect(work).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    expect(await ping(pool)).toBe("1");
    await quiet();
  });
});

describe("a refusal to connect", () => {
  it.each([
    ["a missing database", (url: string) => url.replace(/\/postgres$/, "/nothing"), "DATABASE_MISSING"],
    ["an unknown role", (url: string) => url.replace("postgres@", "nobody-here@"), "AUTHENTICATION_FAILED"],
  ])("fails the caller fast on %s", async (_what, change, code) => {
    const { pool } = watchedPool(change(postgres.url));
    await expect(ping(pool)).rejects.toMatchObject({ code });
    expect(pool.stats).toMatchObject({ total: 0, waiting: 0 });
  });

  it("never shows the password, in no error and no warning", async () => {
    const url = postgres.url.replace("postgres@", "nobody-here:wrong-s3cret@");
    const { pool, warnings } = watchedPool(url);
    const failure: unknown = await ping(pool).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "AUTHENTICATION_FAILED" });
    expect(inspect([failure, warnings, pool], { depth: 9, showHidden: true })).not.toContain("s3cret");
  });

  it("passes on what the target itself throws", async () => {
    const failure = new Error("the embedded server did not start");
    const { pool } = watchedPool(() => {
      throw failure;
    });
    await expect(ping(pool)).rejects.toBe(failure);
  });
});

describe("a server with fewer connections than max", () => {
  it("serves everybody with what it grants, and warns once", async () => {
    const { pool, quiet, warnings } = watchedPool(appUrl, { max: 30 });
    const served = await Promise.all(
      Array.from({ length: 60 }, () =>
        pool.use((connection) => connection.query(call("select pg_sleep(0.02)"))),
      ),
    );
    expect(served).toHaveLength(60);
    expect(pool.stats.total).toBeLessThanOrEqual(9);
    expect(warnings).toMatchObject([
      { code: "POOL_REFUSED", message: expect.stringContaining("of at most 30") },
    ]);
    await pool.close();
    await quiet();
  });

  it("says so at once when it grants none", async () => {
    const held = watchedPool(appUrl, { max: 9 });
    const leases = await Promise.all(Array.from({ length: 9 }, () => held.pool.acquire()));
    const { pool } = watchedPool(appUrl);
    await expect(ping(pool)).rejects.toMatchObject({ code: "TOO_MANY_CONNECTIONS" });
    for (const lease of leases) lease.release();
    await held.pool.close();
    await held.quiet();
    await vi.waitFor(async () => expect(await ping(pool)).toBe("1"), { timeout: 10_000 });
  });
});

describe("a network that swallows everything", () => {
  it("is found by the probe at checkout, for all idle connections together, within bounded time", async () => {
    const proxy = await startProxy(postgres.url);
    onTestFinished(() => proxy.close());
    const { pool, quiet } = watchedPool(proxy.urlFor(postgres.url), { max: 4, probeAfterIdleMs: 20 });
    await fillPool(pool, 4);
    expect(pool.stats.idle).toBe(4);
    proxy.faults.blackhole = true;
    await new Promise((resolve) => setTimeout(resolve, 50));
    // The route is back, the old connections are not.
    const waiting = ping(pool);
    await new Promise((resolve) => setTimeout(resolve, 100));
    proxy.faults.blackhole = false;
    expect(await waiting).toBe("1");
    expect(pool.stats.total).toBe(1);
    await quiet();
  });

  it("lets a probe that is answered keep its connection", async () => {
    const { pool, quiet } = watchedPool(postgres.url, { max: 1, probeAfterIdleMs: 1 });
    const first = await pool.use(async (connection) => connection.processId);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await pool.use(async (connection) => connection.processId)).toBe(first);
    await quiet();
  });
});
