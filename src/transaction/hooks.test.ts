import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { rejection } from "../../test/support/rejection.ts";
import { person, workshops } from "../../test/support/workshop.ts";

const open = workshops();

describe("afterCommit", () => {
  it("runs once the rows are there for everybody, in order, before the call resolves", async () => {
    const { db, repo, client, quiet } = await open();
    const other = await client();
    const seen: unknown[] = [];
    const count = async () => seen.push((await other.run("select count(*) from workshop.people"))[0]?.[0]);
    await db.transaction(async (tx) => {
      db.afterCommit(count);
      await repo.people.create(person());
      tx.afterCommit(() => void seen.push("second"));
      await count();
    });
    expect(seen).toEqual(["0", "1", "second"]);
    await quiet();
  });

  it("does not run after a rollback, and runs once however often the callback ran", async () => {
    const { db, repo, client } = await open();
    const ann = await repo.people.create(person());
    const other = await client();
    const seen: string[] = [];
    await db.transaction(
      async (tx) => {
        db.afterCommit(() => void seen.push(`committed ${tx.attempt}`));
        db.afterRollback(() => void seen.push(`rolled back ${tx.attempt}`));
        await repo.people.get(ann.id);
        if (tx.attempt === 1) await other.run("update workshop.people set score = score + 1");
        await repo.people.update(ann.id, { name: "mine" });
      },
      { isolation: "repeatable read" },
    );
    expect(seen).toEqual(["rolled back 1", "committed 2"]);
  });

  it("of a savepoint waits for the outermost commit, and is forgotten where the savepoint was rolled back", async () => {
    const { db } = await open();
    const seen: string[] = [];
    await db.transaction(async () => {
      db.afterCommit(() => void seen.push("outer"));
      await db.transaction(async () => {
        db.afterCommit(() => void seen.push("inner"));
        db.afterRollback(() => void seen.push("inner undone"));
      });
      await db
        .transaction(async () => {
          db.afterCommit(() => void seen.push("lost"));
          db.beforeCommit(() => void seen.push("lost too"));
          db.afterRollback(() => void seen.push("lost undone"));
          throw new Error("undo");
        })
        .catch(() => {});
      expect(seen).toEqual([]);
    });
    expect(seen).toEqual(["outer", "inner", "lost undone"]);
  });

  it("runs outside the transaction and without its connection, on behalf of who gave it", async () => {
    const { db, repo, quiet } = await open({ pool: { max: 1 } });
    let made: unknown;
    await db.transaction(async () => {
      await db.as({ userId: "ann" }, async () => {
        db.afterCommit(async () => {
          made = await repo.people.create(person());
        });
      });
    });
    expect(made).toMatchObject({ createdBy: "ann" });
    expect(await repo.people.count()).toBe(1);
    await quiet();
  });

  it("that fails is reported and stops no other, and the transaction has succeeded", async () => {
    const { db, repo, warnings } = await open();
    const seen: string[] = [];
    const result = await db.transaction(async () => {
      db.afterCommit(() => Promise.reject(new Error("mail is down")));
      db.afterCommit(() => {
        throw "no error at all";
      });
      db.afterCommit(() => void seen.push("last"));
      await repo.people.create(person());
      return "done";
    });
    expect([result, seen, await repo.people.count()]).toEqual(["done", ["last"], 1]);
    expect(warnings).toMatchObject([
      { code: "HOOK_FAILED", message: expect.stringContaining("mail is down") as unknown },
      { code: "HOOK_FAILED", cause: "no error at all" },
    ]);
    warnings.length = 0;
  });

  it("runs at once where no transaction is open", async () => {
    const { db, warnings } = await open();
    const seen: string[] = [];
    db.afterCommit(() => void seen.push("now"));
    db.afterCommit(() => Promise.reject(new Error("late")));
    await pause(10);
    expect(seen).toEqual(["now"]);
    expect(warnings).toMatchObject([{ code: "HOOK_FAILED" }]);
    warnings.length = 0;
  });

  it("can be given by another hook, which itself runs a transaction", async () => {
    const { db, repo } = await open();
    const seen: string[] = [];
    await db.transaction(async () => {
      db.afterCommit(() =>
        db.transaction(async () => {
          await repo.people.create(person());
          db.afterCommit(() => void seen.push("inner"));
        }),
      );
    });
    expect([seen, await repo.people.count()]).toEqual([["inner"], 1]);
  });
});

describe("beforeCommit", () => {
  it("runs inside, after the callback, hooks of hooks too, and what it writes is committed", async () => {
    const { db, repo, quiet } = await open();
    const seen: string[] = [];
    await db.transaction(async () => {
      await db.transaction(async () => {
        db.beforeCommit(async () => {
          seen.push(`before ${await repo.people.count()}`);
          await repo.people.create(person());
          db.beforeCommit(() => void seen.push("of a hook"));
        });
      });
      await repo.people.create(person());
      seen.push("callback");
    });
    expect(seen).toEqual(["callback", "before 1", "of a hook"]);
    expect(await repo.people.count()).toBe(2);
    await quiet();
  });

  it("undoes everything when it throws", async () => {
    const { db, repo, quiet } = await open();
    const work = db.transaction(async () => {
      await repo.people.create(person());
      db.beforeCommit(() => Promise.reject(new Error("not balanced")));
    });
    await expect(work).rejects.toThrow("not balanced");
    expect(await repo.people.count()).toBe(0);
    await quiet();
  });
});

describe("a hook outside its transaction", () => {
  it.each(["beforeCommit", "afterRollback"] as const)(
    "%s is refused where nothing is open",
    async (moment) => {
      const { db } = await open();
      expect(() => db[moment](() => {})).toThrow(
        expect.objectContaining({ code: "TRANSACTION_CLOSED" }) as Error,
      );
    },
  );

  it.each(["beforeCommit", "afterCommit", "afterRollback"] as const)(
    "%s is refused once it is over",
    async (moment) => {
      const { db } = await open();
      const tx = await db.transaction(async (own) => [own] as const);
      expect(() => tx[0][moment](() => {})).toThrow(
        expect.objectContaining({ code: "TRANSACTION_CLOSED" }) as Error,
      );
      const late = db.transaction(async () => ({
        error: pause(20).then(() => rejection((async () => db[moment](() => {}))())),
      }));
      expect(await (await late).error).toMatchObject({ code: "TRANSACTION_CLOSED" });
    },
  );
});

describe("afterRollback", () => {
  it("runs when the callback, a statement or COMMIT fails", async () => {
    const { db, repo } = await open();
    const seen: string[] = [];
    const failing = [
      async () => Promise.reject(new Error("callback")),
      async () => void (await repo.people.create(person({ name: "" }))),
      async () => void (await repo.people.create(person({ name: "" })).catch(() => {})),
    ];
    for (const [i, work] of failing.entries()) {
      const failed = db.transaction(async () => {
        db.afterRollback(() => void seen.push(`rolled back ${i}`));
        db.afterCommit(() => void seen.push("committed"));
        await work();
      });
      await expect(failed).rejects.toBeInstanceOf(Error);
    }
    expect(seen).toEqual(["rolled back 0", "rolled back 1", "rolled back 2"]);
  });
});
