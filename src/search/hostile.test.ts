import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { SOAK_TIMEOUT_MS, soakRuns } from "../../test/support/soak.ts";
import { openLibrary } from "./library.fixture.ts";

const { articles, authors } = await openLibrary();

const ROWS: readonly (readonly string[])[] = [
  ["ab", "abc", "cab"],
  ["abc", "b", "x1"],
  ["b", "ab"],
  ["cab", "bc", "ab", "b"],
  ["x1"],
  ["x1", "abd", "bc"],
];

beforeAll(async () => {
  await authors.createMany(ROWS.map((words, i) => ({ id: String(i), name: words.join(" ") })));
  await articles.create({ id: "a", title: "It's a back\\slash & more", body: "release" });
});

describe("any text", () => {
  it.each([
    "'; drop table articles; --",
    "it's",
    "back\\slash",
    "\\'",
    "a\\",
    "a'b'c\\'d",
    "(((((",
    "a & | ! b",
    "a <-> b",
    "rel:*A",
    "'rel':*",
    "rel:",
    "$1",
    "\u0000rel\u0000ease",
    "\uD800 lone",
    "lone\uDFFF",
    "%_\\",
    "-".repeat(1_000),
    "- ".repeat(500),
    '"'.repeat(1_000),
    "or ".repeat(333),
    "a ".repeat(500),
    "!".repeat(1_000),
    `${"(".repeat(500)}${")".repeat(500)}`,
    "a-".repeat(500),
    "a/b.c@d:".repeat(125),
    "\u200B\uFEFF\u202E",
    "𝒶𝒷 🎉 日本語",
    "<b>&amp;</b>",
  ])("is safe: %j", async (text) => {
    const options = { highlight: ["title", "body"] } as const;
    expect((await articles.search(text, options)).meta.page).toBe(1);
    expect((await articles.search(text, { ...options, prefix: false })).meta.page).toBe(1);
    expect(await articles.count()).toBe(1);
  });

  it("is taken for words, whatever stands between them", async () => {
    for (const text of [
      "it's back",
      "back\\slash",
      "It's a back\\sla",
      "(release)",
      "(relea",
      "\u0000release",
      "release\\",
    ]) {
      const { data, meta } = await articles.search(text);
      expect([text, data.length, meta.matched]).toEqual([text, 1, "words"]);
    }
  });

  it(
    "never fails, whatever it is made of",
    async () => {
      const piece = fc.oneof(
        fc.constantFrom(
          "'",
          '"',
          "\\",
          "-",
          "or",
          ":*",
          "&",
          "|",
          "!",
          "<->",
          "(",
          ")",
          " ",
          "rel",
          "\u0000",
        ),
        fc.string({ unit: "binary", maxLength: 6 }),
      );
      const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join("").slice(0, 1_000));
      const property = fc.asyncProperty(text, fc.boolean(), async (given, prefix) => {
        const { data, meta } = await articles.search(given, { prefix, highlight: ["title"] });
        expect(data.length).toBeLessThanOrEqual(meta.total);
      });
      await fc.assert(property, { seed: 82, numRuns: soakRuns(5_000) });
    },
    SOAK_TIMEOUT_MS,
  );
});

interface Term {
  readonly words: readonly string[];
  readonly isNegated: boolean;
}

const WORD = fc.constantFrom("ab", "abc", "abd", "b", "bc", "cab", "x1", "a", "ca");
const TERM: fc.Arbitrary<Term> = fc.record({
  words: fc.oneof({ weight: 3, arbitrary: fc.tuple(WORD) }, { weight: 1, arbitrary: fc.tuple(WORD, WORD) }),
  isNegated: fc.boolean(),
});
const ALTERNATIVES = fc.array(fc.array(TERM, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 });

function written({ words, isNegated }: Term): string {
  return `${isNegated ? "-" : ""}${words.length === 1 ? words[0] : `"${words.join(" ")}"`}`;
}

/** Whether the words of a row fit: words side by side for a phrase, and the beginning of one for the last. */
function fits(row: readonly string[], { words, isNegated }: Term, isPrefix: boolean): boolean {
  const isThere = row.some((_, at) =>
    words.every((word, i) => (isPrefix ? row[at + i]?.startsWith(word) : row[at + i] === word)),
  );
  return isThere !== isNegated;
}

describe("what a text finds", () => {
  it(
    "is what its words, phrases, alternatives and exclusions say",
    async () => {
      const property = fc.asyncProperty(ALTERNATIVES, fc.boolean(), async (alternatives, prefix) => {
        const text = alternatives.map((terms) => terms.map(written).join(" ")).join(" or ");
        const last = alternatives.at(-1)?.at(-1);
        const isOpen = prefix && last?.words.length === 1 && !last.isNegated;
        const expected = ROWS.flatMap((row, i) =>
          alternatives.some((terms) => terms.every((term) => fits(row, term, isOpen && term === last)))
            ? [String(i)]
            : [],
        );
        const { data } = await authors.search(text, { prefix });
        expect({ text, found: data.map(({ row }) => row.id).sort() }).toEqual({ text, found: expected });
      });
      await fc.assert(property, { seed: 27, numRuns: soakRuns(5_000) });
    },
    SOAK_TIMEOUT_MS,
  );
});
