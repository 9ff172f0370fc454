import { inspect } from "node:util";
import { isUniqueViolation } from "plinth";
import { describe, expect, it } from "vitest";
import { rejection } from "../../test/support/rejection.ts";
import { aProject, person, workshops } from "../../test/support/workshop.ts";

const open = workshops();

describe("delete", () => {
  it("stamps the row, which nothing reads any more but those who ask for the dead", async () => {
    const { repo } = await open();
    const ann = await repo.people.create(person());
    const dead = await repo.people.delete(ann.id);
    expect(dead.deletedAt).toBeInstanceOf(Date);
    expect(await repo.people.find(ann.id)).toBeUndefined();
    expect(await repo.people.findBy({ email: ann.email })).toBeUndefined();
    expect(await repo.people.findMany([ann.id])).toEqual([undefined]);
    expect((await repo.people.list()).data).toEqual([]);
    expect([await repo.people.count(), await repo.people.exists({ id: ann.id })]).toEqual([0, false]);
    expect(await repo.people.withDeleted().get(ann.id)).toEqual(dead);
    expect((await repo.people.onlyDeleted().list()).data).toEqual([dead]);
    await repo.people.create(person());
    expect([await repo.people.withDeleted().count(), await repo.people.onlyDeleted().count()]).toEqual([
      2, 1,
    ]);
  });

  it("finds nothing the second time, whichever rows the repository sees", async () => {
    const { repo } = await open();
    const ann = await repo.people.create(person());
    const dead = await repo.people.delete(ann.id);
    const absent = { code: "NOT_FOUND" };
    await expect(repo.people.delete(ann.id)).rejects.toMatchObject(absent);
    await expect(repo.people.withDeleted().delete(ann.id)).rejects.toMatchObject(absent);
    await expect(repo.people.onlyDeleted().delete(ann.id)).rejects.toMatchObject(absent);
    await expect(repo.people.update(ann.id, { name: "B" })).rejects.toMatchObject(absent);
    await expect(repo.people.increment(ann.id, { score: 1 })).rejects.toMatchObject(absent);
    expect((await repo.people.withDeleted().get(ann.id)).deletedAt).toEqual(dead.deletedAt);
  });

  it("frees the unique key, which still holds among the living", async () => {
    const { repo } = await open();
    const ann = await repo.people.create(person());
    await expect(repo.people.create(person({ email: ann.email }))).rejects.toMatchObject({
      code: "UNIQUE_VIOLATION",
    });
    await repo.people.delete(ann.id);
    const second = await repo.people.create(person({ email: ann.email }));
    expect(second.id).not.toBe(ann.id);
    await repo.people.delete(second.id);
    await repo.people.create(person({ email: ann.email }));
    expect(await repo.people.withDeleted().count({ email: ann.email })).toBe(3);
  });

  it("is refused while a restricting child lives, and not when it is dead", async () => {
    const { repo } = await open();
    const { owner, project } = await aProject({ repo });
    await expect(repo.people.delete(owner.id)).rejects.toMatchObject({
      code: "RESTRICT_VIOLATION",
      table: "projects",
      constraint: expect.stringContaining("owner_id"),
    });
    await repo.projects.delete(project.id);
    expect((await repo.people.delete(owner.id)).deletedAt).not.toBeNull();
  });
});

describe("nested reads", () => {
  it("never show the dead to those who did not ask for them, at any depth", async () => {
    const { repo } = await open();
    const { owner, project } = await aProject({ repo });
    const [kept, gone] = await repo.tasks.createMany([
      { projectId: project.id, title: "kept" },
      { projectId: project.id, title: "gone" },
    ]);
    const [said] = await repo.comments.createMany([
      { taskId: kept?.id ?? "", body: "said" },
      { taskId: kept?.id ?? "", body: "unsaid" },
    ]);
    await repo.comments.delete((await repo.comments.list({ where: { body: "unsaid" } })).data[0]?.id ?? "");
    await repo.tasks.delete(gone?.id ?? "");
    const living = await repo.projects.get(project.id, {
      with: { owner: true, tasks: { with: { comments: true } } },
    });
    expect(living.tasks.map((task) => task.title)).toEqual(["kept"]);
    expect(living.tasks[0]?.comments.map((comment) => comment.id)).toEqual([said?.id]);
    expect(living.owner.id).toBe(owner.id);
    const all = await repo.projects
      .withDeleted()
      .get(project.id, { with: { tasks: { with: { comments: true } } } });
    expect(all.tasks.map((task) => task.title).sort()).toEqual(["gone", "kept"]);
    expect(all.tasks.find((task) => task.title === "kept")?.comments).toHaveLength(2);
  });
});

