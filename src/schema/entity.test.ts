import {
  type AnyPgColumn,
  bigint,
  index,
  integer,
  jsonb,
  numeric,
  primaryKey,
  serial,
  text,
  timestamp,
  uniqueIndex,
  varchar,
} from "drizzle-orm/pg-core";
import { describe, expect, it } from "vitest";
import * as domain from "../../test/support/domain.ts";
import {
  appSchema,
  describeTable,
  entity,
  isEntity,
  oneOf,
  publicId,
  secret,
  timestamps,
  ulidKey,
} from "./index.ts";

const app = appSchema("library");
const refusedWith = (message: string | RegExp) =>
  expect.objectContaining({ code: "SCHEMA_INVALID", message: expect.stringMatching(message) });
const columnOf = (table: object, key: string) => describeTable(table).byKey.get(key);

describe("entity", () => {
  it("names columns in snake case, and leaves a name that was given", () => {
    const t = entity(app, "t", {
      id: ulidKey(),
      dueDate: text(),
      ownerID: text(),
      other: text("Given Name"),
    });
    expect(describeTable(t).columns.map((column) => column.name)).toEqual([
      "id",
      "due_date",
      "owner_id",
      "Given Name",
    ]);
  });

  it("is a Drizzle table that says it is an entity; a plain table is none", () => {
    expect(isEntity(domain.books)).toBe(true);
    for (const other of [app.table("t", { id: text() }), {}, null, "books"])
      expect(isEntity(other)).toBe(false);
  });

  it.each([
    [{ sofDelete: true }, 'entity "t": unknown option "sofDelete"; did you mean "softDelete"?'],
    [
      { colour: true },
      'entity "t": unknown option "colour"; allowed: constraints, softDelete, list, search, history, tenant, partitionBy, comment, renamedFrom, dependsOn',
    ],
  ])("refuses the option %j", (options, message) => {
    expect(() => entity(app, "t", { id: ulidKey() }, options as object)).toThrow(
      expect.objectContaining({ code: "SCHEMA_INVALID", message }),
    );
  });

  it("adds the columns of soft delete, and refuses one that was declared by hand", () => {
    const soft = entity(app, "t", { id: ulidKey() }, { softDelete: true });
    expect([...describeTable(soft).byKey.keys()]).toEqual(["id", "deletedAt", "deletedBy"]);
    expect(() => entity(app, "t", { id: ulidKey(), deletedAt: timestamp() }, { softDelete: true })).toThrow(
      refusedWith('declares "deletedAt", which softDelete adds itself'),
    );
  });

  it("refuses two properties that become one column", () => {
    const t = entity(app, "t", { id: ulidKey(), userId: text(), userID: text() });
    expect(() => describeTable(t)).toThrow(
      refusedWith('"userId" and "userID" of "t" are both the column "user_id"'),
    );
  });

  it("refuses a table without a primary key, one outside a schema of its own, and what is no table", () => {
    expect(() => describeTable(entity(app, "t", { a: text() }))).toThrow(
      refusedWith('table "t" has no primary key'),
    );
    expect(() => describeTable({})).toThrow(refusedWith("this is not a table"));
  });

  it("refuses $onUpdate, which no other client would run", () => {
    const t = entity(app, "t", { id: ulidKey(), at: timestamp().$onUpdate(() => new Date()) });
    expect(() => describeTable(t)).toThrow(refusedWith('column "at" of "t" uses \\$onUpdate'));
  });

  it("refuses a secret primary key", () => {
    expect(() => describeTable(entity(app, "t", { id: secret(ulidKey()) }))).toThrow(
      refusedWith("cannot be secret"),
    );
  });

  it("refuses an array of a secret or of a oneOf, whose notes Drizzle would lose", () => {
    for (const column of [secret(text()).array(), oneOf(["a", "b"]).array(), publicId().array()]) {
      expect(() => entity(app, "t", { id: ulidKey(), column })).toThrow(
        refusedWith("is an array of a column that Plinth keeps notes of"),
      );
    }
    const whole = entity(app, "t", { id: ulidKey(), tokens: secret(text().array()) });
    expect(columnOf(whole, "tokens")?.marks.secret).toBe(true);
  });

  it.each([
    [{ sort: ["titel"] }, 'unknown sort "titel"; did you mean "title"?'],
    [{ sort: ["token"] }, 'unknown sort "token"'],
    [{ sort: ["data"] }, 'unknown sort "data"'],
    [{ defaultSort: "-titel" }, 'unknown sort "titel"'],
    [{ sort: ["title"], defaultSort: "id" }, 'the default sort "id" is not among those allowed'],
    [{ limit: 0 }, "limit must be a whole number, 1 or more"],
    [{ maxLimit: 1.5 }, "maxLimit must be a whole number, 1 or more"],
  ])("refuses the list rules %j", (list, message) => {
    const t = entity(
      app,
      "t",
      { id: ulidKey(), title: text(), token: secret(text()), data: jsonb() },
      { list },
    );
    expect(() => describeTable(t)).toThrow(refusedWith(message.replace("?", "\\?")));
  });
});

