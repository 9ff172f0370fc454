import { describe, expect, it } from "vitest";
import type { samples } from "../../test/support/domain.ts";
import { openLibrary } from "../../test/support/library.ts";
import { rejection } from "../../test/support/rejection.ts";
import type { CreateInput } from "../schema/index.ts";

type Sample = CreateInput<typeof samples>;

const { db, repo, makeBook } = await openLibrary();

/** What a value is after a trip to the server, by every way it can come back. */
async function roundTrip<K extends keyof Sample & string>(key: K, value: Sample[K]): Promise<unknown> {
  const book = await makeBook();
  const input = { bookId: book.id, [key]: value };
  const created: Record<string, unknown> = await repo.samples.create(input);
  const [many]: Record<string, unknown>[] = await repo.samples.createMany([input, input]);
  const nested = await repo.books.get(book.id, { with: { samples: true } });
  const inner: Record<string, unknown>[] = nested.samples;
  expect(many?.[key]).toEqual(created[key]);
  for (const row of inner) expect(row[key]).toEqual(created[key]);
  expect(inner).toHaveLength(3);
  return created[key];
}

const AT = new Date("2026-11-21T09:20:00.123Z");

describe("a value, to the server and back", () => {
  it.each<[keyof Sample & string, unknown[]]>([
    ["small", [-32_768, 0, 32_767]],
    ["int", [-2_147_483_648, 2_147_483_647]],
    ["big", [-(2n ** 63n), 2n ** 53n + 1n, 2n ** 63n - 1n]],
    ["safe", [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]],
    ["exact", ["0.1", "-12345678901234567890.123456789012345678901234567890", "NaN", "Infinity", "1.10"]],
    ["exactBig", [2n ** 70n, -(2n ** 70n)]],
    ["double", [0.1, 1.7976931348623157e308, 5e-324, Number.NaN, Infinity, -Infinity, -0]],
    ["single", [0.1, -Infinity, 1.5]],
    ["flag", [true, false]],
    [
      "at",
      [
        AT,
        new Date("0001-01-01T00:00:00Z"),
        new Date("9999-12-31T23:59:59.999Z"),
        new Date("1890-05-05T12:00:00Z"),
      ],
    ],
    ["local", [AT, new Date("1890-05-05T12:00:00Z")]],
    ["day", ["2011-12-30", "2026-03-29", "0001-01-01", "9999-12-31", "2024-02-29"]],
    ["dayAsDate", [new Date("2011-12-30T00:00:00Z")]],
    ["clock", ["24:00:00", "23:59:59.999999"]],
    ["span", ["1 year 2 mons 3 days 04:05:06.789"]],
    [
      "words",
      [
        "",
        " ",
        "NULL",
        "null",
        "{}",
        "it's",
        '"',
        "\\",
        "\\N",
        "\\x41",
        "a\nb\r\tc",
        "🐘 é é ‮ abc",
        "‍",
        "%_\\",
        "$1",
        "x".repeat(1_048_576),
      ],
    ],
    [
      "document",
      [
        {},
        [],
        "text",
        0,
        true,
        [null],
        { a: { b: [1, "ü", null] } },
        { "\\u0000": "\\\\u0000" },
        { k: "\u0001\u2028🐘" },
      ],
    ],
    ["plainDocument", [{ b: 1, a: [{}] }, "null"]],
    ["bytes", [Buffer.from([]), Buffer.from([0, 255, 92, 34]), Buffer.alloc(100_000, 7)]],
    ["host", ["192.168.0.1", "10.0.0.0/8", "::1", "2001:db8::/32", "fe80::1"]],
    ["genre", ["novel", 'it\'s "odd", {really}\\']],
    ["place", [{ x: 1.5, y: -2 }]],
    ["ref", ["017f22e2-79b0-7cc3-98c4-dc0c0c07398f"]],
    ["ints", [[], [1, null, -3]]],
    ["texts", [[], [""], ["NULL", "null", null, "a,b", "{x}", '"', "\\", " ", "a\nb", "it's", "🐘"]]],
    [
      "grid",
      [
        [
          [1, 2],
          [3, 4],
        ],
        [[1, null]],
      ],
    ],
    [
      "textGrid",
      [
        [
          ["a,b", "{}"],
          ['"', "NULL"],
        ],
        [[null]],
      ],
    ],
    ["genres", [["novel", 'it\'s "odd", {really}\\', null]]],
    ["days", [["2011-12-30", null]]],
    ["instants", [[AT, null]]],
    ["blobs", [[Buffer.from([0, 255]), Buffer.from([]), null]]],
    ["documents", [[{ a: [1, "x,y"] }, [1, 2], "text"]]],
  ])("stays what it is in %s", async (key, values) => {
    for (const value of values) expect(await roundTrip(key, value as never)).toEqual(value);
  });

  it("is null where null was given, and in every column that was left out", async () => {
    const { id: _, ...row } = await repo.samples.create({ words: null });
    expect(Object.values(row).every((value) => value === null)).toBe(true);
  });

  it("keeps microseconds in text and cuts them, not rounds them, in a Date", async () => {
    const { id } = await repo.samples.create({ exactAt: "2026-11-21 09:20:00.999999+00" });
    await db.sql`update library.samples set at = exact_at where id = ${id}`;
    const row = await repo.samples.get(id);
    expect(row.at).toEqual(new Date("2026-11-21T09:20:00.999Z"));
    expect(row.exactAt).toMatch(/\.999999/);
  });

  it("accepts a safe integer where a bigint is stored, and reads it as a bigint", async () => {
    expect(await roundTrip("big", 7 as never)).toBe(7n);
  });

  it("reads a JSON __proto__ as a property, and changes no prototype", async () => {
    const parsed: unknown = JSON.parse('{"__proto__": {"admin": true}, "constructor": 1}');
    const document = await roundTrip("document", parsed);
    expect(Object.keys(document as object).sort()).toEqual(["__proto__", "constructor"]);
    expect("admin" in {}).toBe(false);
  });

  it("reads a numeric it cannot hold as an error that names the column, never the value", async () => {
    const { id } = await repo.samples.create({ exactBig: 1n, safe: 1, at: AT });
    for (const [column, value] of [
      ["exact_big", "4.25"],
      ["safe", "9007199254740993"],
      ["at", "infinity"],
      ["at", "0044-03-15 12:00:00+00 BC"],
    ]) {
      await db.sql`select 1 from library.samples where id = ${id} for update`;
      await db.pool.use((connection) =>
        connection.script(
          `update library.samples set exact_big = 1, safe = 1, at = now(); update library.samples set ${column} = '${value}' where id = '${id}'`,
        ),
      );
      const error = await rejection(repo.samples.find(id));
      expect(error).toMatchObject({ code: "INVALID_DATA", columns: [column] });
      expect(`${error.message}${error.stack}`).not.toContain(value);
    }
  });
});

