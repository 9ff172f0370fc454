import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { hasPostgres15, startPostgres } from "../../../test/support/postgres.ts";
import { openShadow, type Shadow } from "../../shadow/index.ts";
import { openWorkbench, type Project, type Workbench } from "../workbench.fixture.ts";
import { type DriftReport, findDrift } from "./find-drift.ts";

let bench: Workbench;
let shadow: Shadow;

beforeAll(async () => {
  bench = await openWorkbench();
  const { host, port, user } = bench.target;
  shadow = await openShadow({
    url: `postgres://${user}@${host}:${port}/postgres`,
    directory: import.meta.dirname,
  });
});
afterAll(async () => {
  await shadow.release();
  await bench.close();
});

const FILES = {
  "0001_create.sql": `-- migrate:up
create table projects (id bigint generated always as identity primary key);
create table tasks (
  id bigint generated always as identity primary key,
  project_id bigint not null references projects (id),
  title text not null default 'new' check (length(title) > 0),
  due date
);
create index tasks_due on tasks (due);
create function touch() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger touch before update on tasks for each row execute function touch();
alter table tasks enable row level security;
create policy mine on tasks using (id > 0);
-- migrate:down
drop table tasks, projects; drop function touch();
`,
  "0002_views.sql": `-- migrate:up
create view open_tasks as select id, title from tasks where due is null;
create materialized view counts as select project_id, count(*) from tasks group by project_id;
comment on table tasks is 'what there is to do';
grant select on tasks to pg_monitor;
`,
};

async function migrated(files: Readonly<Record<string, string>> = FILES): Promise<Project> {
  const project = bench.project(files);
  await project.migrator().up();
  return project;
}

function drift({ schemaName, folder }: Project): Promise<DriftReport> {
  return findDrift({ target: bench.target, schemaName, folder, shadow });
}

async function objects(project: Project): Promise<readonly string[]> {
  return (await drift(project)).findings.map(({ object }) => object);
}

