import { type AnyPgColumn, text } from "drizzle-orm/pg-core";
import fc from "fast-check";
import type { KeysetPage } from "plinth";
import { appSchema, describeSchema, describeTable, entity, relations, secret, ulidKey } from "plinth/schema";
import { beforeAll, describe, expect, it } from "vitest";
import { refusal } from "../../test/support/rejection.ts";
import { SOAK_TIMEOUT_MS, soakRuns } from "../../test/support/soak.ts";
import { openWorkbench } from "./where/workbench.fixture.ts";

const { people, projects, tasks } = await openWorkbench();

/** What a task is sorted by, as plain values. */
interface Row {
  readonly id: string;
  readonly title: string;
  readonly priority: number | null;
  readonly "project.name": string | null;
  readonly "project.owner.name": string | null;
  readonly "parent.title": string | null;
  readonly "parent.project.name": string | null;
}

const KEYS = [
  "title",
  "priority",
  "project.name",
  "project.owner.name",
  "parent.title",
  "parent.project.name",
] as const;

interface Term {
  readonly by: (typeof KEYS)[number];
  readonly direction: "asc" | "desc";
  readonly nulls?: "first" | "last";
}

const term: fc.Arbitrary<Term> = fc.record(
  {
    by: fc.constantFrom(...KEYS),
    direction: fc.constantFrom("asc", "desc"),
    nulls: fc.constantFrom("first", "last"),
  },
  { requiredKeys: ["by", "direction"] },
);
const order = fc.uniqueArray(term, { minLength: 1, maxLength: 4, selector: ({ by }) => by });

const projectIds: string[] = [];

beforeAll(async () => {
  const [ann, bob] = await people.createMany([{ name: "ann" }, { name: "bob" }]);
  const made = await projects.createMany([
    { name: "p", ownerId: ann?.id ?? null },
    { name: "q", ownerId: bob?.id ?? null },
    { name: "p", ownerId: null },
    { name: "r", ownerId: ann?.id ?? null },
  ]);
  projectIds.push(...made.map(({ id }) => id));
});

/** Tasks of a random shape, whose titles begin with a mark of their own. */
async function makeTasks(count: number, seed: number): Promise<string[]> {
  const of = (i: number, n: number) => Math.floor(((seed + i * 7919) % 104_729) / (n + 1));
  const parents = await tasks.createMany(
    Array.from({ length: count }, (_, i) => ({
      title: "abc"[of(i, 1) % 3] ?? "a",
      priority: [null, 1, 2][of(i, 2) % 3] ?? null,
      projectId: projectIds[of(i, 3) % 4] ?? "",
    })),
  );
  const children = await tasks.createMany(
    parents.map(({ id }, i) => ({
      title: "abc"[of(i, 4) % 3] ?? "a",
      priority: [null, 1, 2][of(i, 5) % 3] ?? null,
      projectId: projectIds[of(i, 6) % 4] ?? "",
      parentId: id,
    })),
  );
  return [...parents, ...children].map(({ id }) => id);
}

/** The order that was asked for, worked out here. Names are one letter or word each, so no collation matters. */
function compare(terms: readonly Term[]) {
  return (one: Row, other: Row): number => {
    for (const { by, direction, nulls = direction === "asc" ? "last" : "first" } of terms) {
      const [a, b] = [one[by], other[by]];
      if (a === b) continue;
      if (a === null || b === null) return (a === null) === (nulls === "first") ? -1 : 1;
      return a < b === (direction === "asc") ? -1 : 1;
    }
    const descending = terms.at(-1)?.direction === "desc";
    return one.id < other.id === descending ? 1 : -1;
  };
}

async function rowsOf(ids: readonly string[]): Promise<Row[]> {
  const found = await tasks.findMany(ids, {
    with: { project: { with: { owner: true } }, parent: { with: { project: true } } },
  });
  return found.flatMap((task) => {
    if (task === undefined) return [];
    const { id, title, priority, project, parent } = task;
    return {
      id,
      title,
      priority,
      "project.name": project?.name ?? null,
      "project.owner.name": project?.owner?.name ?? null,
      "parent.title": parent?.title ?? null,
      "parent.project.name": parent?.project?.name ?? null,
    };
  });
}