describe("describeTable", () => {
  it("keeps what Plinth notes of a column through Drizzle's builder calls", () => {
    const t = entity(app, "t", {
      id: ulidKey(),
      token: secret(text()).notNull().unique(),
      kind: oneOf(["a", "b"]).notNull().default("a"),
      code: publicId(),
      ...timestamps(),
    });
    expect(describeTable(t).columns.map(({ key, marks }) => [key, marks])).toEqual([
      ["id", {}],
      ["token", { secret: true }],
      ["kind", { oneOf: ["a", "b"] }],
      ["code", { role: "publicId", writable: "create" }],
      ["createdAt", { role: "createdAt", writable: "create" }],
      ["updatedAt", { role: "updatedAt", writable: "never" }],
    ]);
    expect([...describeTable(t).byRole.keys()]).toEqual(["publicId", "createdAt", "updatedAt"]);
  });

  it("writes a oneOf as a check on the column's real name", () => {
    const kind = oneOf(["a", "it's"]);
    const first = entity(app, "first", { id: ulidKey(), sortOf: kind });
    const second = entity(app, "second", { id: ulidKey(), other: kind });
    expect(describeTable(first).checks).toEqual([
      { name: "first_sort_of_one_of", expression: `"sort_of" in ('a', 'it''s')` },
    ]);
    expect(describeTable(second).checks[0]?.expression).toBe(`"sort_of" in ('a', 'it''s')`);
  });

  it("casts to types without length and precision, which a cast would apply in silence", () => {
    const t = entity(app, "t", {
      id: serial().primaryKey(),
      code: varchar({ length: 5 }),
      price: numeric({ precision: 9, scale: 2 }),
      at: timestamp({ withTimezone: true, precision: 3 }),
      prices: numeric({ precision: 9, scale: 2 }).array(),
      grid: integer().array().array(),
    });
    expect(describeTable(t).columns.map((column) => column.castType)).toEqual([
      "integer",
      "varchar",
      "numeric",
      "timestamp with time zone",
      "numeric[]",
      "integer[][]",
    ]);
    expect(columnOf(domain.samples, "fixed")?.castType).toBe("bpchar");
    expect(columnOf(domain.books, "genre")?.castType).toBe('"library"."genre"');
  });

  it("knows what the server fills in", () => {
    const t = entity(app, "t", {
      id: serial().primaryKey(),
      n: integer().default(1),
      m: integer(),
      big: bigint({ mode: "bigint" }).generatedAlwaysAsIdentity(),
    });
    expect(describeTable(t).columns.map(({ key, hasServerDefault }) => [key, hasServerDefault])).toEqual([
      ["id", true],
      ["n", true],
      ["m", false],
      ["big", true],
    ]);
  });

  it("makes the columns of a composite key not null, however it is declared", () => {
    const t = entity(
      app,
      "t",
      { a: text(), b: text() },
      { constraints: (c) => [primaryKey({ columns: [c.a, c.b] })] },
    );
    expect(describeTable(t).primaryKey.columns.map(({ key, notNull }) => [key, notNull])).toEqual([
      ["a", true],
      ["b", true],
    ]);
  });

  it("takes a unique index on plain columns of all rows for a key, and no other", () => {
    const t = entity(
      app,
      "t",
      { id: ulidKey(), a: text(), b: text() },
      {
        constraints: (c) => [
          uniqueIndex("ab").on(c.a, c.b),
          uniqueIndex("part").on(c.a).where(c.b.getSQL()),
          index("plain").on(c.b),
        ],
      },
    );
    expect(
      describeTable(t).indexes.map(({ name, uniqueColumns }) => [name, uniqueColumns?.map((c) => c.key)]),
    ).toEqual([
      ["ab", ["a", "b"]],
      ["part", undefined],
      ["plain", undefined],
    ]);
  });

  it("describes tables that refer to themselves and to each other", () => {
    const categories = describeTable(domain.categories);
    expect(categories.foreignKeys[0]?.target).toBe(categories);
    expect(describeTable(domain.branches).foreignKeys[0]?.target).toBe(describeTable(domain.librarians));
    expect(describeTable(domain.librarians).foreignKeys[0]?.target).toBe(describeTable(domain.branches));
  });

  it("makes unique keys of a soft-deleted entity hold among the living", () => {
    expect(describeTable(domain.authors).uniques).toMatchObject([
      { livingOnly: true, columns: [{ key: "email" }] },
    ]);
    const hard = entity(app, "t", {
      id: text().primaryKey(),
      a: text().unique(),
      ref: text().references((): AnyPgColumn => domain.authors.id),
    });
    expect(describeTable(hard).uniques).toMatchObject([{ livingOnly: false }]);
  });
});
