import { afterAll, aroundEach, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../database.ts";
import { type TestDatabase, testDatabase, withRollback } from "./index.ts";
import * as schema from "./shop.fixture.ts";

let database: TestDatabase<typeof schema>;
let db: Database<typeof schema>;
beforeAll(async () => {
  database = await testDatabase({ schema, setup: deferOwners });
  db = database.db;
});
afterAll(() => database.close());

/** A project may come before its owner, as long as both are there at the end. */
async function deferOwners(opened: Database<typeof schema>): Promise<void> {
  await opened.sql`alter table shop.projects alter constraint projects_owner_id_users_id_fk deferrable initially deferred`;
}

const ann = { email: "ann@example.com", fullName: "Ann" };
const users = () => db.repository(schema.users);
const projects = () => db.repository(schema.projects);

describe("withRollback", () => {
  it("gives the result of its work and leaves no trace of it", async () => {
    const created = await withRollback(db, async () => {
      const user = await users().create(ann);
      expect(await users().count()).toBe(1);
      return user;
    });
    expect(created.email).toBe(ann.email);
    expect(await users().count()).toBe(0);
  });

  it("is invisible to other connections", async () => {
    await withRollback(db, async () => {
      await users().create(ann);
      const seen = await db.pool.use((connection) =>
        connection.query({ text: "select count(*) from shop.users", values: [] }),
      );
      expect(seen.rows).toEqual([["0"]]);
    });
  });

  it("makes a transaction inside a savepoint, which fails alone", async () => {
    await withRollback(db, async () => {
      await users().create(ann);
      await expect(db.transaction(() => users().create(ann))).rejects.toMatchObject({
        code: "UNIQUE_VIOLATION",
      });
      await db.transaction(() => users().create({ ...ann, email: "bob@example.com" }));
      expect(await users().count()).toBe(2);
    });
    expect(await users().count()).toBe(0);
  });

  it("rejects with what its work threw", async () => {
    const failure = new Error("not today");
    await expect(withRollback(db, () => Promise.reject(failure))).rejects.toBe(failure);
  });

  it("rejects where a commit would have failed of a deferred constraint", async () => {
    const orphan = withRollback(db, () => projects().create({ name: "Alone", ownerId: "nobody" }));
    await expect(orphan).rejects.toMatchObject({ code: "FOREIGN_KEY_VIOLATION", table: "projects" });
  });

  it("rejects where a commit would have been a rollback, as an error was swallowed", async () => {
    const swallowed = withRollback(db, async () => {
      await users().create(ann);
      await users()
        .create(ann)
        .catch(() => undefined);
    });
    await expect(swallowed).rejects.toMatchObject({
      code: "TRANSACTION_ABORTED",
      cause: { code: "UNIQUE_VIOLATION" },
    });
  });

  it("takes the options of a transaction", async () => {
    const writing = withRollback(db, () => users().create(ann), { readOnly: true });
    await expect(writing).rejects.toMatchObject({ code: "READ_ONLY" });
  });

  it("gives its connection back", async () => {
    for (let i = 0; i < 20; i++) await withRollback(db, () => users().create(ann));
    expect(db.pool.stats.inUse).toBe(0);
  });
});

describe("withRollback around every test of a runner", () => {
  aroundEach((runTest) => withRollback(db, runTest));

  for (const name of ["one", "another"]) {
    it(`begins ${name} test without the rows of the others, which make the same ones`, async () => {
      expect(await users().count()).toBe(0);
      await users().create(ann);
      expect(await users().count()).toBe(1);
    });
  }
});
