import {
  bigint,
  boolean,
  char,
  date,
  integer,
  interval,
  jsonb,
  numeric,
  text,
  timestamp,
  varchar,
} from "drizzle-orm/pg-core";
import { computed, condition } from "plinth";
import { beforeAll, describe, expect, it } from "vitest";
import { refusal, rejection } from "../../test/support/rejection.ts";
import * as bench from "./where/workbench.fixture.ts";

const { db, people, projects, tasks, labels, taskLabels, things } = await bench.openWorkbench();

const { title, priority } = bench.tasks;
const shout = computed(text().notNull())`upper(${title}) || ${"!"}`;
const double = computed(integer())`${priority} * 2`;
const ids = { p: "", a: "" };

beforeAll(async () => {
  const ann = await people.create({ name: "ann", token: "t" });
  ids.p = (await projects.create({ name: "P", ownerId: ann.id })).id;
  for (const [at, of] of [2, 1, null, 1, 3].entries()) {
    const task = await tasks.create({ title: "abcde".charAt(at), projectId: ids.p, priority: of });
    if (at === 0) ids.a = task.id;
  }
  const dead = await tasks.create({ title: "x", projectId: ids.p, priority: 9 });
  await tasks.delete(dead.id);
  const [red, blue] = await labels.createMany([{ label: "red" }, { label: "blue" }]);
  await taskLabels.createMany([
    { taskId: ids.a, labelId: red?.id ?? "" },
    { taskId: ids.a, labelId: blue?.id ?? "" },
  ]);
});

