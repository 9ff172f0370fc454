import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { person, workshops } from "../../test/support/workshop.ts";

const open = workshops();

describe("transaction", () => {
  it("commits what its callback did and gives its result", async () => {
    const { db, repo, quiet } = await open();
    const ann = await db.transaction(async () => repo.people.create(person()));
    expect(await repo.people.find(ann.id)).toEqual(ann);
    await quiet();
  });

  it("rolls back when the callback throws, and throws the same error", async () => {
    const { db, repo, quiet } = await open();
    const failure = new Error("business says no");
    const work = db.transaction(async () => {
      await repo.people.create(person());
      throw failure;
    });
    await expect(work).rejects.toBe(failure);
    expect(await repo.people.count()).toBe(0);
    await quiet();
  });

  it("rolls back when the callback throws before its first await, or is no async function", async () => {
    const { db, quiet } = await open();
    const throwing = () => {
      throw new TypeError("at once");
    };
    await expect(db.transaction(throwing)).rejects.toThrow("at once");
    await quiet();
  });

  it("runs everything on one connection, through awaits, timers and Promise.all", async () => {
    const { db, quiet } = await open();
    const backend = async () => (await db.sql<{ pid: number }>`select pg_backend_pid() as pid`)[0]?.pid;
    await db.transaction(async () => {
      const first = await backend();
      await pause(5);
      const later = await new Promise((resolve) => setTimeout(() => resolve(backend()), 5));
      const together = await Promise.all([backend(), Promise.resolve().then(backend), backend()]);
      expect(new Set([first, later, ...together]).size).toBe(1);
    });
    await quiet();
  });

  it("is seen by nobody outside until it commits, and by two callers at once each for itself", async () => {
    const { db, repo, quiet } = await open();
    const [haveWritten, haveRead] = [meetingOf(2), meetingOf(2)];
    const seen = await Promise.all(
      ["a", "b"].map((name) =>
        db.transaction(async () => {
          await repo.people.create(person({ name }));
          await haveWritten();
          const names = (await repo.people.list()).data.map((row) => row.name);
          await haveRead();
          return names;
        }),
      ),
    );
    expect(seen).toEqual([["a"], ["b"]]);
    expect(await repo.people.count()).toBe(2);
    await quiet();
  });

  it("runs a lazy query that the callback returns inside, not after", async () => {
    const { db, repo } = await open();
    const work = db.transaction(
      (tx) => tx.sql`insert into workshop.people (id, email, name) values ('1', 'x', '')`,
    );
    await expect(work).rejects.toMatchObject({ code: "CHECK_VIOLATION" });
    const [row] = await db.transaction(
      () => db.sql<{ level: string }>`select current_setting('transaction_isolation') as level`,
      { isolation: "serializable" },
    );
    expect(row?.level).toBe("serializable");
    expect(await repo.people.count()).toBe(0);
  });

  it("gives its explicit handle repositories and sql of the same transaction", async () => {
    const { db, repo, quiet } = await open();
    const { people } = await import("../../test/support/workshop-schema.ts");
    const work = db.transaction(async (tx) => {
      const ann = await tx.repository(people).create(person());
      expect(await tx.sql`select id from workshop.people`).toEqual([{ id: ann.id }]);
      expect(await repo.people.count()).toBe(1);
      throw new Error("undo");
    });
    await expect(work).rejects.toThrow("undo");
    expect(await repo.people.count()).toBe(0);
    await quiet();
  });

  it("needs no second connection for repositories, sql, drizzle, batches and nested ones with max 1", async () => {
    const { db, repo, quiet } = await open({ pool: { max: 1, acquireTimeoutMs: 1_000 } });
    const { people } = await import("../../test/support/workshop-schema.ts");
    const count = await db.transaction(async () => {
      await repo.people.create(person());
      await db.sql`select 1 as one`;
      await db.drizzle.select().from(people);
      await db.batch([repo.people.create(person()), repo.people.count()]);
      await db.transaction(async () => db.drizzle.transaction(async (tx) => tx.select().from(people)));
      return repo.people.count();
    });
    expect(count).toBe(2);
    await quiet();
  });

  it("refuses to wait for a second connection that can never come, and names both lines", async () => {
    const { db, quiet } = await open({ pool: { max: 1, acquireTimeoutMs: 60_000 } });
    const work = db.transaction(async function transferMoney() {
      return db.pool.use(async function lookAside(connection) {
        return connection.isOpen;
      });
    });
    const error: unknown = await work.catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "POOL_DEADLOCK" });
    const places = String(error).match(/transaction\.test\.ts:\d+/g) ?? [];
    expect(new Set(places).size).toBe(2);
    await quiet();
  });

  it("does not share its connection with another database of the same process", async () => {
    const [one, other] = [await open(), await open()];
    await one.db
      .transaction(async () => {
        await one.repo.people.create(person());
        await other.repo.people.create(person());
        throw new Error("undo");
      })
      .catch(() => {});
    expect([await one.repo.people.count(), await other.repo.people.count()]).toEqual([0, 1]);
    await one.quiet();
    await other.quiet();
  });

  it("keeps a connection error of another database from spoiling its own rollback", async () => {
    const [one, other] = [await open(), await open()];
    await other.db.close();
    await one.db.transaction(async () => {
      await one.db
        .transaction(async () => {
          await one.repo.people.create(person());
          await failingConnection();
        })
        .catch(() => {});
    });
    expect(await one.repo.people.count()).toBe(0);
    await one.quiet();
  });
});

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

