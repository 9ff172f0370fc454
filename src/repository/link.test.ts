import { integer, text } from "drizzle-orm/pg-core";
import { computed } from "plinth";
import { beforeAll, describe, expect, it } from "vitest";
import { refusal } from "../../test/support/rejection.ts";
import * as bench from "./where/workbench.fixture.ts";

const { projects, tasks, labels, taskLabels } = await bench.openWorkbench();

const ids = { a: "", b: "" };

beforeAll(async () => {
  const { id: projectId } = await projects.create({ name: "P" });
  const found = await tasks.createMany([
    { title: "a", projectId },
    { title: "b", projectId },
  ]);
  [ids.a, ids.b] = [found[0]?.id ?? "", found[1]?.id ?? ""];
  const made = await labels.createMany(["red", "blue", "grey", "dead"].map((label) => ({ label })));
  const link = (taskId: string, at: number, position: number | null) =>
    taskLabels.create({ taskId, labelId: made[at]?.id ?? "", position, note: "secret" });
  await link(ids.a, 0, 2);
  await link(ids.a, 1, 1);
  await link(ids.a, 2, null);
  await link(ids.a, 3, 0);
  await link(ids.b, 0, 1);
  await link(ids.b, 1, 2);
  await labels.delete(made[3]?.id ?? "");
});

const written = (rows: readonly { label: string }[]) => rows.map(({ label }) => label).join();

describe("a relation through a table of links", () => {
  it("is sorted by a column of the link, by every strategy, with and without a limit", async () => {
    for (const strategy of ["statement", "json"] as const) {
      for (const limit of [9, 2, undefined]) {
        for (const [sort, ofA, ofB] of [
          ["link.position", ["blue", "red", "grey"], ["red", "blue"]],
          ["-link.position", ["grey", "red", "blue"], ["blue", "red"]],
          [
            { by: "link.position", direction: "desc", nulls: "last" },
            ["red", "blue", "grey"],
            ["blue", "red"],
          ],
        ] as const) {
          const asked = {
            sort: [sort, "label"],
            strategy,
            ...(limit === undefined ? {} : { limit }),
          } as const;
          const { data } = await tasks.list({ sort: "title", with: { labels: asked } });
          expect(data.map((task) => written(task.labels))).toEqual(
            [ofA, ofB].map((all) => all.slice(0, limit).join()),
          );
        }
      }
    }
  });

  it("shows columns of the link beside the row, by every strategy, with and without a limit", async () => {
    const shown = { sort: "link.position", columns: ["label"], link: ["position"] } as const;
    const blue = { label: "blue", link: { position: 1 } };
    for (const strategy of ["statement", "json"] as const) {
      const { data } = await tasks.list({
        sort: "title",
        with: { labels: { ...shown, strategy, limit: 1 } },
      });
      expect(data.map((task) => task.labels)).toEqual([[blue], [{ label: "red", link: { position: 1 } }]]);
    }
    const one = await tasks.get(ids.a, { with: { labels: shown } });
    expect(one.labels).toEqual([
      blue,
      { label: "red", link: { position: 2 } },
      { label: "grey", link: { position: null } },
    ]);
    const keys = await tasks.get(ids.a, { with: { labels: { link: ["taskId", "deletedAt"], limit: 1 } } });
    expect(keys.labels[0]?.link).toEqual({ taskId: ids.a, deletedAt: null });
  });

  it("finds the page inside, and shows and sorts its rows outside, where the link is one of their values", () => {
    const asked = { sort: "-link.position", columns: ["label"], link: ["position"], limit: 2 } as const;
    const { later } = tasks.list({ columns: ["id"], with: { labels: asked } }).toSQL();
    expect(later).toEqual([
      'select k.c1, t0."label", (t0.plinth_link)."position" from unnest($1::text[]) as k(c1) cross join lateral (select t0.*, t1 as plinth_link from "workbench"."labels" t0 join "workbench"."task_labels" t1 on t1."label_id" = t0."id" and t1."deleted_at" is null where t1."task_id" = k.c1 and t0."deleted_at" is null order by t1."position" desc, t0."id" desc limit 2) t0 order by (t0.plinth_link)."position" desc, t0."id" desc',
    ]);
  });

  it("is sorted by it at any depth, beside relations and computed columns of its own", async () => {
    const loud = computed(text())`upper(${bench.labels.label})`;
    const length = computed(integer().notNull())`length(${bench.labels.label})`;
    const asked = {
      sort: ["-length", "link.position"],
      columns: ["label"],
      compute: { loud, length },
      link: ["position"],
      limit: 2,
    } as const;
    const [project] = (await projects.list({ with: { tasks: { sort: "title", with: { labels: asked } } } }))
      .data;
    expect(project?.tasks[0]?.labels).toEqual([
      { label: "blue", loud: "BLUE", length: 4, link: { position: 1 } },
      { label: "grey", loud: "GREY", length: 4, link: { position: null } },
    ]);
  });

  it.each<[object, string]>([
    [
      { labels: { sort: "link.positoin" } },
      'with.labels.sort: unknown sort "link.positoin"; did you mean "link.position"?',
    ],
    [{ labels: { sort: "link.note" } }, 'with.labels.sort: unknown sort "link.note"'],
    [{ labels: { link: ["note"] } }, 'with.labels.link: unknown column "note"'],
    [{ labels: { link: [] } }, "with.labels.link: must be a list of columns"],
    [{ labels: { link: "position" } }, "with.labels.link: must be a list of columns"],
    [{ children: { link: ["position"] } }, 'with.children.link: unknown option "link"'],
    [{ children: { sort: "link.position" } }, 'with.children.sort: unknown sort "link.position"'],
    [
      { labels: { link: ["position"], compute: { link: computed(text())`1` } } },
      "with.labels.compute.link: has a name that reads use themselves",
    ],
  ])("refuses %o", async (asked, message) => {
    expect((await refusal(tasks.list({ with: asked } as never))).issues[0]).toContain(message);
  });
});
