import { beforeAll, describe, expect, it } from "vitest";
import { refusal } from "../../../test/support/rejection.ts";
import { openWorkbench } from "./workbench.fixture.ts";

const { db, people, projects, tasks, labels, taskLabels } = await openWorkbench();

/** Titles of the tasks a condition finds, in order. */
async function titles(where: object): Promise<string> {
  const { data } = await tasks.list({ where, sort: "title", limit: 100 });
  return data.map((task) => task.title).join("");
}

async function namesOf(where: object, of = projects): Promise<string> {
  const { data } = await of.list({ where, sort: "name", limit: 100 });
  return data.map((project) => project.name).join("");
}

beforeAll(async () => {
  const ann = await people.create({ name: "ann", token: "t" });
  const [p, q] = await projects.createMany([
    { name: "P", ownerId: ann.id },
    { name: "Q" },
    { name: "R", ownerId: ann.id },
  ]);
  const [projectId, otherId] = [p?.id ?? "", q?.id ?? ""];
  const [a, b, c, x] = await tasks.createMany([
    { title: "a", projectId, priority: 1 },
    { title: "b", projectId, priority: null },
    { title: "c", projectId: otherId, priority: 1 },
    { title: "x", projectId: otherId, priority: 9 },
  ]);
  await tasks.createMany([
    { title: "d", projectId, priority: 3, parentId: a?.id ?? "" },
    { title: "e", projectId: otherId, priority: 3, parentId: x?.id ?? "" },
  ]);
  const [red, blue, gone] = await labels.createMany([{ label: "red" }, { label: "blue" }, { label: "gone" }]);
  await taskLabels.createMany([
    { taskId: a?.id ?? "", labelId: red?.id ?? "" },
    { taskId: a?.id ?? "", labelId: blue?.id ?? "" },
    { taskId: b?.id ?? "", labelId: blue?.id ?? "" },
    { taskId: c?.id ?? "", labelId: gone?.id ?? "" },
    { taskId: x?.id ?? "", labelId: red?.id ?? "" },
    { taskId: b?.id ?? "", labelId: red?.id ?? "" },
  ]);
  // A dead row at every place: a label, a link, and a task with its child, which dies with it.
  await labels.delete(gone?.id ?? "");
  await taskLabels.delete({ taskId: b?.id ?? "", labelId: red?.id ?? "" });
  await db.sql`update workbench.tasks set deleted_at = now() where title = 'x'`;
});

