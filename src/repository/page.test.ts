import { beforeAll, describe, expect, it } from "vitest";
import { refusal } from "../../test/support/rejection.ts";
import { openWorkbench } from "./where/workbench.fixture.ts";

const { db, projects, tasks } = await openWorkbench();
const ids: string[] = [];

beforeAll(async () => {
  const made = await projects.createMany([{ name: "p" }, { name: "q" }, { name: "r" }]);
  ids.push(...made.map(({ id }) => id));
  await tasks.createMany(
    Array.from({ length: 60 }, (_, i) => ({
      title: `t${String(i).padStart(2, "0")}`,
      // Thirty, twenty and ten.
      projectId: ids[i < 30 ? 0 : i < 50 ? 1 : 2] ?? "",
      priority: i % 4 === 0 ? null : i % 4,
    })),
  );
  await db.sql`analyze workbench.tasks`;
});

describe("a page without a total", () => {
  it("says whether there is a next one", async () => {
    const page = (n: number) => tasks.list({ total: "none", limit: 20, page: n });
    expect((await page(1)).data).toHaveLength(20);
    expect((await page(1)).meta).toEqual({ page: 1, limit: 20, hasNextPage: true });
    expect((await page(3)).meta).toEqual({ page: 3, limit: 20, hasNextPage: false });
    expect(await page(4)).toEqual({ data: [], meta: { page: 4, limit: 20, hasNextPage: false } });
  });

  it("counts nothing", () => {
    expect(tasks.list({ total: "none" }).toSQL().text).not.toContain("count");
  });

  it("brings related rows to those it shows, and to no more", async () => {
    const { data } = await projects.list({
      total: "none",
      limit: 2,
      sort: "name",
      with: { tasks: { columns: ["title"] } },
    });
    expect(data.map((project) => project.tasks.length)).toEqual([30, 20]);
  });
});

describe("a page with an estimated total", () => {
  it("takes what the planner expects, and says so", async () => {
    const { data, meta } = await tasks.list({ total: "estimated", limit: 5 });
    expect(data).toHaveLength(5);
    expect(meta).toEqual({ page: 1, limit: 5, total: 60, totalPages: 12, isEstimated: true });
    // A third of the rows, by the statistics of a column of twenty, thirty and ten.
    const { meta: narrow } = await tasks.list({
      where: { projectId: ids[1] ?? "" },
      total: "estimated",
      limit: 5,
    });
    expect(narrow).toEqual({ page: 1, limit: 5, total: 20, totalPages: 4, isEstimated: true });
  });

  it("knows better where the page is the last one", async () => {
    const last = await tasks.list({ where: { title: { gte: "t55" } }, total: "estimated", limit: 10 });
    expect(last.meta).toEqual({ page: 1, limit: 10, total: 5, totalPages: 1, isEstimated: false });
    const none = await tasks.list({ where: { title: "none" }, total: "estimated" });
    expect(none.meta).toEqual({ page: 1, limit: 10, total: 0, totalPages: 0, isEstimated: false });
    const second = await tasks.list({ total: "estimated", limit: 40, page: 2 });
    expect(second.meta).toMatchObject({ total: 60, isEstimated: false });
    expect((await tasks.list({ total: "estimated", page: 99 })).meta).toMatchObject({
      total: 60,
      isEstimated: true,
    });
  });

  it("travels with the page", async () => {
    const { text } = tasks.list({ where: { priority: 1 }, total: "estimated" }).toSQL();
    expect(text.split(";\n")[1]).toBe(
      'explain (format json) select 1 from "workbench"."tasks" t0 where (t0."priority" = $1) and t0."deleted_at" is null',
    );
    const [page] = await db.batch([tasks.list({ total: "estimated", limit: 1 })]);
    expect(page.meta.total).toBe(60);
  });

  it("is never below what the pages so far have shown", async () => {
    await db.transaction(async (tx) => {
      // Nobody has analysed these.
      await tx.sql`insert into workbench.tasks (id, project_id, title) select 'x' || n, ${ids[0] ?? ""}, 'new' from generate_series(1, 50) n`;
      const mine = tx.repository((await import("./where/workbench.fixture.ts")).tasks);
      const { meta } = await mine.list({
        where: { title: "new" },
        total: "estimated",
        limit: 20,
        page: 2,
      });
      expect(meta.total).toBeGreaterThanOrEqual(40);
      expect(meta.isEstimated).toBe(true);
      await tx.sql`delete from workbench.tasks where title = 'new'`;
    });
  });
});