describe("restore", () => {
  it("brings back what died with the row, on two levels, and not what died before", async () => {
    const { repo } = await open();
    const { project } = await aProject({ repo });
    const [before, along] = await repo.tasks.createMany([
      { projectId: project.id, title: "before" },
      { projectId: project.id, title: "along" },
    ]);
    const [early, late] = await repo.comments.createMany([
      { taskId: along?.id ?? "", body: "early" },
      { taskId: along?.id ?? "", body: "late" },
    ]);
    await repo.tasks.delete(before?.id ?? "");
    await repo.comments.delete(early?.id ?? "");
    await repo.projects.delete(project.id);
    expect([await repo.tasks.count(), await repo.comments.count()]).toEqual([0, 0]);
    await repo.projects.restore(project.id);
    expect((await repo.tasks.list()).data.map((row) => row.id)).toEqual([along?.id]);
    expect((await repo.comments.list()).data.map((row) => row.id)).toEqual([late?.id]);
  });

  it("tells what died before from what died along inside one transaction too", async () => {
    const { db, repo } = await open();
    const { project } = await aProject({ repo });
    const [before, along] = await repo.tasks.createMany([
      { projectId: project.id, title: "before" },
      { projectId: project.id, title: "along" },
    ]);
    await db.transaction(async () => {
      await repo.tasks.delete(before?.id ?? "");
      await repo.projects.delete(project.id);
      await repo.projects.restore(project.id);
    });
    expect((await repo.tasks.list()).data.map((row) => row.id)).toEqual([along?.id]);
  });

  it("finds no living row", async () => {
    const { repo } = await open();
    const ann = await repo.people.create(person());
    await expect(repo.people.restore(ann.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(repo.people.restore("nobody")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("is refused when a living row has taken the unique key, its own or a child's", async () => {
    const { db, repo } = await open();
    const ann = await repo.people.create(person());
    await repo.people.delete(ann.id);
    await repo.people.create(person({ email: ann.email }));
    const refused = await rejection(repo.people.restore(ann.id));
    expect(refused).toMatchObject({ code: "UNIQUE_VIOLATION", table: "people", columns: ["email"] });
    expect(isUniqueViolation(refused)).toBe(true);
    expect(refused.message).toBe(
      `the row of "people" is deleted, and a living row has taken its key (email) meanwhile (table people, constraint people_email_unique) [23505]
  Change one of the two: the living row, or the dead one through withDeleted().update of "people". Then restore again. Nothing was changed.`,
    );
    expect(inspect(refused, { depth: 9 })).not.toContain(ann.email);
    expect(refused.stack).toContain("soft-delete.test.ts");
    await repo.people.withDeleted().update(ann.id, { email: "ann-again@example.com" });
    expect((await repo.people.restore(ann.id)).deletedAt).toBeNull();

    const { project } = await aProject({ repo });
    const task = await repo.tasks.create({ projectId: project.id, title: "one" });
    await repo.projects.delete(project.id);
    expect(await db.sql`select count(*)::int as n from workshop.tasks where deleted_at is null`).toEqual([
      { n: 0 },
    ]);
    await repo.projects.restore(project.id);
    await repo.tasks.delete(task.id);
    await repo.tasks.create({ projectId: project.id, title: "one" });
    await expect(repo.tasks.restore(task.id)).rejects.toMatchObject({ code: "UNIQUE_VIOLATION" });
  });

  it("names the child that is in the way, where that one's key was taken, and brings nothing back", async () => {
    const { db, repo } = await open();
    const { owner, project } = await aProject({ repo });
    const member = { projectId: project.id, personId: owner.id };
    await repo.members.create(member);
    await repo.projects.delete(project.id);
    await db.sql`create unique index one_role on workshop.members (person_id) where deleted_at is null`;
    const other = await repo.projects.create({ name: "Other", ownerId: owner.id });
    await repo.members.create({ projectId: other.id, personId: owner.id });
    const refused = await rejection(repo.projects.restore(project.id));
    expect(refused).toMatchObject({ code: "UNIQUE_VIOLATION", table: "members", columns: ["person_id"] });
    expect(refused.message).toContain(
      `a row of "members" would come back with this one, and a living row has taken its key (person_id) meanwhile (table members, constraint one_role)`,
    );
    expect(await repo.projects.find(project.id)).toBeUndefined();
  });

  it("of a child is refused while its parent is dead", async () => {
    const { repo } = await open();
    const { project } = await aProject({ repo });
    const task = await repo.tasks.create({ projectId: project.id, title: "one" });
    await repo.projects.delete(project.id);
    await expect(repo.tasks.restore(task.id)).rejects.toMatchObject({
      code: "FOREIGN_KEY_VIOLATION",
      table: "tasks",
    });
  });

  it("leaves a child dead whose other parent died since", async () => {
    const { repo } = await open();
    const { project } = await aProject({ repo });
    const [ann, bob] = await repo.people.createMany([person(), person()]);
    await repo.members.createMany(
      [ann, bob].map((row) => ({ projectId: project.id, personId: row?.id ?? "" })),
    );
    await repo.projects.delete(project.id);
    await repo.people.delete(bob?.id ?? "");
    await repo.projects.restore(project.id);
    expect((await repo.members.list()).data.map((row) => row.personId)).toEqual([ann?.id]);
  });
});

describe("upsert", () => {
  it("makes a new row beside a dead one that held the unique key", async () => {
    const { repo } = await open();
    const values = person();
    const first = await repo.people.upsert(values, { on: "email" });
    await repo.people.delete(first.id);
    const second = await repo.people.upsert(values, { on: "email" });
    expect(second.id).not.toBe(first.id);
    expect((await repo.people.upsert({ ...values, name: "B" }, { on: "email" })).id).toBe(second.id);
  });

  it("brings a dead row that holds the primary key back to life", async () => {
    const { repo } = await open();
    const { owner, project } = await aProject({ repo });
    const key = { projectId: project.id, personId: owner.id };
    await repo.members.create(key);
    await repo.members.delete(key);
    expect(await repo.members.count()).toBe(0);
    const again = await repo.members.upsert({ ...key, role: "admin" }, { on: ["projectId", "personId"] });
    expect([again.role, again.deletedAt]).toEqual(["admin", null]);
    expect(await repo.members.withDeleted().count()).toBe(1);
  });

  it("cannot bring a row to life below a dead parent", async () => {
    const { repo } = await open();
    const { owner, project } = await aProject({ repo });
    const key = { projectId: project.id, personId: owner.id };
    await repo.members.create(key);
    await repo.projects.delete(project.id);
    const work = repo.members.upsert({ ...key, role: "admin" }, { on: ["projectId", "personId"] });
    await expect(work).rejects.toMatchObject({ code: "FOREIGN_KEY_VIOLATION" });
  });
});

describe("toSQL", () => {
  it("says what soft delete added to a read and to a delete", async () => {
    const { repo } = await open();
    expect(repo.people.find("x").toSQL().additions).toEqual([
      { behaviour: "soft delete", sql: expect.stringContaining("deleted_at") },
    ]);
    const added = repo.people
      .delete("x")
      .toSQL()
      .additions.filter(({ behaviour }) => behaviour === "soft delete");
    expect(added.map(({ sql }) => sql)).toEqual([
      expect.stringContaining('"deleted_at" is null'),
      "deleted_at = clock_timestamp()",
      expect.stringContaining("deleted_by = "),
    ]);
  });
});
