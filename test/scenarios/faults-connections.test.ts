/**
 * What can happen to a connection, as an application meets it, on both wires. The numbers are the rows of the fault
 * list; what the driver and the pool do by themselves is tested beside them (`src/driver/connection.test.ts`,
 * `src/driver/network.test.ts`, `src/pool/outage.test.ts`, `test/conformance`).
 */
import { setTimeout as pause } from "node:timers/promises";
import { createDatabase } from "plinth";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { type Connection, connect, parseTarget } from "../../src/driver/index.ts";
import * as domain from "../support/domain.ts";
import { openLibrary } from "../support/library.ts";
import { directly } from "../support/pooler.ts";
import { startProxy } from "../support/proxy.ts";
import { expectQuiet } from "../support/quiet.ts";
import { rejection } from "../support/rejection.ts";

const WIRES = ["plinth", "pg"] as const;
const library = await openLibrary(directly("sessions of its own, which it ends and cancels"));
const { url } = library;
let admin: Connection;
let version: number;
let opened = 0;

beforeAll(async () => {
  admin = await connect(parseTarget(url));
  version = Number((await ask("show server_version_num"))[0]?.[0]);
  return () => admin.close();
});

async function ask(text: string): Promise<readonly (readonly (string | null)[])[]> {
  const { rows } = await admin.query({ text, values: [] });
  return rows.map((row) => row.map((cell) => (cell === null ? null : String(cell))));
}

async function open(wire: (typeof WIRES)[number], session: object = {}, by = url) {
  const name = `connections-${process.pid}-${++opened}`;
  const db = await createDatabase({
    schema: domain,
    url: by,
    pool: { max: 1 },
    session: { ...session, wire, applicationName: name },
  });
  onTestFinished(() => db.close({ deadlineMs: 100 }));
  const pid = async () => (await db.sql<{ pid: number }>`select pg_backend_pid() as pid`)[0]?.pid;
  return { db, name, pid, quiet: () => expectQuiet(db.pool, url, name) };
}

/** Waits until the server runs a text in a session. */
async function isRunning(name: string, text: string): Promise<void> {
  const states = `select 1 from pg_stat_activity where application_name = '${name}' and state = 'active' and query like '%${text}%'`;
  await vi.waitFor(async () => expect(await ask(states)).toHaveLength(1), { timeout: 10_000 });
}

