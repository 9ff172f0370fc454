import { text } from "drizzle-orm/pg-core";
import { computed } from "plinth";
import { beforeAll, describe, expect, it } from "vitest";
import * as library from "./library.fixture.ts";

const { db, articles, authors, notes } = await library.openLibrary();

/** The ids of what a text finds, the best first. */
async function found(text: string, options: Parameters<typeof articles.search>[1] = {}): Promise<string> {
  const { data } = await articles.search(text, { limit: 50, ...options });
  return data.map(({ row }) => row.id).join("");
}

beforeAll(async () => {
  await authors.createMany([
    { id: "1", name: "Ada" },
    { id: "2", name: "Bob" },
  ]);
  await articles.createMany([
    { id: "a", title: "Writing release notes", body: "What users read first.", authorId: "1", rank: 7 },
    { id: "b", title: "Deploying", body: "Release early; the notes come later.", authorId: "2" },
    { id: "c", title: "Categories of databases", body: null, code: "DB-42", authorId: "1" },
    { id: "d", title: "Notes on cats", body: "cats & <b>dogs</b> running" },
    { id: "e", title: "The draft", body: "release draft" },
    { id: "x", title: "Dead release notes", body: "release notes" },
  ]);
  await articles.delete("x");
});

describe("search", () => {
  it("finds rows that have all words, by their stems, the best match first", async () => {
    expect(await found("release notes")).toBe("ab");
    expect(await found("released note")).toBe("ab");
  });

  it("computes of the rows it finds, and filters by that", async () => {
    const loud = computed(text().notNull())`upper(${library.articles.title})`;
    const { data, meta } = await articles.search("release notes", {
      columns: ["id"],
      compute: { loud },
      where: { loud: { startsWith: "W" } },
    });
    expect(data.map(({ row }) => row)).toEqual([{ id: "a", loud: "WRITING RELEASE NOTES" }]);
    expect(meta.total).toBe(1);
  });

  it("ranks by weights, and by the primary key where ranks are equal", async () => {
    const { data } = await articles.search("note");
    expect(data.map(({ row }) => row.id)).toEqual(["a", "d", "b"]);
    const [first, second, third] = data.map(({ rank }) => rank);
    expect(first).toBe(second);
    expect(third).toBeGreaterThan(0);
    expect(third).toBeLessThan(second ?? 0);
  });

  it.each([
    ['"release notes"', "a"],
    ["deploying or categories", "bc"],
    ["release -draft", "ab"],
    ["release -dra", "aeb"],
    ["DB-42", "c"],
    ["dogs", "d"],
    ["nothing like this here", ""],
  ])("takes %s as people mean it", async (text, ids) => {
    expect([...(await found(text))].sort().join("")).toBe([...ids].sort().join(""));
  });

  it.each([
    ["categ", "c"],
    ["deploying ear", "b"],
    ["deploying or categ", "bc"],
    ["the categ", "c"],
    ["db-4", "c"],
    ["releas not ", ""],
    ['"deploying ear', ""],
  ])("takes the last word of %s for the beginning of one while it is typed", async (text, ids) => {
    const { data, meta } = await articles.search(text);
    const words = meta.matched === "words" ? data.map(({ row }) => row.id).sort() : [];
    expect(words.join("")).toBe(ids);
  });

  it("takes whole words only where prefix is false", async () => {
    const { meta } = await articles.search("categ", { prefix: false });
    expect(meta.matched).toBe("similar");
    expect((await articles.search("category", { prefix: false })).meta).toMatchObject({
      matched: "words",
      total: 1,
    });
  });

  it.each(["", "   ", "the", "the and of", "!!! ??? ()", "-", '"', "''", "\u0000", "\\", ":*", "or"])(
    "gives an empty page for %j, which has no words",
    async (text) => {
      const { data, meta } = await articles.search(text);
      expect([data, meta.total]).toEqual([[], 0]);
    },
  );

  it("never finds the dead, unless asked for them", async () => {
    expect(await found("dead")).toBe("");
    expect((await articles.withDeleted().search("dead")).data.map(({ row }) => row.id)).toEqual(["x"]);
    expect((await articles.onlyDeleted().search("release")).data.map(({ row }) => row.id)).toEqual(["x"]);
    expect(articles.search("x").toSQL().additions).toEqual([
      { behaviour: "soft delete", sql: expect.stringContaining("deleted_at") },
      { behaviour: "soft delete", sql: expect.stringContaining("deleted_at") },
    ]);
  });

  it("finds what any client has written", async () => {
    await articles.update("c", { body: "About zebras" });
    expect(await found("zebra")).toBe("c");
    await db.sql`update library.articles set body = null where id = 'c'`;
    expect(await found("zebra", { prefix: false })).toBe("");
  });

  it("combines with where, with, counts and columns", async () => {
    const { data } = await articles.search("release", {
      where: { authorId: "1" },
      with: { author: { columns: ["name"] } },
      columns: ["id", "rank"],
    });
    expect(data).toEqual([{ row: { id: "a", rank: 7, author: { name: "Ada" } }, rank: expect.any(Number) }]);
    const people = await authors.search("ada", { with: { articles: { columns: ["id"], sort: "id" } } });
    expect(people.data.map(({ row }) => row.articles)).toEqual([[{ id: "a" }, { id: "c" }]]);
  });

  it("pages, with a total, also past the end", async () => {
    const first = await articles.search("note", { limit: 2 });
    expect(first.data.map(({ row }) => row.id)).toEqual(["a", "d"]);
    expect(first.meta).toEqual({ page: 1, limit: 2, total: 3, totalPages: 2, matched: "words" });
    const second = await articles.search("note", { limit: 2, page: 2 });
    expect(second.data.map(({ row }) => row.id)).toEqual(["b"]);
    const none = await articles.search("note", { limit: 2, page: 9 });
    expect([none.data, none.meta.total]).toEqual([[], 3]);
  });

  it("runs one statement for every text of a shape", () => {
    const texts = ["a", "release notes", "x or", "", '"'].map((text) => articles.search(text).toSQL().text);
    expect(new Set(texts).size).toBe(1);
  });

  it("is there only where it is declared, for rows of one's own", () => {
    expect("search" in notes).toBe(false);
    // @ts-expect-error notes declare no search
    expect(notes.search).toBeUndefined();
  });

  it("keeps the words out of rows and inputs", async () => {
    expect(Object.keys(await articles.get("a"))).not.toContain("searchVector");
    const work = articles.update("a", { searchVector: "'x'" } as never);
    await expect(work).rejects.toMatchObject({ code: "INVALID_VALUE" });
  });
});

