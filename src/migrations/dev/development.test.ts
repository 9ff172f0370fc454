import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareCatalogs, readCatalog } from "../../catalog/index.ts";
import { openShadow } from "../../shadow/index.ts";
import { generateMigration } from "../generate/generate.ts";
import { DATA_IMPORTS, openWorkbench, type Project, type Workbench } from "../workbench.fixture.ts";
import { type Development, developmentOn } from "./development.ts";

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

const TASKS = "create table tasks (id bigint primary key, title text not null)";

const FIRST = { "0001_tasks.sql": `-- migrate:up\n${TASKS};\n-- migrate:down\ndrop table tasks;\n` };

const shadowOfServer = () => openShadow({ url: bench.serverUrl, directory: "/nowhere" });

const developmentOf = (project: Project): Development =>
  developmentOn(bench.target, {
    openShadow: shadowOfServer,
    schemaName: project.schemaName,
    folder: project.folder,
    onProgress: project.note,
  });

/** What `migrate generate` does. */
async function generate(project: Project, name: string, declared: readonly string[]): Promise<string> {
  const shadow = await shadowOfServer();
  try {
    const { folder, schemaName } = project;
    const made = await generateMigration({ folder, name, schemaName, declared, shadow });
    expect(made.findings).toEqual([]);
    return made.fileName ?? "";
  } finally {
    await shadow.release();
  }
}

/** The database is what the folder builds from nothing, and everything is applied. */
async function expectInStep(project: Project): Promise<void> {
  expect(await project.migrator().status()).toMatchObject({ pending: 0, findings: [], isReshaped: false });
  const clean = bench.project();
  await project.migrator({ schemaName: clean.schemaName }).up();
  const [live, built] = [
    await readCatalog(bench.connection, project.schemaName),
    await readCatalog(bench.connection, clean.schemaName),
  ];
  expect(compareCatalogs(live, built)).toEqual([]);
}

async function applied(): Promise<{ readonly project: Project; readonly development: Development }> {
  const project = bench.project(FIRST);
  await project.migrator().up();
  await project.run("insert into %s.tasks values (1, 'one'), (2, 'two')");
  return { project, development: developmentOf(project) };
}

const SECOND = [
  "create type mood as enum ('calm', 'glad')",
  "create table tasks (id bigint primary key, title text not null, due date, mood mood not null default 'calm')",
  "create index tasks_due_idx on tasks (due)",
  "create table notes (id bigint primary key, task_id bigint not null references tasks)",
];

