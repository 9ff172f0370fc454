import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { startProxy } from "../../test/support/proxy.ts";
import { rejection } from "../../test/support/rejection.ts";
import { person, workshops } from "../../test/support/workshop.ts";
import { CommitOutcomeUnknownError } from "../errors/index.ts";

const open = workshops();

async function behindProxy(wire: "plinth" | "pg" = "plinth") {
  const proxy = await startProxy((await open()).url);
  onTestFinished(() => proxy.close());
  const workshop = await open({ via: proxy.urlFor, session: { wire } });
  return { ...workshop, proxy, faults: proxy.faults };
}

describe("db.outcomeOf", () => {
  it.each(["plinth", "pg"] as const)(
    "says that a commit whose reply was lost has happened, on the %s wire",
    async (wire) => {
      const { db, repo, faults, quiet } = await behindProxy(wire);
      const ann = await repo.people.create(person());
      faults.dropReplyAfter = /commit/i;
      const error = await rejection(
        db.transaction(async () => {
          await repo.people.get(ann.id);
          await repo.people.update(ann.id, { name: "changed" });
        }),
      );
      expect(error).toMatchObject({
        code: "COMMIT_OUTCOME_UNKNOWN",
        transactionId: expect.stringMatching(/^\d+$/) as unknown,
      });
      delete faults.dropReplyAfter;
      expect(await db.outcomeOf(error)).toBe("committed");
      expect((await repo.people.get(ann.id)).name).toBe("changed");
      await quiet();
    },
  );

  it("says that one is rolled back whose COMMIT never arrived, once the server has noticed", async () => {
    const { db, repo, faults, proxy, client } = await behindProxy();
    const ann = await repo.people.create(person());
    const other = await client();
    const work = db.transaction(async () => {
      await repo.people.update(ann.id, { name: "changed" });
      faults.blackhole = true;
    });
    const caught = rejection(work);
    await pause(50);
    faults.blackhole = false;
    proxy.resetAll();
    const error = await caught;
    expect(error.code).toBe("COMMIT_OUTCOME_UNKNOWN");
    expect(await db.outcomeOf(error)).toBe("aborted");
    expect(await other.run(`select name from workshop.people where name = 'changed'`)).toEqual([]);
  });

  it("finds the number of a transaction that writes by raw SQL, by a batch, or in a savepoint only", async () => {
    const { db, repo, faults, quiet } = await behindProxy();
    const ann = await repo.people.create(person());
    const works = [
      () => db.sql`update workshop.people set score = score + 1`,
      () => db.batch([repo.people.get(ann.id), repo.people.increment(ann.id, { score: 1 })]),
      () => db.transaction(async () => repo.people.increment(ann.id, { score: 1 })),
    ];
    for (const work of works) {
      faults.dropReplyAfter = /commit/i;
      const error = await rejection(db.transaction(async () => void (await work())));
      delete faults.dropReplyAfter;
      expect(await db.outcomeOf(error)).toBe("committed");
    }
    expect((await repo.people.get(ann.id)).score).toBe(3);
    await quiet();
  });

  it("does not know of one that only read, of a number nobody has had yet, and of one long forgotten", async () => {
    const { db, repo, faults } = await behindProxy();
    faults.dropReplyAfter = /commit/i;
    const error = await rejection(db.transaction(async () => repo.people.count()));
    delete faults.dropReplyAfter;
    expect(error).toMatchObject({ code: "COMMIT_OUTCOME_UNKNOWN", transactionId: undefined });
    expect(await db.outcomeOf(error)).toBe("unknown");
    for (const transactionId of ["9000000000000000000", "3"]) {
      const made = new CommitOutcomeUnknownError("made up", { transactionId });
      expect(["unknown", "committed"]).toContain(await db.outcomeOf(made));
    }
    expect(
      await db.outcomeOf(new CommitOutcomeUnknownError("made up", { transactionId: "9000000000000000000" })),
    ).toBe("unknown");
  });

  it("runs no hook of a transaction whose end nobody knows, but for what was undone before", async () => {
    const { db, repo, faults } = await behindProxy();
    const seen: string[] = [];
    faults.dropReplyAfter = /commit/i;
    await rejection(
      db.transaction(async () => {
        db.afterCommit(() => void seen.push("committed"));
        db.afterRollback(() => void seen.push("rolled back"));
        await db
          .transaction(async () => {
            db.afterRollback(() => void seen.push("savepoint rolled back"));
            throw new Error("undo");
          })
          .catch(() => {});
        await repo.people.create(person());
      }),
    );
    expect(seen).toEqual(["savepoint rolled back"]);
  });

  it("refuses any other error: its outcome is known", async () => {
    const { db, repo } = await open();
    const error = await rejection(repo.people.create(person({ name: "" })));
    for (const given of [error, undefined, new Error("x")]) {
      expect(await rejection(db.outcomeOf(given))).toMatchObject({ code: "INVALID_VALUE" });
    }
  });
});