describe("a condition on related rows", () => {
  it.each<[object, string]>([
    [{ tasks: { some: {} } }, "PQ"],
    [{ tasks: { some: { priority: 1 } } }, "PQ"],
    [{ tasks: { some: { title: "x" } } }, ""],
    [{ tasks: { some: { priority: 9 } } }, ""],
    [{ tasks: { none: {} } }, "R"],
    [{ tasks: { none: { priority: null } } }, "QR"],
    [{ tasks: { none: { priority: 9 } } }, "PQR"],
    [{ tasks: { every: { priority: { lt: 4 } } } }, "QR"],
    [{ tasks: { every: { title: { not: "x" } } } }, "PQR"],
    [{ tasks: { every: {} } }, "PQR"],
    [{ tasks: { some: { title: "a" }, none: { title: "c" } } }, "P"],
    [{ owner: { is: null } }, "Q"],
    [{ owner: { isNot: null } }, "PR"],
    [{ owner: { is: { name: "ann" } } }, "PR"],
    [{ owner: { isNot: { name: "ann" } } }, "Q"],
    [{ owner: { isNot: { name: "bob" } } }, "PQR"],
    [{ owner: { is: { name: "ann" }, isNot: null } }, "PR"],
    [{ or: [{ name: "Q" }, { tasks: { none: {} } }] }, "QR"],
    [{ not: { tasks: { some: { priority: null } } } }, "QR"],
    [{ owner: { is: { projects: { some: { name: "R" } } } } }, "PR"],
    [{ tasks: { some: { labels: { some: { label: "red" } } } } }, "P"],
  ])("finds projects by %o", async (where, expected) => {
    expect(await namesOf(where)).toBe(expected);
    expect(await projects.count(where)).toBe(expected.length);
  });

  it.each<[object, string]>([
    [{ project: { is: { name: "P" } } }, "abd"],
    [{ project: { isNot: { name: "P" } } }, "c"],
    [{ project: { is: { owner: { is: null } } } }, "c"],
    [{ labels: { some: { label: "red" } } }, "a"],
    [{ labels: { some: { label: "blue" } } }, "ab"],
    [{ labels: { some: { label: "gone" } } }, ""],
    [{ labels: { none: {} } }, "cd"],
    [{ labels: { none: { label: "red" } } }, "bcd"],
    [{ labels: { every: { label: "blue" } } }, "bcd"],
    [{ children: { some: {} } }, "a"],
    [{ parent: { is: { title: "a" } } }, "d"],
    [{ parent: { is: null } }, "abc"],
    [{ parent: { isNot: null } }, "d"],
    [{ ancestors: { some: { title: "a" } } }, "d"],
    [{ ancestors: { none: {} } }, "abc"],
    [{ parent: { is: { parent: { is: null }, children: { every: { priority: 3 } } } } }, "d"],
  ])("finds tasks by %o", async (where, expected) => {
    expect(await titles(where)).toBe(expected);
  });

  it("sees what the caller asked to see: also the dead, at every depth", async () => {
    expect(await namesOf({ tasks: { some: { title: "x" } } }, projects.withDeleted())).toBe("Q");
    const dead = await tasks.onlyDeleted().list({ where: { children: { some: { title: "e" } } } });
    expect(dead.data.map((task) => task.title)).toEqual(["x"]);
    expect(await tasks.withDeleted().count({ labels: { some: { label: "gone" } } })).toBe(1);
    expect(await tasks.withDeleted().count({ labels: { some: { label: "red" } } })).toBe(3);
  });

  it("narrows the related rows of a read as well", async () => {
    const found = await projects.list({
      sort: "name",
      with: { tasks: { sort: "title", where: { labels: { some: { label: "blue" } } } } },
    });
    expect(found.data.map((project) => project.tasks.map((task) => task.title).join(""))).toEqual([
      "ab",
      "",
      "",
    ]);
  });

  it("is shown by toSQL, with what behaviours added inside it", () => {
    const { text, additions } = tasks.count({ labels: { some: { label: "red" } } }).toSQL();
    expect(text).toBe(
      'select count(*) from "workbench"."tasks" t0 where ((exists (select 1 from "workbench"."labels" t1 join "workbench"."task_labels" t2 on t2."label_id" = t1."id" and t2."deleted_at" is null where t2."task_id" = t0."id" and t1."deleted_at" is null and (t1."label" = $1)))) and t0."deleted_at" is null',
    );
    expect(additions.map(({ sql }) => sql).sort()).toEqual([
      't0."deleted_at" is null',
      't1."deleted_at" is null',
      't2."deleted_at" is null',
    ]);
  });

  it.each<[object, string]>([
    [{ tasks: {} }, "where.tasks: is an empty condition; leave the property out instead"],
    [{ tasks: null }, "where.tasks: must be a plain object"],
    [{ tasks: [] }, "where.tasks: must be a plain object"],
    [{ tasks: true }, "where.tasks: must be a plain object"],
    [{ tasks: { title: "a" } }, 'where.tasks.title: unknown operator "title"; allowed: some, none, every'],
    [{ tasks: { is: {} } }, 'where.tasks.is: unknown operator "is"; allowed: some, none, every'],
    [{ owner: { some: {} } }, 'where.owner.some: unknown operator "some"; allowed: is, isNot'],
    [{ owner: { isnot: {} } }, 'where.owner.isnot: unknown operator "isnot"; did you mean "isNot"?'],
    [{ tasks: { some: null } }, "where.tasks.some: must be a plain object"],
    [{ tasks: { some: undefined } }, "where.tasks.some: is undefined; leave the operator out instead"],
    [{ tasks: { some: [] } }, "where.tasks.some: must be a plain object"],
    [
      { tasks: { some: { titel: "a" } } },
      'where.tasks.some.titel: unknown column "titel"; did you mean "title"?',
    ],
    [{ owner: { is: { token: "t" } } }, 'where.owner.is.token: unknown column "token"'],
    [{ tasks: { constructor: {} } }, "where.tasks.constructor: unknown operator"],
    [JSON.parse('{"tasks": {"__proto__": {}}}'), "where.tasks.__proto__: unknown operator"],
    [{ tasks: { some: { title: { in: "a" } } } }, "where.tasks.some.title.in: must be a list"],
  ])("refuses %o", async (where, message) => {
    const { code, issues } = await refusal(projects.count(where as never));
    expect(code).toBe("INVALID_QUERY");
    expect(issues).toEqual([expect.stringContaining(message)]);
  });

  it("refuses to go deeper than six relations, and to be one of more than twenty", async () => {
    const nested = (depth: number): object => (depth === 0 ? {} : { children: { some: nested(depth - 1) } });
    expect(await tasks.count(nested(6))).toBe(0);
    expect((await refusal(tasks.count(nested(7)))).issues[0]).toContain(
      "is nested more than 6 relations deep",
    );
    const wide = (width: number): object => ({ or: Array.from({ length: width }, () => nested(1)) });
    expect(await tasks.count(wide(20))).toBe(1);
    expect((await refusal(tasks.count(wide(21)))).issues).toEqual([
      "where.or.20.children: is one of more than 20 conditions on relations",
    ]);
  });
});
