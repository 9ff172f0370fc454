import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { call } from "../../test/conformance/connection.ts";
import { watchedPool } from "../../test/support/pool.ts";
import { type TestServer, testServer } from "../../test/support/server.ts";
import type { Lease } from "./index.ts";

let server: TestServer;

beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.stop());

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("use", () => {
  it("gives the connection back when the callback returns and when it throws", async () => {
    const { pool, quiet } = watchedPool(server.url, { max: 1 });
    expect(await pool.use(async (connection) => (await connection.query(call("select 1"))).rows)).toEqual([
      ["1"],
    ]);
    const failure = new Error("business says no");
    await expect(
      pool.use(async () => {
        throw failure;
      }),
    ).rejects.toBe(failure);
    expect(await pool.use(async (connection) => connection.isOpen)).toBe(true);
    await quiet();
  });

  it("opens no connection before the first is asked for, and re-uses it after", async () => {
    const { pool } = watchedPool(server.url);
    expect(pool.stats).toEqual({ total: 0, idle: 0, inUse: 0, waiting: 0, max: 10 });
    const ids = new Set<number>();
    for (let i = 0; i < 5; i++) await pool.use(async (connection) => ids.add(connection.processId));
    expect([ids.size, pool.stats.total]).toEqual([1, 1]);
  });

  it("never opens more than max, and two pools do not share", async () => {
    const [first, second] = [watchedPool(server.url, { max: 3 }), watchedPool(server.url, { max: 2 })];
    const processes = { first: new Set<number>(), second: new Set<number>() };
    const work = Array.from({ length: 30 }, (_, i) => {
      const which = i % 2 === 0 ? "first" : "second";
      return (which === "first" ? first : second).pool.use(async (connection) => {
        processes[which].add(connection.processId);
        await connection.query(call("select pg_sleep(0.05)"));
      });
    });
    await Promise.all(work);
    expect([processes.first.size, processes.second.size]).toEqual([3, 2]);
    expect([...processes.first].filter((id) => processes.second.has(id))).toEqual([]);
    await first.quiet();
    await second.quiet();
  });
});

describe("acquire", () => {
  it("serves callers in the order they came", async () => {
    const { pool, quiet } = watchedPool(server.url, { max: 1 });
    const first = await pool.acquire();
    const order: number[] = [];
    const callers = [1, 2, 3, 4].map(async (number) => {
      const lease = await pool.acquire();
      order.push(number);
      lease.release();
    });
    await vi.waitFor(() => expect(pool.stats.waiting).toBe(4));
    first.release();
    await Promise.all(callers);
    expect(order).toEqual([1, 2, 3, 4]);
    await quiet();
  });

  it("throws POOL_EXHAUSTED after the wait, naming who holds what, since when and from which line", async () => {
    const { pool, quiet } = watchedPool(server.url, { max: 2, acquireTimeoutMs: 1_000 });
    async function createOrder(): Promise<Lease> {
      return pool.acquire();
    }
    const leases = [await createOrder(), await createOrder()];
    const error: unknown = await pool.acquire().catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: "POOL_EXHAUSTED",
      summary: expect.stringMatching(
        /^no connection within 1000 ms: all 2 connections are in use, 1 caller waits in line(\n {4}#\d+ held \d+\.\d s by createOrder \(src\/pool\/lending\.test\.ts:\d+:\d+\)){2}$/,
      ),
      holders: leases.map(({ connection }) => ({
        connectionId: connection.id,
        heldMs: expect.any(Number),
        callSite: expect.stringMatching(/^src\/pool\/lending\.test\.ts:\d+:\d+$/),
        stack: expect.stringContaining("at createOrder"),
      })),
    });
    for (const lease of leases) lease.release();
    await quiet();
  });

  it("refuses at once when the line is full", async () => {
    const { pool, quiet } = watchedPool(server.url, { max: 1, queueLimit: 2 });
    const lease = await pool.acquire();
    const waiting = [pool.acquire(), pool.acquire()];
    await expect(pool.acquire()).rejects.toMatchObject({
      code: "POOL_EXHAUSTED",
      summary: expect.stringContaining("2 callers already wait for a connection (queueLimit 2)"),
    });
    lease.release();
    for (const turn of waiting) (await turn).release();
    await quiet();
  });

  it("leaves the line when its signal is aborted", async () => {
    const { pool, quiet } = watchedPool(server.url, { max: 1 });
    const lease = await pool.acquire();
    const reason = new Error("request closed");
    const controller = new AbortController();
    const waiting = pool.acquire({ signal: controller.signal });
    controller.abort(reason);
    await expect(waiting).rejects.toMatchObject({ code: "QUERY_CANCELED", cause: reason });
    await expect(pool.acquire({ signal: controller.signal })).rejects.toMatchObject({
      code: "QUERY_CANCELED",
    });
    expect(pool.stats.waiting).toBe(0);
    lease.release();
    await quiet();
  });
});

