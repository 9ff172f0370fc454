import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { refusal, rejection } from "../../../test/support/rejection.ts";
import { SOAK_TIMEOUT_MS, soakRuns } from "../../../test/support/soak.ts";
import { openWorkbench } from "./workbench.fixture.ts";

const { db, things } = await openWorkbench();

/** Names of the things a condition finds, in order. */
async function names(where: object): Promise<string> {
  const { data } = await things.list({ where, sort: "name", limit: 100 });
  return data.map((thing) => thing.name).join("");
}

/** How PostgreSQL would count by a condition of one parameter if reading every row were the dearest way. */
async function planOf(where: object): Promise<string> {
  const { text, values } = things.count(where).toSQL();
  const texts = `explain ${text}`.split("$1");
  return db.transaction(async (tx) => {
    await tx.sql`set local enable_seqscan = off`;
    return JSON.stringify(await tx.sql(Object.assign(texts, { raw: texts }), ...values));
  });
}

beforeAll(async () => {
  await things.createMany([
    {
      name: "a",
      tags: ["red", "big"],
      numbers: [1, 2],
      grid: [
        [1, 2],
        [3, 4],
      ],
      document: { owner: { name: "ann", age: 30 }, tags: ["x", "y"], done: true, none: null },
      old: { owner: { name: "ann", age: 30 } },
      host: "10.1.2.3",
      network: "10.1.0.0/16",
      during: "[1,10)",
      code: "Release Notes",
      place: [1, 2],
    },
    {
      name: "b",
      tags: ["blue"],
      numbers: [],
      grid: [],
      document: { owner: { name: "bob", age: "thirty" }, tags: [], done: false },
      old: { owner: { name: "bob", age: 4 } },
      host: "192.168.0.1/24",
      network: "192.168.0.0/24",
      during: "[20,30)",
      code: "the notes of a release",
    },
    { name: "c", tags: [], document: [1, "x", null], during: "empty", code: "nothing of it" },
    { name: "d" },
  ]);
});

describe("between", () => {
  it.each<[object, string]>([
    [{ name: { between: ["b", "c"] } }, "bc"],
    [{ name: { between: ["c", "b"] } }, ""],
    [{ numbers: { between: [[], [1, 1]] } }, "b"],
    [{ document: { path: ["owner", "age"], between: [30, 31] } }, "a"],
  ])("has both its ends: %o", async (where, expected) => {
    expect(await names(where)).toBe(expected);
  });

  it.each<[object, string]>([
    [{ name: { between: "ab" } }, "where.name.between: must be a list of two: from and to, both included"],
    [{ name: { between: ["a"] } }, "where.name.between: must be a list of two: from and to, both included"],
    [{ name: { between: ["a", "b", "c"] } }, "where.name.between: must be a list of two"],
    [{ name: { between: [null, "b"] } }, "where.name.between.0: must not be null"],
    // biome-ignore lint/suspicious/noSparseArray: a hole is what is tested.
    [{ name: { between: [, "b"] } }, "where.name.between.0: must not be null"],
    [{ name: { between: ["b", undefined] } }, "where.name.between.1: must not be null"],
    [{ name: { between: null } }, "where.name.between: must be a list of two"],
    [{ document: { path: ["a"], between: [1, {}] } }, "where.document.between.1: must be a string, a number"],
  ])("refuses %o", async (where, message) => {
    expect((await refusal(things.count(where))).issues).toEqual([expect.stringContaining(message)]);
  });
});

