import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type TestServer, testServer } from "../../../test/support/server.ts";
import { EVERYTHING } from "../../catalog/everything.fixture.ts";
import { type Catalog, compareCatalogs, readCatalog } from "../../catalog/index.ts";
import { openShadow, type Shadow } from "../../shadow/index.ts";
import { parseMigrationFile } from "../migration-file.ts";
import { replayMigrations } from "../replay.ts";
import { defaultDumpFile, staleLine, writeDump } from "./dump-file.ts";
import { dumpSchema } from "./dump-schema.ts";
import { renderDump } from "./render-dump.ts";

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

function folderWith(...migrations: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "plinth-dump-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [index, up] of migrations.entries()) {
    writeFileSync(join(folder, `000${index + 1}_step.sql`), `-- migrate:up\n${up}\n`);
  }
  return folder;
}

async function catalogOf(sql: string, schemaName: string): Promise<Catalog> {
  const file = parseMigrationFile("0001_step.sql", Buffer.from(`-- migrate:up\n${sql}\n`));
  const database = await replayMigrations(shadow, [file], schemaName);
  try {
    return await database.use((connection) => readCatalog(connection, schemaName, { schemas: "all" }));
  } finally {
    await database.drop();
  }
}

/** Sends the whole text to an empty database, as psql does with a file. */
async function load(text: string, schemaName: string): Promise<Catalog> {
  const database = await shadow.createDatabase();
  try {
    return await database.use(async (connection) => {
      await connection.script(text);
      return readCatalog(connection, schemaName, { schemas: "all" });
    });
  } finally {
    await database.drop();
  }
}

describe("dumpSchema", () => {
  it("writes what the migrations make, readable and in full", async () => {
    const folder = folderWith(
      `create type mood as enum ('sad', 'ok');
       create table people (id bigint generated always as identity primary key, name text not null);
       create index on people (name);`,
      `alter table people add mood mood not null default 'ok';
       comment on table people is 'all of them';
       grant select on people to pg_monitor;`,
    );
    const text = await dumpSchema({ folder, schemaName: "app", shadow });
    expect(
      text,
    ).toBe(`-- The schema app as its migrations make it. Written by plinth migrate dump: edit a migration instead.
-- Needs the roles pg_monitor.

create schema if not exists "app";
set search_path to "app";
set check_function_bodies to off;

create type mood as enum ('sad', 'ok');

create table people (
  id bigint generated always as identity,
  name text not null,
  mood mood default 'ok'::mood not null,
  constraint people_pkey primary key (id)
);

comment on table people is 'all of them';

grant select on people to pg_monitor;

create index people_name_idx on people (name);
`);
  });

  it("loads into an empty database and makes the same, with every kind of object", async () => {
    const made = await catalogOf(EVERYTHING, "app");
    const text = renderDump(made);
    const loaded = await load(text, "app");
    expect(compareCatalogs(made, loaded)).toEqual([]);
    // And what was loaded is dumped the same: there is one way to write it.
    expect(renderDump(loaded)).toBe(text);
  });

  it("does not depend on how the migrations got there", async () => {
    const slowly = folderWith(
      "create table t (id int);",
      "alter table t add b text; alter table t alter id type bigint; create table u (x int);",
      "drop table u; alter table t add constraint t_pkey primary key (id); create view v as select b from t;",
    );
    const atOnce = folderWith(
      "create table t (id bigint primary key, b text); create view v as select b from t;",
    );
    const dumps = await Promise.all(
      [slowly, atOnce].map((folder) => dumpSchema({ folder, schemaName: "app", shadow })),
    );
    expect(dumps[0]).toBe(dumps[1]);
  });

  it("loads functions that speak of tables made after them, and odd names", async () => {
    const sql = `create table "Odd ""table"" -- x" ("select" int default 1);
      create function f() returns bigint language sql as $$ select count(*) from "Odd ""table"" -- x" -- why
        $$;
      create table t (n bigint default f());
      comment on table t is 'it''s -- fine; \\ really';`;
    const made = await catalogOf(sql, "Home, odd");
    expect(compareCatalogs(made, await load(renderDump(made), "Home, odd"))).toEqual([]);
  });
});

describe("writeDump", () => {
  it("writes the file beside the folder only where it differs, and leaves nothing else", async () => {
    const folder = mkdtempSync(join(tmpdir(), "plinth-dump-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = defaultDumpFile(join(folder, "migrations"));
    expect(file).toBe(join(folder, "schema.sql"));
    expect(await staleLine(file, "a\nb\n")).toBe(1);
    expect(await writeDump(file, "a\nb\n")).toBe(true);
    expect(await writeDump(file, "a\nb\n")).toBe(false);
    writeFileSync(file, "a\r\nb\r\n");
    expect(await writeDump(file, "a\nb\n")).toBe(false);
    expect(await staleLine(file, "a\nc\n")).toBe(2);
    expect(await staleLine(file, "a\n")).toBe(2);
    expect(await writeDump(file, "a\n")).toBe(true);
    expect(readFileSync(file, "utf8")).toBe("a\n");
    expect(readdirSync(folder)).toEqual(["schema.sql"]);
  });
});
