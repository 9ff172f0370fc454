import { condition } from "plinth";
import { beforeAll, describe, expect, it } from "vitest";
import * as domain from "../../test/support/domain.ts";
import { openLibrary } from "../../test/support/library.ts";
import { refusal } from "../../test/support/rejection.ts";

const { db, repo, makeAuthor, makeBook } = await openLibrary();
let authorId = "";

beforeAll(async () => {
  ({ id: authorId } = await makeAuthor());
  const rows = [
    { language: "en", pages: 100, price: "10.10", views: 2n ** 53n + 1n },
    { language: "en", pages: 200, price: "0.20", views: 2n ** 53n + 1n },
    { language: "de", pages: null, price: null, views: 1n },
    { language: "de", pages: 7, price: "5.00", views: 0n },
    { language: "fr", pages: null, price: null, views: 0n },
  ] as const;
  for (const row of rows) await makeBook({ ...row, authorId, publishedOn: "2026-01-02" });
  const dead = await makeBook({ authorId, pages: 9_999 });
  await repo.books.delete(dead.id);
});

describe("aggregate", () => {
  it("gives numbers about all rows, exactly, without the dead", async () => {
    const found = await repo.books.aggregate({
      where: { authorId },
      count: true,
      countDistinct: ["language", "pages"],
      sum: ["pages", "price", "views"],
      avg: ["pages", "price"],
      min: ["title", "publishedOn", "price"],
      max: "pages",
    });
    expect(found).toEqual({
      count: 5,
      countDistinct: { language: 3, pages: 3 },
      sum: { pages: 307n, price: "15.30", views: "18014398509481987" },
      avg: { pages: "102.3333333333333333", price: "5.1000000000000000" },
      min: { title: expect.any(String), publishedOn: "2026-01-02", price: "0.20" },
      max: { pages: 200 },
    });
  });

  it("is zero and null where there is no row", async () => {
    const none = await repo.books.aggregate({
      where: { title: "none" },
      count: true,
      sum: "pages",
      max: "title",
    });
    expect(none).toEqual({ count: 0, sum: { pages: null }, max: { title: null } });
    expect(await repo.books.aggregate({ where: { title: "none" }, groupBy: "language" })).toEqual([]);
  });

  it("gives each group a row, in the order of the groups", async () => {
    expect(
      await repo.books.aggregate({ where: { authorId }, groupBy: ["language"], count: true, sum: ["pages"] }),
    ).toEqual([
      { language: "de", count: 2, sum: { pages: 7n } },
      { language: "en", count: 2, sum: { pages: 300n } },
      { language: "fr", count: 1, sum: { pages: null } },
    ]);
  });

  it("sorts by what was asked, places nulls, and takes the first", async () => {
    const groupsBy = (sort: "-count" | readonly ("-sum.pages" | "-language")[], limit?: number) =>
      repo.books.aggregate({
        where: { authorId },
        groupBy: "language",
        count: true,
        sum: "pages",
        sort,
        ...(limit === undefined ? {} : { limit }),
      });
    const languages = async (...given: Parameters<typeof groupsBy>) =>
      (await groupsBy(...given)).map(({ language }) => language).join();
    expect(await languages("-count")).toBe("de,en,fr");
    expect(await languages(["-sum.pages"])).toBe("fr,en,de");
    expect(await languages(["-language"], 2)).toBe("fr,en");
    const placed = await repo.books.aggregate({
      where: { authorId },
      groupBy: "language",
      sum: "pages",
      sort: { by: "sum.pages", direction: "desc", nulls: "last" },
    });
    expect(placed.map(({ language }) => language).join()).toBe("en,de,fr");
  });

  it("keeps the groups that are asked for", async () => {
    const having = async (given: NonNullable<Parameters<typeof ask>[0]>) =>
      (await ask(given)).map(({ language }) => language).join();
    const ask = (given: { count?: number | { gte: number }; sum?: { pages: null | { gt: bigint } } }) =>
      repo.books.aggregate({
        where: { authorId },
        groupBy: "language",
        count: true,
        sum: "pages",
        having: given,
      });
    expect(await having({ count: { gte: 2 } })).toBe("de,en");
    expect(await having({ count: 1 })).toBe("fr");
    expect(await having({ sum: { pages: { gt: 10n } } })).toBe("en");
    expect(await having({ sum: { pages: null } })).toBe("fr");
    expect(
      await repo.books.aggregate({
        where: { authorId },
        groupBy: "language",
        avg: "price",
        having: { avg: { price: { in: ["5.0000000000000000", "5.15"] } } },
      }),
    ).toEqual([
      { language: "de", avg: { price: "5.0000000000000000" } },
      { language: "en", avg: { price: "5.1500000000000000" } },
    ]);
  });

  it("runs one statement for all values of a shape, and another for another shape", async () => {
    const sqlOf = (least: number | null) =>
      repo.books
        .aggregate({ groupBy: "language", max: "pages", having: { max: { pages: least } }, limit: 3 })
        .toSQL();
    expect(sqlOf(7).text).toBe(
      'select t0."language", max(t0."pages") from "library"."books" t0 where true and t0."deleted_at" is null group by t0."language" having (max(t0."pages") = $1) order by t0."language" limit 3',
    );
    expect([sqlOf(7).values, sqlOf(8).values]).toEqual([["7"], ["8"]]);
    expect(sqlOf(null).text).toContain('having (max(t0."pages") is null)');
  });

  it("reads every type as PostgreSQL makes it", async () => {
    await repo.samples.createMany([
      {
        small: 32_767,
        int: 2_147_483_647,
        big: 2n ** 63n - 1n,
        safe: 5,
        exact: "0.1",
        exactBig: 7n,
        double: 0.1,
        single: 1.5,
        span: "1 day",
        genre: "poetry",
        at: new Date(0),
        clock: "01:02:03",
        words: "ä",
        host: "10.0.0.1",
      },
      { small: 32_767, int: 2_147_483_647, big: 2n ** 63n - 1n, double: 0.2, span: "12:00:00" },
    ]);
    expect(
      await repo.samples.aggregate({
        sum: ["small", "int", "big", "safe", "exact", "exactBig", "double", "single", "span"],
        avg: ["small", "big", "double", "single", "span"],
        min: ["genre", "at", "clock", "words", "host", "big", "exactBig"],
      }),
    ).toEqual({
      sum: {
        small: 65_534n,
        int: 4_294_967_294n,
        big: "18446744073709551614",
        safe: "5",
        exact: "0.1",
        exactBig: "7",
        double: 0.1 + 0.2,
        single: 1.5,
        span: "1 day 12:00:00",
      },
      avg: {
        small: "32767.000000000000",
        big: "9223372036854775807",
        double: (0.1 + 0.2) / 2,
        single: 1.5,
        span: "18:00:00",
      },
      min: {
        genre: "poetry",
        at: new Date(0),
        clock: "01:02:03",
        words: "ä",
        host: "10.0.0.1",
        big: 2n ** 63n - 1n,
        exactBig: 7n,
      },
    });
  });

  it("takes conditions on related rows and in SQL, and sees whom its repository sees", async () => {
    const { count } = await repo.books.aggregate({
      where: {
        and: [{ author: { is: { id: authorId } } }, condition`${domain.books.pages} between ${7} and ${100}`],
      },
      count: true,
    });
    expect(count).toBe(2);
    const { max } = await repo.books.onlyDeleted().aggregate({ where: { authorId }, max: "pages" });
    expect(max).toEqual({ pages: 9_999 });
    await db.batch([repo.books.aggregate({ count: true }), repo.books.distinct("language")]);
  });

  it.each<[unknown, string]>([
    [{}, "options: must ask for something: groupBy, count, countDistinct, sum, avg, min, max"],
    [{ count: false }, "options: must ask for something"],
    [{ count: 1 }, "count: must be true"],
    [{ sum: ["title"] }, 'sum: cannot be of "title", whose type is text'],
    [{ sum: "pagse" }, 'sum: unknown column "pagse"; did you mean "pages"?'],
    [{ groupBy: "nope", count: true }, 'groupBy: unknown column "nope"'],
    [{ groupBy: [], count: true }, "groupBy: must name a column"],
    [{ groupBy: "__proto__" }, 'groupBy: unknown column "__proto__"'],
    [{ count: true, sort: "count" }, "sort: needs groupBy: without it there is one row"],
    [{ count: true, limit: 1 }, "limit: needs groupBy"],
    [{ groupBy: "language", sort: "count" }, 'sort: unknown sort "count"'],
    [{ groupBy: "language", limit: 0 }, "limit: must be a whole number, 1 or more"],
    [{ groupBy: "language", having: { count: 1 } }, 'having.count: unknown measure "count"'],
    [{ groupBy: "language", count: true, having: { count: undefined } }, "having.count: is undefined"],
    [
      { groupBy: "language", count: true, having: { count: { like: 1 } } },
      "having.count.like: unknown operator",
    ],
    [
      { groupBy: "language", sum: "pages", having: { sum: { pages: { gt: 1.5 } } } },
      "having.sum.pages.gt: must be",
    ],
    [
      { groupBy: "language", sum: "pages", having: { sum: { price: 1n } } },
      'having.sum.price: unknown measure "sum.price"',
    ],
    [{ where: { titel: 1 }, count: true }, 'where.titel: unknown column "titel"'],
    [{ wehre: {}, count: true }, 'wehre: unknown option "wehre"'],
    [null, "options: must be a plain object"],
  ])("refuses %o", async (options, message) => {
    const { issues } = await refusal(repo.books.aggregate(options as never));
    expect(issues[0]).toContain(message);
  });

  it("refuses secrets, and types without such a number", async () => {
    for (const options of [{ groupBy: "apiToken" }, { min: "apiToken" }, { countDistinct: "apiToken" }])
      expect((await refusal(repo.authors.aggregate(options as never))).issues[0]).toContain("unknown column");
    for (const options of [{ min: "flag" }, { max: "ref" }, { sum: "ints" }, { countDistinct: "place" }])
      expect((await refusal(repo.samples.aggregate(options as never))).issues[0]).toContain("cannot be of");
    expect((await refusal(repo.samples.aggregate({ groupBy: "plainDocument" }))).code).toBe("INVALID_QUERY");
  });
});

describe("distinct", () => {
  it("gives the values of a column, each once, in order, null last", async () => {
    expect(await repo.books.distinct("pages", { where: { authorId } })).toEqual([7, 100, 200, null]);
    expect(await repo.books.distinct("language", { where: { authorId }, limit: 2 })).toEqual(["de", "en"]);
    expect(await repo.books.distinct("language", { where: { title: "none" } })).toEqual([]);
  });

  it("refuses what is no column, and options it does not know", async () => {
    expect((await refusal(repo.books.distinct("nope" as "title"))).issues[0]).toContain(
      'column: unknown column "nope"',
    );
    expect((await refusal(repo.authors.distinct("apiToken" as "name"))).code).toBe("INVALID_QUERY");
    expect((await refusal(repo.books.distinct("title", { sort: "title" } as never))).issues[0]).toContain(
      'sort: unknown option "sort"',
    );
  });
});
