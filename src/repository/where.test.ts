import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { books } from "../../test/support/domain.ts";
import { openLibrary } from "../../test/support/library.ts";
import { refusal } from "../../test/support/rejection.ts";
import { escapeLike } from "./index.ts";

const { db, repo, makeAuthor, makeBook } = await openLibrary();
let authorId = "";

/** Titles of the books a condition finds, in order. */
async function titles(where: object): Promise<string[]> {
  const { data } = await repo.books.list({ where: { authorId, ...where }, sort: "title", limit: 100 });
  return data.map((book) => book.title);
}

beforeAll(async () => {
  ({ id: authorId } = await makeAuthor());
  const rows = [
    { title: "a", pages: 100, price: "9.99", publishedOn: "2001-01-01", language: "de", genre: "poetry" },
    { title: "b", pages: 200, price: "10.00", publishedOn: "2002-02-02", language: "en", genre: "novel" },
    { title: "c", pages: null, price: null, publishedOn: null, language: "en", genre: null },
  ] as const;
  for (const row of rows) await makeBook({ authorId, ...row });
});

describe("where", () => {
  it.each<[object, string[]]>([
    [{}, ["a", "b", "c"]],
    [{ title: "a" }, ["a"]],
    [{ title: { equals: "a" } }, ["a"]],
    [{ pages: null }, ["c"]],
    [{ pages: { equals: null } }, ["c"]],
    [{ pages: { not: null } }, ["a", "b"]],
    [{ title: { not: "a" } }, ["b", "c"]],
    // As in SQL, a comparison with null is not true.
    [{ pages: { not: 100 } }, ["b"]],
    [{ pages: { gt: 100 } }, ["b"]],
    [{ pages: { gte: 100 } }, ["a", "b"]],
    [{ pages: { lt: 200 } }, ["a"]],
    [{ pages: { lte: 200, gt: 100 } }, ["b"]],
    [{ price: { gte: "9.995" } }, ["b"]],
    [{ price: { in: ["9.991", "10.0"] } }, ["b"]],
    [{ publishedOn: { lt: "2002-02-02" } }, ["a"]],
    [{ title: { in: ["a", "c", "zzz"] } }, ["a", "c"]],
    [{ title: { in: [] } }, []],
    [{ title: { notIn: [] } }, ["a", "b", "c"]],
    [{ pages: { notIn: [100] } }, ["b"]],
    [{ genre: { in: ["novel"] } }, ["b"]],
    [{ language: "de" }, ["a"]],
    [{ views: 0n }, ["a", "b", "c"]],
    [{ or: [{ title: "a" }, { pages: null }] }, ["a", "c"]],
    [{ or: [] }, []],
    [{ and: [] }, ["a", "b", "c"]],
    [{ and: [{ pages: { gt: 1 } }, { not: { title: "a" } }] }, ["b"]],
    [{ not: { or: [{ title: "a" }, { title: "b" }] } }, ["c"]],
  ])("finds by %o", async (where, expected) => {
    expect(await titles(where)).toEqual(expected);
  });

  it("takes 70,000 values in one parameter", async () => {
    const many = [...Array.from({ length: 70_000 }, (_, i) => `title ${i}`), "b"];
    expect(await titles({ title: { in: many } })).toEqual(["b"]);
    expect(await titles({ title: { notIn: many } })).toEqual(["a", "c"]);
    expect(repo.books.count({ title: { in: many } }).toSQL().values).toHaveLength(1);
  });

  it("compares a text that is too long for the column as it is, and does not cut it to fit", async () => {
    await makeBook({ authorId, title: "with isbn", isbn: "9781234567897" });
    expect(await titles({ isbn: { in: ["9781234567897"] } })).toEqual(["with isbn"]);
    expect(await titles({ isbn: { in: ["9781234567897 and more"] } })).toEqual([]);
    await repo.books.delete((await repo.books.findBy({ isbn: "9781234567897" }))?.id ?? "");
  });

  it.each<[object, string]>([
    [{ titel: "a" }, 'where.titel: unknown column "titel"; did you mean "title"?'],
    [{ title: undefined }, "where.title: is undefined; leave the property out instead"],
    [{ title: { equals: undefined } }, "where.title.equals: is undefined; leave the operator out instead"],
    [{ title: {} }, "where.title: is an empty condition; leave the property out instead"],
    [
      { title: { resembles: "a" } },
      'where.title.resembles: unknown operator "resembles"; allowed: equals, not, in, notIn, gt, gte, lt, lte, between, startsWith, endsWith, contains, matches, mode, config',
    ],
    [
      { title: { startWith: "a" } },
      'where.title.startWith: unknown operator "startWith"; did you mean "startsWith"?',
    ],
    [{ title: { constructor: "a" } }, "where.title.constructor: unknown operator"],
    [{ title: { toString: "a" } }, "where.title.toString: unknown operator"],
    [JSON.parse('{"title": {"__proto__": "a"}}'), "where.title.__proto__: unknown operator"],
    [JSON.parse('{"__proto__": {}}'), 'where.__proto__: unknown column "__proto__"'],
    [
      { title: { mode: "insensitive" } },
      "where.title.mode: belongs to one of startsWith, endsWith, contains",
    ],
    [{ title: { contains: "a", mode: "insensitve" } }, "where.title.mode: must be sensitive or insensitive"],
    [{ title: { in: "a" } }, "where.title.in: must be a list"],
    [{ title: { in: [null] } }, "where.title.in.0: must not be null"],
    // biome-ignore lint/suspicious/noSparseArray: a hole is what is tested.
    [{ title: { in: [, "a"] } }, "where.title.in.0: must not be null"],
    [{ pages: { gt: null } }, "where.pages.gt: must not be null"],
    [{ pages: { contains: "1" } }, "where.pages.contains: cannot be used on a column of type integer"],
    [
      { price: { startsWith: "1" } },
      "where.price.startsWith: cannot be used on a column of type numeric(10, 2)",
    ],
    [
      { publishedOn: { startsWith: "2001" } },
      "where.publishedOn.startsWith: cannot be used on a column of type date",
    ],
    [{ or: { title: "a" } }, "where.or: must be a list of conditions"],
    [{ or: ["a"] }, "where.or.0: must be a plain object"],
    [{ and: [undefined] }, "where.and.0: must be a plain object"],
    [{ not: null }, "where.not: must be a plain object"],
  ])("refuses %o", async (where, message) => {
    const { code, issues } = await refusal(repo.books.list({ where }));
    expect(code).toBe("INVALID_QUERY");
    expect(issues).toEqual([expect.stringContaining(message)]);
  });

  it.each<[object, string]>([
    [{ pages: "1" }, "where.pages: must be an integer"],
    [{ title: ["a"] }, "where.title: must be a string"],
    [{ title: { equals: { toPostgres: () => "a" } } }, "where.title.equals: must be a string"],
    [{ title: { contains: "\0" } }, "where.title.contains: must not contain the NUL character"],
    [{ pages: { in: [1, "2"] } }, "where.pages.in.1: must be an integer"],
    [{ language: "xx" }, "where.language: must be one of en, de, fr"],
  ])("refuses the value in %o", async (where, message) => {
    expect(await refusal(repo.books.list({ where }))).toEqual({ code: "INVALID_VALUE", issues: [message] });
  });

  it.each([null, [], new Date(), new Map(), "", 0, () => ({})])(
    "refuses %s for a whole condition: it would mean every row",
    async (where) => {
      for (const call of [
        repo.books.list({ where: where as never }),
        repo.books.count(where as never),
        repo.books.exists(where as never),
      ]) {
        expect((await refusal(call)).issues).toEqual(["where: must be a plain object"]);
      }
    },
  );

  it("refuses conditions nested deeper than twenty levels", async () => {
    for (const depth of [21, 1_000]) {
      for (const wrap of [(inner: object) => ({ not: inner }), (inner: object) => ({ or: [inner] })]) {
        let where: object = { title: "a" };
        for (let i = 0; i < depth; i++) where = wrap(where);
        expect((await refusal(repo.books.count(where))).issues[0]).toContain(
          "is nested more than 20 levels deep",
        );
      }
    }
  });

  it("refuses more than 10,000 conditions, before they meet the protocol's limit of parameters", async () => {
    const or = (length: number) => ({ or: Array.from({ length }, (_, i) => ({ title: `title ${i}` })) });
    expect(await repo.books.count(or(10_000))).toBe(0);
    expect((await refusal(repo.books.count(or(10_001)))).issues).toEqual([
      "where.or.10000.title: is one of more than 10,000 conditions; a list of values (in) counts as one",
    ]);
  });

  it("makes no statement of a getter, whose answers could change meanwhile", async () => {
    const fresh = db.repository(books);
    let answers = 0;
    const flickering = () => ({
      get title() {
        return answers++ % 2 === 0 ? "a" : null;
      },
    });
    const hidden = (name: string, value: object) =>
      Object.defineProperty({}, name, { enumerable: true, ...value });
    const cases: [object, string][] = [
      [flickering(), "where.title"],
      [{ or: [flickering()] }, "where.or.0.title"],
      [{ title: hidden("equals", { get: () => "a" }) }, "where.title.equals"],
      [hidden("pages", { get: () => ({ gt: 1 }) }), "where.pages"],
      [{ samples: hidden("some", { get: () => ({}) }) }, "where.samples.some"],
    ];
    for (const [where, path] of cases) {
      expect((await refusal(fresh.count(where))).issues).toEqual([
        `${path}: is a getter; give the value itself`,
      ]);
    }
    expect(await titles({ title: "a" })).toEqual(["a"]);
  });

  it("refuses to filter by a secret, as if there were no such column", async () => {
    for (const call of [
      repo.authors.count({ apiToken: "x" } as never),
      repo.authors.list({ where: { or: [{ not: { apiToken: { gt: "a" } } }] } as never }),
    ]) {
      expect((await refusal(call)).issues[0]).toContain('unknown column "apiToken"');
    }
  });
});