describe.each(WIRES)("on the %s wire,", (wire) => {
  // 6
  it("a backend that is ended during a query: a typed error, and the next query has another connection", async () => {
    const { db, name, pid, quiet } = await open(wire);
    const before = await pid();
    const running = rejection(db.sql`select pg_sleep(30), 'ended'`);
    await isRunning(name, "ended");
    await ask(`select pg_terminate_backend(${before})`);
    expect(await running).toMatchObject({ code: "CONNECTION_LOST", sqlstate: "57P01" });
    expect(await pid()).not.toBe(before);
    expect(db.pool.stats).toMatchObject({ total: 1, inUse: 0 });
    await quiet();
  });

  // 7
  it("a backend that is ended while it rests in the pool: nobody is told, and it is lent to nobody", async () => {
    const { db, pid, quiet } = await open(wire);
    const before = await pid();
    await ask(`select pg_terminate_backend(${before}, 5000)`);
    await vi.waitFor(() => expect(db.pool.stats.total).toBe(0));
    expect(await pid()).not.toBe(before);
    await quiet();
  });

  // 8
  it("a query that somebody cancels: a typed error, and the same connection goes on", async () => {
    const { db, name, pid, quiet } = await open(wire);
    const before = await pid();
    const running = rejection(db.sql`select pg_sleep(30), 'canceled'`);
    await isRunning(name, "canceled");
    await ask(`select pg_cancel_backend(${before})`);
    expect(await running).toMatchObject({ code: "QUERY_CANCELED", sqlstate: "57014" });
    expect(await pid()).toBe(before);
    await quiet();
  });

  // 9
  it("each time-out of the server is an error of its own, and the next query works", async () => {
    const { db, pid, quiet } = await open(wire, {
      statementTimeoutMs: 150,
      lockTimeoutMs: 50,
      idleInTransactionTimeoutMs: 100,
    });
    await admin.script("begin; select pg_advisory_xact_lock(9109)");
    const first = await pid();
    expect(await rejection(db.sql`select pg_sleep(30)`)).toMatchObject({
      code: "STATEMENT_TIMEOUT",
      sqlstate: "57014",
    });
    expect(await rejection(db.sql`select pg_advisory_xact_lock(9109)`)).toMatchObject({
      code: "LOCK_TIMEOUT",
      sqlstate: "55P03",
    });
    await admin.script("commit");
    // Neither of the two costs a connection; those that follow do.
    expect(await pid()).toBe(first);
    const idle = db.transaction(async () => {
      await db.sql`select 1`;
      await pause(400);
      await db.sql`select 2`;
    });
    expect(await rejection(idle)).toMatchObject({
      code: "CONNECTION_LOST",
      cause: { code: "TRANSACTION_TIMEOUT", sqlstate: "25P03" },
    });
    expect(await pid()).not.toBe(first);
    const long = db.transaction(async () => {
      await db.sql`set local statement_timeout = 0`;
      await db.sql`set local transaction_timeout = 100`;
      await db.sql`select pg_sleep(30)`;
    });
    expect(await rejection(long)).toMatchObject(
      version >= 170_000
        ? { code: "TRANSACTION_TIMEOUT", sqlstate: "25P04" }
        : { code: "STATEMENT_INVALID", sqlstate: "42704" },
    );
    expect(await pid()).toBeGreaterThan(0);
    await quiet();
  });

  // 9
  it("a session that the server ends because it rests too long: nobody is told, and it is lent to nobody", async () => {
    const name = new URL(url).pathname.slice(1);
    await admin.script(`alter database ${name} set idle_session_timeout = 100`);
    onTestFinished(() => admin.script(`alter database ${name} reset idle_session_timeout`).then(() => {}));
    const { db, pid } = await open(wire);
    const before = await pid();
    await vi.waitFor(() => expect(db.pool.stats.total).toBe(0), { timeout: 10_000 });
    expect(await pid()).not.toBe(before);
    const inUse = db.pool.use(async (connection) => {
      await pause(300);
      return connection.query({ text: "select 1", values: [] });
    });
    expect(await rejection(inUse)).toMatchObject({ code: "CONNECTION_LOST", cause: { sqlstate: "57P05" } });
  });

  // 10
  it("an aborted query is stopped by a second socket: the server has stopped when the call rejects", async () => {
    const proxy = await startProxy(url);
    onTestFinished(() => proxy.close());
    const { db, name, pid, quiet } = await open(wire, {}, proxy.urlFor(url));
    const before = await pid();
    // So that a socket that only cancels is there long enough to be counted.
    proxy.faults.latencyMs = 20;
    const states = `select state from pg_stat_activity where application_name = '${name}'`;
    const tookMs: number[] = [];
    let sockets = proxy.openCount;
    expect(sockets).toBe(1);
    for (let round = 0; round < 3; round++) {
      const controller = new AbortController();
      const running = rejection(db.sql`select pg_sleep(30), 'aborted'`.withSignal(controller.signal));
      await isRunning(name, "aborted");
      const abortedAt = performance.now();
      controller.abort();
      const watched = setInterval(() => {
        sockets = Math.max(sockets, proxy.openCount);
      }, 0);
      expect(await running).toMatchObject({ code: "QUERY_CANCELED" });
      clearInterval(watched);
      tookMs.push(performance.now() - abortedAt);
      expect(await ask(states)).toEqual([["idle"]]);
      expect(await pid()).toBe(before);
    }
    expect(sockets).toBe(2);
    // A second, with all that else runs on the machine: once of three is enough to show that nobody waits for anything.
    expect(Math.min(...tookMs)).toBeLessThan(1_000);
    await quiet();
  });
});
