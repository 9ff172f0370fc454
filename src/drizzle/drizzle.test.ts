import { inspect } from "node:util";
import { eq, getTableColumns, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { person, workshops } from "../../test/support/workshop.ts";
import { people, samples } from "../../test/support/workshop-schema.ts";

const open = workshops();

describe("db.drizzle", () => {
  it("selects, inserts, updates and deletes on the same rows as the repositories", async () => {
    const { db, repo, quiet } = await open();
    const ann = await repo.people.create(person());
    expect(await db.drizzle.select({ id: people.id }).from(people)).toEqual([{ id: ann.id }]);
    const [bob] = await db.drizzle
      .insert(people)
      .values({ ...person(), id: "b", createdBy: "drizzle" })
      .returning();
    expect(await repo.people.get("b")).toMatchObject({ email: bob?.email, createdBy: "drizzle" });
    await db.drizzle.update(people).set({ name: "Bo" }).where(eq(people.id, "b"));
    expect((await repo.people.get("b")).name).toBe("Bo");
    await db.drizzle.delete(people).where(eq(people.id, "b"));
    expect(await repo.people.find("b")).toBeUndefined();
    // Its delete only stamped the row, and Drizzle shows the dead as well.
    expect(await db.drizzle.$count(people)).toBe(2);
    await quiet();
  });

  it("answers relational queries and prepared ones", async () => {
    const { db, repo } = await open();
    const ann = await repo.people.create(person());
    expect(await db.drizzle.query.people.findMany({ columns: { id: true } })).toEqual([{ id: ann.id }]);
    const byId = db.drizzle
      .select({ name: people.name })
      .from(people)
      .where(eq(people.id, sql.placeholder("id")))
      .prepare("by_id");
    for (let i = 0; i < 3; i++) expect(await byId.execute({ id: ann.id })).toEqual([{ name: "Ann" }]);
    await db.transaction(async () => {
      await repo.people.update(ann.id, { name: "inside" });
      expect(await byId.execute({ id: ann.id })).toEqual([{ name: "inside" }]);
    });
  });

  it("gives the values that Drizzle gives on node-postgres", async () => {
    const { db, url } = await open();
    const client = new pg.Client(url);
    await client.connect();
    onTestFinished(() => client.end());
    const reference = drizzle(client);
    const given = {
      big: 9_007_199_254_740_993n,
      exact: "12345678901234567890.123",
      float: 1.5,
      day: "2026-03-29",
      moment: new Date("2026-11-21T09:20:00.123Z"),
      wall: "2026-11-21 09:20:00.123456",
      document: { a: [1, { b: null }], quote: `"'\\` },
      words: ["a", 'b"c', "d,e", "NULL", "", "\\"],
      numbers: [1, 2, 3],
    };
    await db.drizzle.insert(samples).values({ id: "ours", ...given });
    await reference.insert(samples).values({ id: "theirs", ...given });
    const { id: _, ...columns } = getTableColumns(samples);
    const ours = await db.drizzle.select(columns).from(samples).orderBy(samples.id);
    expect(ours).toEqual([given, given]);
    expect(ours).toEqual(await reference.select(columns).from(samples).orderBy(samples.id));
    const raw = sql`select 1::int8 as big, 1.5::numeric as exact, true as yes, '{1,2}'::int[] as many,
      '{"a":1}'::jsonb as document, '2026-03-29'::date as day, now() - now() as nothing, null as none`;
    const [theirRaw] = (await reference.execute(raw)).rows;
    expect((await db.drizzle.execute(raw)).rows).toEqual([theirRaw]);
  });
});

describe("db.drizzle in a transaction", () => {
  it("joins ours", async () => {
    const { db, repo, quiet } = await open();
    const work = db.transaction(async () => {
      await db.drizzle.insert(people).values({ ...person(), id: "x" });
      expect(await repo.people.count()).toBe(1);
      throw new Error("undo");
    });
    await expect(work).rejects.toThrow("undo");
    expect(await repo.people.count()).toBe(0);
    await quiet();
  });

  it("is a savepoint inside ours, and ours is one inside its own", async () => {
    const { db, repo, quiet } = await open();
    await db.transaction(async () => {
      await repo.people.create(person({ name: "kept" }));
      await db.drizzle
        .transaction(async (tx) => {
          await tx.insert(people).values({ ...person(), id: "x" });
          tx.rollback();
        })
        .catch(() => {});
      expect(await repo.people.count()).toBe(1);
    });
    await db.drizzle.transaction(async (tx) => {
      await tx.insert(people).values({ ...person({ name: "kept too" }), id: "y" });
      await db
        .transaction(async () => {
          await repo.people.create(person());
          throw new Error("undo");
        })
        .catch(() => {});
      await tx
        .transaction(async (inner) => {
          await inner.insert(people).values({ ...person(), id: "z" });
          throw new Error("undo");
        })
        .catch(() => {});
      expect(await tx.$count(people)).toBe(2);
    });
    expect((await repo.people.list({ sort: "name" })).data.map((row) => row.name)).toEqual([
      "kept",
      "kept too",
    ]);
    await quiet();
  });

  it("rolls back on tx.rollback() and rejects with Drizzle's own error", async () => {
    const { db, repo, quiet } = await open();
    const work = db.drizzle.transaction(async (tx) => {
      await tx.insert(people).values({ ...person(), id: "x" });
      tx.rollback();
    });
    await expect(work).rejects.toThrow("Rollback");
    expect(await repo.people.count()).toBe(0);
    await quiet();
  });

  it("takes Drizzle's isolation and access mode, and refuses what it would ignore", async () => {
    const { db } = await open();
    const level = await db.drizzle.transaction(
      async (tx) => (await tx.execute(sql`show transaction_isolation`)).rows,
      { isolationLevel: "serializable" },
    );
    expect(level).toEqual([{ transaction_isolation: "serializable" }]);
    const writing = db.drizzle.transaction(async (tx) => tx.insert(people).values({ ...person(), id: "x" }), {
      accessMode: "read only",
    });
    await expect(writing).rejects.toMatchObject({ code: "READ_ONLY" });
    const deferrable = db.drizzle.transaction(async () => 1, {
      isolationLevel: "serializable",
      deferrable: true,
    });
    await expect(deferrable).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    const [report] = await db.drizzle.transaction(
      async (tx) => (await tx.execute(sql`show transaction_deferrable`)).rows,
      { isolationLevel: "serializable", accessMode: "read only", deferrable: true },
    );
    expect(report).toEqual({ transaction_deferrable: "on" });
    const nested = db.transaction(async () =>
      db.drizzle.transaction(async () => 1, { isolationLevel: "serializable" }),
    );
    await expect(nested).rejects.toMatchObject({ code: "TRANSACTION_CONTROL" });
  });

  it("closes its handle with it", async () => {
    const { db, repo } = await open();
    const kept = await db.drizzle.transaction(async (tx) => [tx]);
    const [tx] = kept;
    await expect(tx?.insert(people).values({ ...person(), id: "x" })).rejects.toMatchObject({
      code: "TRANSACTION_CLOSED",
    });
    expect(await repo.people.count()).toBe(0);
  });

  it.each(["commit", "rollback", "end", "abort", "savepoint a", "/* c */ commit", ";commit", "-- x\ncommit"])(
    "cannot end ours with %j",
    async (text) => {
      const { db, repo } = await open();
      await db.transaction(async () => {
        await repo.people.create(person());
        await expect(db.drizzle.execute(sql.raw(text))).rejects.toMatchObject({
          code: "TRANSACTION_CONTROL",
        });
        await expect(db.drizzle.execute(text)).rejects.toMatchObject({ code: "TRANSACTION_CONTROL" });
      });
      expect(await repo.people.count()).toBe(1);
    },
  );

  it("cannot end ours with a text of several statements, nor through a procedure", async () => {
    const { db, repo, client, quiet } = await open();
    await (await client()).run("create procedure end_it() language plpgsql as $$ begin commit; end $$");
    for (const text of ["select 1; commit", "call workshop.end_it()", "do $$ begin commit; end $$"]) {
      const work = db.transaction(async () => {
        await repo.people.create(person());
        await db.drizzle.execute(sql.raw(text));
      });
      await expect(work).rejects.toMatchObject({ code: expect.stringMatching(/^[A-Z_]+$/) });
      expect(await repo.people.count()).toBe(0);
    }
    await quiet();
  });
});

describe("an error of db.drizzle", () => {
  it("is Plinth's, with its code and without the parameters' values", async () => {
    const { db, repo } = await open();
    const marker = "s3cret-marker";
    const ann = await repo.people.create(person({ email: `${marker}@example.test` }));
    const insert = () => db.drizzle.insert(people).values({ id: "x", email: ann.email, name: marker });
    const attempts = [
      () => insert(),
      () => insert().returning(),
      () => insert().prepare("p").execute(),
      () => db.drizzle.execute(sql`select ${marker}::int`),
      () => db.drizzle.query.people.findMany({ where: sql`${people.score} = ${marker}` }),
      () => db.drizzle.transaction(async (tx) => tx.execute(sql`select ${marker}::int`)),
    ];
    for (const attempt of attempts) {
      const error: unknown = await Promise.resolve(attempt()).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: expect.stringMatching(/^(UNIQUE_VIOLATION|INVALID_DATA)$/) });
      expect(inspect(error, { depth: 10 }) + JSON.stringify(error)).not.toContain(marker);
    }
  });

  it("refuses an object as a parameter before anything is sent", async () => {
    const { db } = await open();
    const smuggled = { toPostgres: () => "1 or true" };
    await expect(db.drizzle.execute(sql`select ${smuggled}`)).rejects.toMatchObject({
      code: "INVALID_VALUE",
    });
  });
});
