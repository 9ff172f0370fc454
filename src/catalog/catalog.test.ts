import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { createSchema, onDatabase } from "../../test/support/workshop.ts";
import * as schema from "../../test/support/workshop-schema.ts";
import { BEHAVIOURS } from "../behaviours.ts";
import { type Connection, connect, parseTarget } from "../driver/index.ts";
import { describeSchema } from "../schema/index.ts";
import { compareCatalogs, readCatalog, renderSchema } from "./index.ts";

let server: TestServer;
let made = 0;

beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.stop());

/** A session on an empty database of its own. */
async function emptyDatabase(): Promise<Connection> {
  const name = `catalog_${process.pid}_${++made}`;
  const admin = await connect(parseTarget(server.url));
  await admin.script(`create database ${name}`);
  const connection = await connect(parseTarget(onDatabase(server.url, name)));
  onTestFinished(async () => {
    await connection.close();
    await admin.script(`drop database ${name} with (force)`);
    await admin.close();
  });
  return connection;
}

async function databaseWith(schemaName = "workshop"): Promise<Connection> {
  const connection = await emptyDatabase();
  await createSchema(connection, schemaName);
  return connection;
}

describe("renderSchema", () => {
  it("makes everything on an empty database, and its way back leaves nothing", async () => {
    const connection = await databaseWith();
    const { objects } = await readCatalog(connection, "workshop");
    const kinds = new Set(objects.map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual([
      "column",
      "constraint",
      "enum",
      "function",
      "index",
      "table",
      "trigger",
    ]);
    const { down } = renderSchema(describeSchema(schema).entities, BEHAVIOURS);
    await connection.script(down.join(";\n"));
    expect((await readCatalog(connection, "workshop")).objects).toEqual([]);
    await connection.script("drop schema workshop restrict");
  });

  it("gives one statement an item", async () => {
    const connection = await emptyDatabase();
    await connection.script("create schema workshop; set search_path to workshop");
    const { up } = renderSchema(describeSchema(schema).entities, BEHAVIOURS);
    // The extended protocol takes one statement.
    for (const text of up) await connection.query({ text, values: [] });
    expect((await readCatalog(connection, "workshop")).objects.length).toBeGreaterThan(50);
  });
});

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

  it.each([
    ["a column", "alter table labels add column extra int", "column labels.extra"],
    ["a column's type", "alter table people alter score type bigint", "column people.score"],
    ["a column's length", "alter table labels alter name type varchar(20)", "column labels.name"],
    ["a default", "alter table people alter score set default 1", "column people.score"],
    ["a dropped default", "alter table people alter score drop default", "column people.score"],
    ["not null", "alter table people alter name drop not null", "column people.name"],
    ["a collation", 'alter table people alter name type text collate "C"', "column people.name"],
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
    ["a disabled trigger", "alter table people disable trigger people_touch", "trigger people.people_touch"],
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
  ])("sees %s", async (_what, change, name) => {
    const connection = await databaseWith();
    const before = await readCatalog(connection, "workshop");
    await connection.script(change);
    const differences = compareCatalogs(before, await readCatalog(connection, "workshop"));
    expect(differences.map((difference) => `${difference.kind} ${difference.name}`)).toContain(name);
    // Both ways round.
    const back = compareCatalogs(await readCatalog(connection, "workshop"), before);
    expect(back.map((difference) => [difference.left, difference.right])).toEqual(
      differences.map((difference) => [difference.right, difference.left]),
    );
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
