import { beforeAll, describe, expect, it } from "vitest";
import { refusal } from "../../test/support/rejection.ts";
import { openWorkbench } from "./where/workbench.fixture.ts";

const { db, people, projects, tasks } = await openWorkbench();

beforeAll(async () => {
  const [ann, bob] = await people.createMany([{ name: "ann", token: "t" }, { name: "bob" }]);
  const [p, q, r, dead] = await projects.createMany([
    { name: "P", ownerId: ann?.id ?? "" },
    { name: "Q", ownerId: bob?.id ?? "" },
    { name: "R" },
    { name: "dead", ownerId: ann?.id ?? "" },
  ]);
  const make = (title: string, project: typeof p, priority: number | null, parentId: string | null = null) =>
    tasks.create({ title, projectId: project?.id ?? "", priority, parentId });
  const a = await make("a", p, 1);
  await make("b", p, 2, a.id);
  await make("c", q, 3, a.id);
  await make("d", r, null, a.id);
  const gone = await make("f", p, 99);
  await tasks.delete(gone.id);
  await make("e", dead, 5);
  // Without the trigger that lets its tasks die with it, as an application before Plinth may have left them.
  await db.transaction(async () => {
    await db.sql`set local session_replication_role = replica`;
    await db.sql`update workbench.projects set deleted_at = now() where name = 'dead'`;
  });
});

describe("an aggregate over related rows", () => {
  it("groups by a column of the row that a relation leads to; a dead one is none", async () => {
    const asked = { groupBy: "project.name", count: true, sum: "priority" } as const;
    expect(tasks.aggregate(asked).toSQL()).toMatchObject({
      text: 'select t1."name", count(*), sum(t0."priority") from "workbench"."tasks" t0 left join "workbench"."projects" t1 on t1."id" = t0."project_id" and t1."deleted_at" is null where true and t0."deleted_at" is null group by t1."name" order by t1."name"',
      additions: [
        { behaviour: "soft delete", sql: 't0."deleted_at" is null' },
        { behaviour: "soft delete", sql: 't1."deleted_at" is null' },
      ],
    });
    expect(await tasks.aggregate(asked)).toEqual([
      { "project.name": "P", count: 2, sum: { priority: 3n } },
      { "project.name": "Q", count: 1, sum: { priority: 3n } },
      { "project.name": "R", count: 1, sum: { priority: null } },
      { "project.name": null, count: 1, sum: { priority: 5n } },
    ]);
    const all = await tasks
      .withDeleted()
      .aggregate({ groupBy: "project.name", count: true, sort: "-project.name" });
    expect(all.map((group) => [group["project.name"], group.count])).toEqual([
      ["dead", 1],
      ["R", 1],
      ["Q", 1],
      ["P", 3],
    ]);
  });

  it("goes through several relations, joins each once, and keeps other groups beside them", async () => {
    const query = tasks.aggregate({
      groupBy: ["project.owner.name", "project.name", "parent.title"],
      count: true,
      // Of the groups that are equal in these, their columns decide.
      sort: ["-count", { by: "project.owner.name", nulls: "first" }],
      limit: 3,
    });
    expect(query.toSQL().text.match(/left join/g)).toHaveLength(3);
    expect(await query).toEqual([
      { "project.owner.name": null, "project.name": "R", "parent.title": "a", count: 1 },
      { "project.owner.name": null, "project.name": null, "parent.title": null, count: 1 },
      { "project.owner.name": "ann", "project.name": "P", "parent.title": "a", count: 1 },
    ]);
  });

  it("makes numbers of related columns, once for each row, and compares them", async () => {
    expect(
      await tasks.aggregate({
        countDistinct: ["project.name", "project.owner.name"],
        max: "parent.title",
        sum: "parent.priority",
      }),
    ).toEqual({
      countDistinct: { "project.name": 3, "project.owner.name": 2 },
      max: { "parent.title": "a" },
      sum: { "parent.priority": 3n },
    });
    expect(
      await tasks.aggregate({
        groupBy: "project.name",
        min: "parent.priority",
        having: { min: { "parent.priority": { gte: 1 } } },
        sort: "-min.parent.priority",
        where: { project: { is: { name: { not: "R" } } } },
      }),
    ).toEqual([
      { "project.name": "P", min: { "parent.priority": 1 } },
      { "project.name": "Q", min: { "parent.priority": 1 } },
    ]);
  });

  it("gives the different values of a related column", async () => {
    expect(await tasks.distinct("project.owner.name")).toEqual(["ann", "bob", null]);
    expect(await tasks.distinct("project.name", { where: { priority: { gt: 1 } }, limit: 2 })).toEqual([
      "P",
      "Q",
    ]);
  });

  it.each<[object, string]>([
    [{ groupBy: "project.nam" }, 'groupBy: unknown column "project.nam"; did you mean "project.name"?'],
    [{ groupBy: "project.owner.token" }, 'groupBy: unknown column "project.owner.token"'],
    [
      { groupBy: "children.title" },
      'groupBy: "children" may be several rows; groups and numbers are made by relations to one row only',
    ],
    [{ groupBy: "project.tasks.title" }, 'groupBy: "project.tasks" may be several rows'],
    [{ groupBy: "project" }, 'groupBy: unknown column "project"'],
    [{ sum: "project.name" }, 'sum: cannot be of "project.name", whose type is text'],
    [{ max: "project.owner.token" }, 'max: unknown column "project.owner.token"'],
    [
      { groupBy: "parent.parent.parent.parent.parent.parent.parent.title" },
      "groupBy: leads through more than 6 relations",
    ],
    [{ groupBy: "constructor.name" }, 'groupBy: unknown column "constructor.name"'],
    [{ groupBy: [["project.name"]] }, "groupBy: column must be a string, not object"],
  ])("refuses %o", async (asked, message) => {
    expect((await refusal(tasks.aggregate(asked as never))).issues[0]).toContain(message);
  });
});
