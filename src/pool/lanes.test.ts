import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { call } from "../../test/conformance/connection.ts";
import { watchedPool } from "../../test/support/pool.ts";
import { directly } from "../../test/support/pooler.ts";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { connect, parseTarget, type StatementCall } from "../driver/index.ts";
import { createPool, type Pool } from "./index.ts";
import { Pace, Paces } from "./pace.ts";

let server: TestServer;

beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.stop());

/** Behind a pooler nothing shares. */
const LANES = () => directly("statements that share a connection");

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const many = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

/** A statement such as Plinth compiles: named, and it leaves nothing behind. */
function compiled(name: string, text: string, ...values: string[]): StatementCall {
  return { name, text, values, leavesNoTrace: true };
}

const whoami = compiled("whoami", "select pg_backend_pid()");
const asleep = (seconds: number) =>
  compiled("asleep", "select pg_backend_pid(), pg_sleep($1::float8)", String(seconds));

/** The server processes that ran `count` calls made at once. */
async function processesOf(
  pool: Pool,
  count: number,
  make: (i: number) => StatementCall,
): Promise<Set<unknown>> {
  const outcomes = await Promise.all(many(count, (i) => pool.run(make(i))));
  return new Set(outcomes.map(({ rows }) => rows[0]?.[0]));
}

/** Until the pool knows that the statement is short: then all of it fits on the lane's connections. */
async function untilShared(pool: Pool, make: () => StatementCall): Promise<void> {
  await vi.waitFor(
    async () => {
      for (let run = 0; run < 20; run++) await pool.run(make());
      expect((await processesOf(pool, 60, make)).size).toBeLessThanOrEqual(2);
    },
    { timeout: 20_000, interval: 0 },
  );
}

