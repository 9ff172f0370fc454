/**
 * What transactions do to each other, and what becomes of a COMMIT. The numbers are the rows of the fault list; more of
 * them is in `src/transaction/` (`endings`, `outcome`, `retry`, `hooks`, `nesting`), `src/versioning/` and in
 * `isolation.test.ts`.
 */
import { createConnection, createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { startProxy } from "../support/proxy.ts";
import { rejection } from "../support/rejection.ts";
import { person, type Workshop, workshops } from "../support/workshop.ts";
import * as schema from "../support/workshop-schema.ts";

const open = workshops();

async function behindProxy() {
  const proxy = await startProxy((await open()).url);
  onTestFinished(() => proxy.close());
  return { ...(await open({ via: proxy.urlFor })), proxy };
}

// 20
describe("a COMMIT whose reply is lost", () => {
  it.each([
    [
      "arrived",
      async ({ faults }: Awaited<ReturnType<typeof startProxy>>, isEnding: Promise<void>) => {
        faults.dropReplyAfter = /commit/i;
        await isEnding;
      },
      "committed",
    ],
    [
      "never arrived",
      async (proxy: Awaited<ReturnType<typeof startProxy>>, isEnding: Promise<void>) => {
        await isEnding;
        proxy.faults.blackhole = true;
        await pause(50);
        proxy.faults.blackhole = false;
        proxy.resetAll();
      },
      "aborted",
    ],
  ])(
    "and which %s is not sent again, and may be tried again under a key of one's own: paid once",
    async (_how, lose, outcome) => {
      const { db, repo, proxy, quiet } = await behindProxy();
      const account = await repo.people.create(person());
      const key = person().email;
      let runs = 0;
      let isEnding = () => {};
      const ending = new Promise<void>((resolve) => {
        isEnding = resolve;
      });
      const pay = () =>
        db.transaction(async () => {
          runs += 1;
          const [isNew] = await repo.people.createMany([{ email: key, name: "a payment" }], {
            onConflict: "ignore",
            on: "email",
          });
          if (isNew !== undefined) await repo.people.increment(account.id, { score: -10 });
          isEnding();
        });
      const losing = lose(proxy, ending);
      const error = await rejection(pay());
      await losing;
      delete proxy.faults.dropReplyAfter;
      expect([error.code, runs]).toEqual(["COMMIT_OUTCOME_UNKNOWN", 1]);
      expect(await db.outcomeOf(error)).toBe(outcome);
      await pay();
      await pay();
      expect((await repo.people.get(account.id)).score).toBe(-10);
      expect(await repo.people.count({ email: key })).toBe(1);
      await quiet();
    },
  );
});

// 22
it("a deferred constraint that COMMIT meets rolls back, is told to afterRollback, and is not tried again", async () => {
  const { db, repo, client, quiet } = await open();
  await (await client()).run("create table slots (n int unique deferrable initially deferred)");
  const seen: string[] = [];
  const work = db.transaction(async (tx) => {
    seen.push(`run ${tx.attempt}`);
    db.afterCommit(() => void seen.push("committed"));
    db.afterRollback(() => void seen.push("rolled back"));
    await repo.people.create(person());
    await db.sql`insert into workshop.slots values (1), (1)`;
  });
  expect(await rejection(work)).toMatchObject({
    code: "UNIQUE_VIOLATION",
    sqlstate: "23505",
    table: "slots",
  });
  expect(seen).toEqual(["run 1", "rolled back"]);
  expect(await repo.people.count()).toBe(0);
  await quiet();
});

// 23
it("write skew is there at read committed, and at serializable the second of the two runs again", async () => {
  const { db, repo, quiet } = await open();
  const leaveTogether = async (isolation: "read committed" | "repeatable read" | "serializable") => {
    const doctors = await repo.people.createMany([person({ name: "on call" }), person({ name: "on call" })]);
    const haveLooked = meetingOf(2);
    const attempts = await Promise.all(
      doctors.map(({ id }) =>
        db.transaction(
          async (tx) => {
            const others = await repo.people.count({ name: "on call" });
            if (tx.attempt === 1) await haveLooked();
            if (others > 1) await repo.people.update(id, { name: "at home" });
            return tx.attempt;
          },
          { isolation },
        ),
      ),
    );
    const left = await repo.people.count({ name: "on call" });
    await repo.people.updateMany({ where: { name: "on call" } }, { name: "at home" });
    return [left, ...attempts.sort()];
  };
  expect(await leaveTogether("read committed")).toEqual([0, 1, 1]);
  expect(await leaveTogether("repeatable read")).toEqual([0, 1, 1]);
  expect(await leaveTogether("serializable")).toEqual([1, 1, 2]);
  await quiet();
});

// 24
it("a lost update is lost at read committed, and kept by repeatable read, by a lock and by an atomic write", async () => {
  const { db, repo, quiet } = await open();
  const addTwice = async (
    add: (id: string, haveRead: () => Promise<void>) => Promise<unknown>,
    isolation: "read committed" | "repeatable read" = "read committed",
  ) => {
    const { id } = await repo.people.create(person());
    const meeting = meetingOf(2);
    await Promise.all(
      [1, 2].map(() =>
        db.transaction((tx) => add(id, tx.attempt === 1 ? meeting : async () => {}), { isolation }),
      ),
    );
    return (await repo.people.get(id)).score;
  };
  const readThenWrite = async (id: string, haveRead: () => Promise<void>) => {
    const { score } = await repo.people.get(id);
    await haveRead();
    await repo.people.update(id, { score: score + 1 });
  };
  const lockThenWrite = async (id: string) => {
    const { score } = await repo.people.get(id, { lock: "update" });
    await repo.people.update(id, { score: score + 1 });
  };
  expect(await addTwice(readThenWrite)).toBe(1);
  expect(await addTwice(readThenWrite, "repeatable read")).toBe(2);
  expect(await addTwice(lockThenWrite)).toBe(2);
  expect(await addTwice((id) => repo.people.increment(id, { score: 1 }).then(() => {}))).toBe(2);
  await quiet();
});

// 25
describe("rows that several transactions change in different orders", () => {
  async function crossing(
    count: number,
    work: (tools: Workshop, ids: readonly string[]) => Promise<unknown>,
  ) {
    const workshop = await open({ pool: { max: count } });
    const made = await workshop.repo.people.createMany(Array.from({ length: 8 }, () => person()));
    const ids = made.map(({ id }) => id).sort();
    const attempts: number[] = [];
    await Promise.all(
      Array.from({ length: count }, (_, i) =>
        workshop.db.transaction(async (tx) => {
          attempts.push(tx.attempt);
          await work(workshop, i % 2 === 0 ? ids : ids.toReversed());
        }),
      ),
    );
    for (const id of ids) expect((await workshop.repo.people.get(id)).score).toBe(count);
    await workshop.quiet();
    return attempts;
  }

  const inTurn = async ({ repo }: Workshop, ids: readonly string[]) => {
    for (const id of ids) {
      await repo.people.increment(id, { score: 1 });
      await pause(5);
    }
  };

  it("meet in a deadlock, which one of two survives and the other one by running once more", async () => {
    const haveOneEach = meetingOf(2);
    const attempts = await crossing(2, async ({ repo }, ids) => {
      for (const [i, id] of ids.entries()) {
        await repo.people.increment(id, { score: 1 });
        // Of the second run nobody waits: the first two have met.
        if (i === 0) await haveOneEach();
      }
    });
    expect(attempts).toEqual([1, 1, 2]);
  });

  it("meet in none where each takes its locks first, in the order of a sorted read", async () => {
    const attempts = await crossing(6, async (workshop, ids) => {
      await workshop.repo.people.list({ where: { id: { in: ids } }, sort: "id", lock: "update" });
      await inTurn(workshop, ids);
    });
    expect(attempts).toEqual(Array(6).fill(1));
  });

  it("meet in none where each takes one lock by name first", async () => {
    const attempts = await crossing(6, (workshop, ids) =>
      workshop.db.withLock("scores", () => inTurn(workshop, ids)),
    );
    expect(attempts).toEqual(Array(6).fill(1));
  });
});

// 26
it("a storm of retries ends: runs get fewer from attempt to attempt, none beyond its bound, and all add up", async () => {
  const WORKERS = 64;
  const { db, repo, quiet } = await open({ pool: { max: 8 } });
  const { id } = await repo.people.create(person());
  const runs = [0, 0, 0, 0];
  let isInside = 0;
  const ends = await Promise.allSettled(
    Array.from({ length: WORKERS }, () =>
      db.transaction(
        async (tx) => {
          runs[tx.attempt] = (runs[tx.attempt] ?? 0) + 1;
          isInside = Math.max(isInside, db.pool.stats.inUse);
          const { score } = await repo.people.get(id);
          await pause(2);
          await repo.people.update(id, { score: score + 1 });
        },
        { isolation: "repeatable read", retry: { maxAttempts: 3 } },
      ),
    ),
  );
  const given = ends.filter(({ status }) => status === "rejected");
  for (const end of given)
    expect(end).toMatchObject({
      reason: { code: "RETRIES_EXHAUSTED", attempts: 3, cause: { code: "SERIALIZATION_FAILURE" } },
    });
  const [, first = 0, second = 0, third = 0] = runs;
  expect([runs.length, first]).toEqual([4, WORKERS]);
  expect(second).toBeGreaterThan(0);
  expect([second <= first, third <= second, given.length <= third]).toEqual([true, true, true]);
  expect(isInside).toBeLessThanOrEqual(8);
  expect((await repo.people.get(id)).score).toBe(WORKERS - given.length);
  await quiet();
});

// 27
it("what a callback did outside the database is done again with it, and afterCommit once", async () => {
  const workshop = await open();
  const { db, repo, client } = workshop;
  const { id } = await repo.people.create(person());
  const other = await client();
  const [pushed, sent]: [number[], number[]] = [[], []];
  await db.transaction(
    async (tx) => {
      pushed.push(tx.attempt);
      db.afterCommit(() => void sent.push(tx.attempt));
      const { score } = await repo.people.get(id);
      if (tx.attempt < 4) await other.run(`update workshop.people set score = score + 1 where id = '${id}'`);
      await repo.people.update(id, { score });
    },
    { isolation: "repeatable read" },
  );
  expect([pushed, sent]).toEqual([[1, 2, 3, 4], [4]]);
});

/** A statement's text, as the protocol has it: between two NULs. */
const STEPS = /\0(savepoint|release|rollback to)(?: savepoint)? (\w+)\0/gi;

// 28
it("open savepoints never share a name, and each ends before the one around it: nested, side by side, of batches and of Drizzle", async () => {
  const told = await recorder((await open()).url);
  const { db, repo } = await open({ via: told.urlFor, pool: { max: 1 } });
  const fail = async () => Promise.reject(new Error("undo"));
  await db.transaction(async () => {
    await Promise.allSettled([
      db.transaction(() => db.transaction(() => db.transaction(() => repo.people.create(person())))),
      db.transaction(async () => {
        await repo.people.create(person());
        await db.transaction(fail).catch(() => {});
        await db.transaction(async () => repo.people.create(person()));
        throw new Error("undo");
      }),
      db.batch([repo.people.create(person()), repo.people.create(person())]),
      db.drizzle.transaction(async (tx) =>
        tx.transaction(async (inner) => inner.select().from(schema.people)),
      ),
    ]);
  });
  const openOnes: string[] = [];
  let made = 0;
  for (const [, verb = "", name = ""] of told.text().matchAll(STEPS)) {
    if (verb === "savepoint") {
      expect(openOnes).not.toContain(name);
      openOnes.push(name);
      made += 1;
    } else {
      expect(openOnes.at(-1)).toBe(name);
      if (verb === "release") openOnes.pop();
    }
  }
  expect([made, openOnes]).toEqual([9, []]);
  expect(await repo.people.count()).toBe(3);
});

/** Passes bytes on, and keeps what clients have said. */
async function recorder(url: string) {
  const said: Buffer[] = [];
  const { hostname, port } = new URL(url);
  const listener = createServer((client) => {
    const server = createConnection(Number(port), hostname);
    client.on("data", (chunk: Buffer) => said.push(chunk));
    client.pipe(server).pipe(client);
    for (const socket of [client, server]) socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void listener.close());
  const address = listener.address();
  const own = address !== null && typeof address === "object" ? address.port : 0;
  return {
    text: () => Buffer.concat(said).toString("latin1"),
    urlFor(original: string) {
      const changed = new URL(original);
      changed.host = `127.0.0.1:${own}`;
      return changed.href;
    },
  };
}

/** Resolves for everybody once `count` callers have come. */
function meetingOf(count: number): () => Promise<void> {
  let come = 0;
  let open = (): void => {};
  const all = new Promise<void>((resolve) => {
    open = resolve;
  });
  return () => {
    come += 1;
    if (come === count) open();
    return all;
  };
}
