import { beforeAll, describe, expect, it } from "vitest";
import { openWorkbench } from "../where/workbench.fixture.ts";

const { db, projects, tasks, people } = await openWorkbench();

beforeAll(async () => {
  const project = await projects.create({ name: "P" });
  await tasks.createMany(
    Array.from({ length: 5_000 }, (_, i) => ({ title: `t${i}`, projectId: project.id, priority: i })),
  );
  await db.sql`analyze workbench.tasks`;
});

describe("explain", () => {
  it("tells how a statement would run, without running it", async () => {
    const query = tasks.get("nobody");
    const { statements, problems, later } = await query.explain();
    expect(statements).toMatchObject([
      {
        text: query.toSQL().text,
        plan: { node: "Index Scan", relation: "tasks", index: "tasks_pkey", estimatedRows: 1, children: [] },
        executionMs: undefined,
      },
    ]);
    expect(statements[0]?.plan).not.toHaveProperty("actualRows");
    expect([problems, later]).toEqual([[], []]);
    await expect(query).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("says in words that a table is read whole", async () => {
    const { problems, statements } = await tasks.count({ priority: 17 }).explain({ analyze: true });
    expect(problems).toEqual([
      expect.stringMatching(
        /^tasks is read whole: 5,000 rows were looked at to find 1 by .*priority = 17.*; an index could find them$/,
      ),
    ]);
    expect(statements[0]?.executionMs).toBeGreaterThan(0);
  });

  it("takes back what a write did", async () => {
    const before = await people.count();
    const { statements } = await people.create({ name: "x", token: "t" }).explain({ analyze: true });
    expect(statements[0]?.plan).toMatchObject({ node: "ModifyTable", relation: "people", actualRows: 1 });
    await db.transaction(async () => {
      await people.create({ name: "y" }).explain({ analyze: true });
      expect(await people.count()).toBe(before);
    });
    expect(await people.count()).toBe(before);
  });

  it("shows what follows", async () => {
    const { later } = await projects.list({ with: { tasks: true } }).explain();
    expect(later).toEqual([
      expect.stringContaining('from "workbench"."tasks" t0 where t0."project_id" = any($1'),
    ]);
  });

  it("says that a sort did not fit in memory", async () => {
    await db.transaction(async (tx) => {
      await tx.sql`select set_config('work_mem', '64kB', true)`;
      const { problems } = await tasks
        .list({ sort: "title", limit: 100, page: 45 })
        .explain({ analyze: true });
      expect(problems.join("\n")).toMatch(
        /^Sort did not fit in memory \([\d,]+ kB\): fewer rows, an index in that order/m,
      );
    });
  });
});
