import { text } from "drizzle-orm/pg-core";
import { appSchema, entity, ulidKey } from "plinth/schema";
import { describe, expect, it, onTestFinished } from "vitest";
import { describeSchema } from "../schema/index.ts";
import { quoteIdentifier } from "../sql/index.ts";
import { type Ground, openGround } from "./ground.fixture.ts";
import { checkRoles, syncRoles } from "./index.ts";

/** Synced, with two tables; one has row security. */
async function aGround(): Promise<Ground & { readonly home: string; run(text: string): Promise<void> }> {
  const ground = await openGround();
  onTestFinished(() => ground.close());
  await ground.sync();
  const home = quoteIdentifier(ground.schemaName);
  const run = async (text: string): Promise<void> => {
    const { names } = ground;
    const written = text
      .replaceAll("%.", `${home}.`)
      .replaceAll(/%(owner|migrator|app|readOnly|backup|monitor)/g, (_, kind: keyof typeof names) =>
        quoteIdentifier(names[kind]),
      );
    await ground.admin.script(written);
  };
  await run(`create table %.tasks (id serial primary key, title text);
    create table %.secured (id int primary key, tenant text);
    alter table %.secured enable row level security; alter table %.secured force row level security;
    create table %.parts (m int) partition by list (m); create table %.parts_1 partition of %.parts for values in (1);
    create function %.f() returns int language sql as 'select 1'`);
  await ground.sync();
  return { ...ground, home, run };
}

/** Findings with the names of roles and schema as the tests write them. */
async function found(ground: Ground): Promise<readonly string[]> {
  return (await ground.check()).map(({ rule, object, why }) => {
    let line = `${rule} | ${object} | ${why}`;
    for (const [kind, name] of Object.entries(ground.names)) line = line.replaceAll(name, `%${kind}`);
    return line
      .replaceAll(`${ground.schemaName}.`, "%.")
      .replaceAll(ground.schemaName, "%")
      .replaceAll(ground.database, "%database");
  });
}

/** What somebody did, and what check says of it. A sync repairs each. */
const REPAIRED: readonly (readonly [string, readonly string[]])[] = [
  [
    "alter role %app superuser",
    ["role-attribute | role %app | it is a superuser: no right and no policy holds for it"],
  ],
  ["alter role %app bypassrls", ["role-attribute | role %app | it has bypassrls: no policy holds for it"]],
  [
    "alter role %app createrole createdb replication",
    [
      "role-attribute | role %app | it has createrole, and needs it for nothing",
      "role-attribute | role %app | it has createdb, and needs it for nothing",
      "role-attribute | role %app | it has replication, and needs it for nothing",
    ],
  ],
  [
    "alter role %owner login",
    ["role-attribute | role %owner | somebody can log in as the owner of everything"],
  ],
  [
    "alter role %migrator noinherit; alter role %monitor nologin",
    ["role-attribute | role %migrator | it lacks inherit", "role-attribute | role %monitor | it lacks login"],
  ],
  [
    "alter role %backup nobypassrls",
    ["role-attribute | role %backup | without bypassrls a dump fails at the first table with row security"],
  ],
  ["grant %owner to %app", ["role-member | role %app | it has the rights of %owner"]],
  [
    "grant pg_write_all_data, pg_monitor to %readOnly",
    [
      "role-member | role %readOnly | it has the rights of pg_monitor",
      "role-member | role %readOnly | it has the rights of pg_write_all_data",
    ],
  ],
  [
    "grant %owner to %migrator with admin option",
    ["role-member | role %migrator | it may make others a member of %owner"],
  ],
  [
    "revoke pg_read_all_data from %backup",
    ["role-member | role %backup | it is no member of pg_read_all_data"],
  ],
  [
    "alter role %migrator in database %database reset role",
    [
      "role-setting | role %migrator | its sessions do not begin as %owner, so what it makes would be its own",
    ],
  ],
  [
    "alter role %app in database %database reset statement_timeout",
    ["role-setting | role %app | its sessions begin without statement_timeout"],
  ],
  [
    "alter table %.tasks owner to %app",
    [
      "owner | table %.tasks | it belongs to %app",
      "right-missing | table %.tasks | %app lacks select, insert, update, delete",
      "right-missing | sequence %.tasks_id_seq | %app lacks usage",
    ],
  ],
  ["alter function %.f() owner to current_user", ["owner | routine %.f() | it belongs to %me"]],
  [
    "grant truncate, references, trigger on %.tasks to %app",
    ["right-excess | table %.tasks | %app has truncate, references, trigger"],
  ],
  ["grant select on %.tasks to public", ["right-excess | table %.tasks | everybody (PUBLIC) has select"]],
  [
    "grant execute on function %.f() to public",
    ["right-excess | routine %.f() | everybody (PUBLIC) has execute"],
  ],
  [
    "grant create on schema %s to public; grant create on schema public to public",
    [
      "right-excess | schema % | everybody (PUBLIC) has create",
      "right-excess | schema public | everybody (PUBLIC) has create",
    ],
  ],
  ["grant create on schema %s to %app", ["right-excess | schema % | %app has create"]],
  [
    "grant connect, temporary on database %database to public",
    ["right-excess | database %database | everybody (PUBLIC) has temporary, connect"],
  ],
  [
    "grant select on %.parts_1 to %app, %readOnly",
    [
      "right-excess | table %.parts_1 | %app has select",
      "right-excess | table %.parts_1 | %readOnly has select",
    ],
  ],
  [
    "grant insert on %.tasks to %app with grant option",
    ["right-excess | table %.tasks | %app may hand on insert"],
  ],
  [
    "grant update (title), references (title) on %.tasks to %readOnly",
    ["right-excess | column %.tasks.title | %readOnly has update, references"],
  ],
  [
    "grant update on sequence %.tasks_id_seq to %app",
    ["right-excess | sequence %.tasks_id_seq | %app has update"],
  ],
  ["revoke delete on %.tasks from %app", ["right-missing | table %.tasks | %app lacks delete"]],
  ["revoke all on schema %s from %readOnly", ["right-missing | schema % | %readOnly lacks usage"]],
  [
    "alter default privileges in schema %s grant all on tables to %app",
    [
      "default-rights | new tables of %me in schema % | %app gets insert, select, update, delete, truncate, references, trigger%maintain on new tables of %me",
    ],
  ],
  [
    "alter default privileges for role %owner grant execute on functions to public",
    ["default-rights | new functions of %owner | everybody (PUBLIC) may execute each new function"],
  ],
  [
    "alter default privileges for role %owner in schema %s grant select on tables to %app",
    ["default-rights | new tables of %owner in schema % | %app gets select on new tables of %owner"],
  ],
];

