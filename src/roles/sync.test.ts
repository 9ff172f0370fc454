import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Connection, connect, retarget } from "../driver/index.ts";
import { createMigrator } from "../migrations/index.ts";
import { quoteIdentifier } from "../sql/index.ts";
import { type Ground, type GroundOptions, openGround } from "./ground.fixture.ts";
import { roleNames, syncRoles } from "./index.ts";

async function aGround(options: GroundOptions = {}): Promise<Ground> {
  const ground = await openGround(options);
  onTestFinished(() => ground.close());
  return ground;
}

/** One of everything that has an owner, made by a superuser. */
async function fill({ admin, schemaName }: Ground): Promise<void> {
  await admin.script(`create schema if not exists ${quoteIdentifier(schemaName)};
set search_path to ${quoteIdentifier(schemaName)}, public;
create extension citext with schema ${quoteIdentifier(schemaName)};
create type stage as enum ('a', 'b');
create domain word as text check (value <> '');
create type pair as (a int, b text);
create type span as range (subtype = int);
create sequence numbers;
create table "Ta""sks" (id serial primary key, at stage, w word);
create table events (id int, month int) partition by list (month);
create table events_1 partition of events for values in (1);
create view seen as select id from "Ta""sks";
create materialized view counted as select count(*) as n from "Ta""sks";
create function touch(a int, b stage default 'a') returns int language sql as 'select 1';
create function touch(a text[]) returns int language sql as 'select 1';
create procedure work(inout a int) language sql as 'select 1';
create aggregate total(int) (sfunc = int4pl, stype = int);
create aggregate all_rows(*) (sfunc = int8inc, stype = bigint, initcond = '0');
create operator === (leftarg = int, rightarg = int, function = int4eq);
create operator class own_ops for type int using btree as operator 1 <, operator 3 =, function 1 btint4cmp(int, int);
create collation plain from "C";
create text search configuration words (copy = simple);
create text search dictionary dict (template = simple);
create statistics both_columns on id, month from events;
reset search_path`);
}

const owners = async ({ admin, schemaName }: Ground) =>
  (
    await admin.query({
      text: `select distinct pg_get_userbyid(owner) from (
        select relowner as owner from pg_class c where relnamespace = n.oid and relkind in ('r', 'p', 'v', 'm', 'S')
          and not exists (select from pg_depend d where d.objid = c.oid and deptype = 'e')
        union all select proowner from pg_proc p where pronamespace = n.oid
          and not exists (select from pg_depend d where d.objid = p.oid and deptype = 'e')
        union all select typowner from pg_type t where typnamespace = n.oid and typelem = 0
          and typtype <> 'm' -- it stays with whoever made it before PostgreSQL 16, and nobody can alter it
          and not exists (select from pg_depend d where d.objid = t.oid and deptype in ('e'))
        union all select oprowner from pg_operator o where oprnamespace = n.oid
          and not exists (select from pg_depend d where d.objid = o.oid and deptype = 'e')
        union all select opcowner from pg_opclass where opcnamespace = n.oid and opcname = 'own_ops'
        union all select collowner from pg_collation where collnamespace = n.oid
        union all select cfgowner from pg_ts_config where cfgnamespace = n.oid
        union all select dictowner from pg_ts_dict where dictnamespace = n.oid
        union all select stxowner from pg_statistic_ext where stxnamespace = n.oid
        union all select nspowner from pg_namespace where oid = n.oid
      ) x`.replaceAll("n.oid", "(select oid from pg_namespace where nspname = $1)"),
      values: [schemaName],
    })
  ).rows.flat();

