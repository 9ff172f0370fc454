import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { boolean, integer, text } from "drizzle-orm/pg-core";
import { appSchema, entity, ulidKey } from "plinth/schema";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { workshops } from "../../test/support/workshop.ts";
import { BEHAVIOURS } from "../behaviours.ts";
import { carriesOver, type DifferenceCase } from "../catalog/difference/trial.fixture.ts";
import { renderSchema } from "../catalog/index.ts";
import { generateMigration } from "../migrations/generate/generate.ts";
import { lintMigrations, parseRename, proveMigrations, readMigrationFolder } from "../migrations/index.ts";
import { describeSchema } from "../schema/index.ts";
import { openShadow, type Shadow } from "../shadow/index.ts";

const open = workshops();

describe("living_<table>", () => {
  it("shows the living only, without the stamps, and can be written to", async () => {
    const client = await (await open()).client();
    await client.run(`insert into living_people (id, email, name) values ('ann', 'a', 'Ann'), ('bob', 'b', 'Bob');
      delete from living_people where id = 'bob'; update living_people set name = 'Anna'; delete from living_people where id = 'bob'`);
    expect(await client.run("select id, name from living_people")).toEqual([["ann", "Anna"]]);
    expect(await client.run("select id, name, deleted_at is null from people order by id")).toEqual([
      ["ann", "Anna", "t"],
      ["bob", "Bob", "f"],
    ]);
    const columns = `select string_agg(column_name, ',' order by ordinal_position) from information_schema.columns
      where table_schema = 'workshop' and table_name = 'living_people'`;
    expect(await client.run(columns)).toEqual([
      ["id,email,name,score,token,created_at,updated_at,created_by,updated_by"],
    ]);
  });

  it("reads with the rights of whoever asks, so that policies hold", async () => {
    const client = await (await open()).client();
    const role = `reader_${process.pid}`;
    await client.run(`insert into people (id, email, name) values ('ann', 'a', 'Ann'), ('bob', 'b', 'Bob');
      drop role if exists ${role}; create role ${role}; grant usage on schema workshop to ${role};
      grant select on living_people to ${role}`);
    const read = `begin; set local role ${role}; select id from living_people; commit`;
    await expect(client.run(read)).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    await client.run(`rollback; grant select on people to ${role}; alter table people enable row level security;
      create policy own on people for select using (id = 'bob')`);
    expect(
      await client.run(
        `begin; set local role ${role}; declare c cursor for select id from living_people; fetch all from c`,
      ),
    ).toEqual([["bob"]]);
    await client.run(`rollback; drop owned by ${role}; drop role ${role}`);
  });

  it("cannot be called like another table or view, nor be longer than a name can be", () => {
    const app = appSchema("names");
    const tasks = entity(app, "tasks", { id: ulidKey() }, { softDelete: true });
    const living = entity(app, "living_tasks", { id: ulidKey() });
    const render = (schema: Readonly<Record<string, unknown>>) =>
      renderSchema(describeSchema(schema), BEHAVIOURS);
    expect(() => render({ tasks, living })).toThrow(
      '"living_tasks" has the name of one that a behaviour makes',
    );
    const long = entity(app, "t".repeat(57), { id: ulidKey() }, { softDelete: true });
    expect(() => render({ long })).toThrow("is longer than 63 bytes");
  });
});

/** Tasks whose columns are of the wanted kind. */
function tasks(
  options: { readonly isSoft?: boolean; readonly columns?: object; readonly name?: string } = {},
) {
  const { isSoft = true, columns = {}, name = "tasks" } = options;
  const app = appSchema("app");
  const all = { id: ulidKey(), title: text().notNull(), ...columns, done: boolean() };
  const table = entity(app, name, all, { softDelete: isSoft });
  return renderSchema(describeSchema({ table }), BEHAVIOURS).up;
}
const sql = (options?: Parameters<typeof tasks>[0]) => tasks(options).join(";\n");

const rows = { rows: "insert into tasks (id, title) values ('a', '1'), ('b', '2')" };
const hours = { columns: { hours: integer() } };