describe("statements known to be short", () => {
  it("share one or two connections, whatever their number", async () => {
    const { pool, quiet } = watchedPool(server.url, LANES());
    await untilShared(pool, () => whoami);
    const outcomes = await Promise.all(
      many(500, (i) => pool.run(compiled("echo", "select $1::int4 * 2", String(i)))),
    );
    expect(outcomes.map(({ rows }) => rows[0]?.[0])).toEqual(many(500, (i) => String(i * 2)));
    await quiet();
  });

  it("take the second connection where the first is busy with a few of them", async () => {
    const { pool, quiet } = watchedPool(server.url, LANES());
    await untilShared(pool, () => asleep(0.001));
    await vi.waitFor(() => expect(pool.stats.inUse).toBe(0));
    expect((await processesOf(pool, 4, () => asleep(0.001))).size).toBe(2);
    await quiet();
  });

  it("hold none when they have nothing to do", async () => {
    const { pool } = watchedPool(server.url, LANES());
    await untilShared(pool, () => whoami);
    const running = many(100, () => pool.run(whoami));
    expect(pool.stats.inUse).toBeGreaterThan(0);
    expect(pool.stats.inUse).toBeLessThanOrEqual(2);
    expect(pool.holders()).toMatchObject(
      many(pool.stats.inUse, () => ({ callSite: "short statements that share it", stack: "" })),
    );
    await Promise.all(running);
    await vi.waitFor(() => expect(pool.stats).toMatchObject({ inUse: 0, waiting: 0 }));
    expect(pool.holders()).toEqual([]);
  });

  it("go on beside slow ones, which have connections to themselves", async () => {
    const { pool, quiet } = watchedPool(server.url, LANES());
    await untilShared(pool, () => whoami);
    const order: string[] = [];
    const slow = processesOf(pool, 8, () => asleep(1)).finally(() => order.push("slow"));
    await pause(100);
    const short = await processesOf(pool, 60, () => whoami).finally(() => order.push("short"));
    const held = await slow;
    expect(order).toEqual(["short", "slow"]);
    expect(held.size).toBe(8);
    expect([...short].filter((id) => held.has(id))).toEqual([]);
    await quiet();
  });

  it("fail alone", async () => {
    const { pool, quiet } = watchedPool(server.url, LANES());
    const divide = (by: number) => compiled("divide", "select pg_backend_pid(), 10 / $1::int4", String(by));
    await untilShared(pool, () => divide(2));
    const settled = await Promise.allSettled(many(50, (i) => pool.run(divide(i % 10))));
    for (const [i, result] of settled.entries()) {
      if (i % 10 === 0) expect(result).toMatchObject({ reason: { code: "INVALID_DATA", sqlstate: "22012" } });
      else
        expect(result).toMatchObject({
          value: { rows: [[expect.any(String), String(Math.trunc(10 / (i % 10)))]] },
        });
    }
    await quiet();
  });

  it("lose with their connection only what was sent on it", async () => {
    const { pool, quiet } = watchedPool(server.url, { ...LANES(), queueLimit: 10_000 });
    await untilShared(pool, () => asleep(0));
    const admin = await connect(parseTarget(server.url));
    // More than two connections take at once; the first ones hold the rest up for long enough to end them.
    const running = Promise.allSettled(many(1_500, (i) => pool.run(asleep(i < 2 ? 1 : 0))));
    await pause(100);
    await admin.query(
      call(`select pg_terminate_backend(pid) from pg_stat_activity
        where query like '%pg_sleep%' and state = 'active' and pid <> pg_backend_pid()`),
    );
    const settled = await running;
    const lost = settled.filter(({ status }) => status === "rejected");
    for (const result of lost) expect(result).toMatchObject({ reason: { code: "CONNECTION_LOST" } });
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.length).toBeLessThanOrEqual(512);
    expect((await pool.run(whoami)).rows).toHaveLength(1);
    await admin.close();
    await quiet();
  });

  it("leave the lane when they turn out slow", async () => {
    const { pool, quiet } = watchedPool(server.url, LANES());
    await untilShared(pool, () => asleep(0));
    await vi.waitFor(
      async () => expect((await processesOf(pool, 8, () => asleep(0.05))).size).toBeGreaterThan(2),
      { timeout: 20_000, interval: 0 },
    );
    await quiet();
  });

  it("have a connection to themselves when they can be canceled", async () => {
    const { pool, quiet } = watchedPool(server.url, LANES());
    await untilShared(pool, () => asleep(0));
    await untilShared(pool, () => whoami);
    const controller = new AbortController();
    const canceled = pool.run(asleep(30), { signal: controller.signal });
    const neighbours = many(200, () => pool.run(whoami));
    setTimeout(() => controller.abort(), 20);
    await expect(canceled).rejects.toMatchObject({ code: "QUERY_CANCELED" });
    for (const { rows } of await Promise.all(neighbours)) expect(rows).toHaveLength(1);
    await quiet();
  });

  it("yield to work that waits for a second connection while it holds one", async () => {
    const { pool, quiet } = watchedPool(server.url, { ...LANES(), max: 2, acquireTimeoutMs: 5_000 });
    await untilShared(pool, () => whoami);
    let isOver = false;
    const traffic = many(4, async () => {
      while (!isOver) await pool.run(whoami);
    });
    await pool.use(async () => {
      expect(await pool.use(async (inner) => (await inner.query(call("select 1"))).rows)).toEqual([["1"]]);
    });
    isOver = true;
    await Promise.all(traffic);
    await quiet();
  });

  it("are finished by close, and refused after it", async () => {
    const pool = createPool({ target: () => parseTarget(server.url) });
    await untilShared(pool, () => whoami);
    let running = many(100, () => pool.run(whoami));
    // A machine that stood still meanwhile has put the statement out of the lane, and its callers in line.
    while (pool.stats.waiting > 0) {
      await Promise.all(running);
      await untilShared(pool, () => whoami);
      running = many(100, () => pool.run(whoami));
    }
    const closing = pool.close();
    await expect(pool.run(whoami)).rejects.toMatchObject({ code: "POOL_CLOSED" });
    for (const { rows } of await Promise.all(running)) expect(rows).toHaveLength(1);
    await closing;
    expect(pool.stats.total).toBe(0);
  });

  it("move to a new connection when theirs is too old, without a pause in the traffic", async () => {
    const { pool, quiet } = watchedPool(server.url, { ...LANES(), maxLifetimeMs: 300 });
    await untilShared(pool, () => whoami);
    const seen = new Set<unknown>();
    const until = performance.now() + 1_500;
    await Promise.all(
      many(20, async () => {
        while (performance.now() < until) seen.add((await pool.run(whoami)).rows[0]?.[0]);
      }),
    );
    expect(seen.size).toBeGreaterThan(2);
    await quiet();
  });

  it("are no leak, however long there is work", async () => {
    const { pool, warnings, quiet } = watchedPool(server.url, { ...LANES(), leakWarningMs: 50 });
    await untilShared(pool, () => whoami);
    const until = performance.now() + 500;
    await Promise.all(
      many(20, async () => {
        while (performance.now() < until) await pool.run(whoami);
      }),
    );
    // A busy machine may well hold a connection for 50 ms elsewhere; the lane held one for 500.
    expect(warnings.filter(({ message }) => message.includes("short statements that share it"))).toEqual([]);
    await quiet();
  });
});

