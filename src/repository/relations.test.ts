import { describe, expect, it } from "vitest";
import { openLibrary, statementsRunBy } from "../../test/support/library.ts";
import { refusal } from "../../test/support/rejection.ts";

const { db, repo, makeAuthor, makeBook } = await openLibrary({ pool: { max: 1 } });

describe("with", () => {
  it("folds the parent, and the children in order, into the row", async () => {
    const author = await makeAuthor();
    const books = await makeBook.many(3, (i) => ({ authorId: author.id, title: `T${2 - i}` }));
    expect(await repo.books.get(books[0]?.id ?? "", { with: { author: true } })).toEqual({
      ...books[0],
      author,
    });
    const byKey = await repo.authors.get(author.id, { with: { books: true } });
    expect(byKey.books).toEqual(books);
    const byTitle = await repo.authors.get(author.id, {
      with: { books: { sort: "title", limit: 2, where: { title: { gt: "T0" } } } },
    });
    expect(byTitle.books.map((book) => book.title)).toEqual(["T1", "T2"]);
  });

  it("is null and empty where there is nothing", async () => {
    const root = await repo.categories.create({ slug: "root" });
    const found = await repo.categories.get(root.id, { with: { parent: true, children: true } });
    expect(found).toEqual({ ...root, parent: null, children: [] });
  });

  it("joins a table to itself, several levels deep", async () => {
    const top = await repo.categories.create({ slug: "top" });
    const [left] = await repo.categories.createMany([
      { slug: "left", parentId: top.id },
      { slug: "right", parentId: top.id },
    ]);
    const leaf = await repo.categories.create({ slug: "leaf", parentId: left?.id ?? 0n });
    const found = await repo.categories.get(top.id, {
      with: {
        children: { sort: "-slug", with: { children: { with: { parent: { with: { parent: true } } } } } },
      },
    });
    expect(found.children.map((child) => child.slug)).toEqual(["right", "left"]);
    expect(found.children[1]?.children[0]).toMatchObject({
      id: leaf.id,
      parent: { slug: "left", parent: { slug: "top" } },
    });
  });

  it("joins two tables that refer to each other", async () => {
    const branch = await repo.branches.create({ name: "Main" });
    const head = await repo.librarians.create({ name: "Ann", branchId: branch.id });
    await repo.branches.update(branch.id, { headId: head.id });
    const found = await repo.branches.get(branch.id, {
      with: { head: { with: { branch: true } }, staff: true },
    });
    expect(found).toMatchObject({
      head: { name: "Ann", branch: { name: "Main" } },
      staff: [{ name: "Ann" }],
    });
  });

  it("shows no dead row at any depth, except to whoever asked for the dead", async () => {
    const author = await makeAuthor();
    const [dead, living] = await makeBook.many(2, { authorId: author.id });
    await repo.books.delete(dead?.id ?? "");
    const seen = (await repo.authors.get(author.id, { with: { books: true } })).books;
    expect(seen.map((book) => book.id)).toEqual([living?.id]);
    const all = (await repo.authors.withDeleted().get(author.id, { with: { books: true } })).books;
    expect(all.map((book) => book.id)).toEqual([dead?.id, living?.id]);
  });

  it("reveals no secret of a related row", async () => {
    const author = await makeAuthor({ apiToken: "hunter2" });
    const book = await makeBook({ authorId: author.id });
    const call = repo.books.get(book.id, {
      with: { author: { with: { books: { with: { author: true } } } } },
    });
    expect(call.toSQL().text).not.toContain("api_token");
    expect(
      JSON.stringify(await call, (_, value) => (typeof value === "bigint" ? String(value) : value)),
    ).not.toContain("hunter2");
  });

  it("takes a statement for each relation to many, whether the page holds 1 row or 200", async () => {
    const { id: authorId } = await makeAuthor();
    await makeBook.many(200, { authorId });
    const page = (limit: number) => () =>
      repo.books.list({ where: { authorId }, limit, with: { author: true, samples: true, loans: true } });
    expect(await statementsRunBy(db, page(1))).toBe(3);
    expect(await statementsRunBy(db, page(200))).toBe(3);
    const { data } = await page(200)();
    expect(data).toHaveLength(200);
  });

  it("reads along by every kind of read", async () => {
    const author = await makeAuthor();
    const book = await makeBook({ authorId: author.id });
    const options = { with: { author: true } } as const;
    const rows = [
      await repo.books.find(book.id, options),
      (await repo.books.findMany([book.id], options))[0],
      (await repo.books.list({ ...options, where: { id: book.id } })).data[0],
      (await repo.books.list({ ...options, where: { id: book.id }, after: null })).data[0],
    ];
    for (const row of rows) expect(row?.author.id).toBe(author.id);
    expect((await repo.authors.findBy({ email: author.email }, { with: { books: true } }))?.books).toEqual([
      book,
    ]);
    expect(await repo.books.get(book.id, { with: { author: false } })).not.toHaveProperty("author");
  });

  it.each<[unknown, string]>([
    [{ autor: true }, 'with.autor: unknown relation "autor"; did you mean "author"?'],
    [{ author: null }, "with.author: must be true or an object of options"],
    [{ author: "yes" }, "with.author: must be true or an object of options"],
    [{ author: [] }, "with.author: must be a plain object"],
    [{ author: { wher: {} } }, 'with.author.wher: unknown option "wher"; did you mean "where"?'],
    [{ author: { reveal: ["apiToken"] } }, 'with.author.reveal: unknown option "reveal"'],
    [{ samples: { limit: 0 } }, "with.samples.limit: must be a whole number, 1 or more"],
    [{ samples: { limit: 1e300 } }, "with.samples.limit: must be a whole number, 1 or more"],
    [{ samples: { limit: "1" } }, "with.samples.limit: must be a whole number, 1 or more"],
    [{ samples: { sort: "nope" } }, 'with.samples.sort: unknown sort "nope"'],
    [{ author: { where: { apiToken: "x" } } }, 'with.author.where.apiToken: unknown column "apiToken"'],
    [{ author: { limit: 1 } }, 'with.author.limit: unknown option "limit"'],
    [{ author: { with: { nope: true } } }, 'with.author.with.nope: unknown relation "nope"'],
    ["author", "with: must be a plain object"],
    [["author"], "with: must be a plain object"],
    [{ constructor: true }, 'with.constructor: unknown relation "constructor"'],
  ])("refuses %o", async (wanted, message) => {
    const { code, issues } = await refusal(repo.books.list({ with: wanted as never }));
    expect(code).toBe("INVALID_QUERY");
    expect(issues[0]).toContain(message);
  });

  it("refuses relations nested deeper than six levels", async () => {
    let wanted: object = {};
    for (let i = 0; i < 8; i++) wanted = { parent: { with: wanted } };
    expect((await refusal(repo.categories.list({ with: wanted }))).issues[0]).toContain(
      "is nested more than 6 levels deep",
    );
  });
});
