import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { call, describeConnection } from "../../test/conformance/connection.ts";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { type Connection, connect, parseTarget, type SessionSettings } from "./index.ts";

let server: TestServer;
const opened: Connection[] = [];

beforeAll(async () => {
  server = await testServer();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((connection) => connection.close()));
});
afterAll(() => server.stop());

async function open(session: Partial<SessionSettings> = {}): Promise<Connection> {
  const connection = await connect(parseTarget(server.url, session));
  opened.push(connection);
  return connection;
}

describeConnection("Plinth's own wire", () => connect(parseTarget(server.url)));
describeConnection("the pg wire", () => connect(parseTarget(server.url, { wire: "pg" })));

describe("session settings", () => {
  it("are in force from the first statement", async () => {
    const connection = await open({
      applicationName: "orders",
      statementTimeoutMs: 1_500,
      lockTimeoutMs: 250,
      idleInTransactionTimeoutMs: 0,
    });
    const names = [
      "application_name",
      "statement_timeout",
      "lock_timeout",
      "idle_in_transaction_session_timeout",
    ];
    const outcome = await connection.query(
      call(`select ${names.map((name) => `current_setting('${name}')`).join()}`),
    );
    expect(outcome.rows).toEqual([["orders", "1500ms", "250ms", "0"]]);
    expect(connection.hasSessionSettings).toBe(true);
  });

  it("come back after a caller changed them", async () => {
    const connection = await open({ statementTimeoutMs: 1_500 });
    await connection.script("set statement_timeout = 0");
    await connection.reset();
    expect((await connection.query(call("show statement_timeout"))).rows).toEqual([["1500ms"]]);
  });
});

describe("time-outs of the server", () => {
  it("end a statement with STATEMENT_TIMEOUT", async () => {
    const connection = await open({ statementTimeoutMs: 50 });
    await expect(connection.query(call("select pg_sleep(60)"))).rejects.toMatchObject({
      code: "STATEMENT_TIMEOUT",
    });
    expect(connection.isOpen).toBe(true);
  });

  it("end the wait for a lock with LOCK_TIMEOUT", async () => {
    const [holder, waiter] = [await open(), await open({ lockTimeoutMs: 50 })];
    await holder.script("begin; select pg_advisory_xact_lock(977)");
    await expect(waiter.query(call("select pg_advisory_xact_lock(977)"))).rejects.toMatchObject({
      code: "LOCK_TIMEOUT",
    });
  });

  it("end an idle transaction, and later calls say so", async () => {
    const connection = await open({ idleInTransactionTimeoutMs: 50 });
    const ended = new Promise((resolve) => connection.onClose(resolve));
    await connection.query(call("begin"));
    expect(await ended).toMatchObject({ code: "CONNECTION_LOST", cause: { code: "TRANSACTION_TIMEOUT" } });
    await expect(connection.query(call("select 1"))).rejects.toMatchObject({
      code: "CONNECTION_LOST",
      cause: { code: "TRANSACTION_TIMEOUT" },
    });
  });

  it("end a long transaction with TRANSACTION_TIMEOUT where the server knows that setting", async () => {
    const connection = await open();
    const version = Number((await connection.query(call("show server_version_num"))).rows[0]?.[0]);
    const setting = connection.script("set transaction_timeout = 50");
    if (version < 170_000) {
      await expect(setting).rejects.toMatchObject({ code: "STATEMENT_INVALID", sqlstate: "42704" });
      return;
    }
    await setting;
    await connection.query(call("begin"));
    await expect(connection.query(call("select pg_sleep(60)"))).rejects.toMatchObject({
      code: "TRANSACTION_TIMEOUT",
      sqlstate: "25P04",
    });
  });

  it("end an idle session without an error nobody handles", async () => {
    const connection = await open();
    const ended = new Promise((resolve) => connection.onClose(resolve));
    await connection.script("set idle_session_timeout = 50");
    expect(await ended).toMatchObject({ code: "CONNECTION_LOST", cause: { sqlstate: "57P05" } });
  });
});

describe("an administrator's hand", () => {
  it("cancels a statement: QUERY_CANCELED, and the session lives on", async () => {
    const [connection, admin] = [await open(), await open()];
    const running = connection.query(call("select pg_sleep(60)"));
    const refused = expect(running).rejects.toMatchObject({ code: "QUERY_CANCELED", sqlstate: "57014" });
    const pid = String(connection.processId);
    // A cancellation that arrives before the statement is ignored by the server.
    const stop = "select pg_cancel_backend(pid) from pg_stat_activity where pid = $1 and state = 'active'";
    await vi.waitFor(async () => expect((await admin.query(call(stop, pid))).rows).toEqual([["t"]]));
    await refused;
    expect(connection.isOpen).toBe(true);
  });

  it("ends a session in the middle of a statement: CONNECTION_LOST with the reason", async () => {
    const [connection, admin] = [await open(), await open()];
    const running = connection.query(call("select pg_sleep(60)"));
    const queued = connection.query(call("select 1"));
    const refusals = Promise.all([
      expect(running).rejects.toMatchObject({ code: "CONNECTION_LOST", sqlstate: "57P01" }),
      expect(queued).rejects.toMatchObject({ code: "CONNECTION_LOST", cause: { sqlstate: "57P01" } }),
    ]);
    await admin.query(call("select pg_terminate_backend($1)", String(connection.processId)));
    await refusals;
    expect(connection.isOpen).toBe(false);
  });
});

describe("errors", () => {
  it("hold no value, show the statement by name only, and lead back to the caller", async () => {
    const connection = await open();
    async function placeOrder() {
      await connection.script("create temp table o (card text primary key)");
      const text = "insert into o values ($1), ($1)";
      await connection.query({ text, values: ["4111-secret"] });
    }
    const error: unknown = await placeOrder().catch((reason: unknown) => reason);
    const { inspect } = await import("node:util");
    expect(inspect(error, { depth: 9 }) + JSON.stringify(error)).not.toContain("4111-secret");
    expect(error).toMatchObject({ code: "UNIQUE_VIOLATION", statement: "insert into o values ($1), ($1)" });
    expect(Object.keys(error instanceof Error ? error : {})).not.toContain("statement");
    expect(error instanceof Error ? error.stack : "").toContain("placeOrder");
  });
});
