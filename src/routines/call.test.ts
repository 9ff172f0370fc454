import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  customType,
  date,
  doublePrecision,
  integer,
  jsonb,
  numeric,
  text,
  timestamp,
  uuid,
  varchar,
} from "drizzle-orm/pg-core";
import { describe, expect, it } from "vitest";
import { declaredGrounds } from "../../test/support/declared.ts";
import { appSchema, entity, inOut, out, secret, setOf, ulidKey } from "../schema/index.ts";

const grounds = declaredGrounds();

const bytea = customType<{ data: Buffer }>({ dataType: () => "bytea" });
const app = appSchema("depot");
const mood = app.enum("mood", ["calm", 'it\'s "wild"']);
const email = app.domain("email", text(), { checks: [check("email_has_at", sql`value like '%_@_%'`)] });
const spot = app.compositeType("spot", {
  aisle: text(),
  shelf: integer(),
  since: timestamp({ withTimezone: true }),
  notes: text().array(),
});

const parts = entity(app, "parts", {
  id: ulidKey(),
  name: text().notNull(),
  weight: numeric(),
  key: secret(text()),
  contact: email(),
  spot: spot(),
  spots: spot().array(),
  contacts: email().array(),
});

const shape = {
  big: bigint({ mode: "bigint" }),
  safe: bigint({ mode: "number" }),
  exact: numeric({ precision: 5, scale: 2 }),
  ratio: doublePrecision(),
  flag: boolean(),
  at: timestamp({ withTimezone: true }),
  day: date(),
  words: text(),
  code: varchar({ length: 3 }),
  id: uuid(),
  document: jsonb().$type<{ readonly n: number } | readonly string[]>(),
  bytes: bytea(),
  mood: mood(),
  ints: integer().array(),
  grid: text().array().array(),
  contact: email(),
  spot: spot(),
  spots: spot().array(),
};
/** Gives back what it takes, each through a column of its own type. */
const echo = app.function("echo", {
  arguments: shape,
  returns: shape,
  volatility: "stable",
  language: "sql",
  body: sql`select big, safe, exact, ratio, flag, at, day, words, code, id, document, bytes, mood, ints, grid, contact, spot, spots`,
});
const next = app.function("next_value", {
  arguments: { of: bigint({ mode: "bigint" }).notNull(), by: integer().notNull().default(1) },
  returns: bigint({ mode: "bigint" }).notNull(),
  volatility: "immutable",
  language: "sql",
  body: "select of + by",
});
const later = app.function("later", {
  arguments: { at: timestamp({ withTimezone: true }) },
  returns: timestamp({ withTimezone: true }),
  body: "begin return at + interval '1 day'; end",
});
const countdown = app.function("countdown", {
  arguments: { from: integer().notNull() },
  returns: setOf(bigint({ mode: "bigint" })),
  language: "sql",
  body: "select * from generate_series(countdown.from::bigint, 1, -1)",
});
const spotsOf = app.function("spots_of", {
  returns: setOf(spot()),
  language: "sql",
  body: sql`select spot from ${parts} order by id`,
});
const addPart = app.function("add_part", {
  arguments: { id: text().notNull(), name: text().notNull() },
  returns: parts,
  body: sql`declare made ${parts};
begin
  insert into ${parts} (id, name, key) values (add_part.id, add_part.name, 'k') returning * into made;
  return made;
end`,
});
const heaviest = app.function("heaviest", {
  returns: parts,
  language: "sql",
  body: sql`select * from ${parts} where weight is not null order by weight desc limit 1`,
});
const allParts = app.function("all_parts", {
  returns: setOf(parts),
  language: "sql",
  body: sql`select * from ${parts} order by id`,
});
const forget = app.function("forget", { returns: "void", body: sql`begin delete from ${parts}; end` });
const liar = app.function("liar", {
  arguments: { which: text().notNull() },
  returns: text().notNull(),
  body: "begin return null; end",
});
const liars = app.function("liars", {
  returns: { n: integer(), of: text().notNull() },
  language: "sql",
  body: "values (1, 'a'), (2, null)",
});
const swap = app.procedure("swap", {
  arguments: {
    left: inOut(text()),
    plainly: boolean().notNull(),
    total: out(bigint({ mode: "bigint" })),
    right: inOut(integer().default(7)),
  },
  body: `declare old text := "left";
begin
  "left" := "right"::text; "right" := length(old); total := case when plainly then 1 else 2 end;
end`,
});
const inTwoSteps = app.procedure("in_two_steps", {
  arguments: { first: text().notNull() },
  searchPath: "caller",
  body: sql`begin
  insert into ${parts} (id, name) values (first, 'one');
  commit;
  insert into ${parts} (id, name) values (first, 'again');
end`,
});
const setting = app.function("set_setting", {
  arguments: { value: text() },
  returns: text(),
  language: "sql",
  body: "select set_config('depot.setting', value, false)",
});
const ring = app.function("ring", { returns: "trigger", body: "begin return new; end" });