describe("a search that is not well formed", () => {
  it.each([
    [() => articles.search(7 as never), "text: must be a string"],
    [() => articles.search("a".repeat(1_001)), "text: must have at most 1000 characters"],
    [() => articles.search("a".repeat(1_000_000)), "text: must have at most 1000 characters"],
    [() => articles.search("a", { sort: "title" } as never), 'sort: unknown option "sort"'],
    [() => articles.search("a", { limit: 0 }), "limit: must be a whole number between 1 and 100"],
    [() => articles.search("a", { page: 0 }), "page: must be a whole number from 1"],
    [() => articles.search("a", { prefix: "yes" as never }), "prefix: must be true or false"],
    [() => articles.search("a", { where: { titel: "x" } as never }), 'where.titel: unknown column "titel"'],
    [() => articles.search("a", { highlight: ["rank" as never] }), 'highlight: unknown column "rank"'],
    [() => articles.search("a", { highlight: [] }), "highlight: must be a list of columns"],
    [() => articles.search("a", { highlight: "title" as never }), "highlight: must be a list of columns"],
    [
      () => articles.search("a", { highlight: { columns: ["title"], words: 1 } }),
      "highlight.words: must be a whole number between 2 and 1000",
    ],
    [
      () => articles.search("a", { highlight: { columns: ["title"], excerpts: 11 } }),
      "highlight.excerpts: must be a whole number between 1 and 10",
    ],
    [
      () => articles.search("a", { highlight: { columns: ["title"], marks: ["<b>"] as never } }),
      "highlight.marks: must be two texts",
    ],
  ])("is refused before anything is sent: %#", async (search, message) => {
    await expect(search()).rejects.toMatchObject({
      code: "INVALID_QUERY",
      message: expect.stringContaining(message),
    });
  });
});