describe("a total", () => {
  it.each(["some", true, null, 1])("is refused when it is %j", async (total) => {
    expect((await refusal(tasks.list({ total: total as never }))).issues).toEqual([
      "total: must be exact, estimated or none",
    ]);
  });

  it("is refused beside a cursor, which counts nothing", async () => {
    expect((await refusal(tasks.list({ after: null, total: "none" as never }))).issues).toEqual([
      "total: cannot be combined with after",
    ]);
  });
});

describe("a limit", () => {
  const textWith = (limit?: number) =>
    tasks.list({ after: null, ...(limit === undefined ? {} : { limit }) }).toSQL();

  it("stands in the text where it is one that people write, so that the planner knows it", () => {
    expect([undefined, 10, 50, 100].map((limit) => textWith(limit).text.replace(/.* limit /s, ""))).toEqual([
      "11",
      "11",
      "51",
      "101",
    ]);
  });

  it("is a parameter where it is any other, so that a stranger makes no statements", () => {
    const texts = new Set([37, 38, 99].map((limit) => textWith(limit).text));
    expect([...texts].map((text) => text.replace(/.* limit /s, ""))).toEqual(["$1"]);
    expect(textWith(37).values).toEqual(["38"]);
  });
});

describe("distinctOn", () => {
  it("shows the first row of each, counts them, and reads what belongs to them", async () => {
    const { data, meta } = await tasks.list({
      distinctOn: "projectId",
      sort: ["-projectId", "-title"],
      columns: ["title"],
      with: { project: { columns: ["name"] } },
    });
    expect(data).toEqual([
      { title: "t59", project: { name: "r" } },
      { title: "t49", project: { name: "q" } },
      { title: "t29", project: { name: "p" } },
    ]);
    expect(meta).toEqual({ page: 1, limit: 10, total: 3, totalPages: 1 });
    const past = await tasks.list({ distinctOn: ["projectId"], page: 2, limit: 5 });
    expect(past).toEqual({ data: [], meta: { page: 2, limit: 5, total: 3, totalPages: 1 } });
  });

  it("takes nulls for equal, and begins the order where none was asked for", async () => {
    const { data } = await tasks.list({ distinctOn: "priority", columns: ["title", "priority"] });
    expect(data.map(({ priority }) => priority)).toEqual([1, 2, 3, null]);
  });

  it("walks by cursor from each to the next", async () => {
    const seen: unknown[] = [];
    let after: string | null = null;
    do {
      const page: { data: { title: string }[]; meta: { nextCursor: string | null } } = await tasks.list({
        distinctOn: ["projectId", "priority"],
        sort: ["projectId", { by: "priority", nulls: "first" }, "-title"],
        columns: ["title"],
        limit: 5,
        after,
      });
      seen.push(...page.data.map(({ title }) => title));
      after = page.meta.nextCursor;
    } while (after !== null);
    const all = await tasks.list({
      distinctOn: ["projectId", "priority"],
      sort: ["projectId", { by: "priority", nulls: "first" }, "-title"],
      limit: 100,
    });
    expect(seen).toEqual(all.data.map(({ title }) => title));
    expect(seen).toHaveLength(12);
  });

  it("is one statement, whose page is found before anything is joined", () => {
    const { text } = tasks
      .list({
        distinctOn: "projectId",
        columns: ["title"],
        total: "none",
        sort: ["projectId", "project.name"],
      })
      .toSQL();
    const join =
      'left join "workbench"."projects" t1 on t1."id" = t0."project_id" and t1."deleted_at" is null';
    const by = 'order by t0."project_id", t1."name", t0."id"';
    expect(text).toBe(
      `select t0."title" from (select distinct on (t0."project_id") t0.* from "workbench"."tasks" t0 ${join} where true and t0."deleted_at" is null ${by} limit 11) t0 ${join} ${by}`,
    );
  });

  it.each<[object, string]>([
    [{ distinctOn: "projectId", sort: "title" }, "sort: must begin with what distinctOn names: projectId"],
    [
      { distinctOn: ["projectId", "title"], sort: ["title", "-priority", "projectId"] },
      "sort: must begin with what distinctOn names: projectId, title",
    ],
    [{ distinctOn: [] }, "distinctOn: must name a column"],
    [{ distinctOn: "nope" }, "distinctOn: must be a column, or a list of columns"],
    [{ distinctOn: "project.name" }, "distinctOn: must be a column, or a list of columns"],
    [{ distinctOn: { projectId: true } }, "distinctOn: must be a column, or a list of columns"],
  ])("refuses %j", async (options, message) => {
    expect((await refusal(tasks.list(options as never))).issues).toEqual([message]);
  });
});
