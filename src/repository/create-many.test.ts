import { describe, expect, it } from "vitest";
import { openLibrary } from "../../test/support/library.ts";
import { refusal, rejection } from "../../test/support/rejection.ts";

const { db, repo, makeAuthor } = await openLibrary();

describe("createMany", () => {
  it("makes nothing of no rows, and sends nothing", async () => {
    expect(await repo.authors.createMany([])).toEqual([]);
    expect(repo.authors.createMany([]).toSQL()).toEqual({ text: "", values: [], additions: [], later: [] });
    expect(await db.batch([repo.authors.createMany([]), repo.authors.count()])).toEqual([[], 0]);
  });

  it("makes one row", async () => {
    expect(await repo.authors.createMany([{ email: "one@example.com", name: "One" }])).toMatchObject([
      { name: "One" },
    ]);
  });

  it("keeps the input's order, also of rows that leave different columns out", async () => {
    const { id: authorId } = await makeAuthor();
    const shapes = [
      {},
      { pages: 1 },
      { language: "de" as const },
      { pages: 2, views: 5n },
      { bio: undefined },
    ];
    const inputs = Array.from({ length: 50 }, (_, i) => ({
      authorId,
      title: `T${i}`,
      ...shapes[(i * 7) % shapes.length],
    }));
    const rows = await repo.books.createMany(inputs as never);
    expect(rows.map((row) => row.title)).toEqual(inputs.map((input) => input.title));
    expect(rows.map((row) => [row.pages, row.language, row.views])).toEqual(
      inputs.map((input) => [
        Reflect.get(input, "pages") ?? null,
        Reflect.get(input, "language") ?? "en",
        Reflect.get(input, "views") ?? 0n,
      ]),
    );
  });

  it("makes 70,000 rows in order, all or none", async () => {
    const inputs = Array.from({ length: 70_000 }, (_, i) => ({ slug: `s${i}` }));
    const rows = await repo.categories.createMany(inputs);
    expect(rows.map((row) => row.slug)).toEqual(inputs.map((input) => input.slug));
    expect(await repo.categories.count()).toBe(70_000);
    const again = Array.from({ length: 25_000 }, (_, i) => ({ slug: i === 24_999 ? "s0" : `t${i}` }));
    expect(await rejection(repo.categories.createMany(again))).toMatchObject({
      code: "UNIQUE_VIOLATION",
      columns: ["slug"],
    });
    expect(await repo.categories.count()).toBe(70_000);
  });

  it("uses one text for any number of rows of a shape", () => {
    const textOf = (count: number) =>
      repo.categories.createMany(Array.from({ length: count }, (_, i) => ({ slug: String(i) }))).toSQL().text;
    expect(textOf(2)).toBe(textOf(9_000));
    expect(textOf(2)).toBe(
      'insert into "library"."categories" as t0 ("slug") select r.c1::text from unnest($1::text[]) with ordinality as r(c1, n) order by r.n returning t0."id", t0."parent_id", t0."slug"',
    );
  });

  it("splits rows whose values are too long for one statement, and a row stays whole", () => {
    const slug = "x".repeat(12_000_000);
    const textOf = (count: number) =>
      repo.categories.createMany(Array.from({ length: count }, () => ({ slug }))).toSQL().text;
    const statements = textOf(5).split(";\n");
    expect(statements).toHaveLength(3);
    expect(statements[0]).toBe(textOf(2));
    expect(statements[2]).toContain("values ($1)");
  });

  it("makes rows of nothing but defaults", async () => {
    expect(await repo.visits.createMany([{}, {}, {}])).toHaveLength(3);
    const signed = await db.as({ userId: "u" }, () => repo.signedVisits.createMany([{}, {}]));
    expect(signed.map((row) => row.createdBy)).toEqual(["u", "u"]);
    expect(await repo.visits.createMany([{}, { at: new Date(0) }, {}])).toMatchObject([
      {},
      { at: new Date(0) },
      {},
    ]);
    expect(await repo.visits.count()).toBe(6);
  });

  it("leaves out rows whose key is taken when asked to, and gives back the others", async () => {
    await repo.authors.create({ email: "taken@example.com", name: "First" });
    const inputs = ["taken@example.com", "free@example.com", "free@example.com"].map((email) => ({
      email,
      name: "Second",
    }));
    const made = await repo.authors.createMany(inputs, { onConflict: "ignore" });
    expect(made.map((author) => author.email)).toEqual(["free@example.com"]);
    expect((await repo.authors.findBy({ email: "taken@example.com" }))?.name).toBe("First");
    expect((await refusal(repo.authors.createMany([], { onConflict: "update" as never }))).issues).toEqual([
      "onConflict: must be ignore, or left out",
    ]);
  });

  it("refuses what is wrong with a row, naming its place, before anything is sent", async () => {
    expect(
      (await refusal(repo.authors.createMany([{ email: "x@example.com", name: "n" }, { name: 1 } as never])))
        .issues,
    ).toEqual(["1.name: must be a string", "1.email: is required"]);
    expect((await refusal(repo.authors.createMany({} as never))).issues).toEqual(["inputs: must be a list"]);
    expect(await repo.authors.exists({ email: "x@example.com" })).toBe(false);
  });
});
