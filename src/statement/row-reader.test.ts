import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as domain from "../../test/support/domain.ts";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { SOAK_TIMEOUT_MS, soakRuns } from "../../test/support/soak.ts";
import { type Connection, connect, type Outcome, parseTarget, type RowReader } from "../driver/index.ts";
import { type ColumnDescription, describeSchema } from "../schema/index.ts";
import { createMapper, type Slot } from "./mapper.ts";
import { closureReader, createRowReader, generatedReader } from "./row-reader.ts";

let server: TestServer;
let wire: Connection;
let plain: Connection;

beforeAll(async () => {
  server = await testServer();
  wire = await connect(parseTarget(server.url));
  plain = await connect(parseTarget(server.url, { wire: "pg" }));
  for (const connection of [wire, plain])
    await connection.script(`create temp table t (a int);
    create schema if not exists row_reader; set timezone = 'UTC'`);
});
afterAll(async () => {
  await wire.close();
  await plain.close();
  await server.stop();
});

const samples = describeSchema(domain).entities.find(({ name }) => name === "samples");
const columns = (samples?.columns ?? []).filter(({ sqlType }) => !sqlType.includes('"library"'));

function columnOf(key: string): ColumnDescription {
  const column = columns.find((candidate) => candidate.key === key);
  if (column === undefined) throw new RangeError(`samples has no ${key}`);
  return column;
}

const digits = (limit: number) =>
  fc.bigInt({ min: -(10n ** BigInt(limit)), max: 10n ** BigInt(limit) }).map(String);
const whole = (bits: number) =>
  fc.bigInt({ min: -(2n ** BigInt(bits)), max: 2n ** BigInt(bits) - 1n }).map(String);
const words = fc.string({ unit: "grapheme", maxLength: 60 }).filter((text) => !text.includes("\0"));
const instant = fc
  .date({ min: new Date("0001-01-03T00:00:00Z"), max: new Date("9999-12-29T00:00:00Z"), noInvalidDate: true })
  .chain((date) =>
    fc.nat(999).map((micros) => date.toISOString().replace("Z", `${String(micros).padStart(3, "0")}Z`)),
  );
const day = instant.map((text) => text.slice(0, 10));
const double = fc.double().map((value) => (Object.is(value, -0) ? "-0" : String(value)));
const hex = fc.uint8Array({ maxLength: 40 }).map((bytes) => `\\x${Buffer.from(bytes).toString("hex")}`);
const json = fc.json().filter((text) => !/\\u0000|\\u[dD][89a-fA-F]/.test(text));
const listOf = (item: fc.Arbitrary<string>) =>
  fc
    .array(fc.option(item), { maxLength: 5 })
    .map((items) => `{${items.map((text) => (text === null ? "NULL" : JSON.stringify(text))).join(",")}}`);

/** Texts PostgreSQL takes for a column, by its key. */
const TEXTS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  id: fc.uuid(),
  bookId: words,
  small: whole(15),
  int: whole(31),
  big: whole(63),
  safe: fc.maxSafeInteger().map(String),
  exact: fc.oneof(
    digits(30),
    fc.tuple(digits(12), fc.nat(999_999)).map(([a, b]) => `${a}.${b}`),
    fc.constant("NaN"),
  ),
  exactBig: digits(40),
  double,
  single: fc.float().map(String),
  flag: fc.boolean().map(String),
  at: instant,
  exactAt: instant,
  local: instant,
  day,
  dayAsDate: day,
  clock: instant.map((text) => text.slice(11, 26)),
  span: fc.tuple(fc.integer({ min: -999, max: 999 }), fc.integer()).map(([a, b]) => `${a} days ${b} seconds`),
  words,
  code: fc.string({ maxLength: 5 }).filter((text) => !text.includes("\0")),
  fixed: fc.string({ maxLength: 4 }).filter((text) => !text.includes("\0")),
  document: json,
  plainDocument: json,
  bytes: hex,
  host: fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom("10.0.0.0/8", "2001:db8::/32")),
  place: fc.tuple(fc.integer(), fc.integer()).map(([x, y]) => `(${x},${y})`),
  ref: fc.uuid(),
  ints: listOf(whole(31)),
  texts: listOf(words),
  grid: fc.constantFrom("{}", "{{1,2},{3,NULL}}"),
  textGrid: fc.constantFrom("{}", '{{"a,b","{}"},{NULL,"\\""}}'),
  days: listOf(day),
  instants: listOf(instant),
  blobs: listOf(hex),
  documents: listOf(json),
};

function query(
  connection: Connection,
  text: string,
  values: readonly (string | null)[],
  rows?: RowReader,
): Promise<Outcome> {
  return connection.query({ name: nameOf(text), text, values, leavesNoTrace: true, rows });
}

const names = new Map<string, string>();
function nameOf(text: string): string {
  const name = names.get(text) ?? `r${names.size}`;
  names.set(text, name);
  return name;
}

