import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type TestServer, testServer } from "../../../test/support/server.ts";
import { type Connection, connect, parseTarget } from "../../driver/index.ts";
import { readContent } from "../formats/content.ts";
import { findToolTable, TOOL_READERS } from "./find-table.ts";
import { SHOP_BUILDERS } from "./shop.fixture.ts";
import type { AdoptableTool, ToolHistory } from "./tool.ts";
import { type ToolFolder, toolFolder } from "./tools.fixture.ts";

let server: TestServer;
let admin: Connection;
const folders: ToolFolder[] = [];
const names: string[] = [];

beforeAll(async () => {
  server = await testServer();
  admin = await connect(parseTarget(server.url));
});

afterEach(async () => {
  for (const folder of folders.splice(0)) folder.remove();
  for (const name of names.splice(0)) await admin.script(`drop database ${name} with (force)`);
});

afterAll(async () => {
  await admin.close();
  await server.stop();
});

async function emptyDatabase(): Promise<string> {
  const name = `adopt_${randomBytes(6).toString("hex")}`;
  await admin.script(`create database ${name}`);
  names.push(name);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return url.href;
}

function newFolder(): ToolFolder {
  const folder = toolFolder();
  folders.push(folder);
  return folder;
}

async function withConnection<T>(url: string, work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await connect(parseTarget(url));
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

function read(
  url: string,
  tool: AdoptableTool,
  folder: string | undefined,
  table?: string,
): Promise<ToolHistory> {
  return withConnection(url, async (connection) => {
    const content = folder === undefined ? undefined : await readContent(folder);
    return TOOL_READERS[tool].read(connection, await findToolTable(connection, tool, table), content);
  });
}

describe.each(SHOP_BUILDERS.filter(({ install }) => install === undefined))(
  "the history of $title",
  (builder) => {
    it("is read with names, times where the tool keeps them, and what is pending", async () => {
      const [url, folder] = [await emptyDatabase(), newFolder()];
      builder.write(folder, 3);
      await builder.build(folder, url);
      builder.write(folder, 3);
      const path = `${folder.path}/${builder.folder}`;
      const history = await read(url, builder.tool, path);
      const shown = history.applied.map(({ name }) => name.replace(/\.(?:js|sql)$/, ""));
      expect(shown).toEqual(builder.names.map((name) => name.replace(/\.(?:js|sql)$/, "")));
      for (const { appliedAt } of history.applied) {
        if (builder.hasTimes) expect(appliedAt).toMatch(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z?$/);
        else expect(appliedAt).toBeUndefined();
      }
      expect({ ...history, applied: [] }).toEqual({ applied: [], pending: [], missing: [], edited: [] });
    });

    it("is read without a folder as well, and calls nothing pending then", async () => {
      const [url, folder] = [await emptyDatabase(), newFolder()];
      builder.write(folder, 3);
      await builder.build(folder, url);
      const without = await read(url, builder.tool, undefined);
      expect(without.applied.length).toBeGreaterThan(0);
      expect({ ...without, applied: [] }).toEqual({ applied: [], pending: [], missing: [], edited: [] });
    });
  },
);

describe("what adopting refuses", () => {
  const tables: Readonly<Record<string, string>> = {
    prisma: `create table _prisma_migrations (id varchar(36) primary key, checksum varchar(64) not null,
      finished_at timestamptz, migration_name varchar(255) not null, logs text, rolled_back_at timestamptz,
      started_at timestamptz not null default now(), applied_steps_count integer not null default 0)`,
    knex: `create table knex_migrations (id serial primary key, name varchar(255), batch int, migration_time timestamptz);
      create table knex_migrations_lock (index serial primary key, is_locked int)`,
    "golang-migrate": "create table schema_migrations (version bigint primary key, dirty boolean not null)",
    flyway: `create table flyway_schema_history (installed_rank int primary key, version varchar(50),
      description varchar(200), type varchar(20), script varchar(1000), checksum int, installed_by varchar(100),
      installed_on timestamp default now(), execution_time int, success boolean)`,
    alembic: "create table alembic_version (version_num varchar(32) primary key)",
    drizzle: `create schema drizzle;
      create table drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)`,
  };

  it.each([
    ["prisma", "insert into _prisma_migrations (id, checksum, migration_name) values ('1', 'x', '2024_bad')"],
    ["knex", "insert into knex_migrations_lock (is_locked) values (1)"],
    ["golang-migrate", "insert into schema_migrations values (7, true)"],
    [
      "flyway",
      "insert into flyway_schema_history (installed_rank, type, script, success) values (1, 'SQL', 'V1__bad.sql', false)",
    ],
  ] as const)("is a state of %s that its own next run would refuse", async (tool, rows) => {
    const url = await emptyDatabase();
    await withConnection(url, (connection) => connection.script(`${tables[tool]}; ${rows}`));
    const messages: Readonly<Record<typeof tool, string>> = {
      prisma:
        "Prisma's migration 2024_bad failed, or is still running\n" +
        "  Mend the database and say how it stands: npx prisma migrate resolve --applied 2024_bad, or --rolled-back. Then run adopt again.",
      knex:
        "Knex's lock is taken: its migrations are running, or a run was killed\n" +
        "  Wait for the run; if there is none, npx knex migrate:unlock. Then run adopt again.",
      "golang-migrate":
        "golang-migrate's version 7 is dirty: its migration failed\n" +
        "  Mend the database by hand and say how it stands: migrate force VERSION. Then run adopt again.",
      flyway:
        "Flyway's migration V1__bad.sql failed\n  Mend the database, and run flyway repair. Then run adopt again.",
    };
    const error = await read(url, tool, undefined).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "SAFETY_REFUSED" });
    expect(error).toHaveProperty("message", messages[tool]);
  });

  it("is a table that is missing, ambiguous, or another tool's", async () => {
    const url = await emptyDatabase();
    await expect(read(url, "drizzle", undefined)).rejects.toThrow(
      "this database has no table __drizzle_migrations of drizzle (drizzle push keeps no history)",
    );
    await withConnection(url, (connection) =>
      connection.script(`${tables["golang-migrate"]};
        create schema other; create table other.schema_migrations (version text primary key);
        create table knex_migrations (a int)`),
    );
    await expect(read(url, "dbmate", undefined)).rejects.toThrow(
      "which one is it: other.schema_migrations or public.schema_migrations?",
    );
    await expect(read(url, "golang-migrate", undefined, "other.schema_migrations")).rejects.toThrow(
      "other.schema_migrations is not golang-migrate's: it has no column dirty",
    );
    await expect(read(url, "dbmate", undefined, "public.schema_migrations")).rejects.toThrow(
      "public.schema_migrations is golang-migrate's: it has a column dirty",
    );
    await expect(read(url, "knex", undefined)).rejects.toThrow(
      "public.knex_migrations is not knex's: it has no column id",
    );
    expect(await read(url, "dbmate", undefined, "other.schema_migrations")).toMatchObject({ applied: [] });
  });

  it("is a folder that this database was not migrated from", async () => {
    const [url, folder] = [await emptyDatabase(), newFolder()];
    folder.write("README.md", "");
    await withConnection(url, (connection) =>
      connection.script(`${Object.values(tables).join(";\n")};
        insert into schema_migrations values (7, false); insert into alembic_version values ('abc')`),
    );
    for (const tool of Object.keys(tables) as AdoptableTool[]) {
      await expect(read(url, tool, folder.path), tool).rejects.toThrow(/^the folder is not /);
    }
    folder.write("x.py", "revision = 'xyz'\ndown_revision = None\ndef upgrade():\n    pass\n");
    await expect(read(url, "alembic", folder.path)).rejects.toThrow(
      "no file of the folder is Alembic's revision abc",
    );
  });
});

