import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  customType,
  foreignKey,
  index,
  integer,
  pgPolicy,
  primaryKey,
  text,
  unique,
} from "drizzle-orm/pg-core";
import { describe, expect, it } from "vitest";
import { declaredGrounds } from "../../../test/support/declared.ts";
import { studio } from "../../../test/support/studio.ts";
import { BEHAVIOURS } from "../../behaviours.ts";
import { appSchema, comment, describeSchema, entity, setOf, ulidKey } from "../../schema/index.ts";
import { readCatalog, renderSchema } from "../index.ts";

const grounds = declaredGrounds();
const render = (schema: Record<string, unknown>) => renderSchema(describeSchema(schema), BEHAVIOURS);
const plain = () => ({ id: ulidKey(), title: text() });

describe("renderSchema", () => {
  it("makes one of everything on an empty database, and its way back leaves nothing", async () => {
    const ground = await grounds.build(studio());
    const { objects } = await readCatalog(ground.connection, "studio");
    expect([...new Set(objects.map(({ kind }) => kind))].sort()).toEqual([
      "composite type",
      "constraint",
      "domain",
      "enum",
      "extension",
      "function",
      "index",
      "materialized view",
      "policy",
      "procedure",
      "sequence",
      "table",
      "trigger",
      "view",
    ]);
    expect(await ground.takeAway()).toEqual([]);
    expect((await readCatalog(ground.connection, "studio")).objects).toEqual([]);
  });

  it("gives everything its comment and its rights", async () => {
    const { connection } = await grounds.build(studio());
    const { objects } = await readCatalog(connection, "studio");
    const comments = objects.flatMap(({ id, comment }) => (comment === undefined ? [] : [[id, comment]]));
    expect(Object.fromEntries(comments)).toEqual({
      "composite type place": "Where it stands.",
      "constraint pieces.pieces_number_key": "Never twice.",
      "constraint pieces.pieces_tidy": "No stray blanks.",
      "domain email": "An address that somebody may read.",
      "enum stage": "Where a piece stands.",
      "extension pg_trgm": "Similar titles.",
      "function next_number()": "The number of the next piece.",
      "index maker_stats_maker": "For concurrent refreshes.",
      "index pieces_title_trgm": "For searching.",
      "materialized view maker_stats": "Refreshed at night.",
      "procedure archive(date, integer)": "Forgets.",
      "sequence piece_numbers": "Numbers of pieces.",
      "table audit": "What happened.",
      "table audit_2026": "A year.",
      "table makers": "Who makes pieces.",
      "trigger pieces.pieces_logged": "Keeps the audit.",
      "view open_pieces": "Still to do.",
    });
    const pieces = objects.find(({ id }) => id === "table pieces");
    const title = pieces?.kind === "table" ? pieces.columns.find(({ name }) => name === "title") : undefined;
    expect(title?.comment).toBe("As the maker's \"own\" hand wrote it; it's kept.");
    expect(title?.grants).toEqual([
      { grantee: "studio_reader", privileges: ["update"], grantable: ["update"] },
    ]);
    const reader = objects.flatMap(({ id, grants }) =>
      grants.filter(({ grantee }) => grantee === "studio_reader").map(({ privileges }) => [id, privileges]),
    );
    expect(Object.fromEntries(reader)).toEqual({
      "domain email": ["usage"],
      "function pieces_of(text, integer)": ["execute"],
      "procedure archive(date, integer)": ["execute"],
      "sequence piece_numbers": ["usage"],
      "table pieces": ["insert", "select"],
      "view open_pieces": ["select"],
    });
  });

  it("writes the same whatever the order of exports, and names the roles it needs", () => {
    const module = studio();
    const shuffled = Object.fromEntries(Object.entries(module).reverse());
    const sql = render(module);
    expect(render(shuffled)).toEqual(sql);
    expect(sql.roles).toEqual(["studio_reader"]);
  });

  it("takes what was declared on an exported appSchema, and what exported things need", async () => {
    const app = appSchema("loose");
    const notes = entity(app, "notes", plain());
    const stamp = app.function("stamp", { returns: "trigger", body: "begin return new; end" });
    app.trigger("notes_stamp", { on: notes, timing: "before", events: ["insert"], execute: stamp });
    app.sequence("unused");
    expect(render({ notes }).up).toHaveLength(1);
    const { up } = render({ notes, app });
    expect(up.map((text) => text.split("\n")[0])).toEqual([
      'create sequence "unused"',
      'create table "notes" (',
      'create function "stamp"() returns trigger',
      'create trigger "notes_stamp" before insert on "notes"',
    ]);
  });

  it("writes nothing for a module of nothing", () => {
    expect(render({ helper: () => 1 })).toEqual({ up: [], down: [], roles: [] });
    expect(render({ stage: appSchema("only_enum").enum("stage", ["a"]) }).up).toEqual([
      `create type "stage" as enum ('a')`,
    ]);
  });

  it("works for a module of nothing but objects", async () => {
    const app = appSchema("only_functions");
    const one = app.function("one", { returns: integer(), language: "sql", body: "select 1" });
    const ground = await grounds.build({ one });
    expect(await ground.rows("select one()")).toEqual([["1"]]);
    expect(await ground.takeAway()).toEqual([]);
  });

  it("renders generated columns that are not null, and says nothing twice", async () => {
    const app = appSchema("generated");
    const t = entity(app, "t", {
      id: ulidKey(),
      a: integer().notNull(),
      b: integer().notNull().generatedAlwaysAs(sql`a + 1`),
    });
    const { rows } = await grounds.build({ t });
    const text =
      "select attname, attnotnull from pg_attribute where attrelid = 't'::regclass and attgenerated = 's'";
    expect(await rows(text)).toEqual([["b", "t"]]);
  });
});

