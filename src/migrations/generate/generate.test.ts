import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type TestServer, testServer } from "../../../test/support/server.ts";
import { openShadow, type Shadow, type ShadowDatabase } from "../../shadow/index.ts";
import { type GeneratedMigration, type GenerateOptions, generateMigration } from "./generate.ts";
import { parseRename } from "./rename.ts";

let server: TestServer;
let shadow: Shadow;

beforeAll(async () => {
  server = await testServer();
  shadow = await openShadow({ url: server.url, directory: import.meta.dirname });
});
afterAll(async () => {
  await shadow.release();
  await server.stop();
});

const TASKS = `create table tasks (
  id bigint generated always as identity primary key,
  title text not null,
  due_date date
)`;

function folderWith(...migrations: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "plinth-generate-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [index, up] of migrations.entries()) {
    writeFileSync(join(folder, `000${index + 1}_step.sql`), `-- migrate:up\n${up};\n`);
  }
  return folder;
}

function generate(
  folder: string,
  declared: readonly string[],
  options: Partial<GenerateOptions> = {},
): Promise<GeneratedMigration> {
  return generateMigration({ folder, name: "change", schemaName: "app", declared, shadow, ...options });
}

describe("generateMigration", () => {
  it("writes the whole schema into an empty folder, even one that does not exist yet", async () => {
    const folder = join(folderWith(), "migrations");
    const { fileName, text, findings } = await generate(folder, [TASKS]);
    expect(findings).toEqual([]);
    expect(fileName).toBe("0001_change.sql");
    expect(readFileSync(join(folder, "0001_change.sql"), "utf8")).toBe(text);
    expect(text).toContain("create table tasks (");
    // Applied, it is what the schema declares: there is nothing left to generate.
    expect((await generate(folder, [TASKS])).isEmpty).toBe(true);
  });

  it("writes nothing when the folder leaves what the schema declares", async () => {
    const folder = folderWith(TASKS);
    const generated = await generate(folder, [TASKS]);
    expect(generated).toMatchObject({ isEmpty: true, file: undefined });
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it("writes the change and its way back, and what the way back would lose", async () => {
    const folder = folderWith("create table tasks (id bigint primary key)");
    const declared = ["create table tasks (id bigint primary key, due_date date)"];
    const { text, losesUp, losesDown } = await generate(folder, declared);
    expect([losesUp, losesDown]).toEqual([[], ["tasks.due_date (data)"]]);
    expect(text).toBe(`-- loses: tasks.due_date (data)

-- migrate:up

alter table tasks add column due_date date;

-- migrate:down

alter table tasks drop column due_date;
`);
  });

  it("says which rows would stop it, either way", async () => {
    const declared = ["create table tasks (id bigint primary key, title text not null, due_date text)"];
    const folder = folderWith("create table tasks (id bigint primary key, title text, due_date date)");
    const { text, upMayFail, downMayFail, irreversible } = await generate(folder, declared);
    expect(upMayFail).toEqual(["tasks.title: a row where it is null makes this fail"]);
    expect(irreversible).toEqual([]);
    expect(downMayFail).toEqual([
      "tasks.due_date: a value that does not fit date makes the change from text fail",
    ]);
    expect(text).toBe(`-- up may fail: tasks.title: a row where it is null makes this fail
-- down may fail: tasks.due_date: a value that does not fit date makes the change from text fail

-- migrate:up

-- plinth:allow lock/type: PostgreSQL has no online form; a new column, filled in batches and swapped in, is one
alter table tasks alter column due_date type text;

alter table tasks add constraint tasks_title_is_set check (title is not null) not valid;

alter table tasks validate constraint tasks_title_is_set;

alter table tasks alter column title set not null;

alter table tasks drop constraint tasks_title_is_set;

-- migrate:down

-- plinth:allow lock/type: PostgreSQL has no online form; a new column, filled in batches and swapped in, is one
alter table tasks alter column due_date type date using due_date::date;

alter table tasks alter column title drop not null;
`);
  });

  it("gives the text and writes no file in a dry run", async () => {
    const folder = folderWith(TASKS);
    const generated = await generate(folder, [TASKS, "create index on tasks (title)"], { dryRun: true });
    expect(generated.text).toContain("create index concurrently");
    expect(generated.file).toBeUndefined();
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it("keeps the data of a renamed table and column, by flag", async () => {
    const folder = folderWith(TASKS, "create view titles as select title from tasks");
    const declared = [
      TASKS.replace("tasks", "todos").replace("title", "name"),
      "create view titles as select name as title from todos",
    ];
    const renameFlags = ["tasks=todos", "todos.title=name"].map(parseRename);
    const { text, findings } = await generate(folder, declared, { renameFlags });
    expect(findings).toEqual([]);
    expect(text).toBe(`-- migrate:up

alter table tasks rename to todos;

alter table todos rename column title to name;

-- migrate:down

alter table todos rename column name to title;

alter table todos rename to tasks;
`);
  });

  it("takes renames from hints, which may stay when they have nothing more to do", async () => {
    const folder = folderWith(TASKS);
    const declared = [TASKS.replace("due_date", "deadline")];
    const renames = [{ kind: "column", of: "tasks", from: "due_date", to: "deadline" }] as const;
    const { text } = await generate(folder, declared, { renames });
    expect(text).toContain("rename column due_date to deadline");
    expect((await generate(folder, declared, { renames })).isEmpty).toBe(true);
  });

  it("renames the value of an enum", async () => {
    const folder = folderWith("create type mood as enum ('sad', 'ok')");
    const renames = [{ kind: "enum value", of: "mood", from: "ok", to: "fine" }] as const;
    const { text } = await generate(folder, ["create type mood as enum ('sad', 'fine')"], { renames });
    expect(text).toContain(`alter type mood rename value 'ok' to 'fine'`);
  });

  it("refuses to drop and add what looks like a rename, and names both flags", async () => {
    const folder = folderWith(TASKS);
    const declared = [TASKS.replace("due_date", "deadline")];
    await expect(generate(folder, declared)).rejects.toMatchObject({
      code: "SAFETY_REFUSED",
      message: expect.stringContaining("column tasks.due_date is gone and deadline is new"),
      hint: "If it is: --rename tasks.due_date=deadline (or renamedFrom in the schema). If it is not: --accept-drops.",
    });
    expect(readdirSync(folder)).toHaveLength(1);
    const { text } = await generate(folder, declared, { acceptDrops: true });
    expect(text).toContain("-- up loses: tasks.due_date (data)\n-- loses: tasks.deadline (data)\n");
  });

  it("refuses a rename that fits nothing", async () => {
    const folder = folderWith(TASKS);
    const renameFlags = [parseRename("tasks.titel=name")];
    const declared = [TASKS.replace("title", "name")];
    await expect(generate(folder, declared, { renameFlags })).rejects.toMatchObject({
      code: "MIGRATION_INVALID",
      message: expect.stringContaining("--rename tasks.titel=name: nothing is renamed that way"),
    });
  });

  it("says which file cannot be replayed", async () => {
    const folder = folderWith("create table tasks (id nonsense)");
    await expect(generate(folder, [TASKS])).rejects.toMatchObject({
      code: "MIGRATION_FAILED",
      file: "0001_step.sql",
      line: 2,
    });
  });

  it("leaves no database behind", async () => {
    const made: string[] = [];
    const noting = (database: ShadowDatabase): ShadowDatabase => {
      made.push(database.name);
      return { ...database, clone: async () => noting(await database.clone()) };
    };
    const watched: Shadow = { ...shadow, createDatabase: async () => noting(await shadow.createDatabase()) };
    await generate(folderWith(TASKS), [TASKS, "create table more (id int)"], { shadow: watched });
    await generate(folderWith("nonsense"), [TASKS], { shadow: watched }).catch(() => undefined);
    expect(made.length).toBeGreaterThan(2);
    const connection = await (await shadow.createDatabase()).connect();
    const { rows } = await connection.query({
      text: "select datname from pg_database where datname = any ($1)",
      values: [`{${made.join(",")}}`],
    });
    expect(rows).toEqual([]);
    await connection.close();
  });
});

describe("parseRename", () => {
  it("reads tables and columns", () => {
    expect(parseRename("tasks=todos")).toEqual({ kind: "table", from: "tasks", to: "todos" });
    const column = { kind: "column", of: "todos", from: "due", to: "deadline" };
    expect(parseRename("todos.due=deadline")).toEqual(column);
    expect(parseRename("todos.due=todos.deadline")).toEqual(column);
  });

  it.each(["", "tasks", "tasks=", "=todos", "a.b.c=d", "tasks.a=todos.b", "a=b=c"])(
    "refuses %j",
    (written) => {
      expect(() => parseRename(written)).toThrow(/is no rename/);
    },
  );
});