async function walk(
  ids: readonly string[],
  sort: readonly Term[],
  limit: number,
  between: (page: number) => Promise<unknown> = async () => {},
): Promise<string[]> {
  const seen: string[] = [];
  let after: string | null = null;
  for (let page = 1; page < 500; page++) {
    const { data, meta }: KeysetPage<{ id: string }> = await tasks.list({
      where: { id: { in: ids } },
      columns: ["id"],
      sort,
      limit,
      after,
    });
    seen.push(...data.map(({ id }) => id));
    if (meta.nextCursor === null) return seen;
    after = meta.nextCursor;
    await between(page);
  }
  throw new Error("the pages have no end");
}

describe("sorting", () => {
  it(
    "is what was asked for, by own and related columns, with nulls placed, by pages and by cursors",
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 9 }),
          fc.nat({ max: 100_000 }),
          order,
          fc.integer({ min: 1, max: 7 }),
          async (count, seed, sort, limit) => {
            const ids = await makeTasks(count, seed);
            const expected = (await rowsOf(ids)).sort(compare(sort)).map(({ id }) => id);
            const where = { id: { in: ids } };
            const whole = await tasks.list({ where, sort, limit: 100, with: { project: true } });
            expect(whole.data.map(({ id }) => id)).toEqual(expected);
            expect(await walk(ids, sort, limit)).toEqual(expected);
            const second = await tasks.list({ where, sort, limit, page: 2, with: { parent: true } });
            expect(second.data.map(({ id }) => id)).toEqual(expected.slice(limit, 2 * limit));
          },
        ),
        { seed: 20261121, numRuns: soakRuns(3_000) },
      );
    },
    SOAK_TIMEOUT_MS,
  );

  it(
    "gives every row that stays exactly once while others arrive and leave between the pages",
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 4, max: 8 }),
          fc.nat({ max: 100_000 }),
          order,
          async (count, seed, sort) => {
            const ids = await makeTasks(count, seed);
            // Of the children, so that nobody's parent goes.
            const leaving = ids.slice(-2);
            const staying = ids.slice(0, -2);
            const all = [...ids];
            const seen = await walk(all, sort, 3, async (page) => {
              const gone = leaving.pop();
              if (gone !== undefined) await tasks.delete(gone);
              if (page < 3) all.push(...(await makeTasks(1, seed + page)));
            });
            expect(new Set(seen).size).toBe(seen.length);
            expect(staying.filter((id) => !seen.includes(id))).toEqual([]);
          },
        ),
        { seed: 20261121, numRuns: soakRuns(1_000) },
      );
    },
    SOAK_TIMEOUT_MS,
  );

  it("joins a related row once, for the order and for whoever reads it", () => {
    const { text } = tasks
      .list({
        sort: "-project.name",
        with: { project: { columns: ["name"] } },
        columns: ["title"],
        after: null,
      })
      .toSQL();
    const join =
      'left join "workbench"."projects" t1 on t1."id" = t0."project_id" and t1."deleted_at" is null';
    const by = 'order by t1."name" desc, t0."id" desc';
    expect(text).toBe(
      `select t0."title", t1."id", t1."name", t1."name", t0."id" from (select t0.* from "workbench"."tasks" t0 ${join} where true and t0."deleted_at" is null ${by} limit 11) t0 ${join} ${by}`,
    );
  });

  it("joins a row of its own where a condition narrows the one that is read", async () => {
    const { data } = await tasks.list({
      where: { title: "a", parentId: null },
      sort: "project.name",
      with: { project: { where: { name: "q" } } },
      limit: 100,
    });
    const names = await tasks.list({
      where: { title: "a", parentId: null },
      sort: "project.name",
      with: { project: true },
      limit: 100,
    });
    expect(data.map(({ id }) => id)).toEqual(names.data.map(({ id }) => id));
    expect(data.every(({ project }) => project === null || project.name === "q")).toBe(true);
  });

  it("writes down where nulls go only where PostgreSQL would put them elsewhere", () => {
    const orderOf = (sort: Parameters<typeof tasks.list>[0] & object) =>
      tasks
        .list(sort)
        .toSQL()
        .text.replace(/.* order by (.*) limit .*/, "$1");
    expect(orderOf({ sort: { by: "priority", nulls: "last" } })).toBe('t0."priority", t0."id"');
    expect(orderOf({ sort: { by: "priority", direction: "desc", nulls: "last" } })).toBe(
      't0."priority" desc nulls last, t0."id" desc',
    );
    expect(orderOf({ sort: [{ by: "priority", nulls: "first" }, "-title"] })).toBe(
      't0."priority" nulls first, t0."title" desc, t0."id" desc',
    );
    // No title is null.
    expect(orderOf({ sort: { by: "title", nulls: "first" } })).toBe('t0."title", t0."id"');
  });

  it("sorts related rows by rows related to them, with and without a limit, by every strategy", async () => {
    for (const limit of [undefined, 2]) {
      const answers = [];
      for (const strategy of ["statement", "json"] as const) {
        const { data } = await people.list({
          sort: "name",
          with: {
            projects: {
              with: {
                tasks: {
                  sort: ["-parent.title", { by: "title", nulls: "first" }],
                  columns: ["title"],
                  ...(limit === undefined ? {} : { limit }),
                },
              },
              strategy,
              sort: ["-owner.name", "name"],
            },
          },
        });
        answers.push(data);
      }
      expect(answers[1]).toEqual(answers[0]);
      expect(answers[0]?.[0]?.projects[0]?.tasks.length).toBeGreaterThan(0);
    }
  });

  it("keeps the nearest first in a tree, with a limit and rows beside", async () => {
    const [root] = await tasks.createMany([{ title: "r", projectId: projectIds[0] ?? "" }]);
    const [child] = await tasks.createMany([
      { title: "c", projectId: projectIds[0] ?? "", parentId: root?.id ?? "" },
    ]);
    await tasks.createMany([{ title: "g", projectId: projectIds[0] ?? "", parentId: child?.id ?? "" }]);
    const { below } = await tasks.get(root?.id ?? "", {
      with: { below: { limit: 1, with: { project: { columns: ["name"] } }, columns: ["title"] } },
    });
    expect(below).toEqual([{ title: "c", project: { name: "p" } }]);
  });

  it.each<[unknown, string]>([
    ["project.nam", 'sort: unknown sort "project.nam"; did you mean "project.name"?'],
    ["projct.name", 'sort: unknown sort "projct.name"'],
    ["project", 'sort: unknown sort "project"'],
    ["project.", 'sort: unknown sort "project."'],
    [".name", 'sort: unknown sort ".name"'],
    ["project..name", 'sort: unknown sort "project..name"'],
    ["project.owner", 'sort: unknown sort "project.owner"'],
    ["project.owner.token", 'sort: unknown sort "project.owner.token"'],
    ["children.title", 'sort: "children" may be several rows; a list is sorted by relations to one row only'],
    ["project.tasks.title", 'sort: "project.tasks" may be several rows'],
    [`${"parent.".repeat(7)}title`, "sort: leads through more than 6 relations"],
    [{ by: "-title" }, 'sort: unknown sort "-title"'],
    [{ by: "title", direction: "down" }, "sort.direction: must be asc or desc"],
    [{ by: "title", nulls: "FIRST; --" }, "sort.nulls: must be first or last"],
    [{ by: "title", desc: true }, 'sort.desc: unknown option "desc"'],
    [new Map([["by", "title"]]), "sort: sort must be a string"],
  ])("refuses %j", async (sort, message) => {
    const { code, issues } = await refusal(tasks.list({ sort: sort as never }));
    expect(code).toBe("INVALID_QUERY");
    expect(issues[0]).toContain(message);
  });
});

