import { describe, expect, it } from "vitest";
import { openLibrary } from "../../test/support/library.ts";
import { refusal } from "../../test/support/rejection.ts";

const { db } = await openLibrary();

describe("db.sql", () => {
  it("makes a parameter of every hole", () => {
    const hostile = "'; drop table library.books; --";
    const { text, values } = db.sql`select ${hostile} as a, ${1} as b`.toSQL();
    expect({ text, values }).toEqual({ text: "select $1 as a, $2 as b", values: [hostile, "1"] });
  });

  it("reads each type as its documentation says", async () => {
    const at = new Date("2026-11-21T09:20:00.123Z");
    const [row] =
      await db.sql`select 1::int4 as i4, 9007199254740993::int8 as i8, 1.10::numeric as n, 0.5::float8 as f,
      true as b, ${at}::timestamptz as at, '2026-11-21'::date as d, '{"a":[1]}'::jsonb as j, '\\x00ff'::bytea as y, null::int4 as z,
      'infinity'::timestamptz as forever, ${["a,b", null, '"']}::text[] as t, ${[[1, 2], [3, 4]]}::int4[] as g`;
    expect(row).toEqual({
      i4: 1,
      i8: 9007199254740993n,
      n: "1.10",
      f: 0.5,
      b: true,
      at,
      d: "2026-11-21",
      j: { a: [1] },
      y: Buffer.from([0, 255]),
      z: null,
      forever: "infinity",
      t: '{"a,b",NULL,"\\""}',
      g: "{{1,2},{3,4}}",
    });
  });

  it("gives rows own properties only, whatever their columns are called", async () => {
    const [row] = await db.sql`select 1 as "__proto__", 2 as "constructor"`;
    expect(Object.entries(row ?? {})).toEqual([
      ["__proto__", 1],
      ["constructor", 2],
    ]);
  });

  it("refuses two columns of one name, of which one would be lost", async () => {
    expect(await refusal(db.sql`select 1 as id, 2 as id`)).toEqual({
      code: "INVALID_QUERY",
      issues: ["id: names two columns of the answer; give one an alias"],
    });
  });

  it.each<[string, unknown, string]>([
    ["an object", { a: 1 }, "is an object; pass JSON.stringify(value) for a json column"],
    ["toPostgres", { toPostgres: () => "1" }, "is an object; pass JSON.stringify(value) for a json column"],
    ["undefined", undefined, "is undefined; use null for SQL's NULL"],
    ["a function", () => 1, "is a function, which cannot be sent"],
    ["a symbol", Symbol("x"), "is a symbol, which cannot be sent"],
    ["an invalid Date", new Date(Number.NaN), "must be a valid Date"],
    ["NUL", "a\0", "must not contain the NUL character"],
    ["a lone surrogate", "\udc00", "must not contain a lone surrogate"],
  ])("refuses %s", async (_name, value, message) => {
    expect(await refusal(db.sql`select ${value}`)).toEqual({
      code: "INVALID_VALUE",
      issues: [`$1: ${message}`],
    });
    expect(await refusal(db.sql`select ${[[value]]}`)).toEqual({
      code: "INVALID_VALUE",
      issues: [`$1[0][0]: ${message}`],
    });
  });
});
