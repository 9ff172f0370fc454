import { beforeAll, describe, expect, it } from "vitest";
import { openLibrary } from "./library.fixture.ts";

const { db, articles, authors } = await openLibrary();

const ROWS = 20_000;

/** Names of the plan's nodes and indexes, whatever their order. */
async function planOf(query: { explain(): PromiseLike<unknown> }): Promise<string> {
  return JSON.stringify(await query.explain());
}

beforeAll(async () => {
  await articles.createMany([
    { id: "a", title: "Quarterly report", body: null },
    { id: "b", title: "Reporting for beginners", body: "all about the quarter" },
    { id: "x", title: "Quarterly dead report" },
  ]);
  await articles.delete("x");
  await db.sql`insert into library.articles (id, title, body)
    select 'r' || i, md5(i::text) || ' ' || md5((i * 7)::text), md5((i * 13)::text) from generate_series(1, ${ROWS}::int) i`;
  // New entries of a GIN index wait in a list, and are looked at one by one, until a vacuum sorts them in.
  await db.sql`vacuum analyze library.articles`;
});

describe("a search with typos", () => {
  it("finds similar words where no row has the words, the most similar first", async () => {
    const { data, meta } = await articles.search("quartely reprot");
    expect(meta).toEqual({ page: 1, limit: 10, total: 1, totalPages: 1, matched: "similar" });
    expect(data.map(({ row }) => row.id)).toEqual(["a"]);
    expect(data[0]?.rank).toBeGreaterThan(0.5);
    expect(data[0]?.rank).toBeLessThan(1);
  });

  it("takes nothing similar where a row has the words", async () => {
    const { data, meta } = await articles.search("quarterly report");
    expect([data.map(({ row }) => row.id), meta.matched]).toEqual([["a", "b"], "words"]);
  });

  it("pages, also past the end, and combines with where, with and highlight", async () => {
    const options = {
      where: { title: { contains: "Quart" } },
      with: { author: true },
      highlight: ["title"],
    } as const;
    const { data } = await articles.search("quartely", options);
    expect(data).toMatchObject([
      { row: { id: "a", author: null }, highlights: { title: "Quarterly report" } },
    ]);
    const past = await articles.search("quartely", { ...options, page: 3 });
    expect([past.data, past.meta.total, past.meta.matched]).toEqual([[], 1, "similar"]);
  });

  it("finds nothing by words that must not be there", async () => {
    expect((await articles.search("zzzzzz -quartely")).data).toEqual([]);
    expect((await articles.search('-"quartely reprot" zzzzzz')).data).toEqual([]);
  });

  it("never finds the dead", async () => {
    const { data } = await articles.withDeleted().search("quartely dead");
    expect(data.map(({ row }) => row.id)).toContain("x");
    expect((await articles.search("quartely dead")).data.map(({ row }) => row.id)).not.toContain("x");
  });

  it("leaves the setting of the session and of a transaction as it was", async () => {
    const setting = async () => db.sql`select current_setting('pg_trgm.word_similarity_threshold') as at`;
    await db.transaction(async () => {
      await db.sql`select set_config('pg_trgm.word_similarity_threshold', '0.7', true)`;
      expect((await articles.search("quartely reprot")).meta.matched).toBe("similar");
      expect(await setting()).toEqual([{ at: "0.7" }]);
    });
    expect(await setting()).toEqual([{ at: "0.6" }]);
  });

  it("is looked for in a batch and in a transaction that is read only", async () => {
    const [page, count] = await db.batch([articles.search("quartely reprot"), authors.count()]);
    expect([page.data.map(({ row }) => row.id), count]).toEqual([["a"], 0]);
    const inside = await db.transaction(async () => articles.search("quartely reprot"), { readOnly: true });
    expect(inside.data.map(({ row }) => row.id)).toEqual(["a"]);
  });

  it("is looked for where it was declared only", async () => {
    await authors.create({ id: "1", name: "Quarterman" });
    const { data, meta } = await authors.search("quatrerman");
    expect([data, meta.matched]).toEqual([[], "words"]);
    expect(authors.search("x").toSQL().later).toEqual([]);
    expect(articles.search("x").toSQL().later).toEqual([expect.stringContaining('"public".<%')]);
  });
});

describe(`among ${ROWS} rows an index is used`, () => {
  it("by a search", async () => {
    expect(await planOf(articles.search("quarterly report"))).toContain("articles_search_vector_idx");
  });

  it("by a search for similar words", async () => {
    const { text } = { text: articles.search("quartely reprot").toSQL().later[0] ?? "" };
    expect(text).toContain("word_similarity");
    const rows = await db.sql`explain select 1 from library.articles
      where 'quartely reprot' operator(public.<%) title or 'quartely reprot' operator(public.<%) body`;
    const plan = JSON.stringify(rows);
    expect(plan).toContain("articles_title_trgm_idx");
    expect(plan).toContain("articles_body_trgm_idx");
  });

  it.each([
    ["contains", { title: { contains: "terly rep" } }],
    ["contains, in any case", { title: { contains: "TERLY rep", mode: "insensitive" } }],
    ["endsWith", { title: { endsWith: "terly report" } }],
    ["a varchar's contains", { code: { contains: "terly rep" } }],
  ] as const)("by %s", async (_, where) => {
    const column = "code" in where ? "code" : "title";
    expect(await planOf(articles.list({ where }))).toContain(`articles_${column}_trgm_idx`);
  });
});