describe("check", () => {
  it.each(REPAIRED)("finds, and sync repairs: %s", async (text, expected) => {
    const ground = await aGround();
    const { rows } = await ground.admin.query({
      text: "select current_user, case when current_setting('server_version_num')::int >= 170000 then ', maintain' else '' end",
      values: [],
    });
    const [[me = "", maintain = ""] = []] = rows;
    await ground.run(text.replaceAll("%database", ground.database).replaceAll("%s", ground.home));
    expect(await found(ground)).toEqual(
      expected.map((line) => line.replaceAll("%me", me ?? "").replaceAll("%maintain", maintain ?? "")),
    );
    await ground.sync();
    expect(await found(ground)).toEqual([]);
    expect((await ground.sync()).statements).toEqual([]);
  });

  it("finds what a grantee handed on, and takes it back where it came from", async () => {
    const ground = await aGround();
    const hand = await ground.role("");
    await ground.run(`grant truncate on %.tasks to ${hand} with grant option; grant usage on schema ${ground.home} to ${hand};
      set role ${hand}; grant truncate on %.tasks to %app, public; reset role`);
    expect(await found(ground)).toEqual([
      `right-excess | table %.tasks | ${hand} gave everybody (PUBLIC) truncate`,
      `right-excess | table %.tasks | ${hand} gave %app truncate`,
      `unknown-grantee | role ${hand} | it has rights that nobody declared on schema %, table %.tasks`,
    ]);
    const { statements } = await ground.sync();
    expect(statements.every((one) => one.startsWith("revoke grant option for truncate"))).toBe(true);
    const [left, ...more] = await ground.check();
    expect([left?.rule, more]).toEqual(["unknown-grantee", []]);
    await ground.admin.script(left?.fix ?? "");
    expect(await found(ground)).toEqual([]);
  });

  it("tells who else has the owner's rights, and leaves the decision to people", async () => {
    const ground = await aGround();
    const person = await ground.role("");
    await ground.run(`grant %owner to ${person}`);
    expect(await found(ground)).toEqual([
      `owner-member | role ${person} | it is a member of %owner, and so may change and drop every table`,
    ]);
    expect((await ground.sync()).statements).toEqual([]);
    await ground.admin.script((await ground.check())[0]?.fix ?? "");
    expect(await found(ground)).toEqual([]);
  });

  it("leaves members of the reader, and values of settings that somebody chose, alone", async () => {
    const ground = await aGround();
    const person = await ground.role("");
    await ground.run(
      `grant %readOnly to ${person}; alter role %app in database ${ground.database} set statement_timeout to '5min'`,
    );
    expect(await found(ground)).toEqual([]);
  });

  it("finds a function with its owner's rights and whatever search_path, and its fix ends that", async () => {
    const ground = await aGround();
    await ground.run("create function %.g(a int) returns int language sql security definer as 'select a'");
    await ground.sync();
    expect(await found(ground)).toEqual([
      "definer-search-path | routine %.g(integer) | it runs with its owner's rights on whatever the caller's search_path finds",
    ]);
    await ground.admin.script((await ground.check())[0]?.fix ?? "");
    expect(await found(ground)).toEqual([]);
  });

  it("finds views that read past policies, also through others, and gives nobody a right on them", async () => {
    const ground = await aGround();
    await ground.run(`alter table %.secured no force row level security;
      create view %.open as select * from %.secured;
      create view %.over_open as select * from %.open;
      create view %.asks with (security_invoker) as select * from %.secured;
      create materialized view %.copied as select * from %.secured`);
    await ground.sync();
    expect(await found(ground)).toEqual([
      "view-past-policies | materialized view %.copied | it is a copy of %.secured, and no policy holds for the copy",
      "view-past-policies | view %.open | it reads %.secured as its owner, whom no policy holds for",
      "view-past-policies | view %.over_open | it reads %.secured as its owner, whom no policy holds for",
      "policies-not-forced | table %.secured | its policies do not hold for its owner, nor for functions and views that run as the owner",
    ]);
    const app = await ground.as(ground.names.app);
    await app.script(`select * from ${ground.home}.asks`);
    for (const view of ["open", "over_open", "copied"]) {
      await expect(app.script(`select * from ${ground.home}.${view}`)).rejects.toMatchObject({
        code: "PERMISSION_DENIED",
      });
    }
    // Forced, they hold for the view's owner as well.
    await ground.run(
      "alter table %.secured force row level security; insert into %.secured values (1, 'a'); create policy own on %.secured using (tenant = current_setting('app.tenant', true))",
    );
    await ground.sync();
    expect((await found(ground)).map((line) => line.split(" | ")[1])).toEqual(["materialized view %.copied"]);
    const rows = async () => (await app.script(`select * from ${ground.home}.open`)).at(-1)?.rows;
    expect(await rows()).toEqual([]);
    await app.script("set app.tenant to 'a'");
    expect(await rows()).toEqual([["1", "a"]]);
  });

  it("gives nobody the history of a table with policies, until it has policies of its own", async () => {
    const ground = await aGround();
    await ground.run(`create table %.secured_history (row_key text);
      create function %.secured_guard_history() returns trigger language plpgsql as $$ begin return null; end $$;
      create trigger guard before update on %.secured_history for each statement execute function %.secured_guard_history();
      grant select on %.secured_history to %app`);
    expect(await found(ground)).toContain("right-excess | table %.secured_history | %app has select");
    await ground.sync();
    const app = await ground.as(ground.names.app);
    const read = () => app.script(`select * from ${ground.home}.secured_history`);
    await expect(read()).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    await ground.run("alter table %.secured_history enable row level security");
    await ground.sync();
    expect((await read()).at(-1)?.rows).toEqual([]);
    // Not forced: what records runs as its owner.
    expect(await found(ground)).toEqual([]);
  });

  it("takes rights that the schema declares for no excess, and gives them", async () => {
    const ground = await aGround();
    const app = appSchema(ground.schemaName);
    const tasks = entity(app, "tasks", { id: ulidKey(), title: text() });
    const reports = await ground.role("");
    const { objects } = describeSchema({
      tasks,
      one: app.grant({ on: tasks, to: [ground.names.app, reports], privileges: ["truncate"] }),
      two: app.grant({ on: tasks, to: ground.names.readOnly, privileges: ["update"], columns: ["title"] }),
    });
    const declared = objects.filter((object) => object.kind === "grant");
    const { admin: connection, schemaName, names } = ground;
    await ground.run(`grant truncate on %.tasks to ${reports}; grant update on %.tasks to %readOnly`);
    await syncRoles({ connection, schemaName, names, declared });
    expect(await checkRoles({ connection, schemaName, names, declared })).toEqual([]);
    expect((await syncRoles({ connection, schemaName, names, declared })).statements).toEqual([]);
    const reader = await ground.as(names.readOnly);
    await reader.script("set default_transaction_read_only to off");
    await reader.script(`update ${ground.home}.tasks set title = 'x'`);
    expect(await found(ground)).toEqual([
      "right-excess | table %.tasks | %app has truncate",
      "right-excess | column %.tasks.title | %readOnly has update",
      `unknown-grantee | role ${reports} | it has rights that nobody declared on table %.tasks`,
    ]);
  });

  it("says of a database that was never synced which roles are missing, and not what each lacks", async () => {
    const ground = await openGround();
    onTestFinished(() => ground.close());
    const rules = (await ground.check()).map(({ rule }) => rule);
    expect(rules.filter((rule) => rule === "role-missing")).toHaveLength(6);
    expect(new Set(rules)).toEqual(new Set(["role-missing", "schema-missing", "right-excess"]));
  });
});
