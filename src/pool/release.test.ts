import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { call } from "../../test/conformance/connection.ts";
import { watchedPool } from "../../test/support/pool.ts";
import { directly } from "../../test/support/pooler.ts";
import { type TestServer, testServer } from "../../test/support/server.ts";
import type { Pool } from "./index.ts";

let server: TestServer;

beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.stop());

/** What the next borrower finds in the session. */
async function findings(pool: Pool): Promise<readonly (string | null)[]> {
  const outcome = await pool.use((connection) =>
    connection.query(
      call(`select pg_backend_pid(), current_setting('search_path'), current_user, to_regclass('left_over')::text,
        (select count(*) from pg_listening_channels()),
        (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()),
        (select count(*) from pg_prepared_statements where from_sql),
        (select count(*) from pg_cursors where name <> '')`),
    ),
  );
  return outcome.rows[0] ?? [];
}

describe("release", () => {
  it.each([
    ["a setting", "set search_path to pg_catalog"],
    ["a role", "set role pg_monitor"],
    ["a LISTEN", "listen news"],
    ["a temporary table", "create temp table left_over (a int)"],
    ["an advisory lock", "select pg_advisory_lock(4711)"],
    ["a prepared statement", "prepare left_over as select 1"],
    ["a cursor that outlives its transaction", "begin; declare c cursor with hold for select 1; commit"],
    ["a setting made by a function", "select set_config('search_path', 'pg_catalog', false)"],
  ])("hides %s from the next borrower, on the same connection", async (_what, text) => {
    const { pool, quiet, warnings } = watchedPool(server.url, {
      max: 1,
      ...directly("state that a session keeps"),
    });
    const clean = await findings(pool);
    await pool.use((connection) => connection.query(call("select 1")));
    await pool.use((connection) => connection.script(text));
    expect(await findings(pool)).toEqual(clean);
    await pool.use((connection) =>
      text.startsWith("begin") ? Promise.resolve() : connection.query(call(text)).then(() => {}),
    );
    expect(await findings(pool)).toEqual(clean);
    expect(warnings).toEqual([]);
    await quiet();
  });

  it.each([
    ["an open transaction", "begin; create table never_there (a int)"],
    ["a failed transaction", "begin; create table never_there (a int); savepoint a; select 1/0"],
  ])("rolls %s back, and says who left it", async (_what, text) => {
    const { pool, quiet, warnings } = watchedPool(server.url, { max: 1 });
    async function forgetCommit() {
      await pool.use((connection) => connection.script(text).catch(() => []));
    }
    await forgetCommit();
    const found = await pool.use((connection) => connection.query(call("select to_regclass('never_there')")));
    expect(found.rows).toEqual([[null]]);
    expect(warnings).toMatchObject([
      {
        code: "POOL_DIRTY_RELEASE",
        message: expect.stringMatching(/given back inside a transaction.*forgetCommit/),
      },
    ]);
    await quiet();
  });

  it("destroys a connection that is still busy", async () => {
    const { pool, quiet, warnings } = watchedPool(server.url, { max: 1 });
    const lease = await pool.acquire();
    const { processId } = lease.connection;
    const forgotten = lease.connection.query(call("select pg_sleep(60)"));
    const refused = expect(forgotten).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    lease.release();
    await refused;
    expect(await pool.use(async (connection) => connection.processId)).not.toBe(processId);
    expect(warnings).toMatchObject([{ code: "POOL_DIRTY_RELEASE" }]);
    await quiet();
  });

  it("destroys the connection when it is told to discard it", async () => {
    const { pool, quiet } = watchedPool(server.url, { max: 1 });
    const lease = await pool.acquire();
    const { processId } = lease.connection;
    lease.release({ discard: true });
    expect(await pool.use(async (connection) => connection.processId)).not.toBe(processId);
    await quiet();
  });

  it("costs no round trip after statements that promise to leave no trace", async () => {
    const { pool } = watchedPool(server.url, { max: 1 });
    await pool.use(async (connection) => {
      await connection.query(call("begin"));
      await connection.query({ ...call("select 1"), leavesNoTrace: true });
      await connection.query(call("commit"));
      expect(connection.isTainted).toBe(false);
    });
    expect(pool.stats).toMatchObject({ total: 1, idle: 1 });
  });
});

describe("leaks", () => {
  it("are reported once, with the stack that took the connection", async () => {
    const { pool, quiet, warnings } = watchedPool(server.url, { max: 1, leakWarningMs: 40 });
    async function forgetRelease() {
      return pool.acquire();
    }
    const lease = await forgetRelease();
    await vi.waitFor(() => expect(warnings).toHaveLength(1), { timeout: 5_000 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(warnings).toMatchObject([
      {
        code: "POOL_LEAK",
        message: expect.stringMatching(
          /held for more than 40 ms.*by forgetRelease \(src\/pool\/release\.test\.ts/,
        ),
        holder: { connectionId: lease.connection.id, stack: expect.stringContaining("forgetRelease") },
      },
    ]);
    lease.release();
    await quiet();
  });

  it("are mended when a lease is lost as garbage: the connection is destroyed and replaced", async () => {
    setFlagsFromString("--expose-gc");
    const collectGarbage: unknown = runInNewContext("gc");
    const { pool, quiet, warnings } = watchedPool(server.url, { max: 1, leakWarningMs: 0 });
    await (async () => {
      await pool.acquire();
    })();
    await vi.waitFor(
      () => {
        if (typeof collectGarbage === "function") collectGarbage();
        expect(warnings).toMatchObject([
          { code: "POOL_LEAK", message: expect.stringContaining("never given back") },
        ]);
      },
      { timeout: 10_000 },
    );
    expect(await pool.use(async (connection) => connection.isOpen)).toBe(true);
    await quiet();
  });
});
