/** Random conditions and reads of the workbench, and rows that they tell apart. */
import { bigint, integer, text as textType } from "drizzle-orm/pg-core";
import fc from "fast-check";
import { computed, condition } from "plinth";
import { tasks, things, type Workbench } from "./workbench.fixture.ts";

/** Two values that a caller might give at one place: mostly of one shape. */
export type Pair = readonly [unknown, unknown];

const two = (of: fc.Arbitrary<unknown>): fc.Arbitrary<Pair> => fc.tuple(of, of);

/** Two objects with the same properties; now and then one lacks some, or has them in another order. */
function objects(properties: Readonly<Record<string, fc.Arbitrary<Pair>>>, minKeys = 0): fc.Arbitrary<Pair> {
  const pairs = fc
    .subarray(Object.keys(properties), {
      minLength: minKeys,
      maxLength: Math.min(3, Object.keys(properties).length),
    })
    .chain((names) =>
      fc.tuple(
        ...names.map((name) =>
          (properties[name] ?? two(fc.constant(1))).map((pair) => [name, pair] as const),
        ),
      ),
    );
  const both = pairs.map(
    (entries): Pair => [
      Object.fromEntries(entries.map(([name, [first]]) => [name, first])),
      Object.fromEntries(entries.map(([name, [, second]]) => [name, second])),
    ],
  );
  const apart = fc.tuple(both, both).map(([[first], [, second]]): Pair => [first, second]);
  const turned = both.map(
    ([first, second]): Pair => [first, Object.fromEntries(Object.entries(second as object).reverse())],
  );
  return fc.oneof(
    { weight: 12, arbitrary: both },
    { weight: 1, arbitrary: apart },
    { weight: 1, arbitrary: turned },
  );
}

const operators = (properties: Readonly<Record<string, fc.Arbitrary<Pair>>>) => objects(properties, 1);

function lists(of: fc.Arbitrary<Pair>): fc.Arbitrary<Pair> {
  return fc
    .array(of, { maxLength: 2 })
    .map((pairs): Pair => [pairs.map(([first]) => first), pairs.map(([, second]) => second)]);
}

const word = fc.constantFrom("a", "b", "ab", "%", "a b", "");
const number = fc.integer({ min: 0, max: 3 });
const maybe = (of: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 5, arbitrary: of }, { weight: 1, arbitrary: fc.constant(null) });

function comparisons(of: fc.Arbitrary<unknown>): Record<string, fc.Arbitrary<Pair>> {
  return {
    equals: two(maybe(of)),
    not: two(maybe(of)),
    in: two(fc.array(of, { maxLength: 2 })),
    notIn: two(fc.array(of, { maxLength: 2 })),
    gte: two(of),
    lt: two(of),
    between: two(fc.tuple(of, of)),
  };
}

const text = fc.oneof(
  two(maybe(word)),
  operators({
    ...comparisons(word),
    startsWith: two(word),
    contains: two(word),
    matches: two(word),
    mode: two(fc.constantFrom("sensitive", "insensitive")),
    config: two(fc.constantFrom("simple", "english")),
  }),
);
const integers = fc.oneof(two(maybe(number)), operators(comparisons(number)));
const words = fc.array(word, { maxLength: 2 });
const wordLists = fc.oneof(
  two(maybe(words)),
  operators({
    has: two(word),
    hasEvery: two(words),
    hasSome: two(words),
    isEmpty: two(fc.boolean()),
    not: two(maybe(words)),
  }),
);
const json = fc.oneof(
  word,
  number,
  fc.constant(null),
  fc.record({ a: fc.oneof(number, word) }),
  fc.record({ a: fc.record({ b: word }) }),
  fc.array(fc.oneof(word, fc.record({ a: number })), { maxLength: 2 }),
);
const documents = fc.oneof(
  operators({ contains: two(json), hasKey: two(word), equals: two(json), not: two(fc.constant(null)) }),
  operators({
    path: two(fc.array(fc.constantFrom("a", "b", 0), { minLength: 1, maxLength: 2 })),
    equals: two(json),
    in: two(fc.array(json, { maxLength: 2 })),
    gt: two(fc.oneof(word, number)),
    exists: two(fc.boolean()),
  }),
);
const own = fc.oneof(
  two(number.map((length) => condition`length(${things.name}) > ${length}`)),
  fc
    .tuple(word, word)
    .map(([a, b]): Pair => [condition`${things.name} < ${a}`, condition`${things.name} > ${b}`]),
  two(word.map((name) => condition`${name} = ${things.name}`)),
);