describe("arrays", () => {
  it.each<[object, string]>([
    [{ tags: { has: "red" } }, "a"],
    [{ tags: { has: 'r"}{,\\' } }, ""],
    [{ tags: { hasEvery: ["big", "red"] } }, "a"],
    [{ tags: { hasEvery: ["big", "blue"] } }, ""],
    [{ tags: { hasEvery: [] } }, "abc"],
    [{ tags: { hasSome: ["blue", "red", "no"] } }, "ab"],
    [{ tags: { hasSome: [] } }, ""],
    [{ tags: { containedBy: ["blue", "big"] } }, "bc"],
    [{ tags: { isEmpty: true } }, "c"],
    [{ tags: { isEmpty: false } }, "ab"],
    [{ tags: { equals: ["red", "big"] } }, "a"],
    [{ tags: ["big", "red"] }, ""],
    [{ tags: { not: ["blue"] } }, "ac"],
    [{ tags: null }, "d"],
    [{ tags: { not: null, isEmpty: false } }, "ab"],
    [{ numbers: { has: 2 } }, "a"],
    [{ numbers: { gt: [1] } }, "a"],
    [{ grid: { has: 3 } }, "a"],
    [{ grid: { hasEvery: [4, 1] } }, "a"],
    [{ grid: { isEmpty: true } }, "b"],
    [{ not: { tags: { has: "red" } } }, "bc"],
  ])("finds by %o", async (where, expected) => {
    expect(await names(where)).toBe(expected);
  });

  it.each<[object, string]>([
    [{ tags: { has: ["red"] } }, "where.tags.has: must be a string"],
    [{ tags: { has: null } }, "where.tags.has: must not be null"],
    [{ tags: { hasSome: "red" } }, "where.tags.hasSome: must be a list"],
    [{ tags: { hasSome: { 0: "red", length: 1 } } }, "where.tags.hasSome: must be a list"],
    [{ tags: { hasEvery: ["red", null] } }, "where.tags.hasEvery.1: must not be null"],
    [{ tags: { hasEvery: ["red", { a: 1 }] } }, "where.tags.hasEvery.1: must be a string"],
    [{ tags: { isEmpty: "true" } }, "where.tags.isEmpty: must be true or false"],
    [{ tags: { isEmpty: 1 } }, "where.tags.isEmpty: must be true or false"],
    [
      { tags: { in: [["red"]] } },
      "where.tags.in: cannot be used on a column of type text[]; allowed: equals",
    ],
    [{ tags: { contains: "r" } }, "where.tags.contains: cannot be used on a column of type text[]"],
    [{ numbers: { has: 1.5 } }, "where.numbers.has: must be an integer"],
    [{ name: { has: "a" } }, "where.name.has: cannot be used on a column of type text"],
    [{ points: { has: [1, 2] } }, "where.points.has: cannot be used: PostgreSQL cannot compare the items of"],
    [{ tags: { hass: "a" } }, 'where.tags.hass: unknown operator "hass"; did you mean "has"?'],
  ])("refuses %o", async (where, message) => {
    expect((await refusal(things.count(where))).issues).toEqual([expect.stringContaining(message)]);
  });
});

describe("jsonb as a whole", () => {
  it.each<[object, string]>([
    [{ document: null }, "d"],
    [{ document: { not: null } }, "abc"],
    [{ document: { contains: { owner: { name: "ann" } } } }, "a"],
    [{ document: { contains: { tags: ["y"] } } }, "a"],
    [{ document: { contains: [1, "x"] } }, "c"],
    [{ document: { contains: {} } }, "ab"],
    [{ document: { containedBy: [1, 2, "x", null] } }, "c"],
    [{ document: { hasKey: "none" } }, "a"],
    [{ document: { hasKey: "x" } }, "c"],
    [{ document: { equals: [1, "x", null] } }, "c"],
    [{ document: { not: [1, "x", null] } }, "ab"],
    [{ document: { hasKey: "done", contains: { done: false } } }, "b"],
  ])("finds by %o", async (where, expected) => {
    expect(await names(where)).toBe(expected);
  });

  it.each<[object, string]>([
    [{ document: { a: 1 } }, 'where.document.a: unknown operator "a"; allowed: equals, not, contains'],
    [{ document: "x" }, "where.document: must be null or an object of operators: equals, not, contains"],
    [{ document: [1] }, "where.document: must be null or an object of operators"],
    [{ document: {} }, "where.document: is an empty condition"],
    [{ document: { contains: { owner: undefined } } }, "where.document.contains: must not contain undefined"],
    [{ document: { contains: [undefined] } }, "where.document.contains: must not contain undefined"],
    [{ document: { contains: { at: Number.NaN } } }, "where.document.contains: must not contain NaN"],
    [{ document: { contains: 1n } }, "where.document.contains: must be JSON (no bigint)"],
    [{ document: { contains: { f: () => 1 } } }, "where.document.contains: must be JSON (no function)"],
    [{ document: { contains: new Map() } }, "where.document.contains: must be JSON (no Map, no Set)"],
    [{ document: { contains: "\0" } }, "where.document.contains: must not contain NUL"],
    [{ document: { contains: { "\ud800": 1 } } }, "where.document.contains: must not contain NUL or a lone"],
    [{ document: { hasKey: 1 } }, "where.document.hasKey: must be a key"],
    [{ document: { hasKey: null } }, "where.document.hasKey: must be a key"],
    [{ document: { hasKey: "\0" } }, "where.document.hasKey: must not contain the NUL character"],
    [{ document: { gt: 1 } }, "where.document.gt: cannot be used on a column of type jsonb"],
    [{ document: { exists: true } }, "where.document.exists: cannot be used on a column of type jsonb"],
    [{ old: { contains: {} } }, "where.old.contains: cannot be used on a column of type json"],
    [
      { old: { equals: {} } },
      "where.old.equals: must be null: PostgreSQL cannot compare values of type json",
    ],
  ])("refuses %o", async (where, message) => {
    expect((await refusal(things.count(where as never))).issues).toEqual([expect.stringContaining(message)]);
  });

  it("refuses what a cycle or the application's own toJSON makes of a value, and does not repeat it", async () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    const own = {
      toJSON: () => {
        throw new Error("secret 4711");
      },
    };
    for (const contains of [cycle, own]) {
      const error = await rejection(things.count({ document: { contains } } as never));
      expect(error).toMatchObject({ code: "INVALID_VALUE" });
      expect(`${error.message}${error.stack}`).not.toContain("4711");
    }
  });

  it("is served by a GIN index, as arrays are", async () => {
    await db.sql`create index things_document on workbench.things using gin (document jsonb_path_ops)`;
    await db.sql`create index things_tags on workbench.things using gin (tags)`;
    for (const where of [
      { document: { contains: { a: 1 } } },
      { tags: { has: "x" } },
      { tags: { hasSome: ["x"] } },
    ]) {
      expect(await planOf(where)).toContain("Bitmap Index Scan");
    }
  });
});