const schema = {
  app,
  parts,
  echo,
  next,
  later,
  countdown,
  spotsOf,
  addPart,
  heaviest,
  allParts,
  forget,
  liar,
  liars,
  swap,
  inTwoSteps,
  setting,
  ring,
};

describe("db.call", () => {
  it("sends and reads every kind of value without loss", async () => {
    const { db } = await grounds.open(schema);
    const given = {
      big: 9_223_372_036_854_775_807n,
      safe: Number.MIN_SAFE_INTEGER,
      exact: "123456789012345678901234567890.12345",
      ratio: 0.1,
      flag: false,
      at: new Date("2026-03-01T10:00:00.123Z"),
      day: "2024-02-29",
      words: 'a "b" \\ , ( ) {} \' $1 %\nü𝄞',
      code: "abc",
      id: "0189d3c0-0000-7000-8000-000000000000",
      document: { n: 1 },
      bytes: Buffer.from([0, 255, 92]),
      mood: 'it\'s "wild"' as const,
      ints: [1, null, -2] as number[],
      grid: [
        ["a", 'b"'],
        ["", "NULL"],
      ],
      contact: "a@b",
      spot: {
        aisle: 'x,"y"\\(z)',
        shelf: -1,
        since: new Date("2026-01-01T00:00:00Z"),
        notes: ["", 'q"', "null"],
      },
      spots: [{ aisle: "", shelf: null, since: null, notes: null }],
    };
    const [row, ...others] = await db.call(echo, given);
    expect(others).toEqual([]);
    expect(row).toEqual(given);
    const nulls = Object.fromEntries(Object.keys(given).map((key) => [key, null]));
    expect(await db.call(echo, nulls as never)).toEqual([nulls]);
  });

  it("is a query: it shows its text, and sends nothing until it is awaited", async () => {
    const { db } = await grounds.open(schema);
    const query = db.call(next, { by: 2, of: 40n });
    expect(query.toSQL()).toEqual({
      text: 'select "depot"."next_value"("of" => $1::bigint, "by" => $2::integer)',
      values: ["40", "2"],
      additions: [],
      later: [],
    });
    expect(await query).toBe(42n);
  });

  it("leaves out an argument that has a default, and no other", async () => {
    const { db } = await grounds.open(schema);
    expect(await db.call(next, { of: 1n })).toBe(2n);
    expect(await db.call(next, { of: 1n, by: undefined } as never)).toBe(2n);
    await expect(db.call(next, {} as never)).rejects.toMatchObject({
      code: "INVALID_VALUE",
      message: "of: is required",
    });
  });

  it("names everything that is wrong with the arguments before anything is sent", async () => {
    const { db } = await grounds.open(schema);
    const wrong = { off: 1n, of: null, by: "2; drop table parts" };
    await expect(db.call(next, wrong as never)).rejects.toMatchObject({
      code: "INVALID_VALUE",
      issues: [
        { path: "off", message: 'unknown argument "off"; did you mean "of"?' },
        { path: "of", message: "must not be null" },
        { path: "by", message: "must be an integer" },
      ],
    });
    for (const input of [[1n], null, "x", 1]) {
      await expect(async () => db.call(next, input as never)).rejects.toMatchObject({
        code: "INVALID_VALUE",
      });
    }
    const smuggled = { toPostgres: () => "1" };
    await expect(db.call(later, { at: smuggled as never })).rejects.toMatchObject({ code: "INVALID_VALUE" });
    for (const value of [new Date(), [], "(a,1)", { aile: "x" }]) {
      await expect(db.call(echo, { ...blank(), spot: value } as never)).rejects.toMatchObject({
        code: "INVALID_VALUE",
      });
    }
  });

  it("gives a scalar, null for NULL", async () => {
    const { db } = await grounds.open(schema);
    expect(await db.call(later, { at: new Date("2026-01-01T00:00:00Z") })).toEqual(
      new Date("2026-01-02T00:00:00Z"),
    );
    expect(await db.call(later, { at: null })).toBeNull();
  });

  it("gives sets of scalars and of composites as lists, empty ones too", async () => {
    const { db } = await grounds.open(schema);
    expect(await db.call(countdown, { from: 3 })).toEqual([3n, 2n, 1n]);
    expect(await db.call(countdown, { from: 0 })).toEqual([]);
    const repo = db.repository(parts);
    const spots = [{ aisle: "a", shelf: 1, since: null, notes: null }, null];
    for (const [i, spot] of spots.entries()) await repo.create({ id: String(i), name: "p", spot });
    expect(await db.call(spotsOf)).toEqual(spots);
  });

  it("gives rows of an entity by column name, whatever their order in the table, without secrets", async () => {
    const { db, connection } = await grounds.open(schema);
    await connection.script(
      "alter table parts drop column name; alter table parts add column name text not null default 'x'",
    );
    const made = await db.call(addPart, { id: "1", name: "wheel" });
    expect(made).toEqual({
      id: "1",
      name: "wheel",
      weight: null,
      contact: null,
      spot: null,
      spots: null,
      contacts: null,
    });
    expect(await db.call(allParts)).toEqual([made]);
    expect(await db.call(heaviest)).toBeUndefined();
    await connection.script("update parts set weight = 1.50");
    expect(await db.call(heaviest)).toMatchObject({ id: "1", weight: "1.50" });
  });

  it("gives nothing for void", async () => {
    const { db } = await grounds.open(schema);
    await db.repository(parts).create({ name: "x" });
    expect(await db.call(forget)).toBeUndefined();
    expect(await db.repository(parts).count()).toBe(0);
  });

  it("refuses a null where the declaration promised a value", async () => {
    const { db } = await grounds.open(schema);
    await expect(db.call(liar, { which: "s3cret" })).rejects.toMatchObject({
      code: "INVALID_DATA",
      message: expect.stringContaining("liar gave null for value, which is declared not null"),
    });
    await expect(db.call(liars)).rejects.toMatchObject({ code: "INVALID_DATA", columns: ["of"] });
  });

  it("calls a procedure and gives what comes back", async () => {
    const { db } = await grounds.open(schema);
    const query = db.call(swap, { left: "four", plainly: true });
    expect(query.toSQL().text).toBe(
      'call "depot"."swap"("left" => $1::text, "plainly" => $2::boolean, "total" => null::bigint)',
    );
    expect(await query).toEqual({ left: "7", right: 4, total: 1n });
    expect(await db.call(swap, { left: null, right: 1, plainly: false })).toEqual({
      left: "1",
      right: null,
      total: 2n,
    });
  });

  it("takes part in the ambient transaction, in a savepoint, and in a batch", async () => {
    const { db } = await grounds.open(schema);
    const undone = db.transaction(async (tx) => {
      await db.call(addPart, { id: "1", name: "a" });
      await tx.call(addPart, { id: "2", name: "b" });
      expect(await db.call(allParts)).toHaveLength(2);
      throw new RangeError("undo");
    });
    await expect(undone).rejects.toThrow(RangeError);
    expect(await db.call(allParts)).toEqual([]);
    const [made, n] = await db.batch([db.call(addPart, { id: "3", name: "c" }), db.call(next, { of: 1n })]);
    expect([made?.id, n]).toEqual(["3", 2n]);
    const failed = db.batch([
      db.call(addPart, { id: "4", name: "d" }),
      db.call(addPart, { id: "3", name: "e" }),
    ]);
    await expect(failed).rejects.toMatchObject({ code: "UNIQUE_VIOLATION" });
    expect(await db.call(allParts)).toHaveLength(1);
  });

  it("lets a procedure commit, outside a transaction only", async () => {
    const { db } = await grounds.open(schema);
    await expect(db.call(inTwoSteps, { first: "1" })).rejects.toMatchObject({ code: "UNIQUE_VIOLATION" });
    expect(await db.call(allParts)).toMatchObject([{ id: "1", name: "one" }]);
    const inside = db.transaction(async () => db.call(inTwoSteps, { first: "2" }));
    await expect(inside).rejects.toMatchObject({ code: expect.stringMatching(/^[A-Z_]+$/) });
    expect(await db.call(allParts)).toHaveLength(1);
  });

  it("leaves no setting behind for the next one who gets the session", async () => {
    const { db } = await grounds.open(schema);
    expect(await db.call(setting, { value: "mine" })).toBe("mine");
    for (let i = 0; i < 5; i++) {
      const [row] = await db.sql<{ v: string | null }>`select current_setting('depot.setting', true) as v`;
      expect(row?.v ?? "").toBe("");
    }
  });

  it("refuses trigger functions and what is no routine", async () => {
    const { db } = await grounds.open(schema);
    const call = db.call as (routine: unknown) => unknown;
    expect(() => call(ring)).toThrow(expect.objectContaining({ code: "INVALID_QUERY" }));
    for (const other of [{}, parts, app]) {
      expect(() => call(other)).toThrow(expect.objectContaining({ code: "SCHEMA_INVALID" }));
    }
  });
});