describe("a value that does not fit its column", () => {
  const refusals: [keyof Sample & string, unknown, string][] = [
    ["small", 32_768, "must be between -32768 and 32767"],
    ["int", 1.5, "must be an integer"],
    ["int", Number.NaN, "must be an integer"],
    ["int", "1", "must be an integer"],
    ["int", 1n, "must be an integer"],
    ["int", 2_147_483_648, "must be between -2147483648 and 2147483647"],
    ["big", 2n ** 63n, "must fit in 64 bits"],
    ["big", 2 ** 53, "must be a bigint or a safe integer"],
    ["big", "1", "must be a bigint or a safe integer"],
    ["exact", 1.5, "must be a string"],
    ["double", "1", "must be a number"],
    ["flag", "true", "must be true or false"],
    ["at", "2026-11-21", "must be a Date"],
    ["at", new Date(Number.NaN), "must be a valid Date"],
    ["at", new Date("+020000-01-01T00:00:00Z"), "must be between the years 1 and 9999"],
    ["exactAt", AT, "must be a string"],
    ["day", AT, "must be a date as YYYY-MM-DD"],
    ["day", "2026-02-30", "must be a date as YYYY-MM-DD"],
    ["day", "21.11.2026", "must be a date as YYYY-MM-DD"],
    ["day", "2026-11-21T00:00:00Z", "must be a date as YYYY-MM-DD"],
    ["words", "a\0b", "must not contain the NUL character"],
    ["words", "\ud83d", "must not contain a lone surrogate (it is not valid Unicode)"],
    ["document", "\ud83d", "must not contain NUL or a lone surrogate"],
    ["document", { a: ["\0"] }, "must not contain NUL or a lone surrogate"],
    ["document", 1n, "must be JSON (no cycles, no bigint)"],
    ["document", () => 1, "must be JSON (no functions, no symbols)"],
    ["document", { toPostgres: () => 1 }, "must be JSON (no functions, no symbols)"],
    ["document", { a: [Number.NaN] }, "must not contain NaN or Infinity (JSON has neither)"],
    ["document", [undefined], "must not contain undefined in an array"],
    ["document", { a: new Map([[1, 2]]) }, "must be JSON (no Map, no Set)"],
    ["document", Symbol("x"), "must be JSON (no functions, no symbols)"],
    ["genre", "Novel", 'must be one of novel, poetry, it\'s "odd", {really}\\'],
    ["ref", "no-uuid", "must be a UUID"],
    ["ints", 1, "must be an array"],
    ["ints", [1, "2"], "must be an integer"],
    ["ints", [1, undefined], "must be an integer"],
    // biome-ignore lint/suspicious/noSparseArray: a hole is what is tested.
    ["ints", [1, , 3], "must be an integer"],
    ["ints", [[1], ["2"]], "must be an integer"],
    ["texts", ["a\0"], "must not contain the NUL character"],
    ["genres", ["novel", "x"], 'must be one of novel, poetry, it\'s "odd", {really}\\'],
  ];

  it.each(refusals)("is refused before anything is sent: %s", async (key, value, message) => {
    const error = await rejection(repo.samples.create({ [key]: value }));
    expect(error).toMatchObject({ code: "INVALID_VALUE", issues: [{ path: key, message }] });
  });

  const hostile: [string, unknown][] = [
    ["an object with toPostgres", { toPostgres: () => "1" }],
    ["an operator object", { $ne: 1 }],
    ["an array", [1]],
    ["a nested array", [["x"]]],
    ["a function", () => "1"],
    ["a symbol", Symbol("1")],
    ["a Map", new Map([["a", 1]])],
    ["an object with toString", { toString: () => "1", valueOf: () => 1 }],
    ["a boxed string", Object("1")],
    ["a prototypeless object", Object.create(null)],
  ];
  const scalars = [
    "small",
    "int",
    "big",
    "safe",
    "exact",
    "exactBig",
    "double",
    "flag",
    "at",
    "exactAt",
    "day",
    "clock",
    "words",
    "code",
    "genre",
    "ref",
    "host",
  ] as const;

  it.each(hostile)("reaches no scalar column: %s", async (_name, value) => {
    for (const key of scalars) {
      const error = await rejection(repo.samples.create({ [key]: value }));
      expect(error, key).toMatchObject({ code: "INVALID_VALUE", issues: [{ path: key }] });
    }
    expect(await repo.samples.count({ words: "1" })).toBe(0);
  });

  it("is refused by a custom type's own mapping without the mapping's words", async () => {
    const { samples: table } = await import("../../test/support/domain.ts");
    const error = await rejection(db.repository(table).create({ place: null, bytes: Object.create(null) }));
    expect(error).toMatchObject({
      code: "INVALID_VALUE",
      issues: [{ path: "bytes", message: "cannot be sent as bytea" }],
    });
  });

  it("is never cut: create and createMany both refuse a text too long for its column", async () => {
    const tooLong = { code: "MARKER-too-long" };
    for (const call of [repo.samples.create(tooLong), repo.samples.createMany([tooLong, tooLong])]) {
      const error = await rejection(call);
      expect(error).toMatchObject({ code: "INVALID_DATA", sqlstate: "22001" });
      expect(error.message).not.toContain("MARKER");
    }
  });
});
