import { describe, expect, it } from "vitest";
import { openLibrary } from "../../test/support/library.ts";
import { refusal } from "../../test/support/rejection.ts";

const { db, repo, makeAuthor, makeBook } = await openLibrary();

describe("upsert", () => {
  it("makes the row, then updates the one that holds the unique key", async () => {
    const first = await repo.authors.upsert(
      { email: "u@example.com", name: "One", bio: "b" },
      { on: "email" },
    );
    const second = await repo.authors.upsert({ email: "u@example.com", name: "Two" }, { on: "email" });
    expect(second).toMatchObject({ id: first.id, name: "Two", bio: "b" });
  });

  it("meets on a unique index, a primary key and a composite one", async () => {
    const category = await repo.categories.upsert({ slug: "s" }, { on: "slug" });
    expect(await repo.categories.upsert({ slug: "s" }, { on: "slug" })).toEqual(category);
    const author = await makeAuthor();
    expect(
      await repo.authors.upsert({ id: author.id, email: "new@example.com", name: "N" }, { on: "id" }),
    ).toMatchObject({ id: author.id, email: "new@example.com" });
    const { id: bookId } = await makeBook();
    await repo.loans.upsert({ bookId, reader: "ann" }, { on: ["reader", "bookId"] });
    expect(
      await repo.loans.upsert({ bookId, reader: "ann", dueOn: "2026-12-24" }, { on: ["bookId", "reader"] }),
    ).toMatchObject({ dueOn: "2026-12-24" });
    expect(await repo.loans.count({ bookId })).toBe(1);
  });

  it("changes only the properties it is told to", async () => {
    await repo.authors.upsert({ email: "p@example.com", name: "One", bio: "old" }, { on: "email" });
    const input = { email: "p@example.com", name: "Two", bio: "new" };
    expect(await repo.authors.upsert(input, { on: "email", update: ["bio"] })).toMatchObject({
      name: "One",
      bio: "new",
    });
    expect(await repo.authors.upsert(input, { on: "email", update: [] })).toMatchObject({
      name: "One",
      bio: "new",
    });
  });

  it("brings a dead row back that holds the primary key, and makes a new one beside a dead unique key", async () => {
    const author = await makeAuthor();
    await repo.authors.delete(author.id);
    const besides = await repo.authors.upsert({ email: author.email, name: "New" }, { on: "email" });
    expect(besides.id).not.toBe(author.id);
    await repo.authors.delete(besides.id);
    const revived = await repo.authors.upsert(
      { id: author.id, email: author.email, name: "Back" },
      { on: "id" },
    );
    expect(revived).toMatchObject({ id: author.id, name: "Back", deletedAt: null, deletedBy: null });
  });

  it("makes one row of fifty calls at once", async () => {
    const rows = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        repo.authors.upsert({ email: "race@example.com", name: `N${i}` }, { on: "email" }),
      ),
    );
    expect(new Set(rows.map((row) => row.id)).size).toBe(1);
    expect(await repo.authors.count({ email: "race@example.com" })).toBe(1);
  });

  it("signs the row it changes, and leaves who made it", async () => {
    const upsert = (name: string) => () =>
      repo.authors.upsert({ email: "s@example.com", name }, { on: "email" });
    await db.as({ userId: "ann" }, upsert("a"));
    expect(await db.as({ userId: "bob" }, upsert("b"))).toMatchObject({ createdBy: "ann", updatedBy: "bob" });
  });

  it("changes no value that was passed as undefined", async () => {
    await repo.authors.upsert({ email: "k@example.com", name: "One", bio: "keep" }, { on: "email" });
    const again = await repo.authors.upsert(
      { email: "k@example.com", name: "Two", bio: undefined as never },
      { on: "email" },
    );
    expect(again).toMatchObject({ name: "Two", bio: "keep" });
    // The key is drawn for the new row only, and never written over the one that is there.
    const { id } = await repo.authors.upsert(
      { id: undefined as never, email: "k@example.com", name: "Three" },
      { on: "email" },
    );
    expect(id).toBe(again.id);
  });

  it.each<[object, object, string]>([
    [{ email: "e", name: "n" }, { on: "name" }, "on: must be a unique key, one of: id; email"],
    [{ email: "e", name: "n" }, { on: ["email", "name"] }, "on: must be a unique key, one of: id; email"],
    [{ email: "e", name: "n" }, { on: "emial" }, 'on: unknown column "emial"; did you mean "email"?'],
    [{ email: "e", name: "n" }, { on: 1 }, "on: column must be a string, not number"],
    [{ email: "e", name: "n" }, {}, "on: column must be a string, not undefined"],
    [{ email: "e", name: "n" }, { on: "id" }, "id: is the key to meet on, and must be given"],
    [
      { email: "e", name: "n" },
      { on: "email", update: ["nmae"] },
      'update: unknown column "nmae"; did you mean "name"?',
    ],
    [
      { email: "e", name: "n" },
      { on: "email", update: ["email"] },
      'update: unknown column "email"; allowed: name',
    ],
    [
      { email: "e", name: "n" },
      { on: "email", update: ["bio"] },
      'update: unknown column "bio"; allowed: name',
    ],
    [{ email: "e", name: "n" }, { on: "email", update: [null] }, "update: column must be a string, not null"],
    [
      { email: "e", name: "n" },
      { on: "email", update: "name" },
      "update: must be a list of columns, or an object of changes",
    ],
    [
      { email: "e", name: "n" },
      { on: "email", set: {} },
      'set: unknown option "set"; allowed: on, update, returning',
    ],
  ])("refuses %o %o", async (input, options, message) => {
    expect((await refusal(repo.authors.upsert(input as never, options as never))).issues).toEqual([message]);
  });

  it("refuses a nullable key that is null, which meets nobody", async () => {
    const input = { authorId: "x", title: "t", isbn: null };
    expect((await refusal(repo.books.upsert(input, { on: "isbn" }))).issues).toEqual([
      "isbn: is the key to meet on, and must be given",
    ]);
  });
});
