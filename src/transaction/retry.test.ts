import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { rejection } from "../../test/support/rejection.ts";
import { person, type Workshop, workshops } from "../../test/support/workshop.ts";
import { isRetryable, RetriesExhaustedError } from "../errors/index.ts";
import { RetryBudget, retrying } from "./retry.ts";

const open = workshops();

/** Changes the row from another connection, behind the back of whoever has read it. */
async function meddle({ client }: Workshop, id: string): Promise<void> {
  const other = await client();
  await other.run(`update workshop.people set score = score + 1 where id = '${id}'`);
}

describe("a transaction that others were in the way of", () => {
  it("runs its whole callback again, and says which run it is", async () => {
    const workshop = await open();
    const { db, repo, quiet } = workshop;
    const ann = await repo.people.create(person());
    const attempts: number[] = [];
    const result = await db.transaction(
      async (tx) => {
        attempts.push(tx.attempt);
        const { score } = await repo.people.get(ann.id);
        if (tx.attempt < 3) await meddle(workshop, ann.id);
        await repo.people.update(ann.id, { score: score + 100 });
        return score;
      },
      { isolation: "repeatable read" },
    );
    expect(attempts).toEqual([1, 2, 3]);
    expect(result).toBe(2);
    expect((await repo.people.get(ann.id)).score).toBe(102);
    await quiet();
  });

  it("gives up after as many runs as were allowed, with the last failure as the cause", async () => {
    const workshop = await open();
    const { db, repo, quiet } = workshop;
    const ann = await repo.people.create(person());
    let runs = 0;
    const error = await rejection(
      db.transaction(
        async () => {
          runs += 1;
          await repo.people.get(ann.id);
          await meddle(workshop, ann.id);
          await repo.people.update(ann.id, { name: "mine" });
        },
        { isolation: "serializable", retry: { maxAttempts: 3 } },
      ),
    );
    expect(error).toBeInstanceOf(RetriesExhaustedError);
    expect(error).toMatchObject({
      code: "RETRIES_EXHAUSTED",
      attempts: 3,
      cause: { code: "SERIALIZATION_FAILURE" },
    });
    expect([runs, isRetryable(error)]).toEqual([3, false]);
    expect((await repo.people.get(ann.id)).name).not.toBe("mine");
    await quiet();
  });

  it("is run again at its outermost level only, also where a savepoint has swallowed the failure", async () => {
    const workshop = await open();
    const { db, repo, quiet } = workshop;
    const ann = await repo.people.create(person());
    const [outer, inner]: [number[], number[]] = [[], []];
    await db.transaction(
      async (tx) => {
        outer.push(tx.attempt);
        await repo.people.get(ann.id);
        if (tx.attempt === 1) await meddle(workshop, ann.id);
        await db
          .transaction(
            async (nested) => {
              inner.push(nested.attempt);
              await repo.people.increment(ann.id, { score: 10 });
            },
            { retry: { maxAttempts: 9 } },
          )
          .catch(() => {});
        await repo.people.create(person({ name: "beside" }));
      },
      { isolation: "repeatable read" },
    );
    expect([outer, inner]).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect((await repo.people.get(ann.id)).score).toBe(11);
    expect(await repo.people.count({ name: "beside" })).toBe(1);
    await quiet();
  });

  it("is run again after a deadlock, so that both sides finish", async () => {
    const { db, repo, quiet } = await open();
    const [ann, bob] = await repo.people.createMany([person(), person()]);
    const ids = [ann?.id ?? "", bob?.id ?? ""];
    let runs = 0;
    await Promise.all(
      [ids, ids.toReversed()].map(([first = "", second = ""]) =>
        db.transaction(async () => {
          runs += 1;
          await repo.people.increment(first, { score: 1 });
          await pause(100);
          await repo.people.increment(second, { score: 1 });
        }),
      ),
    );
    expect(runs).toBe(3);
    for (const id of ids) expect((await repo.people.get(id)).score).toBe(2);
    await quiet();
  });

  it("is run again when a statement's serialization failure was swallowed and COMMIT became ROLLBACK", async () => {
    const workshop = await open();
    const { db, repo } = workshop;
    const ann = await repo.people.create(person());
    let runs = 0;
    await db.transaction(
      async (tx) => {
        runs = tx.attempt;
        await repo.people.get(ann.id);
        if (tx.attempt === 1) await meddle(workshop, ann.id);
        await repo.people.update(ann.id, { name: "kept" }).catch(() => {});
      },
      { isolation: "repeatable read" },
    );
    expect([runs, (await repo.people.get(ann.id)).name]).toEqual([2, "kept"]);
  });

  it.each([
    ["an error of the callback", async () => Promise.reject(new Error("no"))],
    [
      "a constraint",
      async ({ repo }: Workshop) => {
        await repo.people.create(person({ name: "" }));
      },
    ],
    [
      "a time-out of a statement",
      async ({ db }: Workshop) => {
        await db.sql`set local statement_timeout = 20`;
        await db.sql`select pg_sleep(5)`;
      },
    ],
  ])("is not run again after %s", async (_what, work) => {
    const workshop = await open();
    let runs = 0;
    const failing = workshop.db.transaction(async () => {
      runs += 1;
      await work(workshop);
    });
    await expect(failing).rejects.toBeInstanceOf(Error);
    expect(runs).toBe(1);
  });

  it("keeps many workers on one row within the allowed runs, and their sum exact", async () => {
    const { db, repo, quiet } = await open({ pool: { max: 8 } });
    const ann = await repo.people.create(person());
    const histogram = new Map<number, number>();
    const ends = await Promise.allSettled(
      Array.from({ length: 64 }, async () =>
        db.transaction(
          async (tx) => {
            histogram.set(tx.attempt, (histogram.get(tx.attempt) ?? 0) + 1);
            const { score } = await repo.people.get(ann.id);
            await repo.people.update(ann.id, { score: score + 1 });
          },
          { isolation: "serializable" },
        ),
      ),
    );
    const failures = ends.flatMap((end) => (end.status === "rejected" ? [end.reason as unknown] : []));
    for (const failure of failures) expect(failure).toMatchObject({ code: "RETRIES_EXHAUSTED" });
    expect(Math.max(...histogram.keys())).toBeLessThanOrEqual(5);
    expect((await repo.people.get(ann.id)).score).toBe(64 - failures.length);
    await quiet();
  });
});