describe("a list's own rules", () => {
  const app = appSchema("sorting");
  const owners = entity(
    app,
    "owners",
    { id: ulidKey(), name: text().notNull(), pin: secret(text()) },
    { list: { sort: ["id"] } },
  );
  const ownerId = () =>
    text()
      .notNull()
      .references((): AnyPgColumn => owners.id);
  const cats = (list: { readonly sort: readonly string[]; readonly defaultSort?: string }) => {
    const made = entity(app, "cats", { id: ulidKey(), ownerId: ownerId() }, { list });
    return { owners, made, r: relations(made, (r) => ({ owner: r.one(owners, { via: "ownerId" }) })) };
  };

  it("may name columns of related rows, which then need not be on those rows' own lists", () => {
    const schema = cats({ sort: ["id", "owner.name"], defaultSort: "-owner.name" });
    expect(describeSchema(schema).entities).toHaveLength(2);
  });

  it.each(["owner.nme", "owner.pin", "ownr.name", "owner.", "made.id"])("may not name %j", (key) => {
    expect(() => describeSchema(cats({ sort: [key] }))).toThrow(
      `list of "cats": no relations to one row lead to a column that "${key}" could sort by`,
    );
    expect(describeTable(owners).list.sort).toEqual(["id"]);
  });
});