describe("a development database", () => {
  it("follows the schema while it is edited, and its rows stay when the migration is written and applied", async () => {
    const { project, development } = await applied();
    const first = await development.reshape({ declared: SECOND });
    expect(first).toMatchObject({ ran: [], recorded: [], losses: [] });
    expect(first.statements.length).toBeGreaterThan(2);
    expect(await development.reshape({ declared: SECOND })).toEqual({
      ran: [],
      recorded: [],
      statements: [],
      losses: [],
    });
    await project.run("update %s.tasks set due = '2026-02-01', mood = 'glad' where id = 1");
    expect(await project.migrator().status()).toMatchObject({
      isReshaped: true,
      findings: [{ rule: "schema-reshaped", level: "warning", object: project.schemaName }],
    });
    const file = await generate(project, "notes", SECOND);
    await expect(project.migrator().up()).rejects.toMatchObject({
      code: "SAFETY_REFUSED",
      message: `plinth migrate dev has taken schema ${project.schemaName} beyond its migrations
  plinth migrate up (the command) brings the two together; plinth migrate dev --undo takes it back.`,
    });
    await expect(project.migrator().down()).rejects.toMatchObject({ code: "SAFETY_REFUSED" });
    expect(await development.settle()).toEqual({ ran: [], recorded: [file], statements: [], losses: [] });
    expect(await project.rows("select id, title, due, mood from %s.tasks order by 1")).toEqual([
      ["1", "one", "2026-02-01", "glad"],
      ["2", "two", null, "calm"],
    ]);
    await expectInStep(project);
    expect((await project.migrator().down()).ran).toHaveLength(1);
  });

  it("is brought to an empty folder's schema, and takes the first migration afterwards", async () => {
    const project = bench.project();
    const development = developmentOf(project);
    expect((await development.reshape({ declared: [TASKS] })).statements).toHaveLength(1);
    await project.run("insert into %s.tasks values (1, 'one')");
    const file = await generate(project, "init", [TASKS]);
    expect((await development.settle()).recorded).toEqual([file]);
    expect(await project.rows("select count(*) from %s.tasks")).toEqual([["1"]]);
    await expectInStep(project);
  });

  it("applies what is pending first, and takes in what others merged without giving up what is not generated yet", async () => {
    const { project, development } = await applied();
    project.write("0002_users.sql", "-- migrate:up\ncreate table users (id bigint primary key);\n");
    const users = "create table users (id bigint primary key)";
    const mine = "create table tasks (id bigint primary key, title text not null, due date)";
    const first = await development.reshape({ declared: [mine, users] });
    expect(first.ran.map(({ fileName }) => fileName)).toEqual(["0002_users.sql"]);
    await project.run("update %s.tasks set due = '2026-02-01'");
    project.write(
      "0003_logs.sql",
      "-- migrate:up\ncreate table logs (id bigint primary key);\ninsert into logs values (1);\n",
    );
    await expect(development.settle()).rejects.toMatchObject({
      code: "SAFETY_REFUSED",
      message: `the database would lose what nothing brings back
  tasks.due (data)
  plinth migrate dev applies what is pending and keeps what the schema declares. To give it up: plinth migrate dev --undo --accept-loss.`,
    });
    const declared = [mine, users, "create table logs (id bigint primary key)"];
    expect(await development.reshape({ declared })).toMatchObject({
      recorded: ["0003_logs.sql"],
      losses: [],
    });
    expect(project.progress).toContainEqual({
      kind: "notice",
      message: "0003_logs.sql is recorded as applied; what it does to rows (line 3) was not run here",
    });
    expect(await development.isReshaped()).toBe(true);
    const file = await generate(project, "due", declared);
    expect(await development.settle()).toMatchObject({ recorded: [file], statements: [] });
    expect(await project.rows("select due from %s.tasks")).toEqual([["2026-02-01"], ["2026-02-01"]]);
    await expectInStep(project);
  });

  it("loses nothing unasked, and names what it would lose", async () => {
    const { project, development } = await applied();
    const declared = ["create table tasks (id bigint primary key, name text not null)"];
    await expect(development.reshape({ declared })).rejects.toMatchObject({
      code: "SAFETY_REFUSED",
      message: `the database would lose what nothing brings back
  tasks.title (data)
  If it is a rename: --rename tasks.title=name (or renamedFrom in the schema). If it may go: --accept-loss.`,
    });
    expect(await development.isReshaped()).toBe(false);
    expect(await project.rows("select title from %s.tasks order by 1")).toEqual([["one"], ["two"]]);
    expect(await development.reshape({ declared, dryRun: true })).toMatchObject({
      losses: ["tasks.title (data)"],
    });
    const renames = [{ kind: "column", of: "tasks", from: "title", to: "name" }] as const;
    expect(await development.reshape({ declared, renames })).toMatchObject({
      losses: [],
      statements: [expect.stringMatching(/^alter table "?tasks"? rename column "?title"? to "?name"?$/)],
    });
    expect(await project.rows("select name from %s.tasks order by 1")).toEqual([["one"], ["two"]]);
    const bare = ["create table tasks (id bigint primary key)"];
    expect(await development.reshape({ declared: bare, acceptLoss: true })).toMatchObject({
      losses: ["tasks.name (data)"],
    });
    expect(await project.rows("select * from %s.tasks order by 1")).toEqual([["1"], ["2"]]);
  });

  it("goes back to its applied migrations when asked, and runs what comes next as anywhere", async () => {
    const { project, development } = await applied();
    await development.reshape({ declared: SECOND });
    await expect(development.undo()).rejects.toMatchObject({ code: "SAFETY_REFUSED" });
    expect(await development.isReshaped()).toBe(true);
    const { losses } = await development.undo({ acceptLoss: true });
    expect(losses).toEqual(expect.arrayContaining(["tasks.due (data)", "notes (data)"]));
    await expectInStep(project);
    expect(await project.rows("select count(*) from %s.tasks")).toEqual([["2"]]);
    expect(await development.undo()).toMatchObject({ statements: [] });
    project.write("0002_late.sql", "-- migrate:up\ninsert into tasks values (3, 'three');\n");
    expect((await project.migrator().up()).ran).toHaveLength(1);
    expect(await project.rows("select count(*) from %s.tasks")).toEqual([["3"]]);
  });

  it("runs the migrations as anywhere when it was edited there and back again", async () => {
    const { project, development } = await applied();
    await development.reshape({ declared: [...SECOND] });
    await development.reshape({ declared: [TASKS], acceptLoss: true });
    project.write("0002_rows.sql", "-- migrate:up\ninsert into tasks values (3, 'three');\n");
    expect(await development.settle()).toMatchObject({ recorded: [], ran: [{ fileName: "0002_rows.sql" }] });
    expect(await project.rows("select count(*) from %s.tasks")).toEqual([["3"]]);
    await expectInStep(project);
  });

  it("uses a new value of an enum at once, and goes on after a change that the rows forbid", async () => {
    const { project, development } = await applied();
    await development.reshape({ declared: SECOND });
    const third = SECOND.map((text) => text.replace("'glad')", "'glad', 'sad')").replace("'calm'", "'sad'"));
    const moods = ["create type mood as enum ('calm', 'glad', 'sad')", ...third.slice(1)];
    expect((await development.reshape({ declared: moods })).losses).toEqual([]);
    await project.run("insert into %s.tasks (id, title) values (3, 'three')");
    expect(await project.rows("select mood from %s.tasks where id = 3")).toEqual([["sad"]]);
    const check = moods.map((text) => text.replace("due date", "due date check (due is not null)"));
    await expect(development.reshape({ declared: check })).rejects.toMatchObject({
      code: "MIGRATION_FAILED",
      sqlstate: "23514",
      message: expect.stringMatching(
        /^migrate dev: .*\n {2}alter table [\s\S]+\n {2}The rows that are there stand in its way\. Change them or the schema, and run plinth migrate dev again\.$/,
      ),
    });
    await project.run("update %s.tasks set due = '2026-02-01'");
    expect((await development.reshape({ declared: check })).statements.length).toBeGreaterThan(0);
    await generate(project, "moods", check);
    await development.settle();
    await expectInStep(project);
  });

  it("shows in a dry run what it would do, and does none of it", async () => {
    const { project, development } = await applied();
    const { statements } = await development.reshape({ declared: SECOND, dryRun: true });
    expect(statements.join(";\n")).toContain("notes");
    expect(await development.isReshaped()).toBe(false);
    await expectInStep(project);
    project.write("0002_users.sql", "-- migrate:up\ncreate table users (id bigint primary key);\n");
    const pending = await development.reshape({ declared: SECOND, dryRun: true });
    expect(pending.ran).toMatchObject([{ fileName: "0002_users.sql", durationMs: undefined }]);
    expect(pending.statements.join()).toContain("create table users (id bigint primary key);");
    expect(await project.rows("select count(*) from %s.plinth_migrations")).toEqual([["1"]]);
  });

  it("runs pending data migrations for real, in both ways of taking files in", async () => {
    const { project, development } = await applied();
    const count = `${DATA_IMPORTS}export default dataMigration({ up: updateBatches({ table: "tasks", key: "id", set: "title = title || '!'" }) });
`;
    const mine = "create table tasks (id bigint primary key, title text not null, due date)";
    await development.reshape({ declared: [mine] });
    project.write("0002_mark.ts", count);
    expect(await development.reshape({ declared: [mine] })).toMatchObject({
      recorded: [],
      ran: [{ fileName: "0002_mark.ts", rows: 2 }],
    });
    await generate(project, "due", [mine]);
    project.write("0004_mark.ts", count);
    expect(await development.settle()).toMatchObject({
      recorded: ["0003_due.sql"],
      ran: [{ fileName: "0004_mark.ts", rows: 2 }],
    });
    expect(await project.rows("select title from %s.tasks order by id")).toEqual([["one!!"], ["two!!"]]);
    await expectInStep(project);
  });
});
