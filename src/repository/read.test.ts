import { describe, expect, it } from "vitest";
import { openLibrary } from "../../test/support/library.ts";
import { refusal, rejection } from "../../test/support/rejection.ts";

const { db, repo, makeAuthor, makeBook } = await openLibrary();

describe("find and get", () => {
  it("give the row, or undefined and NOT_FOUND", async () => {
    const book = await makeBook({ title: "Emma" });
    expect(await repo.books.find(book.id)).toEqual(book);
    expect(await repo.books.get(book.id)).toEqual(book);
    expect(await repo.books.find("none")).toBeUndefined();
    const error = await rejection(repo.books.get("secret-key"));
    expect(error).toMatchObject({
      code: "NOT_FOUND",
      entity: "books",
      message: "no books row with that key",
    });
  });

  it("take a composite key whole, in any order of its parts", async () => {
    const { id: bookId } = await makeBook();
    const loan = await repo.loans.create({ bookId, reader: "ann", dueOn: "2026-12-24" });
    expect(await repo.loans.find({ reader: "ann", bookId })).toEqual(loan);
    expect(await repo.loans.find({ reader: "bob", bookId })).toBeUndefined();
    expect((await refusal(repo.loans.find({ bookId } as never))).issues).toEqual([
      "key: must have bookId, reader",
    ]);
    expect((await refusal(repo.loans.find("ann" as never))).issues).toEqual([
      "key: must be an object of bookId, reader",
    ]);
  });

  it.each<[unknown, string, string]>([
    [undefined, "INVALID_QUERY", "key: must be the id of a row"],
    [null, "INVALID_QUERY", "key: must be the id of a row"],
    [{ id: "x" }, "INVALID_VALUE", "id: must be a string"],
    [["x"], "INVALID_VALUE", "id: must be a string"],
    [{ toPostgres: () => "x" }, "INVALID_VALUE", "id: must be a string"],
    [1, "INVALID_VALUE", "id: must be a string"],
    ["\0", "INVALID_VALUE", "id: must not contain the NUL character"],
  ])("refuse the key %j", async (key, code, issue) => {
    expect(await refusal(repo.books.find(key as never))).toEqual({ code, issues: [issue] });
    expect(await refusal(repo.books.get(key as never))).toEqual({ code, issues: [issue] });
  });

  it("leave secrets out, unless they are asked for by name", async () => {
    const { id } = await makeAuthor({ apiToken: "hunter2" });
    expect(await repo.authors.find(id)).not.toHaveProperty("apiToken");
    expect((await repo.authors.get(id, { reveal: ["apiToken"] })).apiToken).toBe("hunter2");
    expect((await repo.authors.list({ where: { id }, reveal: ["apiToken"] })).data[0]?.apiToken).toBe(
      "hunter2",
    );
    expect(repo.authors.find(id).toSQL().text).not.toContain("api_token");
    expect((await refusal(repo.authors.find(id, { reveal: ["apiTokn"] as never }))).issues).toEqual([
      'reveal: unknown secret column "apiTokn"; did you mean "apiToken"?',
    ]);
    expect((await refusal(repo.authors.find(id, { reveal: ["name"] as never }))).code).toBe("INVALID_QUERY");
    expect((await refusal(repo.authors.find(id, { reveal: "apiToken" as never }))).issues).toEqual([
      "reveal: must be a list",
    ]);
  });

  it("return no secret from any write", async () => {
    const author = await makeAuthor({ apiToken: "hunter2" });
    const rows = [
      author,
      await repo.authors.update(author.id, { apiToken: "hunter3" }),
      await repo.authors.upsert({ email: author.email, name: "n", apiToken: "hunter4" }, { on: "email" }),
      ...(await repo.authors.createMany([{ email: "many@example.com", name: "n", apiToken: "hunter5" }])),
      await repo.authors.delete(author.id),
      await repo.authors.restore(author.id),
    ];
    expect(JSON.stringify(rows)).not.toContain("hunter");
  });

  it.each(["find", "get", "findBy", "findMany"] as const)(
    "refuse an option that %s does not know",
    async (name) => {
      const argument = { find: "x", get: "x", findBy: { email: "x" }, findMany: ["x"] }[name];
      const call = Reflect.get(repo.authors, name) as (key: unknown, options: object) => PromiseLike<unknown>;
      expect((await refusal(call(argument, { wiht: {} }))).issues).toEqual([
        'wiht: unknown option "wiht"; did you mean "with"?',
      ]);
    },
  );
});