describe("a path of a JSON document", () => {
  it.each<[object, string]>([
    [{ path: ["owner", "name"], equals: "ann" }, "a"],
    [{ path: ["owner", "name"], not: "ann" }, "b"],
    [{ path: ["owner", "name"], in: ["ann", "bob", 3, null] }, "ab"],
    [{ path: ["owner", "name"], notIn: ["ann"] }, "b"],
    [{ path: ["owner", "name"], gte: "b" }, "b"],
    [{ path: ["owner", "age"], gt: 4 }, "a"],
    [{ path: ["owner", "age"], lt: 31, gte: 30 }, "a"],
    // jsonb alone would put every string below every number.
    [{ path: ["owner", "age"], lt: 100 }, "a"],
    [{ path: ["owner", "age"], gt: "a" }, "b"],
    [{ path: ["owner"], gt: 1 }, ""],
    [{ path: ["owner", "age"], exists: true }, "ab"],
    [{ path: ["owner", "age"], exists: false }, "cd"],
    [{ path: ["none"], exists: true }, "a"],
    [{ path: ["none"], equals: null }, "a"],
    [{ path: [2], equals: null }, "c"],
    [{ path: [-3], equals: 1 }, "c"],
    [{ path: ["tags", 0], equals: "x" }, "a"],
    [{ path: ["tags", "1"], equals: "y" }, "a"],
    [{ path: ["tags"], contains: ["y"] }, "a"],
    [{ path: ["tags"], contains: "y" }, "a"],
    [{ path: ["tags"], equals: [] }, "b"],
    [{ path: ["owner"], contains: { age: 30 } }, "a"],
    [{ path: ["done"], equals: false }, "b"],
    [{ path: ["done"], gt: false }, "a"],
    [{ path: ["o'wner", 'n"ame', "{,}"], equals: "x" }, ""],
  ])("finds by %o", async (condition, expected) => {
    expect(await names({ document: condition })).toBe(expected);
  });

  it("is of a json column the same", async () => {
    expect(await names({ old: { path: ["owner", "age"], gt: 4 } })).toBe("a");
    expect(await names({ old: { path: ["owner"], contains: { name: "bob" } } })).toBe("b");
    expect(await names({ old: { path: ["owner", "age"], in: [4, 30] } })).toBe("ab");
    expect(await names({ old: null })).toBe("cd");
  });

  it.each<[object, string]>([
    [{ path: ["a"] }, "where.document: needs an operator beside path: equals, not, in"],
    [{ path: [], equals: 1 }, "where.document.path: must have 1 to 64 keys or positions"],
    [{ path: Array(65).fill("a"), equals: 1 }, "where.document.path: must have 1 to 64 keys or positions"],
    [{ path: "a", equals: 1 }, "where.document.path: must be a list"],
    [{ path: null, equals: 1 }, "where.document.path: must be a list"],
    [{ path: undefined, equals: 1 }, "where.document.path: must be a list"],
    [{ path: [null], equals: 1 }, "where.document.path.0: must be a key or a position"],
    [{ path: [["a"]], equals: 1 }, "where.document.path.0: must be a key or a position"],
    [{ path: [1.5], equals: 1 }, "where.document.path.0: must be a key or a position"],
    [{ path: ["a", "\0"], equals: 1 }, "where.document.path.1: must not contain the NUL character"],
    [{ path: [{ toString: () => "a" }], equals: 1 }, "where.document.path.0: must be a key or a position"],
    [{ path: ["a"], gt: null }, "where.document.gt: must not be null"],
    [{ path: ["a"], gt: [1] }, "where.document.gt: must be a string, a number, true or false"],
    [{ path: ["a"], gt: { b: 1 } }, "where.document.gt: must be a string, a number, true or false"],
    [
      { path: ["a"], equals: undefined },
      "where.document.equals: is undefined; leave the operator out instead",
    ],
    [{ path: ["a"], equals: { b: undefined } }, "where.document.equals: must not contain undefined"],
    [{ path: ["a"], in: 1 }, "where.document.in: must be a list"],
    [{ path: ["a"], in: [undefined] }, "where.document.in.0: must not contain undefined"],
    [{ path: ["a"], exists: "yes" }, "where.document.exists: must be true or false"],
    [{ path: ["a"], exists: null }, "where.document.exists: must be true or false"],
    [
      { path: ["a"], hasKey: "a" },
      "where.document.hasKey: cannot be used on a column of type jsonb; allowed: equals",
    ],
    [{ path: ["a"], startsWith: "a" }, "where.document.startsWith: cannot be used on a column of type jsonb"],
  ])("refuses %o", async (condition, message) => {
    expect((await refusal(things.count({ document: condition } as never))).issues).toEqual([
      expect.stringContaining(message),
    ]);
  });

  it("finds exactly what JavaScript finds in the same documents", { timeout: SOAK_TIMEOUT_MS }, async () => {
    const scalar = fc.oneof(
      fc.integer({ min: -3, max: 3 }),
      fc.constantFrom("", "a", "b", "é", '"', "\\", "0"),
      fc.boolean(),
      fc.constant(null),
    );
    const document = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        scalar,
        fc.array(tie("node"), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom("a", "b", "0", "__proto__"), tie("node"), { maxKeys: 3 }),
      ),
    })).node;
    const path = fc.array(fc.constantFrom("a", "b", "0", 0, 1, -1, "__proto__"), {
      minLength: 1,
      maxLength: 3,
    });
    const target = await things.create({ name: "~random" });
    await fc.assert(
      fc.asyncProperty(document, path, scalar, async (value, steps, wanted) => {
        await things.update(target.id, { document: value });
        const found = at(value, steps);
        const ask = (operators: object) =>
          things.exists({ id: target.id, document: { path: steps, ...operators } } as never);
        expect(await ask({ exists: true })).toBe(found !== undefined);
        expect(await ask({ equals: wanted })).toBe(found === wanted);
        expect(await ask({ in: [wanted, "b"] })).toBe(
          found !== undefined && [wanted, "b"].includes(found as string),
        );
        if (wanted !== null && typeof wanted !== "string")
          expect(await ask({ lte: wanted })).toBe(
            typeof found === typeof wanted && (found as number) <= (wanted as number),
          );
      }),
      { seed: 20261121, numRuns: soakRuns(6_000) },
    );
    await db.sql`delete from workbench.things where id = ${target.id}`;
  });
});

