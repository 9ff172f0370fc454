import { beforeAll, describe, expect, it } from "vitest";
import { createSchema } from "../../../test/support/workshop.ts";
import type { Connection } from "../../driver/index.ts";
import { type Catalog, compareCatalogs, readCatalog } from "../index.ts";
import { scratchDatabases } from "../scratch.fixture.ts";

const scratch = scratchDatabases();

async function databaseWith(schemaName = "workshop"): Promise<Connection> {
  const connection = await scratch.empty();
  await createSchema(connection, schemaName);
  return connection;
}

/** What the workshop does not have. */
const MORE = `create sequence numbers;
create domain size as integer check (value > 0);
create type pair as (a int, b int);
create function twice(int) returns int language sql immutable as 'select $1 * 2';
create table things (id bigint generated always as identity primary key, body text unique, n int,
  doubled int generated always as (n * 2) stored);
comment on table things is 'things';
create table things_too (id bigint not null, body text, n int, doubled int generated always as (n * 2) stored);
create view things_view as select id from things;
create materialized view things_counted as select count(*) from things;
create policy busy on things using (n > 0);
create table visits (id int) partition by range (id);
create table visits_1 partition of visits for values from (0) to (10)`;

const GENERATED = `alter table things drop column doubled;
  alter table things add doubled int generated always as (n * 3) stored`;
const RETURNS = `drop function twice(int);
  create function twice(int) returns bigint language sql immutable as 'select $1 * 2::bigint'`;
const REBOUND = `alter table visits detach partition visits_1;
  alter table visits attach partition visits_1 for values from (0) to (11)`;
const DEFERRED = `alter table things drop constraint things_body_key,
  add constraint things_body_key unique (body) deferrable`;
const NUMBERS_GRANT = "grant sequence numbers to pg_monitor";
const PROJECTS_KEY = "constraint projects.projects_owner_id_people_id_fk";