describe("findBy", () => {
  it("finds by a unique column, a unique index, and the primary key", async () => {
    const author = await makeAuthor();
    expect(await repo.authors.findBy({ email: author.email })).toEqual(author);
    expect(await repo.authors.findBy({ id: author.id })).toEqual(author);
    const category = await repo.categories.create({ slug: "fiction" });
    expect(await repo.categories.findBy({ slug: "fiction" })).toEqual(category);
    expect(await repo.authors.findBy({ email: "nobody@example.com" })).toBeUndefined();
  });

  it.each([{ name: "x" }, { email: "x", name: "y" }, {}, { emial: "x" }, { apiToken: "x" }])(
    "refuses %j, which is no unique key",
    async (unique) => {
      expect(await refusal(repo.authors.findBy(unique))).toEqual({
        code: "INVALID_QUERY",
        issues: ["unique: must be a unique key, one of: id; email"],
      });
    },
  );

  it("refuses null and undefined, which find nobody by a unique key", async () => {
    for (const email of [null, undefined]) {
      expect((await refusal(repo.authors.findBy({ email } as never))).issues).toEqual([
        "email: must not be null or undefined",
      ]);
    }
    expect((await refusal(repo.authors.findBy(null as never))).issues).toEqual([
      "unique: must be a plain object",
    ]);
  });

  it("prefers the living row, then the one that died last", async () => {
    const email = "phoenix@example.com";
    const first = await makeAuthor({ email });
    await repo.authors.delete(first.id);
    const second = await makeAuthor({ email });
    expect((await repo.authors.withDeleted().findBy({ email }))?.id).toBe(second.id);
    await repo.authors.delete(second.id);
    expect((await repo.authors.withDeleted().findBy({ email }))?.id).toBe(second.id);
    expect((await repo.authors.onlyDeleted().findBy({ email }))?.id).toBe(second.id);
    expect(await repo.authors.findBy({ email })).toBeUndefined();
  });
});

describe("findMany", () => {
  it("answers in input order, twice where asked twice, undefined where there is none", async () => {
    const [a, b] = await makeBook.many(2);
    const found = await repo.books.findMany([b?.id ?? "", "none", a?.id ?? "", b?.id ?? ""]);
    expect(found).toEqual([b, undefined, a, b]);
    expect(await repo.books.findMany([])).toEqual([]);
  });

  it("finds a UUID in whatever case it was asked for", async () => {
    const sample = await repo.samples.create({ words: "x" });
    expect(await repo.samples.findMany([sample.id.toUpperCase()])).toEqual([sample]);
  });

  it("finds a bigint key", async () => {
    const [first, second] = await repo.categories.createMany([{ slug: "s1" }, { slug: "s2" }]);
    expect(await repo.categories.findMany([second?.id ?? 0n, 0n, first?.id ?? 0n])).toEqual([
      second,
      undefined,
      first,
    ]);
  });

  it("finds serial and composite keys, and one text serves any number of them", async () => {
    const visits = await repo.signedVisits.createMany([{}, {}]);
    expect(await repo.signedVisits.findMany(visits.map((visit) => visit.id))).toEqual(visits);
    const { id: bookId } = await makeBook();
    const loans = await repo.loans.createMany([
      { bookId, reader: 'a","b' },
      { bookId, reader: "c" },
    ]);
    expect(
      await repo.loans.findMany([
        { bookId, reader: "c" },
        { bookId, reader: "x" },
        { bookId, reader: 'a","b' },
      ]),
    ).toEqual([loans[1], undefined, loans[0]]);
    const textOf = (count: number) =>
      repo.loans.findMany(Array.from({ length: count }, () => ({ bookId, reader: "c" }))).toSQL().text;
    expect(textOf(1)).toBe(textOf(500));
  });

  it("takes 70,000 keys, single and composite", async () => {
    const book = await makeBook();
    const loan = await repo.loans.create({ bookId: book.id, reader: "ann" });
    const found = await repo.books.findMany([
      ...Array.from({ length: 70_000 }, (_, i) => `none ${i}`),
      book.id,
    ]);
    expect([found.length, found.at(-1)]).toEqual([70_001, book]);
    const keys = [
      ...Array.from({ length: 70_000 }, (_, i) => ({ bookId: book.id, reader: `none ${i}` })),
      loan,
    ];
    expect((await repo.loans.findMany(keys)).at(-1)).toEqual(loan);
  });

  it("refuses a bad key, naming its place", async () => {
    expect((await refusal(repo.books.findMany(["a", null] as never))).issues).toEqual([
      "keys.1: must be the id of a row",
    ]);
    expect((await refusal(repo.books.findMany(["a", 1] as never))).issues).toEqual([
      "keys.1: must be a string",
    ]);
    expect((await refusal(repo.loans.findMany([{ bookId: "a", reader: 1 }] as never))).issues).toEqual([
      "keys.0.reader: must be a string",
    ]);
    expect((await refusal(repo.books.findMany("abc" as never))).issues).toEqual(["keys: must be a list"]);
  });
});

describe("count and exists", () => {
  it("count and find living rows only", async () => {
    const { id: authorId } = await makeAuthor();
    const books = await makeBook.many(3, { authorId });
    await repo.books.delete(books[0]?.id ?? "");
    expect(await repo.books.count({ authorId })).toBe(2);
    expect(await repo.books.withDeleted().count({ authorId })).toBe(3);
    expect(await repo.books.onlyDeleted().count({ authorId })).toBe(1);
    expect(await repo.books.exists({ id: books[0]?.id ?? "" })).toBe(false);
    expect(await repo.books.exists({ id: books[1]?.id ?? "" })).toBe(true);
  });

  it("count everything without a condition", async () => {
    const [row] = await db.sql<{
      n: bigint;
    }>`select count(*) as n from library.books where deleted_at is null`;
    expect(await repo.books.count()).toBe(Number(row?.n));
  });
});
