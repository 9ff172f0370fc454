/**
 * What Plinth itself puts into a session, and who finds it there: one connection of the pooler serves two applications
 * (rows 34 and 35 of the fault list; what an application may leave there by its own SQL is in `pgbouncer-faults.test.ts`).
 */
import { setTimeout as pause } from "node:timers/promises";
import { integer, text } from "drizzle-orm/pg-core";
import { Client } from "pg";
import { createDatabase } from "plinth";
import { appSchema, entity, ulidKey } from "plinth/schema";
import { testDatabase } from "plinth/testing";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { canPool, startPgBouncer, type ThrowAwayPgBouncer } from "../support/pgbouncer.ts";
import { directly } from "../support/pooler.ts";
import { rejection } from "../support/rejection.ts";

const app = appSchema("leaks");
const notes = entity(
  app,
  "notes",
  { id: ulidKey(), title: text().notNull().unique(), count: integer().notNull().default(0) },
  { history: true, softDelete: true },
);
const schema = { app, notes };
const WIRES = canPool() ? (["plinth", "pg"] as const) : [];

const { url, close } = await testDatabase({ schema, ...directly("a PgBouncer of its own in front of it") });
afterAll(close);

describe.each(WIRES)("two applications behind one PgBouncer, on the %s wire,", (wire) => {
  let bouncer: ThrowAwayPgBouncer;

  async function open() {
    const db = await createDatabase({
      schema,
      url: bouncer.urlOf(url),
      directUrl: url,
      pool: { max: 4 },
      session: { wire },
      onWarning: () => {},
    });
    onTestFinished(() => db.close());
    return { db, notes: db.repository(notes) };
  }

  describe("with one connection between them", () => {
    beforeAll(async () => {
      bouncer = await startPgBouncer(url, { poolSize: 1 });
      return () => bouncer.stop();
    });

    it("do not meet each other's actor, tenant or time-outs, however the work before has ended", async () => {
      const [one, other] = [await open(), await open()];
      const found = () => other.db.sql`
        select coalesce(current_setting('plinth.user_id', true), '') as "user", coalesce(current_setting('plinth.tenant_id', true), '') as tenant,
          current_setting('statement_timeout') as "statementTimeout", current_setting('lock_timeout') as "lockTimeout",
          current_setting('transaction_isolation') as isolation, current_setting('transaction_read_only') as "readOnly"`;
      const [before] = await found();
      expect(before).toMatchObject({ user: "", tenant: "", isolation: "read committed", readOnly: "off" });
      const made = await one.notes.create({ title: `first ${wire}` });
      const works: Readonly<Record<string, () => PromiseLike<unknown>>> = {
        write: () => one.notes.update(made.id, { count: 1 }),
        batch: () => one.db.batch([one.notes.increment(made.id, { count: 1 }), one.notes.count()]),
        copy: () => one.notes.copyIn([{ title: `copied ${wire}` }]),
        transaction: () => one.db.transaction(() => one.notes.update(made.id, { count: 2 })),
        serializable: () =>
          one.db.transaction(() => one.notes.update(made.id, { count: 3 }), { isolation: "serializable" }),
        readOnly: () => one.db.transaction(() => one.notes.count(), { readOnly: true }),
        nested: () =>
          one.db.transaction(() => one.db.transaction(() => one.notes.update(made.id, { count: 4 }))),
        undone: () =>
          one.db
            .transaction(async () => {
              await one.notes.update(made.id, { count: 5 });
              throw new Error("undo");
            })
            .catch(() => {}),
        failed: () => one.notes.create({ title: `first ${wire}` }).then(undefined, () => {}),
        stopped: () =>
          one.db
            .transaction(
              async () => {
                await one.notes.update(made.id, { count: 6 });
                await one.db.sql`select pg_sleep(30)`;
              },
              { timeoutMs: 100 },
            )
            .catch(() => {}),
        deleted: () => one.notes.delete(made.id),
      };
      for (const [name, work] of Object.entries(works)) {
        await one.db.as({ userId: "ann", tenantId: "a", reason: name }, work);
        expect([name, await found()]).toEqual([name, [before]]);
        const { id } = await other.notes.create({ title: `${name} ${wire}` });
        const { data } = await other.notes.history(id);
        expect([name, data[0]?.actor.userId, data[0]?.actor.tenantId]).toEqual([name, null, null]);
      }
      // What was told to the database was told: the changes themselves have their author.
      const { data } = await one.notes.history(made.id);
      const authors = data.map(({ actor }) => actor.userId);
      expect(authors).toEqual([...Array(authors.length - 1).fill("ann"), null]);
      expect(authors.length).toBeGreaterThan(5);
    });

    it("hear of each other by the server's own address, as LISTEN is refused on the pooler's", async () => {
      const [one, other] = [await open(), await open()];
      expect(await rejection(one.db.sql`listen news`)).toMatchObject({
        code: "INVALID_QUERY",
        message: expect.stringContaining("connect to the server itself"),
      });
      const { host, port, user, database } = one.db.connectionTarget();
      const listener = new Client({ host, port, user, database });
      const heard: unknown[] = [];
      listener.on("notification", ({ payload }) => heard.push(payload));
      await listener.connect();
      onTestFinished(() => listener.end());
      await listener.query("listen news");
      await other.db.transaction(() => other.db.sql`select pg_notify('news', ${wire}::text)`);
      await vi.waitFor(() => expect(heard).toEqual([wire]));
    });
  });

  describe("with a few connections", () => {
    beforeAll(async () => {
      bouncer = await startPgBouncer(url, { poolSize: 4 });
      return () => bouncer.stop();
    });

    it("exclude each other by withLock, over all commits in it, and leave no lock in any session", async () => {
      const [one, other] = [await open(), await open()];
      const { id } = await one.notes.create({ title: `counted ${wire}` });
      const [inside, most] = [{ count: 0 }, { count: 0 }];
      const add = ({ db, notes: own }: typeof one) =>
        db.withLock("counter", async () => {
          inside.count += 1;
          most.count = Math.max(most.count, inside.count);
          const { count } = await db.transaction(() => own.get(id));
          await pause(10);
          await db.transaction(() => own.update(id, { count: count + 1 }));
          inside.count -= 1;
        });
      for (let round = 0; round < 4; round++) await Promise.all([add(one), add(other)]);
      expect([most.count, (await one.notes.get(id)).count]).toEqual([1, 8]);
      const locks = await one.db.sql`
        select count(*)::int4 as locks from pg_locks
        where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`;
      expect(locks).toEqual([{ locks: 0 }]);
    });
  });
});