function blank() {
  return Object.fromEntries(Object.keys(shape).map((key) => [key, null]));
}

describe("a domain and a composite type as columns", () => {
  const whole = {
    name: "wheel",
    contact: "a@b",
    contacts: ["c@d", "e@f"],
    spot: { aisle: "A", shelf: 2, since: new Date("2026-05-01T00:00:00Z"), notes: ["x", 'y"'] },
    spots: [
      { aisle: null, shelf: null, since: null, notes: [] },
      { aisle: "B", shelf: 0, since: null, notes: null },
    ],
  };

  it("hold a repository's values, one row or many, and keep their rules", async () => {
    const { db } = await grounds.open(schema);
    const repo = db.repository(parts);
    const one = await repo.create(whole);
    expect(one).toMatchObject(whole);
    expect(await repo.createMany([whole, { ...whole, spot: null }])).toMatchObject([whole, { spot: null }]);
    expect(await repo.list({ where: { contact: "a@b" } })).toMatchObject({
      data: [whole, whole, { ...whole, spot: null }],
    });
    expect(
      await repo.update(one.id, { spot: { aisle: "C", shelf: null, since: null, notes: null } }),
    ).toMatchObject({
      spot: { aisle: "C", shelf: null },
    });
    await expect(repo.create({ name: "x", contact: "nobody" })).rejects.toMatchObject({
      code: "CHECK_VIOLATION",
    });
    await expect(repo.createMany([whole, { ...whole, contacts: ["nobody"] }])).rejects.toMatchObject({
      code: "CHECK_VIOLATION",
    });
    await expect(repo.create({ name: "x", spot: { aisle: 1 } as never })).rejects.toMatchObject({
      code: "INVALID_VALUE",
    });
  });

  it("hold Drizzle's values", async () => {
    const { db } = await grounds.open(schema);
    await db.drizzle.insert(parts).values({ id: "1", ...whole });
    const [row] = await db.drizzle.select().from(parts);
    expect(row).toMatchObject(whole);
  });
});
