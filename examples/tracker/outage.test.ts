import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { embeddedStatus, stopEmbedded } from "plinth/embedded";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { startPostgres } from "../../test/support/postgres.ts";
import { startTracker } from "./process.fixture.ts";

/** Five times the five seconds it may take to work again. */
const RECOVERY_TIMEOUT_MS = 25_000;
const CLIENTS = 12;

/** Clients that keep writing tasks and reading lists, and note every answer. */
async function startLoad(url: string) {
  const acknowledged: string[] = [];
  const refused: {
    readonly status: number;
    readonly body: object;
    readonly afterMs: number;
  }[] = [];
  const failures: unknown[] = [];
  const user = await post(`${url}/v1/users`, {
    email: "load@example.com",
    fullName: "Load",
    password: "correct horse",
  });
  const project = await post(`${url}/v1/projects`, { name: "Load", ownerId: idOf(user.body) });
  let isRunning = true;
  const client = async (number: number) => {
    for (let i = 0; isRunning; i++) {
      const startedAt = performance.now();
      try {
        const isWrite = i % 3 !== 0;
        const { status, body } = isWrite
          ? await post(`${url}/v1/tasks`, { projectId: idOf(project.body), title: `${number}-${i}` })
          : await get(`${url}/v1/tasks?limit=5&sort=title`);
        if (status === 201) acknowledged.push(idOf(body));
        else if (status !== 200) refused.push({ status, body, afterMs: performance.now() - startedAt });
      } catch (error) {
        failures.push(error);
      }
      await sleep(2);
    }
  };
  const clients = Array.from({ length: CLIENTS }, (_, number) => client(number));
  const stop = async () => {
    isRunning = false;
    await Promise.all(clients);
  };
  return { acknowledged, refused, failures, stop };
}

async function answerOf(response: Response) {
  const body: unknown = await response.json();
  return { status: response.status, body: { ...(typeof body === "object" ? body : {}) } };
}

const idOf = (body: object): string => ("id" in body && typeof body.id === "string" ? body.id : "no id");

const get = async (url: string) => answerOf(await fetch(url));

const post = async (url: string, body: object) =>
  answerOf(
    await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  );

/** What has to hold of an outage under load, whoever caused it and whoever brings the server back. */
async function expectNothingLost(
  tracker: ReturnType<typeof startTracker>,
  kill: () => Promise<unknown>,
  revive: () => Promise<unknown>,
) {
  const url = await tracker.ready();
  const load = await startLoad(url);
  await vi.waitFor(() => expect(load.acknowledged.length).toBeGreaterThan(100), { timeout: 30_000 });
  await kill();
  await vi.waitFor(() => expect(load.refused.length).toBeGreaterThan(20), { timeout: 30_000 });
  const before = load.acknowledged.length;
  await revive();
  await vi.waitFor(() => expect(load.acknowledged.length).toBeGreaterThan(before + 20), {
    timeout: RECOVERY_TIMEOUT_MS,
  });
  await load.stop();

  expect(load.failures).toEqual([]);
  expect(new Set(load.refused.map(({ status }) => status))).toEqual(new Set([503]));
  for (const { body } of load.refused)
    expect(body).toMatchObject({ code: expect.any(String), detail: expect.any(String) });
  // It says so at once: nobody waits out a time-out. Five times a second.
  expect(Math.max(...load.refused.map(({ afterMs }) => afterMs))).toBeLessThan(5_000);
  for (const id of load.acknowledged) expect((await fetch(`${url}/v1/tasks/${id}`)).status).toBe(200);
  const ready = await get(`${url}/health/ready`);
  expect(ready).toMatchObject({
    status: 200,
    body: { status: "ok", checks: { pool: { inUse: 0, waiting: 0 } } },
  });
  tracker.child.kill("SIGTERM");
  expect(await tracker.exit()).toBe(0);
  expect(tracker.stderr).not.toMatch(/unhandled|uncaught|Error:|MaxListeners/i);
}

describe("kill -9 of PostgreSQL under load", () => {
  it("is answered with 503 and a reason until the server is back, and loses no acknowledged write", async () => {
    const server = await startPostgres({
      settings: { fsync: "on", synchronous_commit: "on", full_page_writes: "on" },
    });
    onTestFinished(() => server.remove());
    const tracker = startTracker({ DATABASE_URL: server.url, NODE_ENV: "production" });
    const url = await tracker.ready();
    await expectNothingLost(
      tracker,
      () => server.kill9(),
      async () => {
        const ready = await get(`${url}/health/ready`);
        expect(ready).toMatchObject({ status: 503, body: { status: "unavailable" } });
        expect(ready.body).toMatchObject({
          checks: { database: { status: "failed", reason: expect.any(String) } },
        });
        expect((await get(`${url}/health/live`)).status).toBe(200);
        await server.start();
      },
    );
  }, 180_000);

  it("brings the embedded server back by itself", async () => {
    const directory = mkdtempSync(join(tmpdir(), "tracker-"));
    onTestFinished(async () => {
      const { dataDirectory } = await embeddedStatus(directory);
      await stopEmbedded(directory);
      for (const path of [directory, dirname(dataDirectory ?? directory)])
        rmSync(path, { recursive: true, force: true });
    });
    const tracker = startTracker({ TRACKER_DIRECTORY: directory, NODE_ENV: "test" });
    await expectNothingLost(
      tracker,
      async () => {
        const { processId } = await embeddedStatus(directory);
        if (processId === undefined) throw new Error("the embedded server does not run");
        process.kill(processId, "SIGKILL");
      },
      async () => undefined,
    );
  }, 180_000);
});