/** As a call to a server that is away fails. */
async function failingConnection(): Promise<never> {
  const { connect, parseTarget } = await import("../driver/index.ts");
  const connection = await connect(parseTarget("postgres://nobody@127.0.0.1:1/nowhere"));
  throw new Error(`connected to ${connection.id}`);
}

describe("options", () => {
  it("sets each isolation level for real", async () => {
    const { db } = await open();
    const levelIn = (isolation?: "read committed" | "repeatable read" | "serializable") =>
      db.transaction(
        async () =>
          (await db.sql<{ transaction_isolation: string }>`show transaction_isolation`)[0]
            ?.transaction_isolation,
        isolation === undefined ? {} : { isolation },
      );
    expect([
      await levelIn(),
      await levelIn("read committed"),
      await levelIn("repeatable read"),
      await levelIn("serializable"),
    ]).toEqual(["read committed", "read committed", "repeatable read", "serializable"]);
  });

  it("refuses a write of a read-only transaction", async () => {
    const { db, repo, quiet } = await open();
    const work = db.transaction(async () => repo.people.create(person()), { readOnly: true });
    await expect(work).rejects.toMatchObject({ code: "READ_ONLY", sqlstate: "25006" });
    await quiet();
  });

  it("refuses an isolation level and an option that do not exist, and sends nothing", async () => {
    const { db } = await open();
    const before = db.pool.stats;
    const level: string = "serialisable; drop table people";
    const misspelt = { isolation: level };
    await expect(db.transaction(async () => 1, misspelt as never)).rejects.toMatchObject({
      code: "CONFIG_INVALID",
    });
    const unknown = { readonly: true };
    await expect(db.transaction(async () => 1, unknown as never)).rejects.toThrow(
      'unknown option "readonly"',
    );
    expect(db.pool.stats).toEqual(before);
  });

  it("refuses isolation and readOnly on a nested transaction, and leaves the outer one whole", async () => {
    const { db, repo } = await open();
    await db.transaction(async () => {
      await repo.people.create(person());
      for (const options of [
        { isolation: "serializable" },
        { readOnly: true },
        { readOnly: false },
      ] as const) {
        await expect(db.transaction(async () => 1, options)).rejects.toMatchObject({
          code: "TRANSACTION_CONTROL",
        });
      }
    });
    expect(await repo.people.count()).toBe(1);
  });

  it("surfaces 40001 and 40P01 as errors that may be retried", async () => {
    const { db, repo, quiet } = await open();
    const { isRetryable } = await import("../errors/index.ts");
    const ann = await repo.people.create(person());
    const bob = await repo.people.create(person());
    const conflict: unknown = await db
      .transaction(
        async () => {
          await repo.people.count();
          await outside(() => repo.people.update(ann.id, { name: "B" }));
          await repo.people.update(ann.id, { name: "C" });
        },
        { isolation: "repeatable read", retry: false },
      )
      .catch((error: unknown) => error);
    expect(conflict).toMatchObject({ code: "SERIALIZATION_FAILURE", sqlstate: "40001" });
    expect(isRetryable(conflict)).toBe(true);

    const crossed = await Promise.allSettled(
      [
        [ann.id, bob.id],
        [bob.id, ann.id],
      ].map(([first = "", second = ""]) =>
        db.transaction(
          async () => {
            await repo.people.increment(first, { score: 1 });
            await pause(100);
            await repo.people.increment(second, { score: 1 });
          },
          { retry: false },
        ),
      ),
    );
    const failures = crossed.flatMap((result) =>
      result.status === "rejected" ? [result.reason as unknown] : [],
    );
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({ code: "DEADLOCK", sqlstate: "40P01" });
    expect(isRetryable(failures[0])).toBe(true);
    await quiet();
  });
});

