import fc from "fast-check";
import type { KeysetPage } from "plinth";
import { describe, expect, it } from "vitest";
import { openLibrary } from "../../test/support/library.ts";
import { refusal } from "../../test/support/rejection.ts";

const { db, repo, makeAuthor, makeBook } = await openLibrary();

const KEYS = [
  "title",
  "pages",
  "price",
  "publishedOn",
  "shelvedAt",
  "language",
  "genre",
  "views",
  "stars",
  "isbn",
] as const;
type Sort = (typeof KEYS)[number] | `-${(typeof KEYS)[number]}`;

/** Walks all pages; `between` runs after each of them. */
async function walk(
  where: { readonly authorId: string },
  sort: readonly Sort[],
  limit: number,
  between: (page: number) => Promise<unknown> = async () => {},
): Promise<string[]> {
  const seen: string[] = [];
  let after: string | null = null;
  for (let page = 1; page < 500; page++) {
    const { data, meta }: KeysetPage<{ id: string }> = await repo.books.list({ where, sort, limit, after });
    seen.push(...data.map((book) => book.id));
    if (meta.nextCursor === null) return seen;
    after = meta.nextCursor;
    await between(page);
  }
  throw new Error("the pages have no end");
}

/** Few different values each, and null among them: the more ties, the harder the order. */
const rowOf = fc.record({
  title: fc.constantFrom("a", "B", "ä", "", 'x","y', "\\"),
  pages: fc.option(fc.integer({ min: 1, max: 3 })),
  price: fc.option(fc.constantFrom("1.10", "12345678.99", "-1.00")),
  publishedOn: fc.option(fc.constantFrom("2011-12-30", "2026-01-01")),
  shelvedAt: fc.option(fc.constantFrom(0, 1, 2)),
  language: fc.constantFrom("en", "de", "fr"),
  genre: fc.option(fc.constantFrom("novel", "poetry")),
  views: fc.constantFrom(0n, 2n ** 53n + 1n, 2n ** 53n + 2n),
  stars: fc.option(fc.integer({ min: 1, max: 2 })),
});

const sortOf = fc.array(
  fc
    .tuple(fc.constantFrom(...KEYS), fc.boolean())
    .map(([key, descending]): Sort => (descending ? `-${key}` : key)),
  { minLength: 1, maxLength: 3 },
);

describe("list after a cursor", () => {
  it("gives each row once in the order of the whole list, whatever it is sorted by", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(rowOf, { maxLength: 25 }),
        sortOf,
        fc.integer({ min: 1, max: 7 }),
        async (rows, sort, limit) => {
          const { id: authorId } = await makeAuthor();
          await repo.books.createMany(rows.map(({ shelvedAt: _, ...row }) => ({ ...row, authorId })));
          // Microseconds apart, which a Date could not tell.
          await db.sql`update library.books set shelved_at = '2026-11-21 09:20:00.123456+00'::timestamptz + (pages || ' microseconds')::interval where author_id = ${authorId}`;
          const whole = await repo.books.list({ where: { authorId }, sort, limit: 200 });
          expect(await walk({ authorId }, sort, limit)).toEqual(whole.data.map((book) => book.id));
        },
      ),
      { seed: 20261121, numRuns: 150 },
    );
  });

  it("gives every row that stays exactly once while others arrive and leave between the pages", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(rowOf, { minLength: 8, maxLength: 20 }),
        sortOf,
        fc.array(rowOf, { maxLength: 6 }),
        async (rows, sort, arriving) => {
          const { id: authorId } = await makeAuthor();
          const write = (given: typeof rows) =>
            repo.books.createMany(given.map(({ shelvedAt: _, ...row }) => ({ ...row, authorId })));
          const made = await write(rows);
          const leaving = made.slice(0, 4);
          const staying = made.slice(4).map((book) => book.id);
          const seen = await walk({ authorId }, sort, 3, async (page) => {
            const gone = leaving.pop();
            if (gone !== undefined) await repo.books.delete(gone.id);
            await write(arriving.slice(page - 1, page));
          });
          expect(new Set(seen).size).toBe(seen.length);
          expect(staying.filter((id) => !seen.includes(id))).toEqual([]);
        },
      ),
      { seed: 20261121, numRuns: 40 },
    );
  });

  it.each<Sort>(["pages", "-pages", "shelvedAt", "-shelvedAt"])(
    "passes from values to nulls and on, sorted by %s",
    async (sort) => {
      const { id: authorId } = await makeAuthor();
      await makeBook.many(9, (i) => ({
        authorId,
        pages: i < 4 ? (i % 2) + 1 : null,
        shelvedAt: i < 4 ? new Date(i % 2) : null,
      }));
      const whole = await repo.books.list({ where: { authorId }, sort, limit: 100 });
      for (const limit of [1, 2, 3, 8, 9, 10])
        expect(await walk({ authorId }, [sort], limit)).toEqual(whole.data.map((book) => book.id));
    },
  );

  it("tells the values of every type apart, and passes those it holds equal", async () => {
    const values = {
      double: [Number.NaN, Infinity, -Infinity, 0, -0, 0.1, 5e-324],
      single: [0.1, 0.2, Number.NaN],
      big: [2n ** 53n, 2n ** 53n + 1n],
      exact: ["NaN", "Infinity", "1.0", "1.00", "0.3333333333333333333333333333"],
      span: ["1 mon", "30 days", "2 years"],
      flag: [true, false],
      exactAt: ["2026-01-01 00:00:00.000001+00", "2026-01-01 00:00:00.000002+00"],
      ref: ["00000000-0000-0000-0000-000000000001", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
      host: ["10.0.0.1", "10.0.0.0/8", "::1"],
      fixed: ["a", "ab"],
      texts: [[], ["a,b"], ['"'], ["a", "b"]],
      genre: ["novel", "poetry"],
      clock: ["24:00:00", "00:00:00.000001"],
    } as const;
    for (const [key, list] of Object.entries(values)) {
      const made = await repo.samples.createMany(
        [...list, null, ...list, null].map((value) => ({ [key]: value })),
      );
      const ids = made.map((row) => row.id);
      for (const sort of [key, `-${key}`]) {
        const whole = await repo.samples.list({
          where: { id: { in: ids } },
          sort: sort as never,
          limit: 100,
        });
        const seen: string[] = [];
        for (let after: string | null = ""; after !== null && seen.length < 100; ) {
          const page: KeysetPage<{ id: string }> = await repo.samples.list({
            where: { id: { in: ids } },
            sort: sort as never,
            limit: 2,
            after,
          });
          seen.push(...page.data.map((row) => row.id));
          after = page.meta.nextCursor;
        }
        expect(seen, sort).toEqual(whole.data.map((row) => row.id));
      }
    }
  });

  it("starts with null or an empty text, and ends with a null cursor", async () => {
    const { id: authorId } = await makeAuthor();
    await makeBook.many(2, { authorId });
    for (const after of [null, ""]) {
      const { data, meta } = await repo.books.list({ where: { authorId }, after, limit: 2 });
      expect([data.length, meta]).toEqual([2, { limit: 2, nextCursor: null }]);
    }
    expect(await repo.books.list({ where: { authorId: "none" }, after: null })).toEqual({
      data: [],
      meta: { limit: 10, nextCursor: null },
    });
  });

  it("goes on after a value of 100,000 characters", async () => {
    const { id: authorId } = await makeAuthor();
    await makeBook.many(3, (i) => ({ authorId, title: `${"long ".repeat(20_000)}${i}` }));
    expect(await walk({ authorId }, ["title"], 1)).toHaveLength(3);
  });

  it("compares rows where it can, and else bounds the first sort column alone: an index can use both", async () => {
    const { id: authorId } = await makeAuthor();
    await makeBook.many(2, { authorId });
    const conditionOf = async (sort: Sort | "id" | readonly (Sort | "id")[]) => {
      const { meta } = await repo.books.list({ where: { authorId }, sort, after: null, limit: 1 });
      const { text } = repo.books.list({ sort, after: meta.nextCursor ?? "", limit: 1 }).toSQL();
      return text.replace(/.* is null and (.*) order by .*/, "$1");
    };
    expect(await conditionOf("-title")).toBe('(t0."title", t0."id") < ($1, $2)');
    expect(await conditionOf("id")).toBe('t0."id" > $1');
    expect(await conditionOf(["-title", "id"])).toBe(
      '(t0."title" <= $1 and (t0."title" < $1 or (t0."title" = $1 and (t0."id" > $2))))',
    );
  });
});