describe("startsWith, contains and endsWith", () => {
  it("take %, _ and \\ for themselves, anywhere", async () => {
    const { id } = await makeAuthor();
    const names = ["100%", "100 per cent", "a_b", "axb", "back\\slash", "ends\\", "\\%_", "ÄPFEL"];
    await makeBook.many(names.length, (i) => ({ authorId: id, title: names[i] ?? "" }));
    const found = async (title: object) => {
      const { data } = await repo.books.list({ where: { authorId: id, title }, sort: "title", limit: 50 });
      return data.map((book) => book.title).sort();
    };
    expect(await found({ contains: "%" })).toEqual(["100%", "\\%_"]);
    expect(await found({ startsWith: "a_" })).toEqual(["a_b"]);
    expect(await found({ endsWith: "\\" })).toEqual(["ends\\"]);
    expect(await found({ contains: "\\" })).toEqual(["\\%_", "back\\slash", "ends\\"]);
    expect(await found({ startsWith: "\\%" })).toEqual(["\\%_"]);
    expect(await found({ contains: "pf" })).toEqual([]);
    expect(await found({ contains: "pf", mode: "insensitive" })).toEqual(["ÄPFEL"]);
    expect(await found({ startsWith: "" })).toHaveLength(names.length);
  });

  it("find exactly what JavaScript's own functions find", async () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "%", "_", "\\", "'", "ä"), maxLength: 4 });
    const { id } = await makeAuthor();
    await fc.assert(
      fc.asyncProperty(letters, letters, async (title, part) => {
        const book = await makeBook({ authorId: id, title });
        const exists = (condition: object) => repo.books.exists({ id: book.id, title: condition });
        expect([
          await exists({ startsWith: part }),
          await exists({ contains: part }),
          await exists({ endsWith: part }),
        ]).toEqual([title.startsWith(part), title.includes(part), title.endsWith(part)]);
      }),
      { seed: 20261121, numRuns: 100 },
    );
  });

  it("escapes what people type", () => {
    expect(escapeLike("50%_\\")).toBe("50\\%\\_\\\\");
  });
});