describe("a computed column", () => {
  it("comes with the rows of every kind of read, beside the columns that were asked for", async () => {
    const compute = { shout, double };
    const columns = ["title"] as const;
    const a = { title: "a", shout: "A!", double: 4 };
    expect(await tasks.find(ids.a, { columns, compute })).toEqual(a);
    expect(await tasks.get(ids.a, { columns, compute })).toEqual(a);
    expect(await tasks.findBy({ id: ids.a }, { columns, compute })).toEqual(a);
    expect(await tasks.findMany([ids.a, "none"], { columns, compute })).toEqual([a, undefined]);
    expect((await tasks.list({ columns, compute, sort: "title", limit: 1 })).data).toEqual([a]);
    for await (const row of tasks.stream({ columns, compute, where: { title: "a" } })) expect(row).toEqual(a);
    expect(await tasks.get(ids.a, { compute })).toMatchObject({ id: ids.a, ...a });
  });

  it("travels as a parameter and a cast, in one text for all values", async () => {
    const starting = (text: string, atLeast: number) =>
      tasks.list({
        columns: ["title"],
        compute: { at: computed(integer())`strpos(${title}, ${text})` },
        where: { at: { gt: atLeast } },
        sort: "-at",
        total: "none",
        limit: 2,
      });
    const [one, two] = [starting("'; drop table x; --", 0).toSQL(), starting("b", 0).toSQL()];
    expect(one.text).toBe(
      'select t0."title", (strpos(t0."title", $1))::integer from "workbench"."tasks" t0 where (((strpos(t0."title", $1))::integer > $2)) and t0."deleted_at" is null order by (strpos(t0."title", $1))::integer desc, t0."id" desc limit 3',
    );
    expect(two.text).toBe(one.text);
    expect(one.values[0]).toBe("'; drop table x; --");
    expect((await starting("'; drop table x; --", 0)).data).toEqual([]);
    expect((await starting("b", 0)).data).toEqual([{ title: "b", at: 1 }]);
    expect((await starting("c", 0)).data).toEqual([{ title: "c", at: 1 }]);
  });

  it("is exact in every type, in a row of its own and in one that comes as JSON", async () => {
    const compute = {
      big: computed(bigint({ mode: "bigint" }).notNull())`9007199254740993`,
      exact: computed(numeric())`${"0.10000000000000000001"}::numeric`,
      at: computed(
        timestamp({ withTimezone: true, mode: "string" }),
      )`timestamptz '2026-11-21 09:20:00.123456+00'`,
      instant: computed(timestamp({ withTimezone: true }))`timestamptz '2026-11-21 09:20:00.123+00'`,
      day: computed(date())`date '2026-03-29'`,
      span: computed(interval())`interval '1 mon -2 days'`,
      texts: computed(text().array().notNull())`array[${title}, null, ${'x"y'}]`,
      document: computed(jsonb())`jsonb_build_object('n', ${priority})`,
      nothing: computed(text())`null`,
    };
    const values = {
      big: 9007199254740993n,
      exact: "0.10000000000000000001",
      at: "2026-11-21 09:20:00.123456+00",
      instant: new Date("2026-11-21T09:20:00.123Z"),
      day: "2026-03-29",
      span: "1 mon -2 days",
      texts: ["a", null, 'x"y'],
      document: { n: 2 },
      nothing: null,
    };
    const columns = ["title"] as const;
    expect(await tasks.get(ids.a, { columns, compute })).toEqual({ title: "a", ...values });
    const where = { title: "a" };
    for (const strategy of ["statement", "json"] as const) {
      const { data } = await projects.list({ with: { tasks: { where, columns, compute, strategy } } });
      expect(data[0]?.tasks).toEqual([{ title: "a", ...values }]);
    }
  });

  it("reads types with code of their own, enums and padded texts, as columns of them are read", async () => {
    const columns = ["name"] as const;
    const { id } = await things.create({ name: "t" });
    const mood = computed(
      bench.mood().notNull(),
    )`case when ${bench.things.name} = 't' then 'glad' else 'sad' end`;
    const compute = {
      mood,
      moods: computed(bench.mood().array())`array['sad', null]`,
      spot: computed(bench.spot())`point(1, 2)`,
      bytes: computed(bench.bytes())`decode('00ff', 'hex')`,
      fixed: computed(char({ length: 4 }))`'ab'`,
      cut: computed(varchar({ length: 1 }))`'abc'`,
      rounded: computed(numeric({ precision: 2, scale: 1 }))`1.25`,
      flag: computed(boolean())`${null}`,
    };
    const values = {
      mood: "glad",
      moods: ["sad", null],
      spot: { x: 1, y: 2 },
      bytes: Buffer.from([0, 255]),
      fixed: "ab  ",
      // A length or a precision would cut and round in silence.
      cut: "abc",
      rounded: "1.25",
      flag: null,
    };
    expect(await things.get(id, { columns, compute })).toEqual({ name: "t", ...values });
    const order = await things.list({ columns, compute, where: { mood: { gte: "glad" } }, sort: "-mood" });
    expect(order.data).toEqual([{ name: "t", ...values }]);
    expect(await things.count({ and: [condition`${mood} = ${"glad"}`] })).toBe(1);
  });

  it("comes with single reads that travel together", async () => {
    const found = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        tasks.find(i % 2 === 0 ? ids.a : "none", { columns: ["title"], compute: { shout: double } }),
      ),
    );
    expect(found.map((task) => task?.shout)).toEqual(found.map((_, i) => (i % 2 === 0 ? 4 : undefined)));
    const given = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        tasks.find(ids.a, { columns: ["id"], compute: { n: computed(integer())`${priority} + ${i}` } }),
      ),
    );
    expect(given.map((task) => task?.n)).toEqual(given.map((_, i) => i + 2));
  });

  it("filters with the operators of its type, anywhere in a where", async () => {
    const titles = async (where: object) => {
      const { data } = await tasks.list({ compute: { shout, double }, where, sort: "title" });
      return data.map((task) => task.title).join("");
    };
    expect(await titles({ shout: "B!" })).toBe("b");
    expect(await titles({ shout: { in: ["A!", "E!"] } })).toBe("ae");
    expect(await titles({ shout: { startsWith: "c", mode: "insensitive" } })).toBe("c");
    expect(await titles({ double: null })).toBe("c");
    expect(
      await titles({ or: [{ double: { gte: 4 } }, { and: [{ shout: "C!" }, { priority: null }] }] }),
    ).toBe("ace");
    expect(await titles({ not: { double: { between: [2, 4] } } })).toBe("e");
    const { meta } = await tasks.list({ compute: { double }, where: { double: 2 } });
    expect(meta.total).toBe(2);
  });

  it("sorts by page, by cursor and within a relation, with nulls placed", async () => {
    const compute = { double, shout };
    const seen = (rows: readonly { title: string }[]) => rows.map((task) => task.title).join("");
    const sort = [{ by: "double", direction: "desc", nulls: "last" }, "-shout"] as const;
    expect(seen((await tasks.list({ compute, sort })).data)).toBe("eadbc");
    let [after, walked]: [string | null, string] = ["", ""];
    while (after !== null) {
      const page: Awaited<ReturnType<typeof next>> = await next(after);
      walked += `${seen(page.data)},`;
      after = page.meta.nextCursor;
    }
    function next(cursor: string) {
      return tasks.list({ compute, sort, after: cursor, limit: 2 });
    }
    expect(walked).toBe("ea,db,c,");
    for (const strategy of ["statement", "json"] as const) {
      for (const limit of [2, 9]) {
        const asked = {
          compute,
          sort: ["-double", "shout"],
          where: { double: { lt: 6 } },
          limit,
          strategy,
        } as const;
        const { data } = await projects.list({ with: { tasks: asked } });
        expect(seen(data[0]?.tasks ?? [])).toBe("abd".slice(0, limit));
      }
    }
  });

  it("binds a cursor to its text and its values", async () => {
    const listed = (
      factor: number,
      after: string | null,
      by = computed(integer())`${priority} * ${factor}`,
    ) => tasks.list({ compute: { by }, sort: "by", after, limit: 2 });
    const { meta } = await listed(2, null);
    expect((await listed(2, meta.nextCursor)).data).toHaveLength(2);
    for (const call of [
      listed(-2, meta.nextCursor),
      listed(2, meta.nextCursor, computed(integer())`${priority} + ${2}`),
      tasks.list({ sort: "priority", after: meta.nextCursor }),
    ])
      expect((await rejection(call)).code).toBe("INVALID_CURSOR");
  });

  it("comes with related rows by every strategy, at any depth", async () => {
    const loud = computed(text())`upper(${bench.projects.name})`;
    const length = computed(integer())`length(${bench.labels.label})`;
    for (const strategy of ["join", "json"] as const) {
      const found = await tasks.get(ids.a, {
        columns: ["title"],
        compute: { shout },
        with: {
          project: {
            columns: ["name"],
            compute: { loud },
            strategy,
            with: {
              owner: { columns: ["name"], compute: { n: computed(integer())`length(${bench.people.name})` } },
            },
          },
          labels: { columns: ["label"], compute: { length }, where: { length: 3 } },
        },
      });
      expect(found).toEqual({
        title: "a",
        shout: "A!",
        project: { name: "P", loud: "P", owner: { name: "ann", n: 3 } },
        labels: [{ label: "red", length: 3 }],
      });
    }
    const below = await tasks.get(ids.a, { with: { below: { compute: { shout }, where: { shout: "B!" } } } });
    expect(below.below).toEqual([]);
  });

  it("is made of other ones, and part of a condition", async () => {
    const twice = computed(text())`${shout} || ${shout}`;
    const long = condition`length(${twice}) > ${3}`;
    const flagged = computed(integer())`case when ${long} then 1 else ${0} end`;
    const { data } = await tasks.list({
      columns: ["title"],
      compute: { twice, flagged },
      where: long,
      sort: "title",
    });
    expect(data[0]).toEqual({ title: "a", twice: "A!A!", flagged: 1 });
    expect(data).toHaveLength(5);
  });

  it("is what groups and numbers are made of", async () => {
    const compute = {
      double,
      kind: computed(text().notNull())`case when ${priority} > ${1} then 'high' else 'low' end`,
    };
    expect(
      await tasks.aggregate({
        compute,
        where: { kind: { in: ["high", "low"] } },
        groupBy: "kind",
        count: true,
        sum: "double",
      }),
    ).toEqual([
      { kind: "high", count: 2, sum: { double: 10n } },
      { kind: "low", count: 3, sum: { double: 4n } },
    ]);
    expect(
      await tasks.aggregate({
        compute,
        groupBy: "kind",
        max: "double",
        having: { max: { double: { gt: 2 } } },
        sort: "-max.double",
      }),
    ).toEqual([{ kind: "high", max: { double: 6 } }]);
    expect(await tasks.distinct("kind", { compute })).toEqual(["high", "low"]);
  });

  it("does not share a plan with another text, type or name", async () => {
    const read = async (compute: Parameters<typeof tasks.get>[1]) => tasks.get(ids.a, compute);
    const all = [
      { x: computed(text())`${priority}` },
      { x: computed(integer())`${priority}` },
      { x: computed(numeric())`${priority}` },
      { x: computed(bigint({ mode: "bigint" }))`${priority}` },
      { x: computed(bigint({ mode: "number" }))`${priority}` },
      { y: computed(text())`${priority}` },
      { x: computed(text())`${title}` },
    ];
    const found = [];
    for (let round = 0; round < 2; round++) {
      for (const compute of all) found.push(await read({ columns: ["id"], compute }));
    }
    const rows = [{ x: "2" }, { x: 2 }, { x: "2" }, { x: 2n }, { x: 2 }, { y: "2" }, { x: "a" }];
    expect(found).toEqual([...rows, ...rows].map((row) => ({ id: ids.a, ...row })));
  });

  it("sees no dead row, and is counted without being worked out", async () => {
    const { data, meta } = await tasks.list({ compute: { shout }, sort: "shout" });
    expect(data.map((task) => task.shout)).toEqual(["A!", "B!", "C!", "D!", "E!"]);
    expect(meta.total).toBe(5);
    expect(
      (await tasks.withDeleted().list({ compute: { shout }, where: { shout: "X!" } })).data,
    ).toHaveLength(1);
  });
});