describe("retry", () => {
  it.each([
    [{ retry: { maxAttempts: 0 } }, /maxAttempts/],
    [{ retry: { maxAttempts: 101 } }, /maxAttempts/],
    [{ retry: { attempts: 3 } }, /attempts.*maxAttempts/],
    [{ retry: { deadlineMs: -1 } }, /deadlineMs/],
    [{ retry: true }, /retry must be an object/],
    [{ timeoutMs: 0 }, /timeoutMs/],
    [{ timeoutMs: 1.5 }, /timeoutMs/],
    [{ deferrable: true }, /deferrable/],
    [{ deferrable: true, isolation: "serializable" }, /deferrable/],
  ])("refuses %j before anything is sent", async (options, message) => {
    const { db } = await open();
    const error = await rejection(db.transaction(async () => 1, options as object));
    expect(error).toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringMatching(message) as unknown,
    });
  });

  it("stops when the time for another run is over", async () => {
    const failure = Object.assign(new RetriesExhaustedError(1, "x"), { code: "DEADLOCK" });
    let runs = 0;
    const error = await rejection(
      retrying(
        async () => {
          runs += 1;
          await pause(30);
          throw failure;
        },
        { retry: { maxAttempts: 100, deadlineMs: 100 }, budget: new RetryBudget(), signal: undefined },
      ),
    );
    expect(error).toMatchObject({ code: "RETRIES_EXHAUSTED", cause: failure });
    expect(runs).toBeLessThan(5);
  });

  it("lets no more transactions be run again than its budget has, and commits earn more", () => {
    const budget = new RetryBudget();
    let spent = 0;
    while (budget.spend()) spent += 1;
    expect(spent).toBe(500);
    budget.earn();
    expect([budget.spend(), budget.spend(), budget.spend()]).toEqual([true, true, false]);
  });
});

describe("timeoutMs", () => {
  it("ends a transaction whose callback waits for something else, and frees what it locked", async () => {
    const { db, repo, quiet } = await open();
    const ann = await repo.people.create(person());
    let late: unknown;
    const error = await rejection(
      db.transaction(
        async () => {
          await repo.people.increment(ann.id, { score: 1 });
          await pause(400);
          late = await rejection(repo.people.increment(ann.id, { score: 1 }));
        },
        { timeoutMs: 100 },
      ),
    );
    expect(error).toMatchObject({ code: "TRANSACTION_TIMEOUT" });
    await repo.people.increment(ann.id, { score: 5 });
    await pause(450);
    expect(late).toMatchObject({ code: "TRANSACTION_CLOSED" });
    expect((await repo.people.get(ann.id)).score).toBe(5);
    await quiet();
  });

  it("cancels the statement that runs", async () => {
    const { db, quiet } = await open({ pool: { max: 1 } });
    const error = await rejection(db.transaction(async () => db.sql`select pg_sleep(30)`, { timeoutMs: 80 }));
    expect(error).toMatchObject({ code: "TRANSACTION_TIMEOUT" });
    expect(await db.sql`select 1 as one`).toEqual([{ one: 1 }]);
    await quiet();
  });

  it("bounds the runs of one call together", async () => {
    const workshop = await open();
    const { db, repo } = workshop;
    const ann = await repo.people.create(person());
    const startedAt = performance.now();
    const error = await rejection(
      db.transaction(
        async () => {
          await repo.people.get(ann.id);
          await meddle(workshop, ann.id);
          await pause(40);
          await repo.people.update(ann.id, { name: "mine" });
        },
        { isolation: "repeatable read", timeoutMs: 250, retry: { maxAttempts: 100 } },
      ),
    );
    expect(error).toMatchObject({ code: "TRANSACTION_TIMEOUT" });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it("of a nested transaction undoes that one alone", async () => {
    const { db, repo, quiet } = await open();
    await db.transaction(async () => {
      await repo.people.create(person());
      const inner = db.transaction(
        async () => {
          await repo.people.create(person());
          await db.sql`select pg_sleep(30)`;
        },
        { timeoutMs: 80 },
      );
      expect(await rejection(inner)).toMatchObject({ code: "TRANSACTION_TIMEOUT" });
    });
    expect(await repo.people.count()).toBe(1);
    await quiet();
  });
});
