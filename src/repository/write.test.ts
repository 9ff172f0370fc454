import { describe, expect, it } from "vitest";
import { openLibrary } from "../../test/support/library.ts";
import { refusal, rejection } from "../../test/support/rejection.ts";

const { db, repo, makeAuthor, makeBook } = await openLibrary({ pool: { max: 8 } });

describe("create", () => {
  it("fills in ids, defaults and times, and gives back the row", async () => {
    const author = await db.as({ userId: "u1" }, () =>
      repo.authors.create({ email: "e@example.com", name: "E" }),
    );
    expect(author).toEqual({
      id: expect.stringMatching(/^[0-9A-HJKMNP-TV-Z]{26}$/),
      email: "e@example.com",
      name: "E",
      bio: null,
      createdAt: expect.any(Date),
      updatedAt: author.createdAt,
      createdBy: "u1",
      updatedBy: "u1",
      deletedAt: null,
      deletedBy: null,
    });
    const book = await repo.books.create({ authorId: author.id, title: "T" });
    expect(book).toMatchObject({ language: "en", views: 0n, pages: null });
  });

  it("makes a row of nothing but defaults", async () => {
    expect(await repo.visits.create({})).toEqual({ id: expect.any(BigInt), at: expect.any(Date) });
    expect(await repo.signedVisits.create({})).toMatchObject({ id: expect.any(Number), createdBy: null });
  });

  it("says everything that is wrong at once, each with its path, and no value", async () => {
    const input = {
      id: 1,
      emial: "hunter2",
      name: null,
      bio: 7,
      updatedAt: new Date(),
      deletedAt: new Date(),
      constructor: 1,
    };
    const { code, issues } = await refusal(repo.authors.create(input as never));
    expect(code).toBe("INVALID_VALUE");
    expect(issues).toEqual([
      "id: must be a string",
      'emial: unknown column "emial"; did you mean "email"?',
      "bio: must be a string",
      "updatedAt: is kept by Plinth and takes no value",
      "deletedAt: is kept by Plinth and takes no value",
      expect.stringMatching(/^constructor: unknown column "constructor"/),
      "email: is required",
      "name: is required",
    ]);
    expect(issues.join()).not.toContain("hunter2");
  });

  it("refuses a value for what the database makes", async () => {
    expect((await refusal(repo.categories.create({ slug: "s", id: 1n } as never))).issues).toEqual([
      "id: is made by the database and takes no value",
    ]);
  });

  it.each([undefined, null, "x", 1, [], () => ({})])("refuses %o for a row", async (input) => {
    expect((await refusal(repo.authors.create(input as never))).issues).toEqual([
      expect.stringContaining("must be an object of columns"),
    ]);
  });

  it("takes an own __proto__ of parsed JSON for an unknown column", async () => {
    const input: unknown = JSON.parse('{"email": "p@example.com", "name": "n", "__proto__": {"bio": "x"}}');
    expect((await refusal(repo.authors.create(input as never))).issues).toEqual([
      expect.stringContaining('__proto__: unknown column "__proto__"'),
    ]);
  });

  it("passes over properties that are undefined", async () => {
    const book = await makeBook({ pages: undefined as never, language: undefined as never });
    expect(book).toMatchObject({ pages: null, language: "en" });
  });

  it("draws a public id again when it is taken, and gives up after five draws", async () => {
    const taken = new Set<string>();
    for (let i = 0; i < 2; i++) {
      // With one of two ids taken, five draws in a row fail once in 32.
      for (let attempt = 0; attempt < 20 && taken.size === i; attempt++) {
        await repo.tickets.create({ note: String(i) }).then(
          (ticket) => taken.add(ticket.code),
          () => {},
        );
      }
    }
    expect(taken).toEqual(new Set(["a", "b"]));
    const error = await rejection(repo.tickets.create({}));
    expect(error).toMatchObject({ code: "UNIQUE_VIOLATION", columns: ["code"], table: "tickets" });
    expect(error.message).toContain("was taken (5 draws)");
    expect(await rejection(repo.tickets.create({}, { returning: false }))).toMatchObject({
      code: "UNIQUE_VIOLATION",
    });
    // Drawing again fails no transaction.
    const within = await db.transaction(async () => {
      await rejection(repo.tickets.create({}));
      return repo.tickets.count();
    });
    expect(within).toBe(2);
    expect(await rejection(repo.tickets.create({ code: "a" }))).toMatchObject({
      code: "UNIQUE_VIOLATION",
      columns: ["code"],
    });
  });
});

