import { describe, expect, it, onTestFinished } from "vitest";
import { batchIndexOf } from "../../src/driver/index.ts";
import { countTurns } from "../support/turns.ts";
import { aProject, person, workshops } from "../support/workshop.ts";
import { people } from "../support/workshop-schema.ts";

const open = workshops();

/** A workshop that counts how often the server is asked. */
async function counting() {
  const turns = await countTurns((await open()).url);
  onTestFinished(() => turns.close());
  return { ...(await open({ via: turns.urlFor, pool: { max: 1 } })), turns };
}

describe("batch", () => {
  it("gives the results in order, of reads and writes mixed", async () => {
    const { db, repo, quiet } = await open();
    const ann = await repo.people.create(person());
    const bob = person();
    const results = await db.batch([
      repo.people.find(ann.id),
      repo.people.create(bob),
      repo.people.count(),
      repo.people.update(ann.id, { name: "Anna" }),
      repo.people.list({ where: { name: "Anna" } }),
      db.sql<{ n: bigint }>`select count(*) as n from workshop.people`,
    ]);
    expect(results[0]).toEqual(ann);
    expect(results[1]).toMatchObject(bob);
    expect(results[2]).toBe(2);
    expect(results[3].name).toBe("Anna");
    expect(results[4].data).toHaveLength(1);
    expect(results[5]).toEqual([{ n: 2n }]);
    await quiet();
  });

  it("is one round trip when every answer is final", async () => {
    const { db, repo, turns } = await counting();
    const three = () =>
      db.batch([repo.people.create(person()), repo.people.count(), repo.people.create(person())]);
    await three();
    turns.take();
    await three();
    expect(turns.take()).toBe(1);
    expect(await repo.people.count()).toBe(4);
  });

  it("is one round trip also when a missing row would undo the writes, and three inside a transaction", async () => {
    const { db, repo, turns } = await counting();
    const ann = await repo.people.create(person());
    const three = () =>
      db.batch([
        repo.people.create(person()),
        repo.people.increment(ann.id, { score: 1 }),
        repo.people.count(),
      ]);
    await three();
    turns.take();
    await three();
    expect(turns.take()).toBe(1);
    await db.transaction(async () => {
      turns.take();
      await db.batch([repo.people.create(person()), repo.people.count()]);
      expect(turns.take()).toBe(3);
    });
  });

  it("does all or nothing when a statement fails, and says which one", async () => {
    const { db, repo, quiet } = await open();
    const ann = person();
    const work = db.batch([repo.people.create(ann), repo.people.create(ann), repo.people.create(person())]);
    const error: unknown = await work.catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "UNIQUE_VIOLATION" });
    expect(batchIndexOf(error)).toBe(1);
    expect(await repo.people.count()).toBe(0);
    await quiet();
  });

  it("does nothing when one of its rows is missing", async () => {
    const { db, repo, quiet } = await open();
    const gone = await repo.people.create(person());
    await repo.people.delete(gone.id);
    const missing = [
      () => repo.people.update(gone.id, { name: "x" }),
      () => repo.people.delete(gone.id),
      () => repo.people.increment(gone.id, { score: 1 }),
      () => repo.people.get(gone.id),
      () => repo.people.restore("no such id"),
    ];
    for (const call of missing) {
      const work = db.batch([repo.people.create(person()), call(), repo.people.create(person())]);
      await expect(work).rejects.toMatchObject({ code: "NOT_FOUND" });
      const inside = db.transaction(async () => {
        await repo.people.create(person({ name: "kept" }));
        await expect(db.batch([repo.people.create(person()), call()])).rejects.toMatchObject({
          code: "NOT_FOUND",
        });
        return repo.people.count();
      });
      expect(await inside).toBe(1);
      await repo.people.delete((await repo.people.list()).data[0]?.id ?? "");
    }
    expect(await repo.people.count()).toBe(0);
    await quiet();
  });

  it("takes a createMany of rows of several shapes", async () => {
    const { db, repo, quiet } = await open();
    const [made, count] = await db.batch([
      repo.people.createMany([person(), { ...person(), score: 5 }, person(), { ...person(), score: 7 }]),
      repo.people.count(),
    ]);
    expect(made.map((row) => row.score)).toEqual([0, 5, 0, 7]);
    expect(count).toBe(4);
    const taken = made[0]?.email ?? "";
    const work = db.batch([
      repo.people.createMany([{ ...person(), score: 1 }, person()]),
      repo.people.createMany([person(), { ...person({ email: taken }), score: 1 }]),
    ]);
    await expect(work).rejects.toMatchObject({ code: "UNIQUE_VIOLATION" });
    expect(await repo.people.count()).toBe(4);
    await quiet();
  });

  it("is a savepoint inside a transaction", async () => {
    const { db, repo, quiet } = await open();
    await db.transaction(async () => {
      const ann = await repo.people.create(person());
      const failing = db.batch([
        repo.people.create(person()),
        repo.people.create(person({ email: ann.email })),
      ]);
      await expect(failing).rejects.toMatchObject({ code: "UNIQUE_VIOLATION" });
      await db.batch([repo.people.create(person()), repo.people.count()]);
    });
    expect(await repo.people.count()).toBe(2);
    await quiet();
  });

  it("of one transaction's queries runs in that transaction, also from outside its context", async () => {
    const { db, repo, quiet } = await open();
    const work = db.transaction(async (tx) => {
      const queries = [tx.repository(people).create(person()), tx.repository(people).count()] as const;
      expect((await db.batch(queries))[1]).toBe(1);
      throw new Error("undo");
    });
    await expect(work).rejects.toThrow("undo");
    expect(await repo.people.count()).toBe(0);
    await quiet();
  });

  it("of nothing gives nothing and sends nothing", async () => {
    const { db } = await open();
    const before = db.pool.stats;
    expect(await db.batch([])).toEqual([]);
    expect(db.pool.stats).toEqual(before);
  });

  it("gives a query no second run", async () => {
    const { db, repo, quiet } = await open();
    const awaited = repo.people.create(person());
    await awaited;
    const refusal = { code: "INVALID_QUERY" };
    await expect(db.batch([awaited])).rejects.toMatchObject(refusal);
    const twice = repo.people.create(person());
    await expect(db.batch([twice, twice])).rejects.toMatchObject(refusal);
    const batched = repo.people.create(person());
    await db.batch([batched]);
    await expect(batched).rejects.toMatchObject(refusal);
    await expect(db.batch([batched])).rejects.toMatchObject(refusal);
    expect(await repo.people.count()).toBe(2);
    await quiet();
  });

  it("refuses what is no query and what belongs to another database", async () => {
    const { db, repo } = await open();
    const other = await open();
    const promise = repo.people.count().then((count) => count);
    await expect(db.batch([promise as never])).rejects.toMatchObject({ code: "INVALID_QUERY" });
    await expect(db.batch([other.repo.people.create(person())])).rejects.toMatchObject({
      code: "INVALID_QUERY",
    });
    const mixed = [repo.people.create(person()), other.repo.people.create(person())] as const;
    await expect(db.batch(mixed)).rejects.toMatchObject({ code: "INVALID_QUERY" });
    expect([await repo.people.count(), await other.repo.people.count()]).toEqual([0, 0]);
  });

  it("refuses bad input before anything is sent", async () => {
    const { db, repo } = await open();
    const { project } = await aProject({ repo });
    const work = db.batch([
      repo.tasks.create({ projectId: project.id, title: "one" }),
      repo.tasks.create({ projectId: project.id, title: "two", colour: "red" } as never),
    ]);
    await expect(work).rejects.toMatchObject({ code: "INVALID_VALUE", issues: [{ path: "colour" }] });
    expect(await repo.tasks.count()).toBe(0);
  });

  it("signs its rows with the actor around it", async () => {
    const { db, repo } = await open();
    const [ann] = await db.as({ userId: "u1" }, () => db.batch([repo.people.create(person())]));
    expect(ann.createdBy).toBe("u1");
  });
});
