import { sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  bigint,
  check,
  index,
  integer,
  pgEnum,
  pgPolicy,
  pgRole,
  pgSchema,
  pgSequence,
  pgView,
  primaryKey,
  serial,
  text,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { describe, expect, it } from "vitest";
import {
  appSchema,
  comment,
  describeSchema,
  entity,
  inOut,
  oneOf,
  out,
  renamedFrom,
  secret,
  setOf,
  ulidKey,
} from "../index.ts";

const app = appSchema("office");
const desks = entity(app, "desks", { id: ulidKey(), name: text(), dueDate: text() });
const ring = app.function("ring", { returns: "trigger", body: "begin return new; end" });
const summaryOf = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return error instanceof Error && "summary" in error ? error.summary : error;
  }
  return "accepted";
};
const fn = (options: object) => () =>
  app.function("f", { returns: "void", body: "begin end", ...options } as never);
const trigger = (options: object) => () =>
  app.trigger("t", { on: desks, timing: "before", events: ["update"], execute: ring, ...options } as never);
const grant = (options: object) => () =>
  app.grant({ on: desks, to: "x", privileges: ["select"], ...options } as never);

describe("declaring", () => {
  it.each<[string, () => unknown, string]>([
    [
      "a misspelt option",
      fn({ volatilty: "stable" }),
      'function "f": unknown option "volatilty"; did you mean "volatility"?',
    ],
    [
      "a key as an argument",
      fn({ arguments: { id: ulidKey() } }),
      'argument "id" of function "f" cannot say .primaryKey()',
    ],
    [
      "a reference",
      fn({ arguments: { id: text().references((): AnyPgColumn => desks.id) } }),
      'argument "id" of function "f" cannot say .references()',
    ],
    [
      "a secret",
      fn({ arguments: { id: secret(text()) } }),
      'argument "id" of function "f" cannot say secret()',
    ],
    ["a oneOf", fn({ arguments: { id: oneOf(["a"]) } }), 'argument "id" of function "f" cannot say oneOf()'],
    [
      "a serial",
      fn({ arguments: { id: serial() } }),
      'argument "id" of function "f" cannot be serial, which is a column with a sequence',
    ],
    [
      "out() of a function",
      fn({ arguments: { id: out(text()) } }),
      'argument "id" of function "f" cannot say out() or inOut()',
    ],
    [
      "a default in the middle",
      fn({ arguments: { a: text().default("x"), b: text() } }),
      'argument "b" of function "f" has no default and stands after "a", which has one',
    ],
    [
      "101 arguments",
      fn({ arguments: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`a${i}`, text()])) }),
      'function "f" has 101 arguments; PostgreSQL takes 100',
    ],
    ["no result", fn({ returns: undefined }), 'function "f" must say what it returns'],
    ["an empty result", fn({ returns: {} }), 'function "f" must say what it returns'],
    [
      "a result with a default",
      fn({ returns: text().default("x") }),
      'the result of function "f" cannot say .default()',
    ],
    [
      "a trigger function with arguments",
      fn({ returns: "trigger", arguments: { a: text() } }),
      'function "f" returns a trigger and cannot take arguments',
    ],
    [
      "a procedure with a result",
      () => app.procedure("p", { returns: "void", body: "" } as never),
      'procedure "p": unknown option "returns"; allowed: arguments, body, language, security, searchPath, comment, dependsOn',
    ],
    [
      "an out argument with a default",
      () => app.procedure("p", { arguments: { a: out(text().default("x")) }, body: "" }),
      'argument "a" of procedure "p" only comes back and has no default',
    ],
    [
      "an unknown event",
      trigger({ events: ["updated"] }),
      'trigger "t": unknown event "updated"; did you mean "update"?',
    ],
    ["an event twice", trigger({ events: ["update", "update"] }), 'trigger "t" names no event, or one twice'],
    [
      "columns without update",
      trigger({ events: ["insert"], columns: ["name"] }),
      'trigger "t" names columns but not the event "update", the only one that has them',
    ],
    [
      "an unknown column",
      trigger({ columns: ["nmae"] }),
      'trigger "t": unknown column "nmae"; did you mean "name"?',
    ],
    [
      "a trigger on a plain table",
      trigger({ on: app.table("x", { id: text() }) }),
      'trigger "t" is on something that is neither an entity nor a view of appSchema',
    ],
    [
      "a trigger that executes no trigger function",
      trigger({ execute: fn({})() }),
      'trigger "t" executes something that is no trigger function',
    ],
    [
      "instead of on a table",
      trigger({ timing: "instead of" }),
      'trigger "t" is on a table, where a trigger is "before" or "after"',
    ],
    [
      "truncate for each row",
      trigger({ events: ["truncate"] }),
      'trigger "t" fires on truncate, which has no rows',
    ],
    [
      "a deferrable before trigger",
      trigger({ deferrable: "deferred" }),
      'trigger "t" is deferrable, which only an "after" trigger for each row can be',
    ],
    [
      "transition tables before",
      trigger({ referencing: { new: "rows" } }),
      'trigger "t" has transition tables, which only an "after" trigger sees',
    ],
    [
      "an unknown privilege",
      grant({ privileges: ["slect"] }),
      'grant on a table: unknown privilege "slect"; did you mean "select"?',
    ],
    [
      "a privilege of something else",
      grant({ privileges: ["execute"] }),
      expectAllowed(
        "grant on a table",
        "execute",
        "select, insert, update, delete, truncate, references, trigger, maintain, all",
      ),
    ],
    [
      "a column privilege nobody has",
      grant({ privileges: ["delete"], columns: ["name"] }),
      expectAllowed("grant on a table", "delete", "select, insert, update, references"),
    ],
    ["a grant on the schema", grant({ on: app }), "grant: on is nothing that rights are granted on here"],
    [
      "a grant on a history that is not kept",
      grant({ history: true }),
      "grant: only an entity that keeps a history has one to grant rights on",
    ],
    ["a grant to nobody", grant({ to: [] }), "grant: to names no role"],
    [
      "a role that would have to be created",
      grant({ to: pgRole("clerk") }),
      'the role "clerk" would have to be created, and roles belong to the whole server',
    ],
    [
      "an option of a view",
      () => app.view("v").as((qb) => qb.select().from(desks), { indexes: () => [] } as never),
      'view "v": unknown option "indexes"; allowed: comment, dependsOn',
    ],
    [
      "a key in a view",
      () => app.view("v", { id: text().primaryKey() }),
      '"id" of view "v" cannot say .primaryKey()',
    ],
    ["a key as a domain", () => app.domain("d", text().unique()), 'domain "d" cannot say .unique()'],
    [
      "a part that is not null",
      () => app.compositeType("c", { a: text().notNull() }),
      '"a" of composite type "c" cannot say .notNull()',
    ],
    [
      "an empty comment",
      () => comment(text(), " "),
      "a comment says something; an empty one is none in PostgreSQL",
    ],
    ["renamedFrom of a table", () => renamedFrom("old", desks), 'renamedFrom("old", …) takes a column'],
    [
      "renamedFrom of values of a column",
      () => renamedFrom({ a: "b" }, text()),
      'renamedFrom({ new: "old" }, …) takes an enum',
    ],
  ])("refuses %s", (_what, declare, summary) => {
    expect(summaryOf(declare)).toBe(summary);
  });

  it.each<[string, () => Record<string, unknown>, string]>([
    ["no body", () => ({ f: fn({ body: " " })() }), 'function "f" has no body'],
    [
      "a word that PostgreSQL does not know",
      () => ({ f: fn({ volatility: "stabel" })() }),
      'function "f": unknown volatility "stabel"; did you mean "stable"?',
    ],
    [
      "SQL in the place of a word",
      () => ({ f: fn({ parallel: "safe; drop" })() }),
      expectAllowed('function "f"', "safe; drop", "unsafe, restricted, safe", "parallel"),
    ],
    [
      "a cost that is none",
      () => ({ f: fn({ cost: Number.NaN })() }),
      'cost of function "f" must be a number above zero',
    ],
    [
      "two routines of one name",
      () => ({ f: fn({})(), g: app.procedure("f", { body: "begin end" }) }),
      'a function and a procedure are called "f" in schema "office"',
    ],
    [
      "two triggers of one name",
      () => ({ desks, a: trigger({})(), b: trigger({})() }),
      'two triggers are called "t" in table "office.desks"',
    ],
    [
      "a view and a table of one name",
      () => ({ desks, v: app.view("desks", { id: text() }).as(sql`select 1`) }),
      'an entity and a view are called "desks" in schema "office"',
    ],
    [
      "a type and a table of one name",
      () => ({ desks, app: app.enum("desks", ["a"]) }),
      'an entity and an enum are called "desks" in schema "office"',
    ],
    [
      "an index and a table of one name",
      () => ({
        desks,
        t: entity(app, "t", { id: ulidKey() }, { constraints: (c) => [index("desks").on(c.id)] }),
      }),
      'an entity and an index of "t" are called "desks" in schema "office"',
    ],
    [
      "a trigger on an entity that is not exported",
      () => ({ t: trigger({})() }),
      'trigger "t" is on "desks", which the schema module does not export',
    ],
    [
      "a grant on an entity that is not exported",
      () => ({ g: grant({})() }),
      'a grant is on "desks", which the schema module does not export',
    ],
    [
      "rows of an entity that is not exported",
      () => ({ f: fn({ returns: setOf(desks) })() }),
      'function "f" returns rows of "desks", which the schema module does not export',
    ],
    [
      "a column of a grant",
      () => ({ desks, g: grant({ columns: ["nmae"] })() }),
      'grant: unknown column "nmae"; did you mean "name"?',
    ],
    [
      "a column of a condition",
      () => ({
        desks,
        t: trigger({ condition: (row: { new: Record<string, unknown> }) => sql`${row.new.nmae} is null` })(),
      }),
      'trigger "t": unknown column "nmae"; did you mean "name"?',
    ],
    [
      "a view outside an appSchema",
      () => ({ v: pgView("v").as((qb) => qb.select().from(desks)) }),
      '"v" is exported, but was not declared on an appSchema',
    ],
    [
      "a sequence outside an appSchema",
      () => ({ s: pgSequence("s") }),
      '"s" is exported, but was not declared on an appSchema',
    ],
    [
      "an enum of another schema",
      () => ({ t: entity(app, "t", { id: ulidKey(), e: pgEnum("e", ["a"])() }) }),
      '"t" uses the enum "e", which is not in its schema "office"',
    ],
    [
      "a role to be created",
      () => ({ r: pgRole("clerk") }),
      'the role "clerk" would have to be created, and roles belong to the whole server',
    ],
    [
      "a policy on nothing",
      () => ({ p: pgPolicy("p", {}) }),
      'policy "p" is on no entity of the schema module',
    ],
    [
      "a column without a name in a view",
      () => ({ desks, v: app.view("v").as((qb) => qb.select({ n: sql`1` }).from(desks)) }),
      'column "n" of view "v" has no name in the query',
    ],
    [
      "two columns of one name in a view",
      () => ({ desks, v: app.view("v").as((qb) => qb.select({ a: desks.id, b: desks.id }).from(desks)) }),
      'view "v" has two columns called "id": "a" and "b"',
    ],
    [
      "an alias with the schema's name in a view",
      () => ({
        desks,
        v: app
          .view("v", { id: text() })
          .as(sql`select ${sql.identifier("office")}.id from ${desks} ${sql.identifier("office")}`),
      }),
      'the query has a column or an alias called "office", as its schema is',
    ],
    [
      "a constraint on a view",
      () => ({
        desks,
        v: app
          .materializedView("v", { id: text() })
          .as(sql`select 1`, { indexes: () => [check("c", sql`true`) as never] }),
      }),
      'materialized view "v" can have indexes and no constraints',
    ],
    [
      "an index without columns",
      () => ({ t: entity(app, "t", { id: ulidKey() }, { constraints: () => [index("i") as never] }) }),
      'constraint 1 of "t" is no finished constraint of Drizzle',
    ],
    [
      "constraints that are no list",
      () => ({ t: entity(app, "t", { id: ulidKey() }, { constraints: () => ({}) as never }) }),
      'constraints of "t" must give a list',
    ],
    [
      "two primary keys",
      () => ({
        t: entity(
          app,
          "t",
          { id: ulidKey(), n: integer() },
          { constraints: (c) => [primaryKey({ columns: [c.n] })] },
        ),
      }),
      'table "t" has two primary keys',
    ],
    [
      "a storage parameter that is SQL",
      () => ({
        t: entity(
          app,
          "t",
          { id: ulidKey() },
          { constraints: (c) => [index("i").on(c.id).with({ "fillfactor = 1) --": 1 })] },
        ),
      }),
      'index "i" has a storage parameter that PostgreSQL cannot have: "fillfactor = 1) --"',
    ],
    [
      "sequence options that are SQL",
      () => ({ s: app.sequence("s", { startWith: "1; drop" }) }),
      'startWith of sequence "s" must be a whole number',
    ],
    [
      "identity options that are SQL",
      () => ({
        t: entity(app, "t", { id: ulidKey(), n: integer().generatedAlwaysAsIdentity({ increment: 1.5 }) }),
      }),
      'increment of the identity of column "n" must be a whole number',
    ],
    [
      "out() in an entity",
      () => ({ t: entity(app, "t", { id: ulidKey(), n: inOut(integer()) }) }),
      '"n" of "t" says out() or inOut(), which are for arguments',
    ],
    [
      "a placeholder",
      () => ({ t: entity(app, "t", { id: ulidKey(), n: integer().default(sql`${sql.placeholder("x")}`) }) }),
      "a declaration's SQL holds a placeholder, and there is nobody to fill it",
    ],
    [
      "a value without a literal",
      () => ({ f: fn({ body: sql`select ${1n}` })() }),
      "a value in a declaration's SQL cannot be written as a literal",
    ],
    [
      "two names in one function",
      () => ({ f: fn({ arguments: { userId: text(), userID: text() } })() }),
      '"userId" and "userID" of "f" are both called "user_id"',
    ],
    [
      "a composite of nothing",
      () => ({ c: app.compositeType("c", {}) }),
      'composite type "c" has no attributes',
    ],
    [
      "a view that was not finished",
      () => ({ v: app.view("v", { id: text() }) }),
      "a view is exported that has no query",
    ],
    [
      "a dependency that is none",
      () => ({ f: fn({ dependsOn: [{}] })() }),
      'function "f" depends on something that is not declared in schema "office"',
    ],
    [
      "a dependency of another schema",
      () => ({ t: entity(app, "t", { id: ulidKey() }, { dependsOn: [appSchema("other").sequence("s")] }) }),
      'entity "t" depends on something that is not declared in schema "office"',
    ],
  ])("refuses %s when the module is read", (_what, module, summary) => {
    expect(summaryOf(() => describeSchema(module()))).toBe(summary);
  });

  it("takes one builder for two functions", () => {
    const id = text();
    const f = app.function("f", { arguments: { firstId: id }, returns: { secondId: id }, body: "x" });
    const g = app.function("g", { arguments: { thirdId: id }, returns: "void", body: "x" });
    const names = describeSchema({ f, g }).objects.flatMap((object) =>
      object.kind === "function" ? object.arguments.map(({ name }) => name) : [],
    );
    expect(names).toEqual(["first_id", "third_id"]);
  });

  it("stays a schema of Drizzle's", () => {
    expect(app.schemaName).toBe("office");
    expect(app.table("plain", { id: text() }).id.name).toBe("id");
    expect(app.enum("e", ["a"]).enumValues).toEqual(["a"]);
    expect(app.enum("e", { A: "a" }).enumValues).toEqual(["a"]);
    expect(app.sequence("s").seqName).toBe("s");
    const view = app.view("v", { deskId: text() });
    expect(view.existing().deskId.name).toBe("desk_id");
    expect(
      describeSchema({
        desks,
        kept: view.existing(),
        other: pgView("o", { id: text() }).existing(),
        plain: app.table("p", { id: text() }),
      }).objects,
    ).toEqual([]);
    expect(pgSchema("x").schemaName).toBe("x");
  });

  it("finds policies among constraints and those linked from outside", () => {
    const inside = pgPolicy("inside", { to: "public" });
    const rooms = entity(app, "rooms", { id: ulidKey() }, { constraints: () => [inside] });
    const outside = pgPolicy("outside", {
      as: "restrictive",
      for: "delete",
      to: pgRole("clerk").existing(),
      using: sql`false`,
    }).link(rooms);
    const { policies, roles } = describeSchema({ rooms, inside, outside });
    expect(policies.map(({ name, table, roles: to }) => [table, name, to])).toEqual([
      ["rooms", "inside", ["public"]],
      ["rooms", "outside", ['"clerk"']],
    ]);
    expect(roles).toEqual(["clerk"]);
  });
});

describe("renamedFrom", () => {
  it("names old tables, columns and enum values as the database knows them, tables first", () => {
    const stage = renamedFrom({ done: "closed" }, app.enum("stage", ["open", "done"]));
    const works = entity(
      app,
      "works",
      {
        id: ulidKey(),
        deadline: renamedFrom("dueDate", text()).notNull(),
        stage: stage(),
        n: bigint("N", { mode: "bigint" }),
      },
      { renamedFrom: "jobs", constraints: (t) => [uniqueIndex().on(t.deadline)] },
    );
    expect(describeSchema({ works, desks }).renames).toEqual([
      { kind: "table", from: "jobs", to: "works" },
      { kind: "column", of: "works", from: "due_date", to: "deadline" },
      { kind: "enum value", of: "stage", from: "closed", to: "done" },
    ]);
    expect(describeSchema({ desks }).renames).toEqual([]);
  });
});

function expectAllowed(what: string, given: string, allowed: string, kind = "privilege"): string {
  return `${what}: unknown ${kind} "${given}"; allowed: ${allowed}`;
}
