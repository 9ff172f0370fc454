import { beforeAll, describe, expect, it } from "vitest";
import { isPooledRun } from "../../test/support/pooler.ts";
import { refusal } from "../../test/support/rejection.ts";
import { openWorkbench, tasks as tasksEntity } from "./where/workbench.fixture.ts";

const { db, people, projects, tasks, labels, taskLabels } = await openWorkbench();

const ids = { p: "", q: "", a: "", b: "", c: "", d: "", e: "" };

beforeAll(async () => {
  const ann = await people.create({ name: "ann", token: "t" });
  ids.p = (await projects.create({ name: "P", ownerId: ann.id })).id;
  ids.q = (await projects.create({ name: "Q" })).id;
  const make = async (title: "a" | "b" | "c" | "d" | "e", parentId: string | null, projectId = ids.p) => {
    ids[title] = (await tasks.create({ title, projectId, parentId })).id;
  };
  // a has b and c, b has d, d has e.
  await make("a", null);
  await make("b", ids.a);
  await make("c", ids.a);
  await make("d", ids.b);
  await make("e", ids.d, ids.q);
  const [red, blue, dead] = await labels.createMany([{ label: "red" }, { label: "blue" }, { label: "dead" }]);
  await taskLabels.createMany([
    { taskId: ids.a, labelId: blue?.id ?? "" },
    { taskId: ids.a, labelId: red?.id ?? "" },
    { taskId: ids.a, labelId: dead?.id ?? "" },
    { taskId: ids.b, labelId: red?.id ?? "" },
  ]);
  await labels.delete(dead?.id ?? "");
});

describe("a relation through a table of links", () => {
  it("gives the rows at the other end, in their order, without the dead", async () => {
    const found = await tasks.get(ids.a, { with: { labels: { sort: "label" } } });
    expect(found.labels.map(({ label }) => label)).toEqual(["blue", "red"]);
    expect(Object.keys(found.labels[0] ?? {})).toEqual(["id", "label", "deletedAt", "deletedBy"]);
  });

  it("gives each row of a page its own, by every strategy, with and without a limit", async () => {
    for (const strategy of ["statement", "json"] as const) {
      for (const limit of [undefined, 1]) {
        const asked = { sort: "-label", strategy, ...(limit === undefined ? {} : { limit }) } as const;
        const { data } = await tasks.list({ sort: "title", with: { labels: asked } });
        const seen = data.map((task) => task.labels.map(({ label }) => label).join());
        expect(seen).toEqual([limit === 1 ? "red" : "red,blue", "red", "", "", ""]);
      }
    }
  });

  it("loses the rows of a dead link", async () => {
    const label = await labels.create({ label: "x" });
    await taskLabels.create({ taskId: ids.c, labelId: label.id });
    await taskLabels.delete({ taskId: ids.c, labelId: label.id });
    expect((await tasks.get(ids.c, { with: { labels: true } })).labels).toEqual([]);
  });
});