describe("what the folder and the table say together", () => {
  it("finds the migration that Drizzle 0.x skips because a newer one is applied", async () => {
    const [url, folder] = [await emptyDatabase(), newFolder()];
    const entries = [
      { tag: "0000_a", when: 10 },
      { tag: "0001_late", when: 20 },
      { tag: "0002_c", when: 30 },
    ];
    folder.write("meta/_journal.json", JSON.stringify({ entries }));
    for (const { tag } of entries) folder.write(`${tag}.sql`, "select 1;");
    await withConnection(url, (connection) =>
      connection.script(`create schema drizzle;
        create table drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint);
        insert into drizzle.__drizzle_migrations (hash, created_at) values ('of an older text', 10), ('gone', 15), ('x', 30)`),
    );
    expect(await read(url, "drizzle", folder.path)).toEqual({
      applied: [
        { name: "0000_a", appliedAt: undefined },
        { name: "sha256 gone", appliedAt: undefined },
        { name: "0002_c", appliedAt: undefined },
      ],
      pending: ["0001_late"],
      missing: ["sha256 gone"],
      edited: ["0000_a", "0002_c"],
    });
  });

  it("goes by name where Drizzle 1.0 keeps it", async () => {
    const [url, folder] = [await emptyDatabase(), newFolder()];
    folder.write("20260101000000_a/migration.sql", "select 1;");
    folder.write("20260102000000_b/migration.sql", "select 2;");
    await withConnection(url, (connection) =>
      connection.script(`create schema drizzle;
        create table drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint,
          name text, applied_at timestamptz default now());
        insert into drizzle.__drizzle_migrations (hash, created_at, name, applied_at)
          values ('x', 1, '20260101000000_a', '2026-01-01 12:00:00+02')`),
    );
    expect(await read(url, "drizzle", folder.path)).toEqual({
      applied: [{ name: "20260101000000_a", appliedAt: "2026-01-01T10:00:00.000Z" }],
      pending: ["20260102000000_b"],
      missing: [],
      edited: ["20260101000000_a"],
    });
  });

  it("follows Alembic's branches and merges, and does not call what is on none of them applied", async () => {
    const [url, folder] = [await emptyDatabase(), newFolder()];
    const revisions: Readonly<Record<string, string>> = {
      a: "None",
      b: "'a'",
      c: "'a'",
      m: "(\n    'b',  # one\n    'c',\n)",
      d: "'m'",
    };
    for (const [id, before] of Object.entries(revisions)) {
      const text = `revision: str = "${id}"\ndown_revision: Union[str, None] = ${before}\n\n\ndef upgrade():\n    pass\n`;
      folder.write(`versions/${id}_x.py`, text);
    }
    await withConnection(url, (connection) =>
      connection.script(`${"create table alembic_version (version_num varchar(32) primary key)"};
        insert into alembic_version values ('m')`),
    );
    const history = await read(url, "alembic", folder.path);
    const applied = history.applied.map(({ name }) => name.charAt("versions/".length));
    expect(applied.slice(0, 1)).toEqual(["a"]);
    expect(applied.slice(1, 3).sort()).toEqual(["b", "c"]);
    expect(applied.slice(3)).toEqual(["m"]);
    expect(history.pending).toEqual(["versions/d_x.py"]);
  });

  it("reads Flyway's undone, deleted and baselined versions as what they are", async () => {
    const [url, folder] = [await emptyDatabase(), newFolder()];
    for (const name of ["V1__old", "V2__base", "V3__kept", "V4__undone", "V5__deleted", "R__new"]) {
      folder.write(`${name}.sql`, "select 1;");
    }
    await withConnection(url, (connection) =>
      connection.script(`create table flyway_schema_history (installed_rank int primary key, version varchar(50),
          description varchar(200), type varchar(20), script varchar(1000), installed_on timestamp, success boolean);
        insert into flyway_schema_history values
          (1, '2', '', 'BASELINE', '<< Flyway Baseline >>', '2024-01-01 00:00:00', true),
          (2, '3.0', '', 'SQL', 'V3__kept.sql', null, true), (3, '4', '', 'SQL', 'V4__undone.sql', null, true),
          (4, '4', '', 'UNDO_SQL', 'U4__undone.sql', null, true), (5, '5', '', 'SQL', 'V5__deleted.sql', null, true),
          (6, '5', '', 'DELETE', 'V5__deleted.sql', null, true), (7, '9', '', 'SQL', 'V9__gone.sql', null, true),
          (8, null, '', 'JDBC', 'R__Program', null, true)`),
    );
    expect(await read(url, "flyway", folder.path)).toEqual({
      applied: [
        { name: "<< Flyway Baseline >>", appliedAt: "2024-01-01T00:00:00.000" },
        ...["V3__kept.sql", "V9__gone.sql", "R__Program"].map((name) => ({ name, appliedAt: undefined })),
      ],
      pending: ["R__new.sql", "V4__undone.sql", "V5__deleted.sql"],
      missing: ["V9__gone.sql"],
      edited: [],
    });
  });
});
