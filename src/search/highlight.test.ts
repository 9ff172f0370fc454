import { beforeAll, describe, expect, it } from "vitest";
import { openLibrary } from "./library.fixture.ts";

const { articles } = await openLibrary();

const LONG = `${"filler ".repeat(60)}release ${"padding ".repeat(60)}notes ${"ending ".repeat(60)}`;

beforeAll(async () => {
  await articles.createMany([
    { id: "a", title: 'Release <script>alert("x")</script> & <mark>notes</mark>', body: null },
    { id: "b", title: "R&D release's <img src=x onerror=alert(1)> a<b", body: LONG },
    { id: "c", title: "Typography", body: "StartSel=<b> \u0000002 $1 $& release".replace("\u0000", "") },
  ]);
});

async function highlighted(
  text: string,
  highlight: NonNullable<Parameters<typeof articles.search>[1]>["highlight"],
) {
  const { data } = await articles.search(text, highlight === undefined ? {} : { highlight });
  const hits = data as { row: { id: string }; highlights?: Record<string, string | null> }[];
  return Object.fromEntries(hits.map(({ row, highlights }) => [row.id, highlights]));
}

describe("highlight", () => {
  it("marks the found words, and the text around them is escaped", async () => {
    const { data } = await articles.search("release", { highlight: ["title", "body"] });
    const texts = data.map(({ highlights }) => `${highlights.title} ${highlights.body ?? ""}`);
    expect(texts.length).toBe(3);
    expect(data.find(({ row }) => row.id === "b")?.highlights.title).toMatch(
      /^R&amp;D <mark>release<\/mark>&#39;s .*a&lt;b$/,
    );
    for (const text of texts) {
      expect(text.replaceAll(/<\/?mark>/g, "")).not.toMatch(/[<>"']/);
      const marks = [...text.matchAll(/<(\/?)mark>/g)].map(([mark]) => mark);
      expect(marks.every((mark, i) => mark === (i % 2 === 0 ? "<mark>" : "</mark>"))).toBe(true);
    }
  });

  it("marks nothing that a stored text calls a mark", async () => {
    const { a } = await highlighted("release", ["title"]);
    expect(a?.title?.match(/<mark>/g)).toHaveLength(1);
    expect(a?.title).not.toContain("script&gt;");
    expect(a?.title).toContain("<mark>Release</mark>");
  });

  it("is null where the column is, and absent where it was not asked for", async () => {
    expect((await highlighted("release", ["title", "body"])).a).toMatchObject({ body: null });
    expect(await highlighted("release", undefined)).toEqual({ a: undefined, b: undefined, c: undefined });
  });

  it("takes marks as they are", async () => {
    const { c } = await highlighted("release", { columns: ["body"], marks: ["$1[", "]$&"] });
    expect(c?.body).toContain("$1[release]$&");
  });

  it("shows excerpts of long texts, as long and as many as asked for", async () => {
    const one = (await highlighted("release notes", { columns: ["body"], words: 6 })).b?.body ?? "";
    expect(one).toMatch(/<mark>/);
    expect(one.trim().split(" ").length).toBeLessThanOrEqual(6);
    const two =
      (await highlighted("release notes", { columns: ["body"], words: 6, excerpts: 2 })).b?.body ?? "";
    const parts = two.split(" … ");
    expect(parts).toHaveLength(2);
    expect(parts[0]).toContain("<mark>release</mark>");
    expect(parts[1]).toContain("<mark>notes</mark>");
  });

  it("marks the beginning of a word where it was all that was typed", async () => {
    expect((await highlighted("typogr", ["title"])).c?.title).toBe("<mark>Typography</mark>");
  });

  it("sends marks that no stored text can foresee, another pair in every call", () => {
    const sent = () => articles.search("release", { highlight: ["title"] }).toSQL();
    const [one, other] = [sent(), sent()];
    expect(one.text).toBe(other.text);
    const options = ({ values }: typeof one) => values.find((value) => String(value).startsWith("StartSel="));
    expect(options(one)).not.toEqual(options(other));
  });
});
