import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { fillPool, type WatchedPoolOptions, watchedPool } from "../../test/support/pool.ts";
import { directly } from "../../test/support/pooler.ts";
import { rejection } from "../../test/support/rejection.ts";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { type Connection, connect, parseTarget, type StatementCall } from "../driver/index.ts";
import type { Pool } from "./index.ts";
import { isSmall } from "./write-lane.ts";

const TABLE = `write_lane_${process.pid}`;
let server: TestServer;
let admin: Connection;

beforeAll(async () => {
  server = await testServer();
  admin = await connect(parseTarget(server.url));
  await admin.script(`create table ${TABLE} (id int primary key, n int not null)`);
});
afterAll(async () => {
  await admin.script(`drop table ${TABLE}`);
  await admin.close();
  await server.stop();
});

const many = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

let lastId = 0;

/** A write such as Plinth compiles: named, and it leaves nothing behind. */
const insert = (id = ++lastId): StatementCall => ({
  name: "insert",
  text: `insert into ${TABLE} values ($1, 0) returning id, pg_backend_pid()`,
  values: [String(id)],
  leavesNoTrace: true,
});
const set = (id: number, from: number, to: number): StatementCall => ({
  name: "set",
  text: `update ${TABLE} set n = $3 where id = $1 and n = $2 returning n, pg_backend_pid()`,
  values: [String(id), String(from), String(to)],
  leavesNoTrace: true,
});

/**
 * A pool that knows the writes to be short. Its clock stands still, as on a machine that is quick enough, until a test moves
 * it: what is short and what is young does not depend on who else is at work.
 */
async function open(options: WatchedPoolOptions = {}) {
  const clock = { ms: 1_000 };
  const opened = watchedPool(server.url, {
    ...directly("writes that share a connection"),
    now: () => clock.ms,
    ...options,
  });
  const { pool } = opened;
  const id = ++lastId;
  await pool.run(insert(id));
  for (let run = 0; run < 8; run++) {
    await pool.run(insert());
    await pool.run(set(id, run, run + 1));
  }
  return { ...opened, clock };
}

/** Locks a row that a write then waits for; the answer lets it go on. */
async function lock(id: number): Promise<() => Promise<void>> {
  const other = await connect(parseTarget(server.url));
  await other.script(`begin; update ${TABLE} set n = n where id = ${id}`);
  return async () => {
    await other.script("commit");
    await other.close();
  };
}

/** Until the server says that so many of the pool's sessions wait for a lock. */
function untilBlocked(name: string, count = 1): Promise<void> {
  const text = `select count(*) from pg_stat_activity
    where application_name = $1 and wait_event_type = 'Lock' and state = 'active'`;
  return vi.waitFor(
    async () => expect((await admin.query({ text, values: [name] })).rows).toEqual([[String(count)]]),
    { timeout: 10_000, interval: 10 },
  );
}

/** A row, made past the pool. */
async function aRow(): Promise<number> {
  const id = ++lastId;
  await admin.script(`insert into ${TABLE} values (${id}, 0)`);
  return id;
}

const inUse = ({ stats: { inUse, waiting } }: Pool) => ({ inUse, waiting });