describe("a wait that would never end", () => {
  it("is POOL_DEADLOCK at once when the only connection is asked for twice", async () => {
    const { pool, quiet } = watchedPool(server.url, { max: 1 });
    async function outer() {
      await pool.use(async () => inner());
    }
    async function inner() {
      await pool.use(async () => {});
    }
    await expect(outer()).rejects.toMatchObject({
      code: "POOL_DEADLOCK",
      summary: expect.stringMatching(
        /^inner \(src\/pool\/lending.* asks for another connection while[\s\S]*by outer \(src/,
      ),
      holders: [{ callSite: expect.stringContaining("lending.test.ts") }],
    });
    await quiet();
  });

  it("is found when two holders wait for each other: the last one fails, the other goes on", async () => {
    const { pool, quiet } = watchedPool(server.url, { max: 2 });
    let inside = 0;
    const job = () =>
      pool.use(async () => {
        inside++;
        await vi.waitFor(() => expect(inside).toBe(2));
        return pool.use(async () => "done");
      });
    const results = await Promise.allSettled([job(), job()]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(results.find(({ status }) => status === "rejected")).toMatchObject({
      reason: { code: "POOL_DEADLOCK" },
    });
    await quiet();
  });

  it("is found for a lease taken by hand whose work runs in `lease.run`", async () => {
    const { pool, quiet } = watchedPool(server.url, { max: 1 });
    const lease = await pool.acquire();
    await expect(lease.run(() => pool.use(async () => {}))).rejects.toMatchObject({ code: "POOL_DEADLOCK" });
    lease.release();
    await expect(lease.run(() => pool.use(async () => "free"))).resolves.toBe("free");
    await quiet();
  });

  it("is not suspected while a connection can still come back", async () => {
    const { pool, quiet } = watchedPool(server.url, { max: 2 });
    const other = await pool.acquire();
    setTimeout(() => other.release(), 50);
    await expect(pool.use(() => pool.use(async () => "served"))).resolves.toBe("served");
    await quiet();
  });

  it("is not suspected of a caller that holds a lease by hand: another may give it back", async () => {
    const { pool, quiet } = watchedPool(server.url, { max: 1 });
    const lease = await pool.acquire();
    const next = pool.acquire();
    lease.release();
    (await next).release();
    await quiet();
  });

  it("is not suspected after the holder is done, however the context is passed on", async () => {
    const { pool, quiet } = watchedPool(server.url, { max: 1 });
    let later: Promise<string> = Promise.resolve("");
    await pool.use(async () => {
      later = pause(30).then(() => pool.use(async () => "later"));
    });
    await expect(later).resolves.toBe("later");
    await quiet();
  });
});

describe("misuse", () => {
  it("is POOL_MISUSE when a lease is released twice, and nobody else loses a connection", async () => {
    const { pool, quiet } = watchedPool(server.url, { max: 1 });
    const lease = await pool.acquire();
    lease.release();
    const next = await pool.acquire();
    expect(() => lease.release()).toThrow(expect.objectContaining({ code: "POOL_MISUSE" }));
    expect((await next.connection.query(call("select 1"))).rows).toEqual([["1"]]);
    next.release();
    await quiet();
  });

  it("is POOL_MISUSE when a connection is used after it was given back", async () => {
    const { pool, quiet } = watchedPool(server.url, { max: 1 });
    const { connection } = await pool.use(async (kept) => ({ connection: kept }));
    const calls = [
      connection.query(call("select 1")),
      connection.batch([]),
      connection.script("select 1"),
      connection.cancel(),
    ];
    for (const late of calls) await expect(late).rejects.toMatchObject({ code: "POOL_MISUSE" });
    expect(connection.isOpen).toBe(false);
    connection.destroy();
    expect(await pool.use(async (fresh) => fresh.isOpen)).toBe(true);
    await quiet();
  });

  it("takes notice listeners away with the lease", async () => {
    const { pool } = watchedPool(server.url, { max: 1 });
    const heard: string[] = [];
    const shout = "do $$ begin raise notice 'hello'; end $$";
    await pool.use(async (connection) => {
      connection.onNotice((notice) => heard.push(notice.message));
      await connection.script(shout);
    });
    await pool.use((connection) => connection.script(shout));
    expect(heard).toEqual(["hello"]);
  });
});
