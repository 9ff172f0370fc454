import { setTimeout as pause } from "node:timers/promises";
import { createDatabase, isConnectionError } from "plinth";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { connect, parseTarget } from "../../src/driver/index.ts";
import { startPostgres, type ThrowAwayPostgres } from "../support/postgres.ts";
import { rejection } from "../support/rejection.ts";
import { createSchema, person, workshops } from "../support/workshop.ts";
import * as schema from "../support/workshop-schema.ts";

/** Of its own: it is killed. */
let postgres: ThrowAwayPostgres;

beforeAll(async () => {
  postgres = await startPostgres({ settings: { synchronous_commit: "on" } });
  const connection = await connect(parseTarget(postgres.url));
  await createSchema(connection, "workshop");
  await connection.close();
});
afterAll(() => postgres.remove());

async function open() {
  const db = await createDatabase({ schema, url: postgres.url, pool: { max: 6 }, onWarning: () => {} });
  onTestFinished(() => db.close({ deadlineMs: 1_000 }));
  return { db, people: db.repository(schema.people) };
}

let loads = 0;

/** Transactions of two rows each by several workers, until it is told to stop. */
function underLoad({ db, people }: Awaited<ReturnType<typeof open>>) {
  const [acknowledged, unknown]: [string[], string[]] = [[], []];
  const codes = new Set<string>();
  let isOver = false;
  let made = 0;
  const name = `load-${++loads}-`;
  const worker = async () => {
    while (!isOver) {
      const email = `${name}${++made}`;
      try {
        await db.transaction(async () => {
          await people.create({ email, name: "first" });
          await people.create({ email: `${email}-second`, name: "second" });
        });
        acknowledged.push(email);
      } catch (error) {
        const { code } = error as { readonly code: string };
        codes.add(code);
        if (code === "COMMIT_OUTCOME_UNKNOWN") unknown.push(email);
        await pause(5);
      }
    }
  };
  const workers = Array.from({ length: 6 }, worker);
  return {
    name,
    acknowledged,
    unknown,
    codes,
    async stop() {
      isOver = true;
      await Promise.all(workers);
    },
  };
}

/** What is stored of the load: whole transactions, every acknowledged one, and nothing else but those nobody knows of. */
async function expectWhole(
  { people }: Awaited<ReturnType<typeof open>>,
  { name, acknowledged, unknown }: ReturnType<typeof underLoad>,
): Promise<void> {
  const stored = new Set<string>();
  for await (const { email } of people.stream({ where: { email: { startsWith: name } } })) stored.add(email);
  const firsts = [...stored].filter((email) => !email.endsWith("-second"));
  expect(stored.size).toBe(firsts.length * 2);
  expect(acknowledged.filter((email) => !stored.has(email))).toEqual([]);
  const known = new Set([...acknowledged, ...unknown]);
  expect(firsts.filter((email) => !known.has(email))).toEqual([]);
}

const TYPED = ["CONNECTION_LOST", "CONNECTION_FAILED", "SERVER_UNAVAILABLE", "COMMIT_OUTCOME_UNKNOWN"];

/** What no repetition is harmless for: single statements that count, each worker in a row of its own. */
async function counting({ people }: Awaited<ReturnType<typeof open>>) {
  const rows = await people.createMany(Array.from({ length: 4 }, () => person()));
  const counts = rows.map(({ id }) => ({ id, done: 0, unclear: 0 }));
  let isOver = false;
  const workers = counts.map(async (count) => {
    while (!isOver) {
      await people.increment(count.id, { score: 1 }).then(
        () => {
          count.done += 1;
        },
        async (error: unknown) => {
          if (Object(error).code === "CONNECTION_LOST") count.unclear += 1;
          await pause(5);
        },
      );
    }
  });
  return {
    async stop() {
      isOver = true;
      await Promise.all(workers);
      return counts;
    },
  };
}

describe("a transaction under load", () => {
  it("survives kill -9 of its own backend, which restarts the whole server: nothing half, nothing acknowledged lost", async () => {
    const plinth = await open();
    const load = underLoad(plinth);
    const singles = await counting(plinth);
    await vi.waitFor(() => expect(load.acknowledged.length).toBeGreaterThan(30), { timeout: 10_000 });
    const unfinished = person();
    const killed = rejection(
      plinth.db.transaction(async () => {
        await plinth.people.create(unfinished);
        const [row] = await plinth.db.sql<{ pid: number }>`select pg_backend_pid() as pid`;
        process.kill(row?.pid ?? 0, "SIGKILL");
        await pause(50);
        await plinth.people.count();
      }),
    );
    expect(isConnectionError(await killed)).toBe(true);
    const before = load.acknowledged.length;
    await vi.waitFor(() => expect(load.acknowledged.length).toBeGreaterThan(before + 30), {
      timeout: 25_000,
    });
    await load.stop();
    await expectWhole(plinth, load);
    expect(await plinth.people.exists({ email: unfinished.email })).toBe(false);
    // An insert that is sent a second time would meet its own first: UNIQUE_VIOLATION.
    expect([...load.codes].filter((code) => !TYPED.includes(code))).toEqual([]);
    for (const { id, done, unclear } of await singles.stop()) {
      const { score } = await plinth.people.get(id);
      expect(score).toBeGreaterThanOrEqual(done);
      expect(score).toBeLessThanOrEqual(done + unclear);
    }
    expect(plinth.db.pool.stats).toMatchObject({ inUse: 0, waiting: 0 });
  });

  it("survives kill -9 of the server and its restart", async () => {
    const plinth = await open();
    const load = underLoad(plinth);
    await vi.waitFor(() => expect(load.acknowledged.length).toBeGreaterThan(30), { timeout: 10_000 });
    await postgres.kill9();
    await postgres.start();
    const before = load.acknowledged.length;
    await vi.waitFor(() => expect(load.acknowledged.length).toBeGreaterThan(before + 30), {
      timeout: 25_000,
    });
    await load.stop();
    await expectWhole(plinth, load);
    expect([...load.codes].filter((code) => !TYPED.includes(code))).toEqual([]);
  });
});

const openWorkshop = workshops();

describe("an invariant over several rows", () => {
  it("holds at serializable: of the doctors on call one always stays, whoever leaves at once", async () => {
    const { db, repo, quiet } = await openWorkshop({ pool: { max: 8 } });
    const doctors = await repo.people.createMany(
      Array.from({ length: 6 }, () => ({ ...person(), name: "on call" })),
    );
    const leave = (id: string) =>
      db.transaction(
        async () => {
          if ((await repo.people.count({ name: "on call" })) > 1)
            await repo.people.update(id, { name: "at home" });
        },
        { isolation: "serializable", retry: { maxAttempts: 20 } },
      );
    const ends = await Promise.allSettled(doctors.map(({ id }) => leave(id)));
    const failed = ends.filter(({ status }) => status === "rejected");
    for (const end of failed) expect(end).toMatchObject({ reason: { code: "RETRIES_EXHAUSTED" } });
    const onCall = await repo.people.count({ name: "on call" });
    expect(onCall).toBeGreaterThanOrEqual(1);
    // Everybody leaves but the last, and those who gave up.
    expect(onCall).toBeLessThanOrEqual(1 + failed.length);
    await quiet();
  });
});