/** What PostgreSQL's `#>` finds: keys in objects, whole numbers in lists, from the end when negative. */
function at(document: unknown, path: readonly (string | number)[]): unknown {
  let found = document;
  for (const step of path) {
    if (typeof found !== "object" || found === null) return undefined;
    if (Array.isArray(found)) {
      if (!/^-?\d+$/.test(String(step))) return undefined;
      found = found.at(Number(step));
    } else {
      found = Object.getOwnPropertyDescriptor(found, String(step))?.value;
    }
    if (found === undefined) return undefined;
  }
  return found;
}

describe("networks and ranges", () => {
  it.each<[object, string]>([
    [{ host: { containedBy: "10.0.0.0/8" } }, "a"],
    [{ host: { containedBy: "10.1.2.3" } }, "a"],
    [{ host: { contains: "192.168.0.77" } }, "b"],
    [{ network: { contains: "10.1.9.9" } }, "a"],
    [{ network: { contains: "192.168.0.0/24" } }, "b"],
    [{ host: { gt: "10.1.2.3" } }, "b"],
    [{ during: { contains: "[5,5]" } }, "a"],
    [{ during: { contains: "empty" } }, "abc"],
    [{ during: { overlaps: "[9,21)" } }, "ab"],
    [{ during: { containedBy: "[0,15)" } }, "ac"],
    [{ during: { in: ["[1,9]", "[20,30)"] } }, "ab"],
    [{ during: "[1,10)" }, "a"],
  ])("finds by %o", async (where, expected) => {
    expect(await names(where)).toBe(expected);
  });

  it.each<[object, string]>([
    [{ host: { contains: 1 } }, "where.host.contains: must be a string"],
    [{ host: { contains: null } }, "where.host.contains: must not be null"],
    [{ host: { startsWith: "10." } }, "where.host.startsWith: cannot be used on a column of type inet"],
    [{ during: { overlaps: null } }, "where.during.overlaps: must not be null"],
    [{ place: [1, 2] }, "where.place: must be null: PostgreSQL cannot compare values of type point"],
    [{ place: { not: [1, 2] } }, "where.place.not: must be null: PostgreSQL cannot compare"],
    [{ place: { in: [[1, 2]] } }, "where.place.in: must be null: PostgreSQL cannot compare"],
    [{ place: { gt: [1, 2] } }, "where.place.gt: must be null: PostgreSQL cannot compare"],
  ])("refuses %o", async (where, message) => {
    expect((await refusal(things.count(where as never))).issues).toEqual([expect.stringContaining(message)]);
  });

  it("are null or not where PostgreSQL knows nothing else", async () => {
    expect(await names({ place: null })).toBe("bcd");
    expect(await names({ place: { not: null } })).toBe("a");
  });
});