/** What every reader makes of an answer, the mapper's rows first; an error as its code and words. */
async function readings(
  text: string,
  values: readonly (string | null)[],
  slots: readonly Slot[],
): Promise<unknown[]> {
  const map = createMapper(slots);
  const readers = [createRowReader(slots), generatedReader(slots), closureReader(slots)];
  const found: unknown[] = [await settled(async () => (await query(wire, text, values)).rows.map(map))];
  for (const connection of [wire, plain]) {
    for (const reader of readers) {
      found.push(await settled(async () => (await query(connection, text, values, reader)).records));
    }
  }
  return found;
}

async function settled(work: () => Promise<unknown>): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { error: error.message, hint: "hint" in error ? error.hint : undefined };
  }
}

function sameForAll([first, ...rest]: readonly unknown[]): void {
  for (const reading of rest) expect(reading).toEqual(first);
}

/** The texts as rows, in their order. */
function rowsOf(column: ColumnDescription): string {
  return `select v::${column.castType} from unnest($1::text[]) with ordinality u(v, n) order by n`;
}

describe("a row reader", () => {
  it.each(columns.map(({ key }) => key))(
    "reads %s as the mapper reads its text",
    { timeout: SOAK_TIMEOUT_MS },
    async (key) => {
      const column = columnOf(key);
      const texts = TEXTS[key];
      if (texts === undefined) throw new RangeError(`no texts for ${key}`);
      const slots: Slot[] = [{ kind: "column", key, column }];
      await fc.assert(
        fc.asyncProperty(fc.array(fc.option(texts), { maxLength: 20 }), async (given) => {
          const literal = `{${given.map((text) => (text === null ? "NULL" : JSON.stringify(text))).join(",")}}`;
          const found = await readings(rowsOf(column), [literal], slots);
          expect(found[0]).toHaveLength(given.length);
          sameForAll(found);
        }),
        { seed: 20_261_121, numRuns: soakRuns(1_000) },
      );
    },
  );

  it.each([
    [
      "at",
      [
        "infinity",
        "-infinity",
        "0044-03-15 12:00:00+00 BC",
        "10000-01-01 00:00:00+00",
        "294276-12-31 23:59:59+00",
      ],
    ],
    ["at", ["0001-01-01 00:00:00+00", "9999-12-31 23:59:59.999999+00", "1969-12-31 23:59:59.999999+00"]],
    ["local", ["infinity", "-infinity", "4713-01-01 00:00:00 BC", "1890-05-05 12:00:00.0009"]],
    ["dayAsDate", ["infinity", "-infinity", "0044-03-15 BC", "10000-01-01", "0001-01-01", "9999-12-31"]],
    ["day", ["infinity", "0044-03-15 BC", "5874897-12-31"]],
    ["safe", ["9007199254740991", "9007199254740992", "-9007199254740992", "9223372036854775807"]],
    ["double", ["NaN", "-NaN", "Infinity", "-Infinity", "-0", "5e-324", "1.7976931348623157e308"]],
    ["single", ["0.1", "3.4028235e38", "1e-45", "-0", "NaN"]],
    ["exactBig", ["NaN", "0.5", "1e40"]],
    ["clock", ["24:00:00"]],
    ["words", ["", "x".repeat(100_000), "é".repeat(50_000)]],
    ["bytes", ["\\x", `\\x${"00ff".repeat(3_000)}`]],
  ])("takes and refuses the same edges of %s as the mapper", async (key, texts) => {
    const column = columnOf(key);
    for (const text of texts) {
      sameForAll(await readings(`select $1::${column.castType}`, [text], [{ kind: "column", key, column }]));
    }
  });

  it("builds groups, absent groups, lists to be filled, counts and nested rows as the mapper does", async () => {
    const slots: Slot[] = [
      { kind: "column", key: "id", column: columnOf("int") },
      {
        kind: "group",
        key: "owner",
        isOptional: true,
        slots: [
          { kind: "column", key: "name", column: columnOf("words") },
          {
            kind: "group",
            key: "deep",
            isOptional: false,
            slots: [{ kind: "column", key: "at", column: columnOf("at") }],
          },
        ],
      },
      { kind: "related", key: "tasks" },
      { kind: "count", key: "count" },
      { kind: "raw", key: "rest" },
      {
        kind: "nested",
        key: "inner",
        many: true,
        slots: [{ kind: "column", key: "big", column: columnOf("big") }],
      },
    ];
    const text = `select i, case when i % 2 = 0 then true end, case when i % 2 = 0 then 'é' || i end,
      case when i % 4 = 0 then timestamptz '2026-01-01 00:00:00+00' end, (select count(*) from generate_series(1, i)), 'r' || i,
      case when i = 3 then null else json_build_array(json_build_array('9007199254740993'), json_build_array(null)) end
      from generate_series(1, 5) i`;
    const found = await readings(text, [], slots);
    sameForAll(found);
    expect(found[1]).toMatchObject([
      {
        id: 1,
        owner: null,
        tasks: [],
        count: 1,
        rest: "r1",
        inner: [{ big: 9_007_199_254_740_993n }, { big: null }],
      },
      { id: 2, owner: { name: "é2", deep: { at: null } } },
      { inner: null },
      { owner: { deep: { at: new Date("2026-01-01T00:00:00Z") } } },
      { count: 5 },
    ]);
    const { records = [] } = await query(wire, text, [], createRowReader(slots));
    const [first, second] = records.map((row) =>
      typeof row === "object" && row !== null && "tasks" in row ? row.tasks : row,
    );
    expect(first).not.toBe(second);
  });

  it("tells by a column of an object's own that the object is absent, wherever that column stands", async () => {
    const marked: Slot = {
      kind: "group",
      key: "owner",
      isOptional: true,
      markedBy: "id",
      slots: [
        {
          kind: "group",
          key: "deep",
          isOptional: false,
          slots: [
            { kind: "column", key: "words", column: columnOf("words") },
            { kind: "column", key: "at", column: columnOf("at") },
          ],
        },
        { kind: "column", key: "id", column: columnOf("int") },
        { kind: "column", key: "flag", column: columnOf("flag") },
      ],
    };
    const slots: Slot[] = [marked, { kind: "raw", key: "after" }];
    const found = await readings(
      `select null::text, null::timestamptz, case when i > 1 then i end, i = 3, 'x' || i from generate_series(1, 3) i`,
      [],
      slots,
    );
    sameForAll(found);
    const deep = { words: null, at: null };
    expect(found[0]).toEqual([
      { owner: null, after: "x1" },
      { owner: { deep, id: 2, flag: false }, after: "x2" },
      { owner: { deep, id: 3, flag: true }, after: "x3" },
    ]);
  });

  it("falls back to text where the server describes another type, width or domain than it knows", async () => {
    const slots: Slot[] = [{ kind: "column", key: "n", column: columnOf("int") }];
    await wire.script("create domain pg_temp.positive as int check (value > 0)");
    for (const [text, row] of [
      ["select 7::int8", { n: 7 }],
      ["select 7::int2", { n: 7 }],
      ["select 7::numeric", { n: 7 }],
      ["select '7'::text", { n: 7 }],
      ["select 7::pg_temp.positive", { n: 7 }],
      ["select 7::int4, 8::int4", { n: 7 }],
    ] as const) {
      for (let run = 0; run < 3; run++) {
        expect((await query(wire, text, [], createRowReader(slots))).records).toEqual([row]);
      }
    }
  });

  it("follows a column whose type was changed by a migration", async () => {
    const slots: Slot[] = [{ kind: "column", key: "a", column: columnOf("int") }];
    const reader = createRowReader(slots);
    await wire.script("create temp table changing (a int4); insert into changing values (1)");
    const read = () => query(wire, "select a from changing", [], reader);
    for (let run = 0; run < 3; run++) expect((await read()).records).toEqual([{ a: 1 }]);
    for (const type of ["int8", "text", "int4"]) {
      await wire.script(`alter table changing alter a type ${type} using a::${type}`);
      for (let run = 0; run < 3; run++) expect((await read()).records).toEqual([{ a: 1 }]);
    }
  });

  it("keeps hostile names what they are: names", async () => {
    const keys = [
      "__proto__",
      "constructor",
      "\u2028",
      '"]: 0 }; throw 1; ({ ["',
      "a`\u0024{1}`",
      "\\",
      "p",
      "n",
      "b",
      "",
    ];
    const slots: Slot[] = keys.map((key) => ({ kind: "column", key, column: columnOf("int") }));
    const text = `select ${keys.map((_, i) => `${i}::int4`).join(", ")}`;
    for (const make of [generatedReader, closureReader]) {
      const reader = make(slots);
      for (let run = 0; run < 2; run++) await query(wire, text, [], reader);
      const [row] = (await query(wire, text, [], reader)).records ?? [];
      expect(Object.entries(row ?? {})).toEqual(keys.map((key, i) => [key, i]));
      expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
    }
  });

  it("fails its own call when a value cannot be decoded, and leaves connection and neighbours alone", async () => {
    const slots: Slot[] = [{ kind: "column", key: "at", column: columnOf("at") }];
    const text = "select v::timestamptz from unnest($1::text[]) v";
    const reader = createRowReader(slots);
    for (let run = 0; run < 2; run++) {
      await expect(query(wire, text, ["{2026-01-01,infinity,2026-01-02}"], reader)).rejects.toMatchObject({
        code: "INVALID_DATA",
        columns: ["at"],
      });
      expect((await query(wire, text, ["{2026-01-01}"], reader)).records).toHaveLength(1);
    }
    expect(wire.isOpen).toBe(true);
  });

  it("works where code may not be made from strings", () => {
    const program = `
      const { createRowReader } = await import("./src/statement/index.ts");
      const reader = createRowReader([{ kind: "count", key: "n" }]);
      const row = Buffer.from([0, 1, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 7]);
      let isForbidden = false;
      try { new Function("return 1") } catch { isForbidden = true }
      console.log(JSON.stringify([isForbidden, reader.read(row, 0, row.length)]));`;
    const flags = [
      "--disallow-code-generation-from-strings",
      "--import",
      "tsx",
      "--input-type=module",
      "-e",
      program,
    ];
    expect(JSON.parse(execFileSync(process.execPath, flags, { encoding: "utf8" }))).toEqual([true, { n: 7 }]);
  });
});
