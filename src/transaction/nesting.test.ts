import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { person, workshops } from "../../test/support/workshop.ts";
import { people } from "../../test/support/workshop-schema.ts";

const open = workshops();

describe("a nested transaction", () => {
  it("rolls back alone when it fails", async () => {
    const { db, repo, quiet } = await open();
    await db.transaction(async () => {
      await repo.people.create(person({ name: "outer" }));
      const inner = db.transaction(async () => {
        await repo.people.create(person({ name: "inner" }));
        throw new Error("inner");
      });
      await expect(inner).rejects.toThrow("inner");
      await repo.people.create(person({ name: "after" }));
    });
    expect((await repo.people.list({ sort: "id" })).data.map((row) => row.name)).toEqual(["outer", "after"]);
    await quiet();
  });

  it("lets the outer one go on after a statement failed inside", async () => {
    const { db, repo, quiet } = await open();
    await db.transaction(async () => {
      const taken = await repo.people.create(person());
      const inner = db.transaction(async () => repo.people.create(person({ email: taken.email })));
      await expect(inner).rejects.toMatchObject({ code: "UNIQUE_VIOLATION", columns: ["email"] });
      expect(await repo.people.count()).toBe(1);
    });
    expect(await repo.people.count()).toBe(1);
    await quiet();
  });

  it("is undone with the outer one", async () => {
    const { db, repo } = await open();
    const work = db.transaction(async () => {
      await db.transaction(async () => repo.people.create(person()));
      throw new Error("outer");
    });
    await expect(work).rejects.toThrow("outer");
    expect(await repo.people.count()).toBe(0);
  });

  it("reports a swallowed error of its own, and the outer one can still commit", async () => {
    const { db, repo, quiet } = await open();
    await db.transaction(async () => {
      await repo.people.create(person({ name: "kept" }));
      const inner = db.transaction(async () => {
        await repo.people.create(person({ name: "" })).catch(() => {});
      });
      await expect(inner).rejects.toMatchObject({
        code: "TRANSACTION_ABORTED",
        cause: { code: "CHECK_VIOLATION" },
      });
    });
    expect((await repo.people.list()).data.map((row) => row.name)).toEqual(["kept"]);
    await quiet();
  });

  it("does not interleave with a neighbour started in the same tick", async () => {
    const { db, repo, quiet } = await open();
    const events: string[] = [];
    const step = async (name: string, fails: boolean) =>
      db.transaction(async () => {
        events.push(`${name} begins`);
        await repo.people.create(person({ name }));
        await pause(10);
        events.push(`${name} ends`);
        if (fails) throw new Error(name);
      });
    await db.transaction(async () => {
      const results = await Promise.allSettled([step("a", false), step("b", true), step("c", false)]);
      expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    });
    expect(events).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
    expect((await repo.people.list({ sort: "id" })).data.map((row) => row.name)).toEqual(["a", "c"]);
    await quiet();
  });

  it("holds statements of the outer callback back until it has ended", async () => {
    const { db, repo, quiet } = await open();
    await db.transaction(async () => {
      const inner = db.transaction(async () => {
        await repo.people.create(person({ name: "inner" }));
        await pause(20);
        throw new Error("inner");
      });
      // Started while the savepoint is open; inside it, it would be rolled back with it.
      const outer = repo.people.create(person({ name: "outer" }));
      await Promise.allSettled([inner, outer]);
    });
    expect((await repo.people.list()).data.map((row) => row.name)).toEqual(["outer"]);
    await quiet();
  });

  it("takes calls through the outer handle as its own, instead of waiting for itself", async () => {
    const { db, repo, quiet } = await open();
    await db.transaction(async (tx) => {
      const inner = db.transaction(async () => {
        await tx.repository(people).create(person({ name: "through the outer handle" }));
        await tx.sql`select 1 as one`;
        await tx.transaction(async () => repo.people.create(person()));
        expect(await repo.people.count()).toBe(2);
        throw new Error("undo");
      });
      await expect(inner).rejects.toThrow("undo");
      expect(await repo.people.count()).toBe(0);
    });
    await quiet();
  });

  it("nests deep, each level undone alone", async () => {
    const { db, repo, quiet } = await open();
    const level = async (depth: number): Promise<void> => {
      await repo.people.create(person({ name: `level ${depth}` }));
      if (depth === 5) throw new Error("bottom");
      await db.transaction(() => level(depth + 1)).catch(() => {});
    };
    await db.transaction(() => level(0));
    expect(await repo.people.count()).toBe(5);
    await quiet();
  });
});

describe("work left behind in a nested transaction", () => {
  it("undoes the whole when the outer callback ends before it", async () => {
    const { db, repo, quiet } = await open();
    let left: Promise<unknown> = Promise.resolve();
    const work = db.transaction(async () => {
      await repo.people.create(person());
      left = db
        .transaction(async () => {
          for (let i = 0; i < 5; i++) {
            await repo.people.create(person());
            await pause(5);
          }
        })
        .catch((error: unknown) => error);
    });
    await expect(work).rejects.toMatchObject({ code: "TRANSACTION_CLOSED" });
    expect(await left).toMatchObject({ code: "TRANSACTION_CLOSED" });
    expect(await repo.people.count()).toBe(0);
    await quiet();
  });

  it("cannot run on its own after a neighbour has failed the outer callback", async () => {
    const { db, repo, quiet } = await open({ pool: { max: 1 } });
    for (let round = 0; round < 20; round++) {
      const work = db.transaction(async () =>
        Promise.all([
          db.transaction(async () => {
            throw new Error("neighbour");
          }),
          db.transaction(async () => {
            await repo.people.create(person());
            await repo.people.create(person());
          }),
          db.batch([repo.people.create(person()), repo.people.create(person())]),
        ]),
      );
      await expect(work).rejects.toThrow("neighbour");
    }
    expect(await repo.people.count()).toBe(0);
    await quiet();
  });
});
