import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { directly } from "../../test/support/pooler.ts";
import { rejection } from "../../test/support/rejection.ts";
import { person, workshops } from "../../test/support/workshop.ts";

const open = workshops();

/** Runs `work` as another request would: outside the async context of the caller. */
const outside = AsyncLocalStorage.snapshot();

describe("db.withLock", () => {
  it("lets one at a time in, and what the last one committed is seen by the next", async () => {
    const sessions = directly(
      "each that waits for a lock has a session of the server, and the run's pooler has few",
    );
    const { db, repo, quiet } = await open({ ...sessions, pool: { max: 8 } });
    const ann = await repo.people.create(person());
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 3 }, () =>
        db.withLock("counter", async () => {
          most = Math.max(most, ++inside);
          // Read, think, write: what a lock is for.
          const score = await db.transaction(async () => (await repo.people.get(ann.id)).score);
          await pause(20);
          await db.transaction(async () => repo.people.update(ann.id, { score: score + 1 }));
          inside -= 1;
        }),
      ),
    );
    expect([most, (await repo.people.get(ann.id)).score]).toEqual([1, 3]);
    await quiet();
  });

  it("outlives the commits in it, and is gone when the work has ended or failed", async () => {
    const { db, repo, quiet } = await open();
    const isTaken = async () =>
      outside(() =>
        db
          .withLock("job", async () => "free", { wait: "nowait" })
          .catch((error: { code?: unknown }) => error.code),
      );
    const failing = db.withLock("job", async () => {
      await db.transaction(async () => repo.people.create(person()));
      expect(await isTaken()).toBe("LOCK_TIMEOUT");
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(await isTaken()).toBe("free");
    expect(await repo.people.count()).toBe(1);
    await quiet();
  });

  it("inside a transaction is held until that commits, on its own connection", async () => {
    const { db, repo, quiet } = await open({ pool: { max: 2 } });
    const other = (key: string) =>
      outside(() =>
        db
          .withLock(key, async () => "free", { wait: "nowait" })
          .catch((error: { code?: unknown }) => error.code),
      );
    await db.transaction(async (tx) => {
      const made = await db.withLock("ambient", async () => repo.people.create(person()));
      expect(made.id).toBeTypeOf("string");
      await tx.withLock("handle", async () => {});
      expect([await other("ambient"), await other("handle"), await other("none")]).toEqual([
        "LOCK_TIMEOUT",
        "LOCK_TIMEOUT",
        "free",
      ]);
      const [settings] = await db.sql<{ lock: string; statement: string }>`
        select current_setting('lock_timeout') as lock, current_setting('statement_timeout') as statement`;
      const outer = await outside(
        () =>
          db.sql`select current_setting('lock_timeout') as lock, current_setting('statement_timeout') as statement`,
      );
      if (process.env.PLINTH_TEST_POOLER !== "1") expect([settings]).toEqual(outer);
    });
    expect([await other("ambient"), await other("handle")]).toEqual(["free", "free"]);
    await quiet();
  });

  it("gives up after timeoutMs, and waits longer than a statement may run", async () => {
    const { db, quiet } = await open({ session: { statementTimeoutMs: 100, lockTimeoutMs: 100 } });
    const seen: unknown[] = [];
    await db.withLock("slow", async () => {
      const impatient = outside(() => db.withLock("slow", async () => 1, { timeoutMs: 50 }));
      seen.push((await rejection(impatient)).code);
      const patient = outside(() => db.withLock("slow", async () => "after"));
      await pause(300);
      seen.push("work ends");
      void patient.then((value) => seen.push(value));
    });
    await expect.poll(() => seen).toEqual(["LOCK_TIMEOUT", "work ends", "after"]);
    await quiet();
  });

  it("tells the work when the lock is lost, and does not look like success", async () => {
    const { db, client } = await open(directly("its own backend is ended"));
    const other = await client();
    let signaled: unknown;
    const error = await rejection(
      db.withLock("job", async (signal) => {
        await other.run(`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'
          and database = (select oid from pg_database where datname = current_database())`);
        await expect.poll(() => signal.aborted).toBe(true);
        signaled = signal.reason;
      }),
    );
    expect(error).toMatchObject({
      code: "CONNECTION_LOST",
      message: expect.stringContaining("held the lock") as unknown,
    });
    expect(signaled).toMatchObject({ code: "CONNECTION_LOST" });
  });

  it("says so where every connection holds a lock and its work waits for another", async () => {
    const { db, quiet } = await open({ pool: { max: 1 } });
    const error = await rejection(db.withLock("job", async () => db.sql`select 1 as one`));
    expect(error.code).toBe("POOL_DEADLOCK");
    await quiet();
  });

  it.each(["", "a\0b", "\ud800", 7, null, undefined])("refuses %j as a key", async (key) => {
    const { db } = await open();
    expect(await rejection(db.withLock(key as string, async () => 1))).toMatchObject({
      code: "INVALID_VALUE",
    });
  });

  it.each([{ wait: "skip" }, { timeoutMs: 0 }, { timeout: 5 }])("refuses %j", async (options) => {
    const { db } = await open();
    const error = await rejection(db.withLock("job", async () => 1, options as object));
    expect(error).toMatchObject({ code: "CONFIG_INVALID" });
  });
});
