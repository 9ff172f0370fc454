import { once } from "node:events";
import { request } from "node:http";
import { createServer } from "node:net";
import { afterAll, describe, expect, it, vi } from "vitest";
import { connect, parseTarget } from "../../src/driver/index.ts";
import { startPostgres } from "../../test/support/postgres.ts";
import { startTracker } from "./process.fixture.ts";

const server = await startPostgres();
afterAll(() => server.remove());
let databases = 0;

/** An empty database of a test's own. */
const emptyDatabase = async () => {
  const url = new URL(server.url);
  const connection = await connect(parseTarget(server.url));
  url.pathname = `/tracker_${++databases}`;
  await connection.script(`create database tracker_${databases}`);
  await connection.close();
  return url.href;
};

describe("npm start", () => {
  it("migrates, seeds, says one line on stdout, and finds nothing to do the second time", async () => {
    const DATABASE_URL = await emptyDatabase();
    for (const run of [1, 2]) {
      const tracker = startTracker({ DATABASE_URL });
      const url = await tracker.ready();
      expect(await (await fetch(`${url}/health/ready`)).json()).toMatchObject({ status: "ok" });
      expect(await (await fetch(`${url}/v1/tasks?limit=1`)).json()).toMatchObject({
        meta: { total: 50_000 },
      });
      tracker.child.kill("SIGTERM");
      expect(await tracker.exit()).toBe(0);
      expect(tracker.stdout).toBe(`tracker ready on ${url}\n`);
      expect(tracker.stderr.includes("0001_create_tracker.sql: applied")).toBe(run === 1);
    }
  }, 120_000);

  it("lets the requests that run finish when it is told to end, and takes no more", async () => {
    const tracker = startTracker({ DATABASE_URL: await emptyDatabase(), NODE_ENV: "production" });
    const url = await tracker.ready();
    const body = JSON.stringify({
      email: "last@example.com",
      fullName: "Last One",
      password: "correct horse",
    });
    const outgoing = request(`${url}/v1/users`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        expect: "100-continue",
      },
    });
    outgoing.flushHeaders();
    // The server has begun with it: it asks for the body.
    await once(outgoing, "continue");
    tracker.child.kill("SIGTERM");
    await vi.waitFor(() => expect(tracker.stderr).toContain("stopping"), { timeout: 10_000 });
    await vi.waitFor(() => expect(fetch(`${url}/health/live`)).rejects.toThrow(), { timeout: 10_000 });
    outgoing.end(body);
    const [response] = await once(outgoing, "response");
    expect(response.statusCode).toBe(201);
    response.resume();
    expect(await tracker.exit()).toBe(0);
  }, 120_000);

  it("ends by itself when the npm that started it was killed", async () => {
    const tracker = startTracker(
      { DATABASE_URL: await emptyDatabase(), NODE_ENV: "production", npm_lifecycle_event: "start" },
      true,
    );
    const url = await tracker.ready();
    tracker.child.kill("SIGKILL");
    await tracker.exit();
    expect(tracker.stderr).toContain("npm is gone");
    await expect(fetch(`${url}/health/live`)).rejects.toThrow();
  }, 120_000);

  it("waits for a port that its predecessor is about to leave, and gives up with one line when it does not", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const address = holder.address();
    const port = address !== null && typeof address === "object" ? String(address.port) : "";
    const environment = { DATABASE_URL: await emptyDatabase(), NODE_ENV: "production", PORT: port };
    const unlucky = startTracker(environment);
    expect(await unlucky.exit()).toBe(1);
    expect(unlucky.stdout).toBe("");
    expect(unlucky.stderr).toContain(`tracker: port ${port} is in use; stop what listens there`);
    const patient = startTracker(environment);
    await vi.waitFor(() => expect(patient.stderr).toContain("waiting for it"), { timeout: 30_000 });
    holder.close();
    expect(await patient.ready()).toBe(`http://127.0.0.1:${port}`);
  }, 120_000);

  it.each([
    [
      { DATABASE_URL: "postgres://ann:hunter2@127.0.0.1:1/x" },
      "tracker: cannot connect to ann@127.0.0.1:1/x: nothing listens there",
    ],
    [
      { DATABASE_URL: "mysql://ann:hunter2@127.0.0.1/x" },
      "tracker: DATABASE_URL must start with postgres://",
    ],
    [{ DATABASE_POOL_MAX: "hunter2" }, "tracker: DATABASE_POOL_MAX must be a whole number"],
    [{ PORT: "hunter2" }, "tracker: PORT must be a whole number"],
  ])("ends with one line of cause and fix, and without the password, given %j", async (environment, line) => {
    const tracker = startTracker({ DATABASE_URL: "postgres://ann:hunter2@127.0.0.1:1/x", ...environment });
    expect(await tracker.exit()).toBe(1);
    expect(tracker.stderr).toContain(line);
    expect(tracker.stderr.trim().split("\n")).toHaveLength(1);
    expect(tracker.stderr + tracker.stdout).not.toContain("hunter2");
  });
});
