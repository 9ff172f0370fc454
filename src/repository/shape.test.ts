import fc from "fast-check";
import { condition } from "plinth";
import { beforeAll, describe, expect, it } from "vitest";
import { SOAK_TIMEOUT_MS, soakRuns } from "../../test/support/soak.ts";
import { shapeOf, valuesShapeOf } from "./shape.ts";
import { fill, options, type Pair, task, thing } from "./where/random-where.fixture.ts";
import * as bench from "./where/workbench.fixture.ts";

const SEED = 20261121;
const workbench = await bench.openWorkbench();
const { db, tasks, things } = workbench;

beforeAll(() => fill(workbench));

/** What a call makes of its arguments: its SQL and values, or how it refuses them. */
function outcome(sql: () => { readonly text: string; readonly values: readonly unknown[] }): string {
  try {
    const { text, values } = sql();
    return JSON.stringify([text, values]);
  } catch (error) {
    return `refused: ${error instanceof Error ? error.message : ""}`;
  }
}

function textOf(shown: string): unknown {
  const [text]: unknown[] = JSON.parse(shown);
  return text;
}

async function answer(call: PromiseLike<unknown>): Promise<unknown> {
  return Promise.resolve(call).then(
    (rows) => ({ rows }),
    (error: Error) => ({ refused: error.message }),
  );
}

describe("the shape of a call", () => {
  it(
    "decides its SQL: what is written alike is one statement, each with the values of its own call",
    () => {
      let alike = 0;
      const compare = (
        [first, second]: Pair,
        shape: (value: unknown) => string | undefined,
        open: () => (value: unknown) => string,
      ) => {
        const [shared, fresh] = [open(), open()];
        const one = shared(first);
        const other = fresh(second);
        expect(shared(second)).toBe(other);
        if (shape(first) !== shape(second)) return;
        alike += 1;
        if (!one.startsWith("refused") && !other.startsWith("refused"))
          expect(textOf(one)).toBe(textOf(other));
      };
      fc.assert(
        fc.property(thing, task, options, (wheres, nested, lists) => {
          compare(wheres, valuesShapeOf, () => {
            const repository = db.repository(bench.things);
            return (where) => outcome(() => repository.count(where as never).toSQL());
          });
          compare(nested, valuesShapeOf, () => {
            const repository = db.repository(bench.tasks);
            return (where) => outcome(() => repository.count(where as never).toSQL());
          });
          compare(lists, shapeOf, () => {
            const repository = db.repository(bench.tasks);
            return (given) => outcome(() => repository.list(given as never).toSQL());
          });
        }),
        { seed: SEED, numRuns: soakRuns(100_000) },
      );
      expect(alike).toBeGreaterThan(1_000);
    },
    SOAK_TIMEOUT_MS,
  );

  it(
    "lets a plan be used again: with other values it gives the rows, or the refusal, of a plan of its own",
    async () => {
      let reused = 0;
      const ask = async (
        pair: Pair,
        shape: (value: unknown) => string | undefined,
        list: (fresh: boolean, value: unknown) => PromiseLike<unknown>,
      ) => {
        const [first, second] = pair;
        await answer(list(false, first));
        if (shape(first) === shape(second)) reused += 1;
        expect(await answer(list(false, second))).toEqual(await answer(list(true, second)));
      };
      await fc.assert(
        fc.asyncProperty(thing, options, async (wheres, lists) => {
          await ask(wheres, valuesShapeOf, (fresh, where) =>
            (fresh ? db.repository(bench.things) : things).list({
              where: where as never,
              sort: "id" as never,
              limit: 50,
            }),
          );
          await ask(lists, shapeOf, (fresh, given) =>
            (fresh ? db.repository(bench.tasks) : tasks).list(given as never),
          );
        }),
        { seed: SEED, numRuns: soakRuns(10_000) },
      );
      expect(reused).toBeGreaterThan(60);
    },
    SOAK_TIMEOUT_MS,
  );

  it("is written alike only for what has the same names, flags, nulls, lists and objects", () => {
    const names = fc.constantFrom(
      "",
      "0",
      "v",
      "1:a",
      "a",
      "where",
      "having",
      "compute",
      "with",
      "counts",
      "mode",
      "after",
      "{",
      "}",
      "matches",
      "config",
      "and",
    );
    const leaf = fc.oneof(
      fc.constantFrom(null, undefined, 1, true, "0", "", "v", "sensitive", "1:a"),
      fc.constant([1]),
      fc.constant([]),
    );
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        leaf,
        fc.array(tie("value"), { maxLength: 2 }),
        fc.dictionary(names, tie("value"), { maxKeys: 2 }),
        fc.array(names, { maxLength: 2 }).map((texts) => sqlOf(texts)),
      ),
    }));
    let alike = 0;
    fc.assert(
      fc.property(value, value, (first, second) => {
        for (const [shape, structure] of [
          [valuesShapeOf, structureOfValues],
          [shapeOf, structureOfOptions],
        ] as const) {
          const isAlike = shape(first) === shape(second);
          if (isAlike) alike += 1;
          expect(isAlike).toBe(JSON.stringify(structure(first)) === JSON.stringify(structure(second)));
        }
      }),
      { seed: SEED, numRuns: Math.max(2_000, soakRuns(100_000)) },
    );
    expect(alike).toBeGreaterThan(100);
  });

  it("holds the values of nothing but flags, names and an application's own SQL", () => {
    const shape = valuesShapeOf({
      a: "secret",
      b: { in: ["secret"] },
      c: { path: ["secret"], equals: "secret" },
      or: [condition`x = ${"secret"}`],
      config: "secret",
      mode: "secret",
    });
    expect(shape).not.toContain("secret");
    expect(shapeOf({ limit: 4711, after: "secret", where: { a: 4711 } })).not.toMatch(/secret|4711/);
  });

  it("tells relations apart by their flags, also those that have the name of an option", () => {
    for (const name of ["where", "after", "with", "limit"]) {
      expect(shapeOf({ with: { [name]: true } })).not.toBe(shapeOf({ with: { [name]: false } }));
    }
  });

  it("is not remembered when it is long, and written in bounded time", () => {
    const many = Array.from({ length: 200_000 }, (_, i) => ({ [`c${i}`]: i }));
    expect(valuesShapeOf({ or: many })).toBeUndefined();
    expect(shapeOf({ where: { or: many } })).toBeUndefined();
    expect(valuesShapeOf({ a: { in: Array(200_000).fill("x") } })).toBe("{1:a{2:ina}}");
    let deep: object = {};
    for (let i = 0; i < 100_000; i++) deep = { a: deep };
    expect(valuesShapeOf(deep)).toContain("…");
    expect(shapeOf(deep)).toContain("…");
  });
});

