import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { call } from "../../test/conformance/connection.ts";
import { type FaultProxy, startProxy } from "../../test/support/proxy.ts";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { type Connection, connect, parseTarget, type SessionSettings } from "./index.ts";

let server: TestServer;

beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.stop());

async function openThroughProxy(
  session: Partial<SessionSettings>,
): Promise<{ connection: Connection; proxy: FaultProxy }> {
  const proxy = await startProxy(server.url);
  const connection = await connect(parseTarget(proxy.urlFor(server.url), session));
  onTestFinished(async () => {
    connection.destroy();
    await proxy.close();
  });
  return { connection, proxy };
}

/** Most of these wait for time-outs, so only the long run does them for both. */
const WIRES = process.env.PLINTH_SOAK === "1" ? (["plinth", "pg"] as const) : (["plinth"] as const);

describe.each(WIRES)("a bad network, on the %s wire", (wire) => {
  it.each([
    ["200 ms of latency", { latencyMs: 200 }],
    ["5 KB a second", { bytesPerSecond: 5_000 }],
    ["one byte per packet", { sliceToOneByte: true }],
  ])("gives the right answer over %s", async (_name, faults) => {
    const { connection, proxy } = await openThroughProxy({ wire });
    Object.assign(proxy.faults, faults);
    const outcome = await connection.query(call("select g, repeat('é', 20) from generate_series(1, 50) g"));
    expect(outcome.rows).toHaveLength(50);
    expect(outcome.rows[49]).toEqual(["50", "é".repeat(20)]);
  });

  it("rejects with CONNECTION_LOST when the connection is reset in the middle of a result", async () => {
    const { connection, proxy } = await openThroughProxy({ wire });
    proxy.faults.bytesPerSecond = 500_000;
    const running = connection.query(call("select repeat('x', 1000) from generate_series(1, 100000)"));
    setTimeout(() => proxy.resetAll(), 100);
    await expect(running).rejects.toMatchObject({
      code: "CONNECTION_LOST",
      hint: expect.stringContaining("unknown"),
    });
    expect(connection.isOpen).toBe(false);
  });

  it("rejects with CONNECTION_LOST when the server's side ends in silence", async () => {
    const { connection, proxy } = await openThroughProxy({ wire });
    const running = connection.query(call("select pg_sleep(60)"));
    setTimeout(() => proxy.halfCloseAll(), 50);
    await expect(running).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    await expect(connection.query(call("select 1"))).rejects.toMatchObject({
      hint: expect.stringContaining("Nothing was sent"),
    });
  });

  it("cuts the connection when an aborted statement cannot be stopped", { timeout: 60_000 }, async () => {
    const { connection, proxy } = await openThroughProxy({ wire });
    proxy.faults.blackhole = true;
    const running = connection.query(call("select 1"), { signal: AbortSignal.timeout(50) });
    await expect(running).rejects.toMatchObject({
      code: "QUERY_CANCELED",
      summary: expect.stringContaining("cut"),
    });
    expect(connection.isOpen).toBe(false);
  });

  it("finds out that an answer can never come: the route is gone", { timeout: 60_000 }, async () => {
    const { connection, proxy } = await openThroughProxy({
      wire,
      statementTimeoutMs: 100,
      connectTimeoutMs: 300,
    });
    proxy.faults.blackhole = true;
    await expect(connection.query(call("select 1"))).rejects.toMatchObject({
      code: "CONNECTION_LOST",
      summary: expect.stringContaining("fell silent"),
    });
  });

  it("finds out that an answer can never come: the server has long finished", {
    timeout: 60_000,
  }, async () => {
    const { connection, proxy } = await openThroughProxy({ wire, statementTimeoutMs: 100 });
    proxy.forgetAll();
    await expect(connection.query(call("select 1"))).rejects.toMatchObject({ code: "CONNECTION_LOST" });
  });

  it("leaves a slow statement alone while the server works on it", { timeout: 60_000 }, async () => {
    const { connection } = await openThroughProxy({ wire, statementTimeoutMs: 100 });
    await connection.script("set statement_timeout = 0");
    await expect(connection.query(call("select pg_sleep(7), 'done'"))).resolves.toMatchObject({
      rows: [["", "done"]],
    });
  });

  it("does not hang when it says goodbye into a black hole", async () => {
    const { connection, proxy } = await openThroughProxy({ wire });
    proxy.faults.blackhole = true;
    await connection.close();
    expect(connection.isOpen).toBe(false);
  });

  it("does not take a lost reply for a success", async () => {
    const { connection, proxy } = await openThroughProxy({ wire });
    proxy.faults.dropReplyAfter = /create role/;
    await expect(connection.query(call("select 'create role' as said"))).rejects.toMatchObject({
      code: "CONNECTION_LOST",
    });
  });
});