describe("a walk through a tree", () => {
  it("finds what is above, the nearest first", async () => {
    const { path } = await tasks.get(ids.e, { with: { path: true } });
    expect(path.map(({ title }) => title).join("")).toBe("dba");
  });

  it("finds what is below, level by level, and no deeper than asked", async () => {
    const below = async (maxDepth: number) => {
      const found = await tasks.get(ids.a, { with: { below: { maxDepth } } });
      return found.below.map(({ title }) => title).join("");
    };
    expect([await below(1), await below(2), await below(9)]).toEqual(["bc", "bcd", "bcde"]);
  });

  it("sorts, filters and nests as any other relation", async () => {
    const { data } = await tasks.list({
      where: { title: { in: ["a", "d"] } },
      sort: "title",
      with: {
        below: {
          sort: "-title",
          where: { title: { not: "c" } },
          columns: ["title"],
          with: { project: { columns: ["name"] } },
        },
      },
    });
    expect(data.map((task) => task.below)).toEqual([
      [
        { title: "e", project: { name: "Q" } },
        { title: "d", project: { name: "P" } },
        { title: "b", project: { name: "P" } },
      ],
      [{ title: "e", project: { name: "Q" } }],
    ]);
  });

  it("counts, and holds conditions", async () => {
    const { data } = await tasks.list({
      where: { below: { some: { title: "e" } } },
      sort: "title",
      counts: { below: true, children: { where: { title: "b" } } },
    });
    expect(data.map(({ title, counts }) => [title, counts])).toEqual([
      ["a", { below: 4, children: 1 }],
      ["b", { below: 2, children: 0 }],
      ["d", { below: 1, children: 0 }],
    ]);
  });

  it("ends where a circle closes, without the row it began with", async () => {
    await db.transaction(async (tx) => {
      await tx.repository(tasksEntity).update(ids.a, { parentId: ids.e });
      const found = await tasks.get(ids.b, { with: { below: true, path: true } });
      expect(found.below.map(({ title }) => title).join("")).toBe("deac");
      expect(found.path.map(({ title }) => title).join("")).toBe("aed");
      await tx.repository(tasksEntity).update(ids.a, { parentId: null });
    });
  });

  it("steps over no dead row", async () => {
    const [first] = await tasks.createMany([{ title: "1", projectId: ids.p }]);
    const second = await tasks.create({ title: "2", projectId: ids.p, parentId: first?.id ?? "" });
    const third = await tasks.create({ title: "3", projectId: ids.p, parentId: second.id });
    await db.sql`update workbench.tasks set deleted_at = now() where id = ${second.id}`;
    expect((await tasks.get(first?.id ?? "", { with: { below: true } })).below).toEqual([]);
    // It died with what is below it, so the row above is asked from among the dead.
    const dead = await tasks.withDeleted().get(third.id, { with: { path: true } });
    expect(dead.path.map(({ title }) => title).join("")).toBe("21");
  });
});

describe("strategies", () => {
  const options = {
    sort: "title",
    with: { children: {}, project: { with: { owner: true } }, labels: {} },
  } as const;

  it("give the same rows", async () => {
    const ways = [
      [{}, {}],
      [{ strategy: "json" }, { strategy: "json" }],
      [{ strategy: "statement" }, { strategy: "join" }],
    ] as const;
    const answers = [];
    for (const [many, one] of ways) {
      answers.push(
        await tasks.list({
          ...options,
          with: { children: many, labels: many, project: { ...one, with: { owner: one } } },
        }),
      );
    }
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
    expect(answers[0]?.data[0]).toMatchObject({ title: "1", project: { name: "P", owner: { name: "ann" } } });
  });

  it("are refused where they cannot be", async () => {
    const refused = await refusal(tasks.list({ with: { project: { strategy: "statement" as "json" } } }));
    expect(refused.issues).toEqual(["with.project.strategy: must be join or json here"]);
    const deep = { with: { tasks: { with: { children: { strategy: "statement" } } } } } as const;
    expect((await refusal(projects.list(deep))).issues).toEqual([
      "with.tasks.with.children.strategy: must be json here",
    ]);
  });

  it("show the statements that follow", () => {
    const { text, later } = projects.list({ with: { tasks: { limit: 2 } } }).toSQL();
    expect(text).not.toContain('"tasks"');
    expect(later).toEqual([
      'select k.c1, t0."id", t0."project_id", t0."parent_id", t0."title", t0."priority", t0."deleted_at", t0."deleted_by" from unnest($1::text[]) as k(c1) cross join lateral (select t0.* from "workbench"."tasks" t0 where t0."project_id" = k.c1 and t0."deleted_at" is null order by t0."id" limit 2) t0 order by t0."id"',
    ]);
  });

  it("join after the page is found", () => {
    const { text } = tasks
      .list({ with: { project: { columns: ["name"] } }, columns: ["title"], after: null })
      .toSQL();
    expect(text).toBe(
      'select t0."title", t1."id", t1."name", t0."id" from (select t0.* from "workbench"."tasks" t0 where true and t0."deleted_at" is null order by t0."id" limit 11) t0 left join "workbench"."projects" t1 on t1."id" = t0."project_id" and t1."deleted_at" is null order by t0."id"',
    );
  });
});