describe("update", () => {
  it("writes the given fields and nothing else", async () => {
    const author = await makeAuthor({ bio: "old" });
    const { text } = repo.authors.update(author.id, { name: "New" }).toSQL();
    expect(text).toContain('set "name" = $1, "updated_by" = $2 where');
    const updated = await db.as({ userId: "u2" }, () => repo.authors.update(author.id, { name: "New" }));
    expect(updated).toMatchObject({
      name: "New",
      bio: "old",
      email: author.email,
      createdBy: null,
      updatedBy: "u2",
    });
    expect(updated.updatedAt.getTime()).toBeGreaterThanOrEqual(author.updatedAt.getTime());
    expect((await repo.authors.update(author.id, { bio: null })).bio).toBeNull();
  });

  it("reads the row when nothing is given", async () => {
    const author = await makeAuthor();
    for (const patch of [{}, { name: undefined }])
      expect(await repo.authors.update(author.id, patch as never)).toEqual(author);
    expect(await rejection(repo.authors.update("none", {}))).toMatchObject({ code: "NOT_FOUND" });
  });

  it("refuses keys, managed and unknown fields, and null where there must be a value, all at once", async () => {
    const { id } = await makeAuthor();
    const patch = {
      id: "x",
      createdAt: new Date(),
      updatedAt: new Date(),
      createdBy: "x",
      deletedAt: null,
      nmae: "x",
      email: null,
    };
    const { code, issues } = await refusal(repo.authors.update(id, patch as never));
    expect(code).toBe("INVALID_VALUE");
    expect(issues).toEqual([
      "id: is the row's key and cannot change",
      "createdAt: is set when the row is made and cannot change",
      "updatedAt: is kept by Plinth and takes no value",
      "createdBy: is kept by Plinth and takes no value",
      "deletedAt: is kept by Plinth and takes no value",
      'nmae: unknown column "nmae"; did you mean "name"?',
      "email: must not be null",
    ]);
    expect((await refusal(repo.tickets.update(1n, { code: "b" } as never))).issues).toEqual([
      "code: is set when the row is made and cannot change",
    ]);
  });

  it("meets no dead row", async () => {
    const { id } = await makeAuthor();
    await repo.authors.delete(id);
    expect(await rejection(repo.authors.update(id, { name: "x" }))).toMatchObject({ code: "NOT_FOUND" });
    expect((await repo.authors.withDeleted().update(id, { name: "x" })).name).toBe("x");
  });

  it("changes one row of a composite key", async () => {
    const { id: bookId } = await makeBook();
    await repo.loans.createMany([
      { bookId, reader: "ann" },
      { bookId, reader: "bob" },
    ]);
    await repo.loans.update({ bookId, reader: "ann" }, { dueOn: "2026-12-24" });
    expect((await repo.loans.list({ sort: "reader" })).data).toMatchObject([
      { dueOn: "2026-12-24" },
      { dueOn: null },
    ]);
  });
});

describe("increment", () => {
  it("counts every one of fifty calls at once", async () => {
    const { id } = await makeBook();
    await Promise.all(Array.from({ length: 50 }, () => repo.books.increment(id, { views: 1 })));
    expect((await repo.books.get(id)).views).toBe(50n);
  });

  it("counts from zero where there was nothing, and keeps past 2^53", async () => {
    const { id } = await makeBook();
    const first = await repo.books.increment(id, { stars: 2, views: 2n ** 53n });
    expect(first).toMatchObject({ stars: 2, views: 2n ** 53n });
    expect(await repo.books.increment(id, { stars: -1, views: 1 })).toMatchObject({
      stars: 1,
      views: 2n ** 53n + 1n,
    });
    expect(await repo.books.increment(id, { price: "1.10" } as never)).toMatchObject({ price: "1.10" });
  });

  it.each<[object, string]>([
    [{}, "by: must name a column to add to"],
    [{ stars: null }, "stars: must be a number to add"],
    [{ title: "x" }, "title: is not a number"],
    [{ publishedOn: "2026-01-01" }, "publishedOn: is not a number"],
    [{ stars: "1" }, "stars: must be an integer"],
    [{ stars: 0.5 }, "stars: must be an integer"],
    [{ star: 1 }, 'star: unknown column "star"; did you mean "stars"?'],
    [{ id: 1 }, "id: is the row's key and cannot change"],
  ])("refuses %o", async (by, message) => {
    const { id } = await makeBook();
    expect((await refusal(repo.books.increment(id, by))).issues).toEqual([message]);
  });

  it("finds no missing and no dead row", async () => {
    const { id } = await makeBook();
    await repo.books.delete(id);
    for (const key of [id, "none"])
      expect(await rejection(repo.books.increment(key, { stars: 1 }))).toMatchObject({ code: "NOT_FOUND" });
  });

  it("fails past the end of its type, without changing the row", async () => {
    const { id } = await makeBook({ stars: 2_147_483_647 });
    expect(await rejection(repo.books.increment(id, { stars: 1 }))).toMatchObject({
      code: "INVALID_DATA",
      sqlstate: "22003",
    });
    expect((await repo.books.get(id)).stars).toBe(2_147_483_647);
  });
});

describe("delete", () => {
  it("removes a row for good where soft delete is not declared", async () => {
    const { id: bookId } = await makeBook();
    const loan = await repo.loans.create({ bookId, reader: "ann" });
    expect(await repo.loans.delete(loan)).toEqual(loan);
    expect(await rejection(repo.loans.delete(loan))).toMatchObject({ code: "NOT_FOUND", entity: "loans" });
    expect("restore" in repo.loans).toBe(false);
  });

  it("stamps a soft-deleted row once: a second time there is none", async () => {
    const book = await makeBook();
    const dead = await db.as({ userId: "u3" }, () => repo.books.delete(book.id));
    expect(dead).toMatchObject({ id: book.id, deletedAt: expect.any(Date), deletedBy: "u3" });
    for (const view of [repo.books, repo.books.withDeleted(), repo.books.onlyDeleted()]) {
      expect(await rejection(view.delete(book.id))).toMatchObject({ code: "NOT_FOUND" });
    }
    expect(await repo.books.withDeleted().get(book.id)).toEqual(dead);
    expect(await repo.books.restore(book.id)).toEqual(book);
    expect(await rejection(repo.books.restore(book.id))).toMatchObject({ code: "NOT_FOUND" });
  });
});