/** Runs `work` as another request would: outside the async context of the caller. */
async function outside<T>(work: () => PromiseLike<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    outsideQueue.push(() => void Promise.resolve(work()).then(resolve, reject));
  });
}
const outsideQueue: (() => void)[] = [];
setInterval(() => outsideQueue.shift()?.(), 5).unref();

describe("signal", () => {
  it("cancels the running statement on the server and rolls back", async () => {
    const { db, repo, client, quiet } = await open();
    const controller = new AbortController();
    const started = performance.now();
    const work = db.transaction(
      async () => {
        await repo.people.create(person());
        setTimeout(() => controller.abort(new Error("client left")), 50);
        await db.sql`select pg_sleep(60)`;
      },
      { signal: controller.signal },
    );
    await expect(work).rejects.toMatchObject({ code: "QUERY_CANCELED" });
    expect(performance.now() - started).toBeLessThan(30_000);
    expect(await repo.people.count()).toBe(0);
    const running =
      "select count(*) from pg_stat_activity where query like '%pg_sleep(60)%' and state = 'active' and datname = current_database() and pid <> pg_backend_pid()";
    expect(await (await client()).run(running)).toEqual([["0"]]);
    await quiet();
  });

  it("keeps an aborted transaction from committing when no statement ran at that moment", async () => {
    const { db, repo, quiet } = await open();
    const controller = new AbortController();
    const work = db.transaction(
      async () => {
        await repo.people.create(person());
        controller.abort();
        return "done";
      },
      { signal: controller.signal },
    );
    await expect(work).rejects.toMatchObject({ code: "QUERY_CANCELED" });
    expect(await repo.people.count()).toBe(0);
    await quiet();
  });

  it("does not start when it was aborted before", async () => {
    const { db } = await open();
    const work = db.transaction(async () => "never", { signal: AbortSignal.abort() });
    await expect(work).rejects.toMatchObject({ code: "QUERY_CANCELED" });
  });

  it("of one query inside cancels that query", async () => {
    const { db, repo, quiet } = await open();
    const signal = AbortSignal.timeout(50);
    await db.transaction(async () => {
      const nested = db.transaction(async () => db.sql`select pg_sleep(60)`.withSignal(signal));
      await expect(nested).rejects.toMatchObject({ code: "QUERY_CANCELED" });
      await repo.people.create(person());
    });
    expect(await repo.people.count()).toBe(1);
    await quiet();
  });

  it("of a nested transaction undoes that one alone", async () => {
    const { db, repo, quiet } = await open();
    await db.transaction(async () => {
      await repo.people.create(person());
      const controller = new AbortController();
      const nested = db.transaction(
        async () => {
          await repo.people.create(person());
          controller.abort();
        },
        { signal: controller.signal },
      );
      await expect(nested).rejects.toMatchObject({ code: "QUERY_CANCELED" });
    });
    expect(await repo.people.count()).toBe(1);
    await quiet();
  });
});
