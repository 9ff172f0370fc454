import { beforeAll, describe, expect, it } from "vitest";
import { openLibrary, statementsRunBy } from "../../test/support/library.ts";
import { refusal } from "../../test/support/rejection.ts";

const { db, repo, makeAuthor, makeBook } = await openLibrary({ pool: { max: 1 } });
let authorId = "";

beforeAll(async () => {
  ({ id: authorId } = await makeAuthor());
  await makeBook.many(25, (i) => ({
    authorId,
    title: `Book ${String(i).padStart(2, "0")}`,
    pages: (i % 3) + 1,
  }));
});

describe("list by page", () => {
  it("begins with page 1 and 10 rows, and counts them all", async () => {
    const { data, meta } = await repo.books.list({ where: { authorId } });
    expect(data).toHaveLength(10);
    expect(meta).toEqual({ page: 1, limit: 10, total: 25, totalPages: 3 });
  });

  it("holds every row once over all pages, also where the sort has ties", async () => {
    const seen: string[] = [];
    for (let page = 1; page <= 9; page++) {
      const { data } = await repo.books.list({ where: { authorId }, sort: "-pages", limit: 3, page });
      seen.push(...data.map((book) => book.id));
    }
    expect(new Set(seen).size).toBe(25);
    expect(seen).toHaveLength(25);
  });

  it("is empty past the end, and still counts", async () => {
    expect(await repo.books.list({ where: { authorId }, page: 99 })).toEqual({
      data: [],
      meta: { page: 99, limit: 10, total: 25, totalPages: 3 },
    });
    expect(await repo.books.list({ where: { authorId, title: "none" } })).toEqual({
      data: [],
      meta: { page: 1, limit: 10, total: 0, totalPages: 0 },
    });
    expect((await repo.books.list({ where: { authorId }, page: 2_147_483_647, limit: 200 })).data).toEqual(
      [],
    );
  });

  it("takes one statement, and a second only to count past the end", async () => {
    expect(await statementsRunBy(db, () => repo.books.list({ where: { authorId }, page: 2 }))).toBe(1);
    expect(await statementsRunBy(db, () => repo.books.list({ where: { authorId }, page: 99 }))).toBe(2);
  });

  it("always ends its order in the primary key", () => {
    const orderOf = (sort?: never) =>
      repo.books
        .list(sort === undefined ? {} : { sort })
        .toSQL()
        .text.replace(/.* order by (.*) limit .*/, "$1");
    expect(orderOf()).toBe('t0."id"');
    expect(orderOf("-title" as never)).toBe('t0."title" desc, t0."id" desc');
    expect(orderOf(["pages", "-title"] as never)).toBe('t0."pages", t0."title" desc, t0."id" desc');
    expect(orderOf(["-id", "title"] as never)).toBe('t0."id" desc, t0."title"');
    expect(orderOf(["title", "-title"] as never)).toBe('t0."title", t0."id"');
  });

  it.each<[string, unknown]>([
    ["limit", 0],
    ["limit", -1],
    ["limit", 201],
    ["limit", 1.5],
    ["limit", Number.NaN],
    ["limit", Infinity],
    ["limit", "10"],
    ["limit", null],
    ["limit", 10n],
    ["page", 0],
    ["page", -1],
    ["page", 1.5],
    ["page", "1"],
    ["page", null],
    ["page", 1e15],
    ["page", { valueOf: () => 1 }],
  ])("refuses the %s %o", async (name, value) => {
    const { code, issues } = await refusal(repo.books.list({ [name]: value }));
    expect(code).toBe("INVALID_QUERY");
    expect(issues).toEqual([
      name === "limit"
        ? "limit: must be a whole number between 1 and 200"
        : "page: must be a whole number from 1 to 999999999999999",
    ]);
  });

  it("says what may be sorted by", async () => {
    const { issues } = await refusal(repo.authors.list({ sort: "-nam" as never }));
    expect(issues[0]).toContain(
      'sort: unknown sort "nam"; did you mean "name"? (one of id, email, name, bio, createdAt,',
    );
    expect(issues[0]).not.toContain("apiToken");
  });

  it.each(["apiToken", "-apiToken", "passwordHash", "constructor", "id desc", 'id"; --', "", "-", "--id"])(
    "refuses the sort %j",
    async (sort) => {
      expect((await refusal(repo.authors.list({ sort: sort as never }))).code).toBe("INVALID_QUERY");
    },
  );

  it.each([
    1,
    {},
    Object.create(null),
    { by: { toString: () => "id" } },
    [null],
    [["id"]],
    () => "id",
    Symbol("id"),
  ])("refuses a sort that is no string without converting it", async (sort) => {
    expect((await refusal(repo.authors.list({ sort: sort as never }))).issues[0]).toContain(
      "sort must be a string",
    );
  });

  it("refuses to sort by JSON and by types without an order", async () => {
    for (const sort of ["document", "plainDocument", "place"]) {
      expect((await refusal(repo.samples.list({ sort: sort as never }))).issues[0]).toContain(
        `unknown sort "${sort}"`,
      );
    }
  });

  it("refuses an option it does not know: a misspelt filter would show every row", async () => {
    expect((await refusal(repo.books.list({ were: { authorId } } as never))).issues).toEqual([
      'were: unknown option "were"; did you mean "where"?',
    ]);
    for (const options of [null, [], "where", 1]) {
      expect((await refusal(repo.books.list(options as never))).issues).toEqual([
        "options: must be a plain object",
      ]);
    }
  });

  it("refuses page and after together", async () => {
    expect((await refusal(repo.books.list({ page: 1, after: null } as never))).issues).toEqual([
      "page: cannot be combined with after",
    ]);
  });
});
