import { EventEmitter } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { startProxy } from "../../test/support/proxy.ts";
import { person, type Workshop, type WorkshopOptions, workshops } from "../../test/support/workshop.ts";
import { people } from "../../test/support/workshop-schema.ts";
import type { Transaction } from "../database.ts";

const open = workshops();

/** A workshop behind a proxy that can misbehave. */
async function behindProxy(options: WorkshopOptions = {}) {
  const proxy = await startProxy((await open()).url);
  const { urlFor, faults, close } = proxy;
  onTestFinished(() => close());
  const workshop = await open({ ...options, via: urlFor });
  return { ...workshop, faults, proxy };
}

describe("the handle of a transaction that is over", () => {
  it("throws TRANSACTION_CLOSED after commit and after rollback", async () => {
    const { db, repo, quiet } = await open();
    const kept: Transaction<Record<string, unknown>>[] = [];
    await db.transaction(async (tx) => void kept.push(tx));
    await db
      .transaction(async (tx) => {
        kept.push(tx);
        throw new Error("undo");
      })
      .catch(() => {});
    await db.transaction(async () => db.transaction(async (tx) => void kept.push(tx)));
    expect(kept).toHaveLength(3);
    for (const tx of kept) {
      await expect(tx.sql`select 1 as one`).rejects.toMatchObject({ code: "TRANSACTION_CLOSED" });
      await expect(tx.repository(people).create(person())).rejects.toMatchObject({
        code: "TRANSACTION_CLOSED",
      });
      await expect(tx.transaction(async () => 1)).rejects.toMatchObject({ code: "TRANSACTION_CLOSED" });
    }
    expect(await repo.people.count()).toBe(0);
    await quiet();
  });

  it("is closed to late promises, timers and events, also through the root database", async () => {
    const { db, repo, quiet } = await open();
    const emitter = new EventEmitter();
    const late: Promise<unknown>[] = [];
    const catching = (work: PromiseLike<unknown>) =>
      late.push(Promise.resolve(work).catch((error: unknown) => error));
    await db.transaction(async () => {
      catching(pause(30).then(() => repo.people.create(person())));
      catching(
        new Promise((resolve, reject) => setTimeout(() => db.sql`select 1 as one`.then(resolve, reject), 30)),
      );
      catching(pause(30).then(() => db.transaction(async () => 1)));
      catching(pause(30).then(() => db.batch([repo.people.create(person())])));
      catching(pause(30).then(() => db.drizzle.select().from(people)));
    });
    await db.transaction(async () => {
      // The listener runs in the context of whoever emits: not in this one.
      emitter.once("later", () => catching(repo.people.count()));
    });
    const ends = await Promise.all(late);
    expect(ends).toHaveLength(5);
    for (const end of ends) expect(end).toMatchObject({ code: "TRANSACTION_CLOSED" });
    emitter.emit("later");
    expect(await late.at(-1)).toBe(0);
    await quiet();
  });
});

describe("commit", () => {
  it("refuses to look like success after a swallowed error, and says which came first", async () => {
    const { db, repo, quiet } = await open();
    const work = db.transaction(async () => {
      await repo.people.create(person());
      await repo.people.create(person({ name: "" })).catch(() => {});
      await repo.people.count().catch(() => {});
      return "looks fine";
    });
    await expect(work).rejects.toMatchObject({
      code: "TRANSACTION_ABORTED",
      cause: { code: "CHECK_VIOLATION", constraint: "people_name_not_blank" },
    });
    expect(await repo.people.count()).toBe(0);
    await quiet();
  });

  it("reports a statement that failed without being awaited", async () => {
    const { db, repo, quiet } = await open();
    const work = db.transaction(async () => {
      await repo.people.create(person());
      repo.people.create(person({ name: "" })).catch(() => {});
    });
    await expect(work).rejects.toMatchObject({
      code: "TRANSACTION_ABORTED",
      cause: { code: "CHECK_VIOLATION" },
    });
    expect(await repo.people.count()).toBe(0);
    await quiet();
  });

  it("surfaces a deferred constraint as its own error, with everything rolled back", async () => {
    const { db, repo, client, quiet } = await open();
    await (await client()).run("create table slots (n int unique deferrable initially deferred)");
    const work = db.transaction(async () => {
      await repo.people.create(person());
      await db.sql`insert into workshop.slots values (1), (1)`;
    });
    await expect(work).rejects.toMatchObject({ code: "UNIQUE_VIOLATION", table: "slots" });
    expect(await repo.people.count()).toBe(0);
    expect(db.pool.stats.total).toBe(1);
    await quiet();
  });

  it("says that the outcome is unknown when its reply is lost, and the row is there", async () => {
    const { db, repo, faults, quiet } = await behindProxy();
    faults.dropReplyAfter = /commit/i;
    const ann = person();
    const error: unknown = await db
      .transaction(async () => repo.people.create(ann))
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "COMMIT_OUTCOME_UNKNOWN", cause: { code: "CONNECTION_LOST" } });
    const { isRetryable } = await import("../errors/index.ts");
    expect(isRetryable(error)).toBe(false);
    delete faults.dropReplyAfter;
    expect(await repo.people.findBy({ email: ann.email })).toMatchObject(ann);
    await quiet();
  });

  it("knows the outcome when the connection was lost before COMMIT was sent", async () => {
    const { db, repo, client, quiet } = await open();
    const other = await client();
    const work = db.transaction(async () => {
      await repo.people.create(person());
      await terminate(db, other);
    });
    await expect(work).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    expect(await repo.people.count()).toBe(0);
    await quiet();
  });

  it("gives up on a silent server, and the connection is discarded", async () => {
    const { db, repo, proxy, quiet } = await behindProxy({ pool: { acquireTimeoutMs: 2_000 } });
    const controller = new AbortController();
    const work = db.transaction(
      async () => {
        await repo.people.create(person());
        proxy.forgetAll();
        setTimeout(() => controller.abort(), 50);
        await repo.people.count();
      },
      { signal: controller.signal },
    );
    await expect(work).rejects.toMatchObject({ code: "QUERY_CANCELED" });
    expect(await repo.people.count()).toBe(0);
    await quiet();
  });
});