describe("findDrift", () => {
  it("finds nothing in what the migrations made", async () => {
    const project = await migrated();
    expect(await drift(project)).toEqual({ applied: 2, findings: [], repair: undefined });
  });

  it("does not count what is still pending", async () => {
    const project = await migrated();
    project.write("0003_more.sql", "-- migrate:up\ncreate table more (id int);\n");
    expect(await drift(project)).toMatchObject({ applied: 2, findings: [] });
  });

  describe("on a database somebody changed", () => {
    let project: Project;
    // Each case leaves it as the migrations made it: that is what the repair is for.
    beforeAll(async () => {
      project = await migrated();
    });

    it.each([
      [
        "a changed type",
        "alter table tasks alter due type timestamptz",
        ["column tasks.due", "view open_tasks"],
      ],
      ["a dropped default", "alter table tasks alter title drop default", ["column tasks.title"]],
      ["a dropped NOT NULL", "alter table tasks alter title drop not null", ["column tasks.title"]],
      ["a new column", "alter table tasks add note text", ["column tasks.note"]],
      ["a dropped index", "drop index tasks_due", ["index tasks_due"]],
      ["a dropped policy", "drop policy mine on tasks", ["policy tasks.mine"]],
      ["a policy that lets more through", "alter policy mine on tasks using (true)", ["policy tasks.mine"]],
      ["row security that is off", "alter table tasks disable row level security", ["table tasks"]],
      ["a disabled trigger", "alter table tasks disable trigger touch", ["trigger tasks.touch"]],
      [
        "all triggers disabled, the foreign key's too",
        "alter table tasks disable trigger all",
        ["constraint tasks.tasks_project_id_fkey", "trigger tasks.touch"],
      ],
      [
        "a dropped check",
        "alter table tasks drop constraint tasks_title_check",
        ["constraint tasks.tasks_title_check"],
      ],
      [
        "an edited function",
        "create or replace function touch() returns trigger language plpgsql as $$ begin return old; end $$",
        ["function touch()"],
      ],
      ["a table nobody wrote", "create table extra (id int)", ["column extra.id", "table extra"]],
      ["another grant", "grant delete on tasks to pg_monitor", ["grant table tasks to pg_monitor"]],
      ["another comment", "comment on table tasks is 'x'", ["comment table tasks"]],
      [
        "an edited view",
        "create or replace view open_tasks as select id, title from tasks",
        ["view open_tasks"],
      ],
    ])("names %s, and the repair brings it back", async (_what, change, expected) => {
      const drops = change.includes("timestamptz") ? "drop view open_tasks; " : "";
      await project.run(`set search_path to %s; ${drops}${change}`);
      const { findings, repair } = await drift(project);
      expect(findings.map(({ object }) => object)).toEqual(expected);
      if (change.includes("disable trigger all")) {
        expect(findings[0]?.fix).toContain("enable trigger all");
        await project.run("alter table %s.tasks enable trigger all");
      }
      await project.run("set search_path to %s");
      for (const statement of repair?.statements ?? []) await project.run(statement);
      expect(await objects(project)).toEqual([]);
    });
  });

  it("says both sides", async () => {
    const project = await migrated();
    await project.run(
      `set search_path to %s; drop index tasks_due; alter table tasks alter title set default 'x', add n int`,
    );
    expect((await drift(project)).findings).toEqual([
      {
        rule: "drift",
        level: "error",
        object: "column tasks.n",
        why: "no migration makes it, and the database has\n    integer",
        fix: "Undo it with the SQL of the report, or keep it by a migration: plinth make migration NAME",
      },
      expect.objectContaining({
        object: "column tasks.title",
        why: "the database has\n    text not null default 'x'::text\n  where the migrations make\n    text not null default 'new'::text",
      }),
      expect.objectContaining({
        object: "index tasks_due",
        why: "the database does not have it, and the migrations make\n    CREATE INDEX tasks_due ON tasks USING btree (due)",
      }),
    ]);
  });

  it("says what the repair would lose", async () => {
    const project = await migrated();
    await project.run("set search_path to %s; alter table tasks add note text");
    expect((await drift(project)).repair).toMatchObject({ losses: [{ object: "tasks.note", what: "data" }] });
  });

  it("compares other schemas where the migrations make something, and no others", async () => {
    const other = `audit_${bench.project().schemaName}`;
    const stranger = `stranger_${bench.project().schemaName}`;
    const project = await migrated({
      "0001_create.sql": `-- migrate:up\ncreate schema ${other}; create table ${other}.log (id int);\n`,
    });
    await project.run(
      `create schema ${stranger}; create table ${stranger}.t (id int); create table ${other}.more (id int)`,
    );
    expect(await objects(project)).toEqual([`column ${other}.more.id`, `table ${other}.more`]);
  });

  it("compares nothing while the history is not in order", async () => {
    const project = await migrated();
    project.write("0001_create.sql", FILES["0001_create.sql"].replace("due date", "due timestamptz"));
    expect(await drift(project)).toMatchObject({
      applied: 0,
      findings: [
        {
          rule: "drift-unchecked",
          object: "ledger",
          why: "nothing was compared, because the history is not in order: 0001_create.sql: the file was edited or renamed after it was applied",
        },
      ],
      repair: undefined,
    });
  });

  it("does not take another owner for a difference", async () => {
    const role = `owner_${bench.project().schemaName}`;
    await bench.connection.script(`create role ${role}`);
    const project = await migrated({
      "0001_create.sql": `-- migrate:up\ncreate table t (id int); grant select on t to ${role};\n`,
    });
    await project.run(`alter table %s.t owner to ${role}`);
    expect(await objects(project)).toEqual([]);
    await project.run("drop schema %s cascade");
    await bench.connection.script(`drop role ${role}`);
  });

  it("compares with a shadow server of another version too", async () => {
    const version = shadow.serverVersion === 18 && hasPostgres15() ? 15 : 18;
    const server = await startPostgres({ version });
    onTestFinished(() => server.remove());
    const other = await openShadow({ url: server.url, directory: import.meta.dirname });
    onTestFinished(() => other.release());
    const project = await migrated();
    const { schemaName, folder } = project;
    const compare = () => findDrift({ target: bench.target, schemaName, folder, shadow: other });
    expect(await compare()).toEqual({ applied: 2, findings: [], repair: undefined });
    await project.run(`set search_path to %s; drop policy mine on tasks; alter table tasks disable trigger touch;
      update pg_index set indisvalid = false where indexrelid = 'tasks_due'::regclass`);
    expect((await compare()).findings.map(({ object }) => object)).toEqual([
      "index tasks_due",
      "policy tasks.mine",
      "trigger tasks.touch",
    ]);
  });

  it("reads a database before its first migration as one without any", async () => {
    const project = bench.project(FILES);
    expect(await drift(project)).toMatchObject({ applied: 0, findings: [] });
    await project.run("create schema %s; create table %s.early (id int)");
    expect(await objects(project)).toEqual(["column early.id", "table early"]);
  });
});