describe("matches", () => {
  it.each<[object, string]>([
    [{ matches: "release notes" }, "ab"],
    [{ matches: '"release notes"' }, "a"],
    [{ matches: "notes -the" }, "a"],
    [{ matches: "nothing or notes" }, "abc"],
    [{ matches: "releases" }, ""],
    [{ matches: "releases", config: "english" }, "ab"],
    [{ matches: "releases", config: "pg_catalog.english" }, "ab"],
    [{ matches: "" }, ""],
    [{ matches: "'; drop table things; -- (((& | !" }, ""],
    [{ matches: "notes", startsWith: "THE", mode: "insensitive" }, "b"],
    [{ matches: "notes ---- release" }, "ab"],
    [{ matches: `notes ${"-".repeat(900)}release` }, "ab"],
  ])("finds words as people type them: %o", async (code, expected) => {
    expect(await names({ code })).toBe(expected);
  });

  it.each<[object, string]>([
    [{ name: { matches: null } }, "where.name.matches: must not be null"],
    [{ name: { matches: "a".repeat(1_001) } }, "where.name.matches: must have at most 1000 characters"],
    [{ name: { matches: ["a"] } }, "where.name.matches: must be a string"],
    [
      { name: { matches: "a", config: "x'; drop table things" } },
      "where.name.config: must be the name of a text search",
    ],
    [{ name: { matches: "a", config: null } }, "where.name.config: must be the name of a text search"],
    [{ name: { matches: "a", config: ["english"] } }, "where.name.config: must be the name of a text search"],
    [{ name: { matches: "a", config: undefined } }, "where.name.config: must be the name of a text search"],
    [{ name: { config: "english" } }, "where.name.config: belongs to matches"],
    [{ name: { matches: "a", mode: "insensitive" } }, "where.name.mode: belongs to one of startsWith"],
    [{ tags: { matches: "a" } }, "where.tags.matches: cannot be used on a column of type text[]"],
  ])("refuses %o", async (where, message) => {
    expect((await refusal(things.count(where as never))).issues).toEqual([expect.stringContaining(message)]);
  });

  it("takes any text people may type", { timeout: SOAK_TIMEOUT_MS }, async () => {
    const anything = fc.string({
      unit: fc.oneof(
        fc.constantFrom(..."-\"'()!|&:*<> \\", "or ", "and ", "a", "é", "-", "- ", '-"'),
        fc.string({ unit: "binary", maxLength: 1 }),
      ),
      maxLength: 300,
    });
    await fc.assert(
      fc.asyncProperty(anything, async (text) => {
        fc.pre(!text.includes("\0") && text.isWellFormed() && text.length <= 1_000);
        expect(typeof (await things.count({ name: { matches: text } }))).toBe("number");
      }),
      { seed: 20261121, numRuns: soakRuns(20_000) },
    );
  });

  it("is served by an index on the same expression", async () => {
    await db.sql`create index things_code_words on workbench.things using gin (to_tsvector('english', code))`;
    expect(await planOf({ code: { matches: "note", config: "english" } })).toContain("things_code_words");
  });
});