describe("writes known to be short", () => {
  it("have a connection each as long as there is one", async () => {
    const { pool, quiet } = await open({ max: 8 });
    await fillPool(pool, 8);
    const outcomes = await Promise.all(many(8, () => pool.run(insert())));
    expect(new Set(outcomes.map(({ rows }) => rows[0]?.[1])).size).toBe(8);
    await quiet();
  });

  it("travel behind others when there is none, and each gets its own answer", async () => {
    const { pool, quiet } = await open({ max: 2 });
    const first = lastId + 1;
    const running = many(200, () => pool.run(insert()));
    // The first one has the only connection that is open; others are being opened for the rest.
    expect(inUse(pool)).toEqual({ inUse: 1, waiting: 199 });
    const ids = (await Promise.all(running)).map(({ rows }) => Number(rows[0]?.[0]));
    expect(ids).toEqual(many(200, (i) => first + i));
    const together = many(12, () => pool.run(insert()));
    expect(inUse(pool)).toEqual({ inUse: 2, waiting: 0 });
    await Promise.all(together);
    await quiet();
  });

  it("wait in line when six are on every connection, and are sent as answers come", async () => {
    const { pool, name, quiet } = await open({ max: 1 });
    const row = await aRow();
    const unlock = await lock(row);
    const blocked = pool.run(set(row, 0, 1));
    await untilBlocked(name);
    const others = many(20, () => pool.run(insert()));
    expect(inUse(pool)).toEqual({ inUse: 1, waiting: 15 });
    await unlock();
    expect((await blocked).rows[0]?.[0]).toBe("1");
    expect(await Promise.all(others)).toHaveLength(20);
    await quiet();
  });

  it("fail alone", async () => {
    const { pool, quiet } = await open({ max: 1 });
    const taken = await aRow();
    const ids = many(30, (i) => (i % 3 === 0 ? taken : ++lastId));
    const settled = await Promise.allSettled(ids.map((id) => pool.run(insert(id))));
    for (const [i, result] of settled.entries()) {
      if (i % 3 === 0) expect(result).toMatchObject({ reason: { code: "UNIQUE_VIOLATION" } });
      else expect(result).toMatchObject({ value: { rows: [[String(ids[i]), expect.any(String)]] } });
    }
    await quiet();
  });

  it("see what was awaited before them", async () => {
    const { pool, quiet } = await open({ max: 2 });
    const rows = await Promise.all(many(12, () => aRow()));
    await Promise.all(
      rows.map(async (row) => {
        for (let n = 0; n < 20; n++) expect((await pool.run(set(row, n, n + 1))).rowCount).toBe(1);
      }),
    );
    await quiet();
  });

  it("go on beside one that waits for a lock when another connection is free", async () => {
    const { pool, name, quiet } = await open({ max: 2 });
    const row = await aRow();
    const unlock = await lock(row);
    const blocked = pool.run(set(row, 0, 1));
    await untilBlocked(name);
    for (let run = 0; run < 20; run++) await pool.run(insert());
    await unlock();
    await blocked;
    await quiet();
  });

  it("are not sent behind one that the server has been at for more than a moment", async () => {
    const { pool, name, clock, quiet } = await open({ max: 2 });
    const row = await aRow();
    const unlock = await lock(row);
    const blocked = pool.run(set(row, 0, 1));
    await untilBlocked(name);
    clock.ms += 10;
    const others = many(30, () => pool.run(insert()));
    expect(await Promise.all(others)).toHaveLength(30);
    await unlock();
    await blocked;
    await quiet();
  });

  it("overtake nobody who waits for a connection", async () => {
    const { pool, name, quiet } = await open({ max: 1 });
    const row = await aRow();
    const unlock = await lock(row);
    const order: string[] = [];
    const blocked = pool.run(set(row, 0, 1));
    await untilBlocked(name);
    const used = pool.use(async () => order.push("used"));
    const write = pool.run(insert()).then(() => order.push("write"));
    expect(inUse(pool)).toEqual({ inUse: 1, waiting: 2 });
    await unlock();
    await Promise.all([blocked, used, write]);
    expect(order).toEqual(["used", "write"]);
    await quiet();
  });

  it("lose with their connection only what was sent on it", async () => {
    const { pool, name, quiet } = await open({ max: 1 });
    const row = await aRow();
    const unlock = await lock(row);
    const blocked = rejection(pool.run(set(row, 0, 1)));
    await untilBlocked(name);
    const [behind, inLine] = [
      many(5, () => rejection(pool.run(insert()))),
      many(5, () => pool.run(insert())),
    ];
    await admin.query({
      text: "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1",
      values: [name],
    });
    expect(await blocked).toMatchObject({
      code: expect.stringMatching("SERVER_UNAVAILABLE|CONNECTION_LOST"),
    });
    for (const error of await Promise.all(behind)) expect(error).toMatchObject({ code: "CONNECTION_LOST" });
    expect(await Promise.all(inLine)).toHaveLength(5);
    await unlock();
    await quiet();
  });

  it("have a connection to themselves when they can be canceled", async () => {
    const { pool, name, quiet } = await open({ max: 2 });
    const row = await aRow();
    const unlock = await lock(row);
    const controller = new AbortController();
    const canceled = rejection(pool.run(set(row, 0, 1), { signal: controller.signal }));
    await untilBlocked(name);
    const neighbours = many(20, () => pool.run(insert()));
    controller.abort();
    expect(await canceled).toMatchObject({ code: "QUERY_CANCELED" });
    expect(await Promise.all(neighbours)).toHaveLength(20);
    await unlock();
    await quiet();
  });

  it("are refused at once where whoever makes them holds the only connection", async () => {
    const { pool, quiet } = await open({ max: 1 });
    const error = await rejection(pool.use(async () => pool.run(insert())));
    expect(error).toMatchObject({ code: "POOL_DEADLOCK" });
    expect(error.message).toContain("write-lane.test.ts");
    await quiet();
  });

  it("are finished by close, and refused after it", async () => {
    const { pool } = await open({ max: 1 });
    const running = many(6, () => pool.run(insert()));
    const closing = pool.close();
    expect(await rejection(pool.run(insert()))).toMatchObject({ code: "POOL_CLOSED" });
    expect(await Promise.all(running)).toHaveLength(6);
    await closing;
    expect(pool.stats.total).toBe(0);
  });

  it("are no leak, however long there is work, and one that is stuck is named by its line", async () => {
    const { pool, name, clock, warnings, quiet } = await open({
      max: 1,
      leakWarningMs: 50,
      maxLifetimeMs: 0,
    });
    for (let run = 0; run < 20; run++) {
      const running = many(6, () => pool.run(insert()));
      clock.ms += 40;
      await Promise.all(running);
    }
    expect(warnings).toEqual([]);
    const row = await aRow();
    const unlock = await lock(row);
    const here = async () => await pool.run(set(row, 0, 1));
    const waiting = here();
    expect(pool.holders()).toMatchObject([{ callSite: "a statement that has just begun", stack: "" }]);
    await untilBlocked(name);
    const holder = { callSite: expect.stringContaining("write-lane.test.ts") };
    await vi.waitFor(() => expect(pool.holders()).toMatchObject([holder]), { timeout: 5_000 });
    clock.ms += 60;
    await vi.waitFor(() => expect(warnings).toMatchObject([{ code: "POOL_LEAK", holder }]), {
      timeout: 5_000,
    });
    await unlock();
    await waiting;
    await quiet();
  });
});

describe("a small call", () => {
  it("has values that travel in no time", () => {
    const call = (...values: (string | Buffer | null)[]) => ({ text: "", values });
    expect(isSmall(call())).toBe(true);
    expect(isSmall(call("x".repeat(16_000), null, Buffer.alloc(300)))).toBe(true);
    expect(isSmall(call("x".repeat(16_000), Buffer.alloc(400)))).toBe(false);
  });
});