describe("sync", () => {
  it("makes roles and schema in an empty database, and does nothing a second time", async () => {
    const ground = await aGround();
    expect((await ground.check()).map(({ rule }) => rule)).toContain("role-missing");
    const first = await ground.sync();
    expect(first.left).toEqual([]);
    expect(first.statements.length).toBeGreaterThan(20);
    expect(await ground.sync()).toEqual({ statements: [], left: [] });
    expect(await ground.check()).toEqual([]);
  });

  it("gives everything in the schema to the owner but what belongs to an extension, and is then done", async () => {
    const ground = await aGround();
    await fill(ground);
    await ground.sync();
    expect(await owners(ground)).toEqual([ground.names.owner]);
    expect((await ground.sync()).statements).toEqual([]);
    expect(await ground.check()).toEqual([]);
    const { rows } = await ground.admin.query({
      text: "select pg_get_userbyid(proowner) = current_user from pg_proc where proname = 'citext_eq'",
      values: [],
    });
    expect(rows).toEqual([["t"]]);
  });

  it("gives new objects of the migrator the rights that a sync would", async () => {
    const ground = await aGround();
    await ground.sync();
    const migrator = await ground.as(ground.names.migrator);
    const home = quoteIdentifier(ground.schemaName);
    await migrator.script(`set search_path to ${home}; create table later (id serial); create view v as select 1 as a;
      create function f() returns int language sql as 'select 1'`);
    const app = await ground.as(ground.names.app);
    await app.script(`insert into ${home}.later default values; select ${home}.f()`);
    // A view of its own right is read, and no more; a function of the reader's takes a sync.
    expect((await ground.check()).map(({ object, why }) => `${object}: ${why}`)).toEqual([
      `view ${ground.schemaName}.v: ${ground.names.app} has insert, update, delete`,
      `routine ${ground.schemaName}.f(): ${ground.names.readOnly} lacks execute`,
    ]);
  });

  it("gives new tables no rights where one has row security, since one may be a partition", async () => {
    const ground = await aGround();
    await ground.sync();
    const migrator = await ground.as(ground.names.migrator);
    const home = quoteIdentifier(ground.schemaName);
    await migrator.script(`create table ${home}.t (m int) partition by list (m);
      alter table ${home}.t enable row level security; alter table ${home}.t force row level security`);
    await ground.sync();
    await migrator.script(`create table ${home}.t_1 partition of ${home}.t for values in (1)`);
    const app = await ground.as(ground.names.app);
    await app.script(`select * from ${home}.t`);
    await expect(app.script(`select * from ${home}.t_1`)).rejects.toMatchObject({
      code: "PERMISSION_DENIED",
    });
    expect(await ground.check()).toEqual([]);
  });

  it("lets the migrator run migrations, and bring rights in order after them", async () => {
    const ground = await aGround();
    await ground.sync();
    const folder = mkdtempSync(join(tmpdir(), "plinth-roles-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(
      join(folder, "0001_init.sql"),
      "-- migrate:up\ncreate table tasks (id int);\ncreate index concurrently tasks_idx on tasks (id);\ncreate function f() returns int language sql as 'select 1';\n-- migrate:down\ndrop function f();\ndrop table tasks;\n",
    );
    const migrator = await ground.as(ground.names.migrator);
    const target = retarget(ground.target, {
      user: ground.names.migrator,
      password: "a pass'word\\ with $ things",
    });
    await createMigrator({ target, schemaName: ground.schemaName, folder }).up();
    const { statements, left } = await syncRoles({
      connection: migrator,
      schemaName: ground.schemaName,
      names: ground.names,
    });
    const home = quoteIdentifier(ground.schemaName);
    expect(left).toEqual([]);
    // The ledger is read, and a reader's function is given by name.
    expect(statements).toEqual([
      `revoke insert, update, delete on table ${ground.schemaName}.plinth_migrations from ${quoteIdentifier(ground.names.app)} cascade`,
      `grant execute on routine ${ground.schemaName}.f() to ${quoteIdentifier(ground.names.readOnly)}`,
    ]);
    const app = await ground.as(ground.names.app);
    await app.script(`insert into ${home}.tasks values (1)`);
    expect(await ground.check()).toEqual([]);
    expect(await owners(ground)).toEqual([ground.names.owner]);
    await createMigrator({ target, schemaName: ground.schemaName, folder }).down();
  });

  it("prints in a dry run what a sync then does, and writes nothing", async () => {
    const ground = await aGround();
    await fill(ground);
    const { statements } = await ground.sync({ dryRun: true });
    expect(
      (
        await ground.admin.query({
          text: "select from pg_roles where rolname = $1",
          values: [ground.names.app],
        })
      ).rows,
    ).toEqual([]);
    await ground.admin.script(`begin; ${statements.join(";\n")}; commit`);
    expect((await ground.sync()).statements).toEqual([]);
  });

  it.each([
    ["capitals and quotes", `He said "hi"; drop table x; --`, undefined],
    ["a name of 63 bytes", "s".repeat(54), "p"],
    ["letters of other scripts", "Дата-$1 \\", undefined],
  ])("works with %s", async (_, schemaStem, prefix) => {
    const ground = await aGround({ schemaStem, prefix });
    await fill(ground);
    await ground.sync();
    expect(await ground.check()).toEqual([]);
    expect(await owners(ground)).toEqual([ground.names.owner]);
    const app = await ground.as(ground.names.app);
    await app.script(`insert into ${quoteIdentifier(ground.schemaName)}."Ta""sks" default values`);
    const migrator = await ground.as(ground.names.migrator);
    const { rows } = await migrator.query({ text: "select current_user", values: [] });
    expect(rows).toEqual([[ground.names.owner]]);
  });

  it("takes turns with a second one at the same time, whatever they find", async () => {
    const ground = await aGround();
    await fill(ground);
    const other = await connect(ground.target);
    onTestFinished(() => other.close());
    const [one, two] = await Promise.all([ground.sync(), ground.sync({ connection: other })]);
    expect([one.statements.length, two.statements.length].sort()[0]).toBe(0);
    expect(await ground.check()).toEqual([]);
  });

  it("leaves nothing when its session is killed in the middle, and the next one does it all", async () => {
    const ground = await aGround();
    await fill(ground);
    const [holder, victim] = [await connect(ground.target), await connect(ground.target)];
    onTestFinished(() => holder.close());
    await holder.script(`begin; lock table ${quoteIdentifier(ground.schemaName)}.events in share mode`);
    const killed = ground.sync({ connection: victim }).then(
      () => "done",
      (error: unknown) => error,
    );
    await waiting(ground.admin, victim);
    await ground.admin.query({ text: "select pg_terminate_backend($1)", values: [String(victim.processId)] });
    expect(await killed).toMatchObject({
      code: expect.stringMatching(/^(CONNECTION_LOST|SERVER_UNAVAILABLE)$/),
    });
    await holder.script("rollback");
    await victim.close();
    const { rows } = await ground.admin.query({
      text: "select from pg_roles where rolname like $1",
      values: [`${ground.schemaName}%`],
    });
    expect(rows).toEqual([]);
    await ground.sync();
    expect(await ground.check()).toEqual([]);
  });

  it("undoes all of it when a statement is refused, and names the statement", async () => {
    const ground = await aGround();
    await fill(ground);
    const refuse = `${quoteIdentifier(ground.schemaName)}.refuse()`;
    await ground.admin.script(`create function ${refuse} returns event_trigger language plpgsql
      as $$ begin raise insufficient_privilege; end $$`);
    await ground.admin.script(
      `create event trigger no_grants on ddl_command_end when tag in ('GRANT') execute function ${refuse}`,
    );
    const failure = await ground.sync().catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "PERMISSION_DENIED",
      message: expect.stringMatching(/^the server refused, so nothing was changed: grant /),
    });
    const { rows } = await ground.admin.query({
      text: "select from pg_roles where rolname = $1",
      values: [ground.names.owner],
    });
    expect(rows).toEqual([]);
  });
});