describe("every form", () => {
  it("of a trigger is what the server says it is", async () => {
    const app = appSchema("forms");
    const t = entity(app, "t", { id: ulidKey(), dueDate: text() });
    const v = app.view("v").as((qb) => qb.select().from(t));
    const execute = app.function("f", { returns: "trigger", body: "begin return null; end" });
    const all = { on: t, execute } as const;
    const forms = [
      app.trigger("a", { ...all, timing: "after", events: ["truncate"], forEach: "statement" }),
      app.trigger("b", {
        ...all,
        timing: "after",
        events: ["update"],
        forEach: "statement",
        referencing: { old: "before_it", new: "after_it" },
      }),
      app.trigger("c", { ...all, timing: "after", events: ["delete", "insert"], deferrable: "deferred" }),
      app.trigger("d", { ...all, timing: "before", events: ["update"], columns: ["dueDate"] }),
      app.trigger("e", { on: v, execute, timing: "instead of", events: ["insert"] }),
      app.trigger("f", { on: v, execute, timing: "before", events: ["update"], forEach: "statement" }),
    ];
    const ground = await grounds.build({ t, ...Object.fromEntries(forms.map((form, i) => [`f${i}`, form])) });
    const found = await ground.rows(
      "select pg_get_triggerdef(oid, true) from pg_trigger where not tgisinternal order by tgname",
    );
    expect(found.map(([text]) => text?.replace(" EXECUTE FUNCTION f()", ""))).toEqual([
      "CREATE TRIGGER a AFTER TRUNCATE ON t FOR EACH STATEMENT",
      "CREATE TRIGGER b AFTER UPDATE ON t REFERENCING OLD TABLE AS before_it NEW TABLE AS after_it FOR EACH STATEMENT",
      "CREATE CONSTRAINT TRIGGER c AFTER INSERT OR DELETE ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW",
      "CREATE TRIGGER d BEFORE UPDATE OF due_date ON t FOR EACH ROW",
      "CREATE TRIGGER e INSTEAD OF INSERT ON v FOR EACH ROW",
      "CREATE TRIGGER f BEFORE UPDATE ON v FOR EACH STATEMENT",
    ]);
    expect(await ground.takeAway()).toEqual([]);
  });

  it("of a function is what the server says it is", async () => {
    const app = appSchema("forms");
    const body = "begin return 1; end";
    app.function("plain", { returns: integer(), body });
    app.function("full", {
      arguments: { a: integer(), b: integer().default(sql`plain() + 1`) },
      returns: setOf(integer()),
      volatility: "stable",
      security: "definer",
      parallel: "restricted",
      strict: true,
      leakproof: true,
      cost: 7,
      rows: 9,
      searchPath: "caller",
      body: "begin return next 1; end",
    });
    const ground = await grounds.build({ app });
    const found = await ground.rows(`
      select proname, provolatile, prosecdef, proparallel, proisstrict, proleakproof, procost, prorows, proconfig::text
      from pg_proc where pronamespace = 'forms'::regnamespace order by 1`);
    expect(found).toEqual([
      ["full", "s", "t", "r", "t", "t", "7", "9", null],
      ["plain", "v", "f", "u", "f", "f", "100", "0", "{search_path=forms}"],
    ]);
    expect(await ground.takeAway()).toEqual([]);
  });

  it("of a view is what the server says it is", async () => {
    const app = appSchema("forms");
    const t = entity(app, "t", { id: ulidKey(), title: text() });
    const one = app
      .view("one")
      .with({ securityBarrier: true, checkOption: "local" })
      .as((qb) => qb.select().from(t));
    const two = app
      .materializedView("two")
      .using("heap")
      .with({ autovacuumEnabled: false, parallelWorkers: 2 })
      .tablespace("pg_default")
      .withNoData()
      .as((qb) => qb.select({ task: { id: t.id, name: t.title } }).from(t));
    const ground = await grounds.build({ t, one, two });
    expect(
      await ground.rows(
        "select relname, reloptions::text, relispopulated from pg_class where relnamespace = 'forms'::regnamespace and relkind in ('v', 'm') order by 1",
      ),
    ).toEqual([
      ["one", "{security_barrier=true,check_option=local}", "t"],
      ["two", "{autovacuum_enabled=false,parallel_workers=2}", "f"],
    ]);
    expect(await ground.takeAway()).toEqual([]);
  });

  it("of a comment reaches the server", async () => {
    const app = appSchema("forms");
    const other = entity(app, "other", { id: ulidKey() });
    const t = comment(
      entity(
        app,
        "t",
        { id: text(), otherId: text(), mail: text() },
        {
          softDelete: true,
          constraints: (c) => [
            comment(primaryKey({ columns: [c.id], name: "t_key" }), "key"),
            comment(foreignKey({ columns: [c.otherId], foreignColumns: [other.id] }), "reference"),
            comment(unique("t_mail").on(c.mail), "among the living"),
            comment(pgPolicy("t_open", { using: sql`true` }), "policy"),
          ],
        },
      ),
      "table",
    );
    const ground = await grounds.build({ other, t });
    const { objects } = await readCatalog(ground.connection, "forms");
    expect(
      Object.fromEntries(
        objects.flatMap(({ id, comment: said }) => (said === undefined ? [] : [[id, said]])),
      ),
    ).toEqual({
      "table t": "table",
      "constraint t.t_key": "key",
      "constraint t.t_other_id_other_id_fk": "reference",
      "index t_mail": "among the living",
      "policy t.t_open": "policy",
    });
  });
});