/** Ends the backend of the transaction we are in, and waits until this side knows. */
async function terminate(db: Workshop["db"], other: Awaited<ReturnType<Workshop["client"]>>): Promise<void> {
  const [row] = await db.sql<{ pid: number }>`select pg_backend_pid() as pid`;
  await other.run(`select pg_terminate_backend(${row?.pid}, 5000)`);
  await pause(50);
}

describe("begin", () => {
  it("that fails lets nothing after it run", async () => {
    const { db, repo, client, quiet } = await open({ pool: { max: 1 } });
    await repo.people.count();
    const other = await client();
    const [row] = await db.sql<{ pid: number }>`select pg_backend_pid() as pid`;
    let hasRun = false;
    // Between the last use and BEGIN: the pool has not noticed when it lends the connection.
    await db.sql`select 1 as one`;
    const terminating = other.run(`select pg_terminate_backend(${row?.pid}, 5000)`);
    const outcomes: unknown[] = [];
    for (let attempt = 0; attempt < 20; attempt++) {
      outcomes.push(
        await db
          .transaction(async () => {
            hasRun = true;
            await repo.people.create(person());
            throw new Error("undo");
          })
          .catch((error: unknown) => error),
      );
    }
    await terminating;
    expect(hasRun).toBe(true);
    for (const outcome of outcomes) {
      expect(["CONNECTION_LOST", "undo"]).toContain(codeOrMessage(outcome));
    }
    expect(await repo.people.count()).toBe(0);
    await quiet();
  });

  it("whose reply is lost takes its statement with it, and what was called meanwhile", async () => {
    const { db, repo, faults, quiet } = await behindProxy();
    await repo.people.count();
    faults.dropReplyAfter = /begin/i;
    const work = db.transaction(async () => {
      await Promise.all([repo.people.create(person()), repo.people.create(person())]);
    });
    await expect(work).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    delete faults.dropReplyAfter;
    expect(await repo.people.count()).toBe(0);
    await quiet();
  });

  it("is not sent before there is a statement for it to travel with", async () => {
    const { db, repo, proxy, quiet } = await behindProxy({ pool: { max: 1 } });
    await repo.people.count();
    proxy.faults.dropReplyAfter = /begin|commit/i;
    expect(await db.transaction(async () => "nothing to do")).toBe("nothing to do");
    delete proxy.faults.dropReplyAfter;
    const canceled = db.transaction(async () => {
      await expect(repo.people.count().withSignal(AbortSignal.abort())).rejects.toMatchObject({
        code: "QUERY_CANCELED",
      });
      await repo.people.create(person());
      throw new Error("undo");
    });
    await expect(canceled).rejects.toThrow("undo");
    expect(await repo.people.count()).toBe(0);
    await quiet();
  });
});

function codeOrMessage(error: unknown): unknown {
  return error instanceof Error && "code" in error
    ? error.code
    : error instanceof Error
      ? error.message
      : error;
}

describe("a session that is lost in the middle", () => {
  it("says that the transaction was idle for too long, also when nothing ran after", async () => {
    const { db, repo, quiet } = await open({ session: { idleInTransactionTimeoutMs: 100 } });
    const idle = (after: () => PromiseLike<unknown>) =>
      db.transaction(async () => {
        await repo.people.create(person());
        await pause(600);
        return after();
      });
    for (const after of [() => repo.people.count(), async () => "nothing"]) {
      const error: unknown = await idle(after).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: "CONNECTION_LOST", cause: { code: "TRANSACTION_TIMEOUT" } });
    }
    expect(await repo.people.count()).toBe(0);
    await quiet();
  });

  it("is not lost to a statement that took too long: that one fails, and all is rolled back", async () => {
    const { db, repo, quiet } = await open({ session: { statementTimeoutMs: 200 }, pool: { max: 1 } });
    const [before] = await db.sql<{ pid: number }>`select pg_backend_pid() as pid`;
    const work = db.transaction(async () => {
      await repo.people.create(person());
      await db.sql`select pg_sleep(30)`;
    });
    await expect(work).rejects.toMatchObject({ code: "STATEMENT_TIMEOUT" });
    expect(await db.sql`select pg_backend_pid() as pid`).toEqual([before]);
    expect(await repo.people.count()).toBe(0);
    await quiet();
  });

  it("fails the statement, the savepoints around it and the transaction, and leaks nothing", async () => {
    const { db, repo, client, quiet } = await open();
    const other = await client();
    const work = db.transaction(async () => {
      await repo.people.create(person());
      await db
        .transaction(async () => {
          await repo.people.create(person());
          await terminate(db, other);
          await repo.people.count();
        })
        .catch(() => {});
      return "swallowed";
    });
    await expect(work).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    expect(await repo.people.count()).toBe(0);
    await quiet();
  });
});