async function waiting(admin: Connection, { processId }: Connection): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const { rows } = await admin.query({
      text: "select 1 from pg_stat_activity where pid = $1 and wait_event_type = 'Lock'",
      values: [String(processId)],
    });
    if (rows.length > 0) return;
    await sleep(25);
  }
  throw new Error("it never waited for the lock");
}

describe("who may sync", () => {
  it("is refused, before anything is sent, to a role that may create none", async () => {
    const ground = await aGround();
    const nobody = await ground.role("login");
    const session = await ground.as(nobody);
    await expect(syncRoles({ ...ground, connection: session })).rejects.toMatchObject({
      code: "PERMISSION_DENIED",
      message: expect.stringContaining(`${nobody} may not create roles`),
    });
    const { statements, left } = await syncRoles({ ...ground, connection: session, dryRun: true });
    expect([statements, left.filter(({ rule }) => rule === "role-missing").length]).toEqual([[], 6]);
  });

  it("works for a role with createrole that owns database and tables, and names what is left to a superuser", async () => {
    const ground = await aGround();
    const manager = await ground.role("login createrole");
    await ground.admin.script(`alter database ${ground.database} owner to ${manager}`);
    const session = await ground.as(manager);
    const home = quoteIdentifier(ground.schemaName);
    await session.script(`create schema ${home}; create table ${home}.tasks (id serial);
      create function ${home}.f() returns int language sql as 'select 1'`);
    const { left } = await syncRoles({ ...ground, connection: session });
    const { rows } = await ground.admin.query({ text: "show server_version_num", values: [] });
    // Before PostgreSQL 16 whoever may create roles may hand out PostgreSQL's own.
    const own =
      Number(rows[0]?.[0]) >= 160_000
        ? [
            `grant "pg_read_all_data" to "${ground.names.backup}" with inherit true, set true`,
            `grant "pg_monitor" to "${ground.names.monitor}" with inherit true, set true`,
          ]
        : [];
    expect(left.map(({ statement }) => statement)).toEqual([
      `alter role "${ground.names.backup}" bypassrls`,
      ...own,
    ]);
    expect(await owners(ground)).toEqual([ground.names.owner]);
    // What it borrowed to work as the owner it has given back.
    const stays = (await ground.check()).map(({ fix }) => fix);
    expect(stays).toEqual(left.map(({ statement }) => `${statement};`));
    expect((await syncRoles({ ...ground, connection: session })).statements).toEqual([]);
    await ground.admin.script(stays.join("\n"));
    expect(await ground.check()).toEqual([]);
    await ground.admin.script(
      `alter database ${ground.database} owner to current_user; drop owned by ${manager}`,
    );
  });

  it("is refused where a name is that of the role that asks", async () => {
    const ground = await aGround();
    const { rows } = await ground.admin.query({ text: "select current_user", values: [] });
    const names = roleNames(ground.schemaName, { app: rows[0]?.[0] ?? "" });
    await expect(ground.sync({ names })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });
});

describe("names", () => {
  it("are refused where PostgreSQL would cut them, keeps them, or two are one", () => {
    const long = "s".repeat(60);
    expect(() => roleNames(long)).toThrow(
      /the owner role cannot be called "s+_owner": it has more than 63 bytes/,
    );
    expect(roleNames(long, { prefix: "short" }).app).toBe("short_app");
    for (const app of ["pg_app", "public", "none", "", "a\0"]) {
      expect(() => roleNames("t", { app })).toThrow(/the app role cannot be called/);
    }
    expect(() => roleNames("t", { app: "x", backup: "x" })).toThrow(
      'the app role and the backup role are both called "x"',
    );
  });
});
