import { randomBytes } from "node:crypto";
import { type AnyPgColumn, bigint, text } from "drizzle-orm/pg-core";
import { InputError } from "plinth";
import { appSchema, entity, relations, ulidKey } from "plinth/schema";
import { testDatabase } from "plinth/testing";
import { afterAll, describe, expect, it } from "vitest";
import { openLibrary } from "../support/library.ts";
import { rejection } from "../support/rejection.ts";

const LONG = "n".repeat(63);
const app = appSchema("limits");
const numbers = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`c${i}`, bigint({ mode: "number" })]));
const makers = entity(app, "makers", { id: ulidKey(), name: text(), ...numbers(1_100) });
const parts = entity(app, "parts", {
  id: ulidKey(),
  makerId: text().references((): AnyPgColumn => makers.id),
  sellerId: text().references((): AnyPgColumn => makers.id),
  ...numbers(1_100),
});
const partRelations = relations(parts, (r) => ({
  maker: r.one(makers, { via: "makerId" }),
  [`${LONG}maker`]: r.one(makers, { via: "makerId" }),
  [`${LONG}seller`]: r.one(makers, { via: "sellerId" }),
}));
const widest = entity(app, "widest", { id: ulidKey(), ...numbers(1_599) });

const schema = { makers, parts, partRelations, widest };
const { db, close } = await testDatabase({ schema });
afterAll(close);
const library = await openLibrary();

/** A repository without the types of its thousand columns. */
interface WideRepository {
  create(input: object): PromiseLike<{ readonly id: string }>;
  createMany(inputs: readonly object[]): PromiseLike<readonly object[]>;
  get(id: string, options?: object): PromiseLike<Readonly<Record<string, unknown>>>;
}
const wide = (one: typeof makers | typeof parts | typeof widest): WideRepository => {
  const repository: unknown = db.repository(one);
  return repository as WideRepository;
};

/** `path: message` of what a call was refused for, before it was sent. */
async function issueOf(call: PromiseLike<unknown>): Promise<string> {
  const error = await rejection(call);
  expect(error.code).toBe("INVALID_QUERY");
  const [issue] = error instanceof InputError ? error.issues : [];
  return `${issue?.path}: ${issue?.message}`;
}

describe("65,535 parameters of a statement", () => {
  const holes = (count: number) => {
    const strings = Array.from({ length: count + 1 }, (_, i) =>
      i === 0 ? "select " : i === count ? "::int4 as sum" : "::int4 + ",
    );
    return [Object.assign(strings, { raw: strings }), ...Array<number>(count).fill(1)] as const;
  };

  it("are refused by their number, before anything is sent, where one more was written by hand", async () => {
    expect(await issueOf(library.db.sql(...holes(65_536)))).toBe(
      "values: a statement takes at most 65,535 parameters, this one has 65536",
    );
    const many = library.db.batch([library.repo.authors.count(), library.db.sql(...holes(65_536))]);
    expect(await issueOf(many)).toMatch("at most 65,535 parameters");
    expect(await library.db.sql`select 1 as one`).toEqual([{ one: 1 }]);
  });
});

describe("columns", () => {
  it("may be 1,600 of a table, which is written and read", async () => {
    const { id } = await wide(widest).create({ c0: 1, c1598: -2 });
    expect(await wide(widest).get(id)).toMatchObject({ c0: 1, c1: null, c1598: -2 });
    await wide(widest).createMany([{ c0: 3 }, { c1: 4 }]);
  });

  it("of more are refused where they are declared", () => {
    expect(() => entity(app, "too_wide", { id: ulidKey(), ...numbers(1_600) })).toThrow(
      'entity "too_wide" has 1601 columns, and a table takes at most 1,600\n  Split it into entities with a relation to one row',
    );
  });

  it("beyond 1,664 of a row and those beside it are refused before they are sent, and can be chosen", async () => {
    const maker = await wide(makers).create({ name: "Ann" });
    const part = await wide(parts).create({ makerId: maker.id, c7: 7 });
    expect(await issueOf(wide(parts).get(part.id, { with: { maker: { strategy: "join" } } }))).toMatch(
      /^columns: must not be more than 1,664 of a row .* are 22\d\d; name those that are wanted$/,
    );
    const chosen = { columns: ["c7"], with: { maker: { strategy: "join", columns: ["name"] } } };
    expect(await wide(parts).get(part.id, chosen)).toEqual({ c7: 7, maker: { name: "Ann" } });
  });
});

describe("bytes", () => {
  it("of a row beyond its page fail with the limit and the way out, and leave nothing", async () => {
    const full = Object.fromEntries(Array.from({ length: 1_100 }, (_, i) => [`c${i}`, i]));
    expect(await rejection(wide(makers).create({ name: "Full", ...full }))).toMatchObject({
      code: "STATEMENT_INVALID",
      sqlstate: "54000",
      message: expect.stringMatching(/row is too big: size \d+, maximum size 8160/),
      hint: expect.stringContaining("limit the column's length"),
    });
    expect(await db.repository(makers).exists({ name: "Full" })).toBe(false);
  });

  it("of a value beyond its index fail so too, with the index and without the value", async () => {
    const long = randomBytes(3_000).toString("base64");
    const error = await rejection(library.makeAuthor({ email: long }));
    expect(error).toMatchObject({
      code: "STATEMENT_INVALID",
      sqlstate: "54000",
      message: expect.stringMatching(/index row size \d+ exceeds .*maximum 2704 for index "authors_email/),
      hint: expect.stringContaining("index a hash of it"),
    });
    expect(String(error)).not.toContain(long.slice(0, 20));
    expect(await library.repo.authors.findBy({ email: long })).toBeUndefined();
  });
});

describe("names", () => {
  it("beyond 63 bytes are refused where they are declared, in bytes and not in letters", () => {
    const columns = { id: ulidKey() };
    const declared = (name: string) => testDatabase({ schema: { one: entity(app, name, columns) } });
    return Promise.all([
      expect(declared("n".repeat(64))).rejects.toMatchObject({ code: "SCHEMA_INVALID" }),
      expect(declared("é".repeat(32))).rejects.toMatchObject({
        code: "SCHEMA_INVALID",
        message: expect.stringContaining("is longer than 63 bytes and PostgreSQL would cut it"),
      }),
    ]);
  });

  it("of relations may be as long as they like: two that begin alike stay two", async () => {
    const maker = await wide(makers).create({ name: "maker" });
    const seller = await wide(makers).create({ name: "seller" });
    const part = await wide(parts).create({ makerId: maker.id, sellerId: seller.id });
    for (const strategy of ["join", "json"]) {
      const one = { columns: ["name"], strategy };
      const read = wide(parts).get(part.id, {
        columns: ["c0"],
        with: { [`${LONG}maker`]: one, [`${LONG}seller`]: one },
      });
      expect(await read).toEqual({
        c0: null,
        [`${LONG}maker`]: { name: "maker" },
        [`${LONG}seller`]: { name: "seller" },
      });
    }
  });

  it("of columns in SQL of one's own do not become one when PostgreSQL cuts them", async () => {
    const query = library.db.sql([`select 1 as ${LONG}a, 2 as ${LONG}b`] as unknown as TemplateStringsArray);
    expect(await issueOf(query)).toBe(`${LONG}: names two columns of the answer; give one an alias`);
  });
});