/** A condition whose own text is made of hostile parts. */
function sqlOf(texts: readonly string[]): unknown {
  const parts = Object.freeze(Object.assign(["<", ...texts, ">"], { raw: [] }));
  return condition(parts as unknown as TemplateStringsArray, ...texts, "v");
}

/** What `valuesShapeOf` is about, as JSON, whose writing is known to keep different things apart. */
function structureOfValues(value: unknown): unknown {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== "object") return "value";
  if (isSql(value)) return ["sql", valuesShapeOf(value)];
  if (Array.isArray(value)) {
    const isConditions = value.every(
      (item) => typeof item === "object" && item !== null && !Array.isArray(item),
    );
    return isConditions ? ["list", ...value.map(structureOfValues)] : "values";
  }
  return Object.entries(value).map(([key, part]) => {
    const isMode = key === "mode" && (part === "sensitive" || part === "insensitive");
    const isConfig = key === "config" && typeof part === "string" && Object.hasOwn(value, "matches");
    return [key, isMode || isConfig ? { text: part } : structureOfValues(part)];
  });
}

function structureOfOptions(value: unknown): unknown {
  if (!isObject(value)) return value === undefined ? "nothing" : structureOfPlain(value);
  return Object.entries(value).map(([key, part]) => {
    if (key === "where" || key === "having" || key === "compute") return [key, structureOfValues(part)];
    if (key === "after") return [key, part === null ? "null" : part === undefined ? "undefined" : "value"];
    if ((key !== "with" && key !== "counts") || !isObject(part)) return [key, structureOfPlain(part)];
    return [key, "relations", Object.entries(part).map(([name, inner]) => [name, structureInside(inner)])];
  });
}

function structureInside(value: unknown): unknown {
  return isObject(value) ? structureOfOptions(value) : structureOfPlain(value);
}

function structureOfPlain(value: unknown): unknown {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "string") return { text: value };
  if (typeof value === "boolean") return value;
  if (typeof value !== "object") return "value";
  if (isSql(value)) return "other";
  if (Array.isArray(value)) return ["list", ...value.map(structureOfPlain)];
  return Object.entries(value).map(([key, part]) => [key, structureOfPlain(part)]);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isSql(value);
}

function isSql(value: object): boolean {
  return Object.getPrototypeOf(value) === Object.getPrototypeOf(condition`true`);
}