describe("a call that computes", () => {
  const column = computed(text())`1`;
  it.each<[object, string]>([
    [{ compute: { title: column } }, 'compute.title: is the name of a column of "tasks"; choose another'],
    [
      { compute: { project: column } },
      'compute.project: is the name of a relation of "tasks"; choose another',
    ],
    [
      { compute: { counts: column } },
      "compute.counts: has a name that reads use themselves: counts, link, and, or, not",
    ],
    [
      { compute: { "-x": column } },
      "compute.-x: must have a name without dots, and no - in front, which sort uses",
    ],
    [
      { compute: { "a.b": column } },
      "compute.a.b: must have a name without dots, and no - in front, which sort uses",
    ],
    [{ compute: { x: "title" } }, "compute.x: must be a computed column: computed(text())`…`"],
    [{ compute: { x: condition`true` } }, "compute.x: must be a computed column: computed(text())`…`"],
    [{ compute: [column] }, "compute: must be a plain object"],
    [{ compute: null }, "compute: must be a plain object"],
    [
      { compute: { x: computed(text())`${bench.projects.name}` } },
      'compute.x: names a column of "projects", which is not among "tasks"',
    ],
    [
      { compute: { x: computed(text())`${{}}` } },
      "compute.x.$1: is an object; pass JSON.stringify(value) for a json column",
    ],
    [{ compute: { x: column }, where: { y: 1 } }, 'where.y: unknown column "y"'],
    [
      { compute: { x: computed(jsonb())`'{}'` }, sort: "x" },
      'sort: cannot be by "x": values of type jsonb have no order',
    ],
    [{ compute: { total: column }, sort: "totl" }, 'sort: unknown sort "totl"; did you mean "total"?'],
    [{ compute: { x: column }, distinctOn: "x" }, "distinctOn: must be a column, or a list of columns"],
    [
      { with: { project: { compute: { name: column } } } },
      'with.project.compute.name: is the name of a column of "projects"; choose another',
    ],
    [{ with: { children: { compute: { x: column }, sort: "y" } } }, 'with.children.sort: unknown sort "y"'],
  ])("is refused: %o", async (options, message) => {
    const { issues } = await refusal(tasks.list(options as never));
    expect(issues[0]).toContain(message);
  });

  it("needs a type that is no more than a type, and a template", () => {
    expect(() => computed("text" as never)).toThrow("a computed column needs a type");
    expect(() => computed(text().primaryKey())).toThrow("a computed column cannot say .primaryKey()");
    expect(() => computed(text().default("x"))).toThrow("a computed column cannot say .default()");
    expect(() => computed(text())(["now()"] as never)).toThrow("is a tag, not a function");
    expect(() => computed(text())`$1`).toThrow("has a $1 in its own text");
  });

  it("takes nothing that a parsed body could hold", async () => {
    const parsed: unknown = JSON.parse('{"parts":["1"],"values":[],"type":{}}');
    const copied = Object.assign(Object.create(Object.getPrototypeOf(shout)), shout);
    for (const x of [parsed, copied]) {
      const { issues } = await refusal(tasks.list({ compute: { x } } as never));
      expect(issues).toEqual(["compute.x: must be a computed column: computed(text())`…`"]);
    }
  });

  it("fails with the server's words where its SQL is wrong, and leaves the pool usable", async () => {
    const wrong = tasks.list({ compute: { x: computed(integer())`no_such_function(${title})` } });
    expect((await rejection(wrong)).message).toContain("no_such_function");
    expect(await db.sql`select 1 as one`).toEqual([{ one: 1 }]);
  });
});