describe("compareCatalogs", () => {
  it("finds two databases made the same way equal, under two schema names too", async () => {
    const [one, other, renamed] = [
      await databaseWith(),
      await databaseWith(),
      await databaseWith("workshop_2"),
    ];
    const left = await readCatalog(one, "workshop");
    expect(compareCatalogs(left, await readCatalog(other, "workshop"))).toEqual([]);
    expect(compareCatalogs(left, await readCatalog(renamed, "workshop_2"))).toEqual([]);
    const quoted = await databaseWith("Odd-Name");
    expect(compareCatalogs(left, await readCatalog(quoted, "Odd-Name"))).toEqual([]);
  });

  it("looks past home's name where the server has to write it", async () => {
    const sql = (home: string) => `
      create function lower(text) returns text language sql immutable as 'select $1';
      create function f() returns int language sql set search_path to ${home}, pg_temp as 'select 1';
      create table t (a text default ${home}.lower('X'), check (${home}.lower(a) = a));
      create view v as select ${home}.lower(a) as a from t`;
    const [one, other] = [await scratch.with(sql("app"), "app"), await scratch.with(sql('"B c"'), "B c")];
    const left = await readCatalog(one, "app");
    expect(compareCatalogs(left, await readCatalog(other, "B c"))).toEqual([]);
    await other.script(`alter function f() set search_path to app, pg_temp`);
    expect(compareCatalogs(left, await readCatalog(other, "B c"))).toMatchObject([
      { kind: "function", name: "f()" },
    ]);
  });

  it("does not depend on the reading session's search_path", async () => {
    const connection = await databaseWith();
    await connection.script("create view v as select id, stage from tasks");
    const inside = await readCatalog(connection, "workshop");
    await connection.script("set search_path to public");
    expect(compareCatalogs(inside, await readCatalog(connection, "workshop"))).toEqual([]);
  });

  it("leaves the order of columns and Plinth's own ledger out", async () => {
    const [one, other] = [await databaseWith(), await databaseWith()];
    await one.script("alter table labels add column a int, add column b int");
    await other.script("alter table labels add column b int, add column a int");
    await other.script("create table plinth_migrations (id int primary key)");
    const [left, right] = [await readCatalog(one, "workshop"), await readCatalog(other, "workshop")];
    expect(compareCatalogs(left, right)).toEqual([]);
  });

  describe("of one database before and after a change", () => {
    let connection: Connection;
    let before: Catalog;

    beforeAll(async () => {
      connection = await scratch.shared();
      await createSchema(connection, "workshop");
      await connection.script(MORE);
      before = await readCatalog(connection, "workshop");
    });

    it.each([
      ["a column", "alter table labels add column extra int", "column labels.extra"],
      ["a column's type", "alter table samples alter big type numeric", "column samples.big"],
      ["a column's length", "alter table labels alter name type varchar(20)", "column labels.name"],
      ["a default", "alter table people alter score set default 1", "column people.score"],
      ["a dropped default", "alter table people alter score drop default", "column people.score"],
      ["not null", "alter table people alter name drop not null", "column people.name"],
      ["a collation", 'alter table labels alter name type text collate "C"', "column labels.name"],
      [
        "a generated column",
        "alter table people add g int generated always as (score + 1) stored",
        "column people.g",
      ],
      ["an identity", "alter table labels add n bigint generated always as identity", "column labels.n"],
      ["a table", "create table extra (id int)", "table extra"],
      ["an unlogged table", "alter table samples set unlogged", "table samples"],
      ["a storage option", "alter table samples set (fillfactor = 70)", "table samples"],
      [
        "a check",
        "alter table people drop constraint people_name_not_blank",
        "constraint people.people_name_not_blank",
      ],
      [
        "a foreign key's action",
        `alter table projects drop constraint projects_owner_id_people_id_fk,
       add constraint projects_owner_id_people_id_fk foreign key (owner_id) references people (id) on delete cascade`,
        "constraint projects.projects_owner_id_people_id_fk",
      ],
      [
        "a constraint that is not validated",
        "alter table people add constraint late check (score >= 0) not valid",
        "constraint people.late",
      ],
      ["an index", "drop index tasks_assigned_to_idx", "index tasks_assigned_to_idx"],
      [
        "an index's predicate",
        "drop index people_email_unique; create unique index people_email_unique on people (email)",
        "index people_email_unique",
      ],
      [
        "an invalid index",
        `update pg_index set indisvalid = false where indexrelid = 'tasks_assigned_to_idx'::regclass`,
        "index tasks_assigned_to_idx",
      ],
      ["a trigger", "drop trigger people_touch on people", "trigger people.people_touch"],
      [
        "a disabled trigger",
        "alter table people disable trigger people_touch",
        "trigger people.people_touch",
      ],
      [
        "a function's body",
        "create or replace function touch_updated_at() returns trigger language plpgsql as $$ begin return new; end; $$",
        "function touch_updated_at()",
      ],
      [
        "a function's settings",
        "alter function touch_updated_at() security definer",
        "function touch_updated_at()",
      ],
      ["an enum's label", "alter type stage add value 'later'", "enum stage"],
      ["a view", "create view v as select 1 as one", "view v"],
      ["a materialized view", "create materialized view v as select 1 as one", "materialized view v"],
      ["a sequence", "create sequence s", "sequence s"],
      ["row security", "alter table people enable row level security", "table people"],
      ["forced row security", "alter table people force row level security", "table people"],
      ["a policy", "create policy mine on people using (score > 0)", "policy people.mine"],
      ["a sequence's step", "alter sequence numbers increment 5", "sequence numbers"],
      ["an identity's options", "alter table things alter id set increment by 5", "column things.id"],
      ["an identity's mode", "alter table things alter id set generated by default", "column things.id"],
      ["a generated column's expression", GENERATED, "column things.doubled"],
      ["a column's storage", "alter table things alter body set storage external", "column things.body"],
      ["a column's compression", "alter table things alter body set compression pglz", "column things.body"],
      ["a column's statistics", "alter table things alter body set statistics 500", "column things.body"],
      ["a column's comment", "comment on column things.body is 'b'", "comment column things.body"],
      ["a changed comment", "comment on table things is 'other'", "comment table things"],
      ["a comment taken away", "comment on table things is null", "comment table things"],
      [
        "an index's comment",
        "comment on index tasks_assigned_to_idx is 'x'",
        "comment index tasks_assigned_to_idx",
      ],
      ["a view column's comment", "comment on column things_view.id is 'x'", "comment column things_view.id"],
      ["a grant", "grant select on things to pg_monitor", "grant table things to pg_monitor"],
      [
        "a column's grant",
        "grant update (body) on things to pg_monitor",
        "grant column things.body to pg_monitor",
      ],
      ["a grant option", "grant usage on sequence numbers to pg_monitor with grant option", NUMBERS_GRANT],
      [
        "a function's rights",
        "revoke execute on function twice from public",
        "grant function twice(integer) to public",
      ],
      ["a domain's check", "alter domain size add check (value < 9)", "domain size"],
      ["a domain's default", "alter domain size set default 3", "domain size"],
      ["a domain's null", "alter domain size set not null", "domain size"],
      ["a composite type's attribute", "alter type pair add attribute c text", "composite type pair"],
      ["a range type", "create type span as range (subtype = float8)", "range type span"],
      ["a procedure", "create procedure p() language sql as ''", "procedure p()"],
      [
        "a function's overload",
        "create function twice(text) returns text language sql as 'select $1'",
        "function twice(text)",
      ],
      ["a function's result", RETURNS, "function twice(integer)"],
      ["a replica identity", "alter table things replica identity full", "table things"],
      ["a partition's bound", REBOUND, "table visits_1"],
      [
        "a partition",
        "create table visits_3 partition of visits for values from (20) to (30)",
        "table visits_3",
      ],
      ["a detached partition", "alter table visits detach partition visits_1", "table visits_1"],
      ["a parent", "alter table things_too inherit things", "table things_too"],
      ["a unique constraint's deferral", DEFERRED, "constraint things.things_body_key"],
      ["a foreign key nobody checks", "alter table projects disable trigger all", PROJECTS_KEY],
      [
        "a trigger for replicas only",
        "alter table people enable replica trigger people_touch",
        "trigger people.people_touch",
      ],
      ["a policy's command", "alter policy busy on things to pg_monitor", "policy things.busy"],
      ["a rule", "create rule r as on delete to things do instead nothing", "rule things.r"],
      ["statistics", "create statistics s on id, body from things", "statistics s"],
      ["a view's option", "alter view things_view set (security_barrier)", "view things_view"],
      [
        "a materialized view's index",
        "create index on things_counted (count)",
        "index things_counted_count_idx",
      ],
      ["an extension", "create extension citext", "extension citext"],
      ["a collation", "create collation c (provider = icu, locale = 'de')", "collation c"],
      [
        "an operator",
        "create operator === (leftarg = int, rightarg = int, function = int4eq)",
        "operator ===(integer, integer)",
      ],
      ["a cast", "create cast (pair as text) with inout", "cast (pair as text)"],
      [
        "a text search configuration",
        "create text search configuration c (copy = english)",
        "text search configuration c",
      ],
      ["a publication", "create publication p for table things", "publication p"],
    ])("sees %s", async (_what, change, name) => {
      await connection.script("begin");
      try {
        await connection.script(change);
        const after = await readCatalog(connection, "workshop");
        const differences = compareCatalogs(before, after);
        expect(differences.map((difference) => `${difference.kind} ${difference.name}`)).toContain(name);
        // Both ways round.
        const back = compareCatalogs(after, before);
        expect(back.map((difference) => [difference.left, difference.right])).toEqual(
          differences.map((difference) => [difference.right, difference.left]),
        );
      } finally {
        await connection.script("rollback");
      }
    });
  });

  it("sees what changed inside a view and a policy", async () => {
    const connection = await databaseWith();
    await connection.script(
      "create view v as select id from people; create policy mine on people using (score > 0)",
    );
    const before = await readCatalog(connection, "workshop");
    await connection.script(`create or replace view v with (security_invoker) as select id from people;
      alter policy mine on people to pg_monitor using (score > 1)`);
    const differences = compareCatalogs(before, await readCatalog(connection, "workshop"));
    expect(differences.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual([
      "policy people.mine",
      "view v",
    ]);
  });
});