describe("the order of things", () => {
  it("follows names that only stand in text", async () => {
    const app = appSchema("by_text");
    const zebra = app.view("zebra", { id: text() }).as(sql.raw("select id from mid where is_long(id)"));
    const mid = app.view("mid", { id: text() }).as(sql.raw("select * from all_of_it()"));
    const all = app.function("all_of_it", {
      returns: { id: text() },
      language: "sql",
      body: "select id from base",
    });
    const isLong = app.function("is_long", {
      arguments: { value: text() },
      returns: boolean(),
      language: "sql",
      volatility: "immutable",
      body: "select helper(value) > 3",
    });
    const helper = app.function("helper", {
      arguments: { value: text() },
      returns: integer(),
      language: "sql",
      volatility: "immutable",
      body: "select length(value)",
    });
    const base = entity(
      app,
      "base",
      {
        id: ulidKey(),
        code: text().default(sql`make_code()`),
        number: integer().default(sql`nextval('numbers')`),
      },
      {
        constraints: (t) => [
          check("base_long", sql`is_long(${t.id})`),
          index("base_helped").on(sql`helper(${t.id})`),
        ],
      },
    );
    const makeCode = app.function("make_code", {
      returns: text(),
      body: "begin return 'x' || nextval('numbers'); end",
    });
    const numbers = app.sequence("numbers");
    const ground = await grounds.build({ zebra, mid, all, isLong, helper, base, makeCode, numbers });
    expect(await ground.takeAway()).toEqual([]);
  });

  it("puts views upon views and functions upon rows, by what their SQL mentions", async () => {
    const app = appSchema("by_mention");
    const base = entity(app, "base", plain());
    const rowsOf = app.function("a_rows", {
      returns: setOf(base),
      language: "sql",
      body: sql`select * from ${base}`,
    });
    const top = app.view("a_top", { id: text() }).as(sql`select id from ${rowsOf}()`);
    const over = app.materializedView("a_over").as((qb) => qb.select({ id: top.id }).from(top));
    const last = app.view("a_last").as((qb) => qb.select({ id: over.id }).from(over));
    const ground = await grounds.build({ last, base });
    expect(await ground.rows("select * from a_last")).toEqual([]);
    expect(await ground.takeAway()).toEqual([]);
  });

  it("obeys dependsOn where the SQL shows nothing", async () => {
    const app = appSchema("by_word");
    const late = app.view("late", { n: integer() }).as(sql.raw("select 1 as n"));
    const early = app.function("early", {
      returns: integer(),
      language: "sql",
      body: `select (xpath('/row/n/text()', query_to_xml('select n from ' || 'la' || 'te', false, true, '')))[1]::text::int`,
      dependsOn: [late],
    });
    const t = entity(app, "t", { id: ulidKey(), n: integer().default(1) }, { dependsOn: [early] });
    const { up } = render({ t });
    expect(up.map((text) => text.split(/[\s(]/).slice(0, 3).join(" "))).toEqual([
      'create view "late"',
      'create function "early"',
      'create table "t"',
    ]);
    const ground = await grounds.build({ t });
    expect(await ground.takeAway()).toEqual([]);
  });

  it("takes everything away also where policies and triggers use functions of their own table's rows", async () => {
    const app = appSchema("round");
    const docs = entity(app, "docs", plain(), {
      constraints: () => [pgPolicy("docs_mine", { using: sql`may_see(docs)` })],
    });
    const row = customType<{ data: string }>({ dataType: () => "docs" });
    const maySee = app.function("may_see", {
      arguments: { doc: row() },
      returns: boolean(),
      language: "sql",
      volatility: "stable",
      body: sql`select exists (select from ${docs} d where d.id = doc.id)`,
      dependsOn: [docs],
    });
    const ground = await grounds.build({ docs, maySee });
    expect(await ground.takeAway()).toEqual([]);
  });

  it("is not confused by a name that means something else", async () => {
    const app = appSchema("coincidence");
    const base = entity(app, "base", { id: ulidKey(), second: text() });
    const first = app.view("first", { second: text() }).as(sql`select second from ${base}`);
    const second = app
      .view("second")
      .as((qb) => qb.select({ first: sql<string>`second`.as("first") }).from(first));
    const ground = await grounds.build({ second, base });
    expect(await ground.takeAway()).toEqual([]);
  });

  it("refuses two that need each other", () => {
    const app = appSchema("circle");
    const needed: object[] = [];
    const code = app.function("code", { returns: text(), body: "begin return 'x'; end", dependsOn: needed });
    const t = entity(app, "t", { id: ulidKey(), code: text().default(sql`${code}()`) });
    needed.push(t);
    expect(() => render({ t })).toThrow(
      expect.objectContaining({
        code: "SCHEMA_INVALID",
        summary: 'table "t" and routine "code" need each other',
      }),
    );
  });
});
