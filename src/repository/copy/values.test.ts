import { customType, integer, text } from "drizzle-orm/pg-core";
import fc from "fast-check";
import { appSchema, entity, oneOf, publicId, ulidKey } from "plinth/schema";
import { testDatabase } from "plinth/testing";
import { afterAll, describe, expect, it } from "vitest";
import { genre } from "../../../test/support/domain.ts";
import { openLibrary } from "../../../test/support/library.ts";
import { refusal } from "../../../test/support/rejection.ts";
import { SOAK_TIMEOUT_MS, soakRuns } from "../../../test/support/soak.ts";

const { db, repo } = await openLibrary();

const RUNS = soakRuns(2_000);

/** Texts that mean something to COPY, to arrays, to JSON, to nobody; around the length at which they are written otherwise. */
const hostile = fc.oneof(
  fc.constantFrom(
    "",
    "\\N",
    "\\.",
    "\\",
    "\t",
    "\n",
    "\r\n",
    "\b\f\v",
    "{}",
    "NULL",
    '"',
    "\\x00",
    "a\\tb",
    "\u007f",
  ),
  fc.string({
    unit: fc.constantFrom("\\", "\t", "\n", "\r", "N", ".", "a", '"', "{", "}", ",", "é", "😀", "\u0001"),
  }),
  fc.string({ unit: "grapheme", maxLength: 80 }),
  fc.integer({ min: 40, max: 60 }).map((length) => "ab\\".repeat(length).slice(0, length)),
  fc.integer({ min: 40, max: 20_000 }).map((length) => "\té".repeat(length).slice(0, length)),
);
const json = fc.jsonValue({ stringUnit: fc.constantFrom("a", "\\", "\n", "\t", '"', "é", "😀") });
const instant = fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true });
const day = instant.map((date) => date.toISOString().slice(0, 10));
const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const exact = fc
  .tuple(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), fc.nat({ max: 20 }))
  .map(([digits, scale]) => `${digits}${scale > 0 ? `.${"1".repeat(scale)}` : ""}`);
const genres = fc.constantFrom(...genre.enumValues);
const listOf = <T>(item: fc.Arbitrary<T>) => fc.array(fc.option(item, { freq: 5 }), { maxLength: 6 });

const sample = fc.record(
  {
    small: fc.integer({ min: -32_768, max: 32_767 }),
    int,
    big: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    safe: fc.maxSafeInteger(),
    exact,
    exactBig: fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }),
    double: fc.double(),
    flag: fc.boolean(),
    at: instant,
    day,
    words: hostile,
    document: json,
    plainDocument: json,
    bytes,
    host: fc.ipV4(),
    genre: genres,
    ref: fc.uuid(),
    place: fc.record({ x: int, y: int }),
    ints: listOf(int),
    texts: listOf(hostile),
    textGrid: fc.array(fc.tuple(hostile, hostile), { maxLength: 3 }),
    genres: listOf(genres),
    days: listOf(day),
    instants: listOf(instant),
    blobs: listOf(bytes),
    documents: listOf(json),
  },
  { requiredKeys: [] },
);

describe("copyIn", () => {
  it("stores every value as createMany does", { timeout: SOAK_TIMEOUT_MS }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(sample, { minLength: 1, maxLength: 5 }), async (rows) => {
        // Their JSON has no type.
        const withIds = (ids: readonly string[]) => rows.map((row, i) => ({ ...row, id: ids[i] })) as never;
        const ids = (mark: string) => rows.map((_, i) => `00000000-0000-4000-8000-${mark}0000000000${i}`);
        const [copied, created] = [ids("a"), ids("b")];
        await repo.samples.copyIn(withIds(copied));
        await repo.samples.createMany(withIds(created));
        const [one, other] = await Promise.all([
          repo.samples.findMany(copied),
          repo.samples.findMany(created),
        ]);
        expect(one).toHaveLength(rows.length);
        expect(one).toEqual(other.map((row, i) => ({ ...row, id: copied[i] })));
        for (const [i, row] of rows.entries()) {
          const { words, texts, bytes: blob, big, flag } = row;
          const given = { words, texts, bytes: blob, big, flag };
          for (const [key, value] of Object.entries(given))
            expect(one[i]?.[key as keyof typeof given]).toEqual(value ?? null);
        }
        await db.sql`delete from library.samples`;
      }),
      { numRuns: RUNS, seed: 4 },
    );
  });
});

const app = appSchema("odd");
const range = customType<{ data: string }>({ dataType: () => "int4range" });
const wide = entity(app, "odd", {
  id: ulidKey(),
  'na"me\\': text(),
  constructor: text(),
  during: range(),
  kind: oneOf(["a", "b\\c"]),
  number: integer(),
  code: publicId(),
});

describe("copyIn of odd tables", async () => {
  const { db: odd, close } = await testDatabase({ schema: { app, wide } });
  afterAll(close);
  const table = odd.repository(wide);

  it("takes odd names, ranges and fixed choices, and draws ids", async () => {
    const row = { 'na"me\\': "x", constructor: "y", during: "[1,5)", kind: "b\\c" as const };
    expect(await table.copyIn([row, { ...row, during: "empty" }])).toEqual({ rows: 2 });
    const { data } = await table.list({ sort: "during" as never }).catch(() => table.list());
    expect(data).toHaveLength(2);
    for (const found of data) {
      expect(found).toMatchObject({ 'na"me\\': "x", constructor: "y", kind: "b\\c", number: null });
      expect(found.code).toMatch(/^\w+$/);
    }
    expect(new Set(data.map(({ during }) => during))).toEqual(new Set(["[1,5)", "empty"]));
  });

  it("refuses what createMany refuses", async () => {
    const wrong: readonly object[] = [
      { kind: "c" },
      { number: 1.5 },
      { number: 2 ** 31 },
      { number: "1" },
      { during: {} },
      { 'na"me\\': "a\0" },
      { 'na"me\\': "\udc00" },
      { 'na"me\\': `${"é".repeat(60)}\0` },
      { 'na"me\\': { toString: () => "x" } },
      { id: null },
      { code: null },
    ];
    for (const row of wrong) {
      const refused = await refusal(table.copyIn([row] as never));
      expect(refused.code).toBe("INVALID_VALUE");
      expect(refused).toEqual(await refusal(table.createMany([row] as never)));
    }
    expect(await table.copyIn([{}] as never)).toEqual({ rows: 1 });
  });
});