describe("a pool that cannot share", () => {
  it.each([
    ["because it has one connection", { max: 1 }],
    ["because pg carries the messages", { max: 4, session: { wire: "pg" as const } }],
  ])("runs every statement on a connection of its own, %s", async (_why, options) => {
    const { pool, quiet } = watchedPool(server.url, { ...LANES(), ...options });
    for (let run = 0; run < 30; run++) await pool.run(whoami);
    expect((await processesOf(pool, 20, () => asleep(0.02))).size).toBe(options.max);
    await quiet();
  });
});

describe("what may share", () => {
  const mayShare = (text: string) => new Paces().of(compiled("s", text))?.isWrite === false;
  const isWrite = (text: string) => new Paces().of(compiled("s", text))?.isWrite === true;

  it("is a read that takes no lock", () => {
    expect(mayShare('select "updated_at" from t where id = $1')).toBe(true);
    for (const text of [
      "insert into t values (1)",
      "update t set a = 1",
      "with d as (delete from t returning a) select a from d",
      "select a from t for update",
      "select a from t for no key update",
      "select a from t for key share skip locked",
      "select pg_advisory_xact_lock(1)",
      "call p()",
    ]) {
      expect([text, mayShare(text)]).toEqual([text, false]);
    }
  });

  it("is a write too, with its own kind, when it is no more than a write", () => {
    expect(isWrite("insert into t values (1) on conflict do nothing")).toBe(true);
    expect(isWrite("update t set a = 1")).toBe(true);
    expect(isWrite("delete from t")).toBe(true);
    for (const text of [
      "with d as (delete from t) select 1",
      "merge into t using s on true",
      "call p()",
      "select 1",
    ])
      expect([text, isWrite(text)]).toEqual([text, false]);
  });

  it("has a name, and promises to leave no trace", () => {
    expect(new Paces().of({ text: "select 1", values: [], leavesNoTrace: true })).toBeUndefined();
    expect(new Paces().of({ text: "select 1", values: [], name: "s" })).toBeUndefined();
  });
});

describe("a pace", () => {
  /** One that has got into the lane. */
  const shortPace = (isWrite = false) => {
    const pace = new Pace(isWrite);
    for (let run = 0; run < 5; run++) pace.noteAlone(0.1);
    return pace;
  };
  /** Runs in the lane, one after the other. */
  const runsShared = (pace: Pace, ms: number, count = 1) => {
    for (let run = 0; run < count; run++) {
      clockMs += ms;
      pace.noteShared(ms, clockMs);
    }
  };
  let clockMs = 0;
  const runsUntilShort = (pace: Pace) => {
    let runs = 0;
    for (; !pace.isShort; runs++) pace.noteAlone(0.1);
    return runs;
  };

  it("is short with the first short run from the fifth on", () => {
    expect(runsUntilShort(new Pace())).toBe(5);
    const busy = new Pace();
    for (const ms of [1, 1, 1, 1, 20, 30]) busy.noteAlone(ms);
    expect(busy.isShort).toBe(false);
    busy.noteAlone(2);
    expect(busy.isShort).toBe(true);
  });

  it("forgives one outlier in the lane, and no two", () => {
    const pace = shortPace();
    runsShared(pace, 30);
    expect(pace.isShort).toBe(true);
    runsShared(pace, 30);
    expect(pace.isShort).toBe(false);
    const unlucky = shortPace();
    runsShared(unlucky, 200);
    expect(unlucky.isShort).toBe(true);
    const terrible = shortPace();
    runsShared(terrible, 300);
    expect(terrible.isShort).toBe(false);
  });

  it("of writes counts once what held several of them up together, as a slow flush of the disk does", () => {
    const pace = shortPace(true);
    for (let write = 0; write < 10; write++) pace.noteShared(30 + write / 10, 1_000 + write / 10);
    expect(pace.isShort).toBe(true);
    for (let write = 0; write < 10; write++) pace.noteShared(30, 1_032 + write / 10);
    expect(pace.isShort).toBe(false);
    const read = shortPace();
    for (const endedAt of [1_000, 1_000]) read.noteShared(30, endedAt);
    expect(read.isShort).toBe(false);
    const stuck = shortPace(true);
    stuck.noteShared(6, 1_000);
    stuck.noteShared(300, 1_100);
    expect(stuck.isShort).toBe(false);
  });

  it("gives what was taken for short by mistake ever fewer chances, until it has behaved for long", () => {
    const pace = shortPace();
    runsShared(pace, 300);
    expect(runsUntilShort(pace)).toBe(20);
    runsShared(pace, 300);
    expect(runsUntilShort(pace)).toBe(80);
    runsShared(pace, 0.1, 1_000);
    runsShared(pace, 300);
    expect(runsUntilShort(pace)).toBe(20);
  });
});
