import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import { refusal, rejection } from "../../test/support/rejection.ts";
import { aProject, person, workshops } from "../../test/support/workshop.ts";

const open = workshops();

/** Runs `work` as another request would: outside the async context of the caller. */
const outside = AsyncLocalStorage.snapshot();

describe("a read with a lock", () => {
  it("keeps its row from others until the transaction ends, and says what it sends", async () => {
    const { db, repo, client, quiet } = await open();
    const ann = await repo.people.create(person());
    const other = await client();
    await other.run("set lock_timeout = 50");
    const change = `update workshop.people set score = 9 where id = '${ann.id}'`;
    await db.transaction(async () => {
      const query = repo.people.get(ann.id, { lock: "update" });
      expect(query.toSQL().text).toMatch(/ for update of t0$/);
      expect(await query).toMatchObject({ id: ann.id });
      await expect(other.run(change)).rejects.toMatchObject({ code: "LOCK_TIMEOUT" });
    });
    await other.run(change);
    expect((await repo.people.get(ann.id)).score).toBe(9);
    await quiet();
  });

  it.each([
    ["update", ["update", "no key update", "share", "key share"]],
    ["no key update", ["update", "no key update", "share"]],
    ["share", ["update", "no key update"]],
    ["key share", ["update"]],
  ] as const)("for %s keeps out what PostgreSQL's table says", async (lock, refused) => {
    const { db, repo } = await open();
    const ann = await repo.people.create(person());
    await db.transaction(async () => {
      await repo.people.find(ann.id, { lock });
      for (const other of ["update", "no key update", "share", "key share"] as const) {
        const end = await outside(() =>
          db
            .transaction(async () => repo.people.find(ann.id, { lock: other, wait: "nowait" }))
            .then(
              () => "got it",
              (error: { readonly code?: unknown }) => error.code,
            ),
        );
        expect([other, end]).toEqual([
          other,
          refused.some((name) => name === other) ? "LOCK_TIMEOUT" : "got it",
        ]);
      }
    });
  });

  it("leaves out what others have with wait: skip, so that workers share a queue", async () => {
    const { db, repo, quiet } = await open({ pool: { max: 6 } });
    await repo.people.createMany(Array.from({ length: 40 }, (_, i) => ({ ...person(), score: i })));
    const worked: string[] = [];
    const take = () =>
      db.transaction(async () => {
        const { data } = await repo.people.list({
          where: { name: { not: "done" } },
          sort: "score",
          limit: 1,
          lock: "update",
          wait: "skip",
        });
        for (const { id } of data) {
          worked.push(id);
          await repo.people.update(id, { name: "done" });
        }
        return data.length;
      });
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        while ((await take()) > 0) {
          // Until there is nothing left that nobody has.
        }
      }),
    );
    expect(worked).toHaveLength(40);
    expect(new Set(worked).size).toBe(40);
    await quiet();
  });

  it("locks the row and not what it brings along, wherever its relations are read", async () => {
    const { db, repo, client } = await open();
    const { project } = await aProject({ repo });
    const other = await client();
    await other.run("set lock_timeout = 50");
    const read = [
      () => repo.projects.get(project.id, { with: { owner: true }, lock: "update" }),
      () => repo.projects.findMany([project.id], { with: { owner: true }, lock: "update" }),
      () => repo.projects.list({ with: { owner: true, tasks: true }, lock: "update" }),
      () => repo.projects.list({ with: { owner: true }, sort: "owner.name", after: "", lock: "update" }),
    ];
    for (const work of read) {
      await db.transaction(async () => {
        await work();
        await other.run("update workshop.people set score = score + 1");
        await expect(other.run("update workshop.projects set name = 'x'")).rejects.toMatchObject({
          code: "LOCK_TIMEOUT",
        });
      });
    }
  });

  it("is not merged with the reads beside it", async () => {
    const { db, repo } = await open();
    const [ann, bob] = await repo.people.createMany([person(), person()]);
    await db.transaction(async () => {
      const rows = await Promise.all([
        repo.people.get(ann?.id ?? "", { lock: "update" }),
        repo.people.get(bob?.id ?? ""),
      ]);
      expect(rows.map(({ id }) => id)).toEqual([ann?.id, bob?.id]);
      const taken = await outside(() =>
        db.transaction(async () => repo.people.find(bob?.id ?? "", { lock: "update", wait: "nowait" })),
      );
      expect(taken?.id).toBe(bob?.id);
    });
  });

  it("does not see the dead", async () => {
    const { db, repo } = await open();
    const ann = await repo.people.create(person());
    await repo.people.delete(ann.id);
    await db.transaction(async () => {
      expect(await repo.people.find(ann.id, { lock: "update" })).toBeUndefined();
      expect(await repo.people.withDeleted().find(ann.id, { lock: "update" })).toMatchObject({ id: ann.id });
    });
  });

  it("is refused outside a transaction, in words that do not exist, and where it would be lost", async () => {
    const { db, repo } = await open();
    const ann = await repo.people.create(person());
    const error = await rejection(repo.people.get(ann.id, { lock: "update" }));
    expect(error.message).toContain("Read it inside db.transaction");
    const refused: [object, string][] = [
      [{ lock: "updat" }, "lock: unknown lock"],
      [{ lock: "update; drop table people" }, "lock: unknown lock"],
      [{ lock: "update", wait: "skipp" }, "wait: unknown way to wait"],
      [{ wait: "skip" }, "wait: says how to wait"],
      [{ lock: null }, "lock: unknown lock"],
    ];
    for (const [options, text] of refused) {
      const { issues } = await refusal(
        db.transaction(async () => repo.people.find(ann.id, options as { lock: "update" })),
      );
      expect(issues.join()).toContain(text);
    }
    const distinct = db.transaction(async () => repo.people.list({ distinctOn: "name", lock: "update" }));
    expect((await refusal(distinct)).issues.join()).toContain("distinctOn");
  });
});