function thingWith(more: readonly fc.Arbitrary<Pair>[]): fc.Arbitrary<Pair> {
  return fc.letrec<{ thing: Pair }>((tie) => ({
    thing: fc.oneof(
      { depthSize: "small" },
      objects({ name: text, code: text, tags: wordLists, document: documents }),
      objects({ name: text, and: lists(tie("thing")), or: lists(tie("thing")), not: tie("thing") }),
      ...more,
    ),
  })).thing;
}

export const thing = thingWith([own]);

/** With nothing in it but operators. */
export const plainThing = thingWith([]);

export const { task, project } = fc.letrec<{ task: Pair; project: Pair }>((tie) => ({
  project: fc.oneof(
    { depthSize: "small" },
    objects({ name: text, ownerId: two(fc.constant(null)) }),
    objects({
      owner: objects({ is: fc.oneof(objects({ name: text }), two(maybe(fc.constant({})))) }, 1),
      tasks: objects({ some: tie("task"), none: tie("task"), every: tie("task") }, 1),
      or: lists(tie("project")),
    }),
  ),
  task: fc.oneof(
    { depthSize: "small" },
    objects({ title: text, priority: integers }),
    objects({
      title: text,
      project: objects({ is: tie("project"), isNot: tie("project") }, 1),
      labels: objects({ some: objects({ label: text }), none: objects({ label: text }) }, 1),
      children: objects({ some: tie("task"), every: tie("task") }, 1),
      not: tie("task"),
    }),
  ),
}));

const flag = two(
  fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
);
/** Values, texts and types apart. */
const computedColumn = fc.oneof(
  number.map((n) => computed(integer())`${tasks.priority} + ${n}`),
  number.map((n) => computed(integer())`${tasks.priority} * ${n}`),
  number.map((n) => computed(bigint({ mode: "bigint" }))`${tasks.priority} + ${n}`),
  fc.constant(computed(textType())`${tasks.title}`),
);
export const options = objects({
  where: task,
  compute: objects({ n: two(computedColumn), m: two(computedColumn) }),
  sort: two(fc.constantFrom("title", "-title", ["priority", "title"], "-priority", "n", "-m")),
  limit: two(fc.integer({ min: 1, max: 5 })),
  page: two(fc.integer({ min: 1, max: 2 })),
  with: objects({
    project: fc.oneof(flag, objects({ where: project, with: objects({ owner: flag }) })),
    children: fc.oneof(
      flag,
      objects({
        where: task,
        limit: two(number.map((n) => n + 1)),
        sort: two(fc.constantFrom("title", "-title", "-n")),
        compute: objects({ n: two(computedColumn) }),
      }),
    ),
    labels: fc.oneof(
      flag,
      objects({
        link: two(fc.constantFrom(["position"], ["taskId"])),
        sort: two(fc.constantFrom("label", "link.position", "-link.position")),
        limit: two(number.map((n) => n + 1)),
      }),
    ),
  }),
});

/** Rows of all kinds, some dead. */
export async function fill({
  people,
  projects,
  tasks,
  labels,
  taskLabels,
  things,
}: Workbench): Promise<void> {
  const [ann, bob] = await people.createMany([{ name: "a" }, { name: "b" }]);
  const owners = [ann?.id ?? null, bob?.id ?? null, null];
  const made = await projects.createMany(
    ["a", "b", "ab"].map((name, i) => ({ name, ownerId: owners[i] ?? null })),
  );
  const rows = await tasks.createMany(
    Array.from({ length: 24 }, (_, i) => ({
      title: ["a", "b", "ab", "a b", "%", ""][i % 6] ?? "",
      priority: i % 5 === 4 ? null : i % 5,
      projectId: made[i % 3]?.id ?? "",
    })),
  );
  for (const [i, row] of rows.entries())
    if (i % 4 === 3) await tasks.update(row.id, { parentId: rows[i % 7]?.id ?? "" });
  const [a, b] = await labels.createMany([{ label: "a" }, { label: "b" }]);
  await taskLabels.createMany(
    rows
      .slice(0, 9)
      .flatMap((row, i) => [
        { taskId: row.id, labelId: a?.id ?? "" },
        ...(i % 2 === 0 ? [{ taskId: row.id, labelId: b?.id ?? "" }] : []),
      ]),
  );
  await labels.delete(b?.id ?? "");
  await things.createMany(
    Array.from({ length: 24 }, (_, i) => ({
      name: ["a", "b", "ab", "a b"][i % 4] ?? "",
      code: ["a", null, "%", ""][i % 3] ?? null,
      tags: i % 5 === 0 ? null : [["a", "b"][i % 2] ?? "", "ab"].slice(0, i % 3),
      document: [null, { a: i % 3 }, { a: { b: "a" } }, ["a", "b"], "a", [{ a: 1 }]][i % 6],
    })),
  );
}