describe("columns", () => {
  it("reads what is named, in every kind of read", async () => {
    const columns = ["title", "priority"] as const;
    const row = { title: "a", priority: null };
    expect(await tasks.get(ids.a, { columns })).toEqual(row);
    expect(await tasks.findMany([ids.a, "nobody"], { columns })).toEqual([row, undefined]);
    expect((await tasks.list({ columns, where: { title: "a" } })).data).toEqual([row]);
    const { data, meta } = await tasks.list({ columns: ["priority"], sort: "-title", limit: 1, after: null });
    expect(data).toEqual([{ priority: null }]);
    expect(
      (await tasks.list({ columns: ["title"], sort: "-title", limit: 1, after: meta.nextCursor })).data,
    ).toHaveLength(1);
  });

  it("refuses what is no column, or a secret", async () => {
    expect((await refusal(people.list({ columns: ["token" as "name"] }))).issues).toEqual([
      'columns: unknown column "token"; allowed: id, name',
    ]);
    expect((await refusal(people.list({ columns: [] }))).issues).toEqual([
      "columns: must be a list of columns",
    ]);
  });
});

describe("reads of one tick", () => {
  it("travel as one statement, each to its own caller", async () => {
    const rows = await Promise.all([
      tasks.get(ids.a),
      tasks.find("nobody"),
      tasks.get(ids.b),
      tasks.get(ids.a),
    ]);
    expect(rows.map((row) => row?.title)).toEqual(["a", undefined, "b", "a"]);
    expect(rows[0]).not.toBe(rows[3]);
    const [missing, found] = await Promise.allSettled([tasks.get("nobody"), tasks.get(ids.c)]);
    expect(missing).toMatchObject({ status: "rejected", reason: { code: "NOT_FOUND" } });
    expect(found).toMatchObject({ status: "fulfilled", value: { title: "c" } });

    const name = (statement: string) => `%"workbench"."tasks" t0 where t0."id" = ${statement}%`;
    const runs = async (pattern: string) => {
      const [row] = await db.sql<{ runs: number }>`
        select coalesce(sum(generic_plans + custom_plans), 0)::int4 as runs from pg_prepared_statements
        where statement like ${pattern}`;
      return row?.runs ?? 0;
    };
    const many = await db.transaction(async () => {
      const before = await runs(name("any"));
      const titles = await Promise.all(["a", "b", "c", "d"].map((key) => tasks.get(ids[key as "a"])));
      // Behind a pooler the statements of a transaction have no name by which the server could count them.
      expect((await runs(name("any"))) - before).toBe(isPooledRun() ? 0 : 1);
      return titles.map(({ title }) => title).join("");
    });
    expect(many).toBe("abcd");
    const twenty = await Promise.all(
      Array.from({ length: 20 }, (_, i) => (i === 7 ? tasks.find("nobody") : tasks.find(ids.b))),
    );
    expect(twenty.filter((row) => row?.title === "b")).toHaveLength(19);
  });

  it("keep to their transactions", async () => {
    const outside = new Promise((resolve) => setTimeout(resolve, 20)).then(() => tasks.get(ids.a));
    await db
      .transaction(async () => {
        await tasks.update(ids.a, { priority: 9 });
        const inside = await Promise.all([tasks.get(ids.a), tasks.get(ids.b)]);
        expect(inside.map((row) => row.priority)).toEqual([9, null]);
        expect((await outside).priority).toBeNull();
        throw new Error("undo");
      })
      .catch(() => {});
  });
});