const CASES: readonly DifferenceCase[] = [
  ["soft delete", sql({ isSoft: false }), sql(), rows],
  ["another column in the middle", sql(), sql(hours), rows],
  ["another type of a column", sql(hours), sql({ columns: { hours: text() } }), rows],
  [
    "a column that is computed otherwise",
    sql(hours),
    sql({ columns: { hours: integer().generatedAlwaysAs(1) } }),
    rows,
  ],
  ["another default", sql(hours), sql({ columns: { hours: integer().default(3) } }), rows],
];
carriesOver(CASES);

describe("a generated migration", () => {
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

  async function migrate(
    before: readonly string[],
    declared: readonly string[],
    ...renames: readonly string[]
  ) {
    const folder = mkdtempSync(join(tmpdir(), "plinth-living-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, "0001_tasks.sql"), `-- migrate:up\n${before.join(";\n")};\n${rows.rows};\n`);
    const renameFlags = renames.map((text) => parseRename(text));
    const generated = await generateMigration({
      folder,
      name: "next",
      schemaName: "app",
      declared,
      shadow,
      renameFlags,
      acceptDrops: true,
    });
    expect(generated.findings).toEqual([]);
    const read = await readMigrationFolder(folder, { format: "plinth" });
    const only = [read.files.at(-1)?.fileName ?? ""];
    const proof = await proveMigrations({
      shadow,
      files: read.files,
      schemaName: "app",
      from: only[0],
      declared,
    });
    const report = await lintMigrations({ folder: read, only, schemaName: "app", shadow, mode: "trace" });
    const found = [...proof.findings, ...report.findings].map(({ level, rule }) => `${level} ${rule}`);
    return { text: generated.text, found, proofs: proof.migrations.map((one) => one.proof) };
  }

  it.each([
    ["an added column", tasks(), tasks(hours), [], []],
    ["a dropped column", tasks(hours), tasks(), [], ["error breaks/drop-table", "error breaks/drop-column"]],
    [
      "a renamed column",
      tasks(hours),
      tasks({ columns: { time: integer() } }),
      ["tasks.hours=time"],
      ["error breaks/rename-column", "error breaks/drop-table", "error breaks/rename-column"],
    ],
    [
      "another type",
      tasks(hours),
      tasks({ columns: { hours: text() } }),
      [],
      ["warning down-fails-with-rows", "error breaks/drop-table"],
    ],
    [
      "a renamed table",
      tasks(hours),
      tasks({ ...hours, name: "todos" }),
      ["tasks=todos"],
      [
        "error breaks/rename-table",
        "warning lock/several-tables",
        "error breaks/drop-table",
        "error breaks/drop-object",
      ],
    ],
  ])("makes the view anew for %s, up and down", async (_, before, after, renames, expected) => {
    const { text, proofs, found } = await migrate(before, after, ...renames);
    expect(text.match(/create view/g)).toHaveLength(2);
    expect(proofs.at(-1)).toBe("up-down-up");
    // What breaks whoever reads the table breaks whoever reads its view.
    expect(found).toEqual(expected);
  });

  it.each([
    [
      "set not null",
      "alter table tasks alter column hours set not null",
      ["error lock/set-not-null", "warning run/no-way-back"],
    ],
    [
      "a foreign key",
      "alter table tasks add foreign key (title) references tasks (id)",
      ["error lock/foreign-key", "warning run/no-way-back", "warning design/foreign-key-index"],
    ],
  ])("is traced by the linter where made-up rows are in the way of %s", async (_, change, expected) => {
    const folder = mkdtempSync(join(tmpdir(), "plinth-living-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, "0001_tasks.sql"), `-- migrate:up\n${tasks(hours).join(";\n")};\n`);
    writeFileSync(join(folder, "0002_next.sql"), `-- migrate:up\n${change};\n`);
    const read = await readMigrationFolder(folder, { format: "plinth" });
    const only = ["0002_next.sql"];
    const report = await lintMigrations({ folder: read, only, schemaName: "app", shadow, mode: "trace" });
    expect(report.findings.map(({ level, rule }) => `${level} ${rule}`)).toEqual(expected);
  });
});
