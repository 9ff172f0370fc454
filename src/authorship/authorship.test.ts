import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { aProject, person, workshops } from "../../test/support/workshop.ts";

const open = workshops();

describe("authorship", () => {
  it("signs a new row with both, and a change with updatedBy alone", async () => {
    const { db, repo } = await open();
    const ann = await db.as({ userId: "u1" }, () => repo.people.create(person()));
    expect([ann.createdBy, ann.updatedBy]).toEqual(["u1", "u1"]);
    const changed = await db.as({ userId: "u2" }, () => repo.people.update(ann.id, { name: "B" }));
    expect([changed.createdBy, changed.updatedBy]).toEqual(["u1", "u2"]);
    const raised = await db.as({ userId: "u3" }, () => repo.people.increment(ann.id, { score: 1 }));
    expect([raised.createdBy, raised.updatedBy]).toEqual(["u1", "u3"]);
  });

  it("signs every row of createMany, and both sides of an upsert", async () => {
    const { db, repo } = await open();
    const many = await db.as({ userId: "u1" }, () =>
      repo.people.createMany([person(), { ...person(), score: 1 }, person()]),
    );
    expect(many.map((row) => row.createdBy)).toEqual(["u1", "u1", "u1"]);
    const ann = person();
    const made = await db.as({ userId: "u1" }, () => repo.people.upsert(ann, { on: "email" }));
    const met = await db.as({ userId: "u2" }, () =>
      repo.people.upsert({ ...ann, name: "B" }, { on: "email" }),
    );
    expect([made.createdBy, made.updatedBy, met.createdBy, met.updatedBy]).toEqual(["u1", "u1", "u1", "u2"]);
    expect(met.id).toBe(made.id);
  });

  it("signs a deletion with deletedBy, that of the children it takes along too, and clears it on restore", async () => {
    const { db, repo } = await open();
    const { project } = await aProject({ repo });
    const task = await repo.tasks.create({ projectId: project.id, title: "one" });
    const dead = await db.as({ userId: "u1" }, () => repo.projects.delete(project.id));
    expect([dead.deletedBy, dead.updatedBy]).toEqual(["u1", "u1"]);
    expect((await repo.tasks.onlyDeleted().get(task.id)).deletedBy).toBe("u1");
    const back = await db.as({ userId: "u2" }, () => repo.projects.restore(project.id));
    expect([back.deletedBy, back.deletedAt, back.updatedBy]).toEqual([null, null, "u2"]);
  });

  it("writes null when nobody was named, also over an earlier author", async () => {
    const { db, repo } = await open();
    const ann = await db.as({ userId: "u1" }, () => repo.people.create(person()));
    const changed = await repo.people.update(ann.id, { name: "B" });
    expect([changed.createdBy, changed.updatedBy]).toEqual(["u1", null]);
  });

  it("takes no author from a caller", async () => {
    const { repo } = await open();
    for (const column of ["createdBy", "updatedBy", "deletedBy", "deletedAt", "updatedAt"]) {
      const forged = { ...person(), [column]: "mallory" };
      await expect(repo.people.create(forged as never)).rejects.toMatchObject({ code: "INVALID_VALUE" });
    }
  });

  it("does not mix the actors of parallel requests, in and out of transactions", async () => {
    const { db, repo } = await open({ pool: { max: 3 } });
    const rows = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        db.as({ userId: `u${i}` }, () =>
          db.transaction(async () => {
            await pause(i % 4);
            const made = await repo.people.create(person({ name: `u${i}` }));
            return db.as({ reason: "again" }, () => repo.people.update(made.id, { score: i }));
          }),
        ),
      ),
    );
    for (const row of rows) expect([row.createdBy, row.updatedBy]).toEqual([row.name, row.name]);
  });

  it("says in toSQL what it added", async () => {
    const { repo } = await open();
    const { additions } = repo.people.update("x", { name: "B" }).toSQL();
    expect(additions).toContainEqual({ behaviour: "authorship", sql: expect.stringContaining("updated_by") });
  });

  it("signs the row that a query makes when it is awaited, not where it was written", async () => {
    const { db, repo } = await open();
    const query = repo.people.create(person());
    const row = await db.as({ userId: "u1" }, () => query);
    expect(row.createdBy).toBe("u1");
  });
});