describe("a cursor", () => {
  async function cursorOf(sort: Sort): Promise<string> {
    const { id: authorId } = await makeAuthor();
    await makeBook.many(2, (i) => ({ authorId, pages: i + 1 }));
    const { meta } = await repo.books.list({ where: { authorId }, sort, after: null, limit: 1 });
    return meta.nextCursor ?? "";
  }
  const REFUSED = {
    code: "INVALID_CURSOR",
    issues: ["after: is not a cursor of this list and its sort; null starts from the first page"],
  };

  it("is refused when any of its characters changed, was cut or was added", async () => {
    const cursor = await cursorOf("pages");
    const forged = [
      ...Array.from(
        cursor,
        (character, i) => cursor.slice(0, i) + (character === "A" ? "B" : "A") + cursor.slice(i + 1),
      ),
      ...Array.from(cursor, (_, i) => cursor.slice(0, i)).filter((cut) => cut !== ""),
      `${cursor}A`,
      `${cursor}!`,
      ` ${cursor}`,
      `${cursor}==`,
    ];
    for (const after of forged)
      expect(await refusal(repo.books.list({ sort: "pages", after }))).toEqual(REFUSED);
  });

  it("is refused by another sort, another direction and another entity", async () => {
    const after = await cursorOf("pages");
    for (const sort of ["-pages", "title", "stars"] as const)
      expect(await refusal(repo.books.list({ sort, after }))).toEqual(REFUSED);
    expect(await refusal(repo.books.list({ after }))).toEqual(REFUSED);
    expect(await refusal(repo.authors.list({ sort: "name", after }))).toEqual(REFUSED);
  });

  it.each(["x", "null", "[]", "'; select pg_sleep(5) --", "e30", "AAAA".repeat(300_000), "\0", "😀"])(
    "is refused when it is %.20j",
    async (after) => {
      expect(await refusal(repo.books.list({ after }))).toEqual(REFUSED);
    },
  );

  it.each([1, {}, [], true, 0n, Symbol("x")])("is refused when it is no text: %o", async (after) => {
    expect(await refusal(repo.books.list({ after: after as never }))).toEqual(REFUSED);
  });

  it("holds no secret and no value that the row does not show", async () => {
    const cursor = Buffer.from(await cursorOf("pages"), "base64url").toString();
    expect(JSON.parse(cursor.slice(cursor.indexOf("[")))).toEqual(["1", expect.any(String)]);
  });
});
