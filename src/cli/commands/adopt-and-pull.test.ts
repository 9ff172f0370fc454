import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type TestServer, testServer } from "../../../test/support/server.ts";
import { type Connection, connect, parseTarget } from "../../driver/index.ts";
import { ADOPTABLE_TOOLS } from "../../migrations/index.ts";
import { runProgram } from "../program.ts";
import type { Terminal } from "../terminal.ts";
import { TOOLS } from "./migrate-adopt.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

let server: TestServer;
let admin: Connection;
let folder: string;
const name = `cli_adopt_${randomBytes(6).toString("hex")}`;
const url = (): string => {
  const given = new URL(server.url);
  given.pathname = `/${name}`;
  return given.href;
};

beforeAll(async () => {
  server = await testServer();
  admin = await connect(parseTarget(server.url));
  await admin.script(`create database ${name}`);
  vi.stubEnv("DATABASE_URL", url());
  await run(`create table notes (id bigint generated always as identity primary key, body text not null);
    create table knex_migrations (id serial primary key, name varchar(255), batch int, migration_time timestamptz);
    insert into knex_migrations (name, batch, migration_time) values ('1_notes.js', 1, '2024-05-01 12:00:00+00')`);
  folder = mkdtempSync(join(tmpdir(), "plinth-cli-adopt-"));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(join(folder, "plinth.config.ts"), "export default {};");
});

afterAll(async () => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
  await admin.script(`drop database ${name} with (force)`);
  await admin.close();
  await server.stop();
});

async function run(sql: string): Promise<void> {
  const connection = await connect(parseTarget(url()));
  await connection.script(sql);
  await connection.close();
}

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line in this process, on the application's folder. */
async function plinth(...words: readonly string[]): Promise<Run> {
  const said = { code: -1, stdout: "", stderr: "" };
  const terminal: Terminal = {
    out: (text) => {
      said.stdout += text;
    },
    err: (text) => {
      said.stderr += `${text}\n`;
    },
    paint: (_, text) => text,
  };
  const setExitCode = (code: number): void => {
    said.code = code;
  };
  await runProgram({ terminal, setExitCode }, [...words, "--project", folder]);
  return said;
}

const shadow = (): readonly string[] => ["--shadow-url", server.url];

describe("plinth schema pull and plinth migrate adopt", () => {
  it("know the same tools as the package", () => {
    expect(TOOLS).toEqual(ADOPTABLE_TOOLS);
  });

  it("take a database in public over, from the first look to the first migration", async () => {
    const printed = await plinth("schema", "pull", "--output", "-", ...shadow());
    expect(printed).toMatchObject({ code: 0, stderr: expect.stringContaining("table knex_migrations") });
    const pulled = await plinth("schema", "pull", ...shadow());
    expect(pulled).toMatchObject({ code: 0, stdout: `${join(folder, "schema.ts")}\n` });
    expect(readFileSync(join(folder, "schema.ts"), "utf8")).toBe(printed.stdout);

    const shown = await plinth("migrate", "adopt", "--from", "knex", "--dry-run", ...shadow());
    expect(shown.code).toBe(0);
    expect(shown.stdout).toContain("-- 1. 1_notes.js  2024-05-01T12:00:00.000Z");
    expect(existsSync(join(folder, "migrations"))).toBe(false);
    const adopted = await plinth("migrate", "adopt", "--from", "knex", ...shadow());
    expect(adopted).toMatchObject({
      code: 0,
      stdout: `adopted 1 of knex, the newest 1_notes.js\n${join(folder, "migrations/0001_baseline.sql")}\n`,
      stderr: expect.stringMatching(/^target: .*, schema public\n/),
    });
    expect(await plinth("migrate", "adopt", "--from", "knex", ...shadow())).toMatchObject({
      code: 0,
      stdout: "nothing to do: Plinth's ledger is in use here, and begins with 0001_baseline.sql\n",
    });

    const nothing = await plinth("migrate", "generate", "nothing", ...shadow());
    expect(nothing).toMatchObject({ code: 0, stdout: expect.stringContaining("nothing to do") });
    writeFileSync(
      join(folder, "migrations/0002_seen.sql"),
      "-- migrate:up\nalter table notes add seen boolean;\n",
    );
    expect(await plinth("migrate", "up")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("0002_seen.sql"),
    });
  });

  it("record on a copy of the database what its migrations make, and refuse another one", async () => {
    await run("drop table plinth_migrations");
    const other = await plinth("migrate", "baseline", "--to", "1", "--json", ...shadow());
    expect(other.code).toBe(3);
    expect(JSON.parse(other.stdout)).toMatchObject({
      ok: false,
      command: "migrate baseline",
      data: { recorded: [] },
      findings: [{ rule: "baseline-differs", object: "column notes.seen" }],
    });
    const recorded = await plinth("migrate", "baseline", ...shadow());
    expect(recorded).toMatchObject({
      code: 0,
      stdout: "recorded 0001_baseline.sql\nrecorded 0002_seen.sql\n",
    });
    expect((await plinth("migrate", "status")).code).toBe(0);
  });

  it("overwrite nothing, guess no schema, and say what is missing", async () => {
    expect(await plinth("schema", "pull", ...shadow())).toMatchObject({
      code: 4,
      stdout: "",
      stderr: expect.stringMatching(/schema\.ts exists, and nothing is overwritten/),
    });
    rmSync(join(folder, "schema.ts"));
    await run("create schema other; create table other.things (id int primary key)");
    expect(await plinth("schema", "pull", ...shadow())).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("which schema is it: other, public?"),
    });
    const chosen = await plinth("schema", "pull", "--schema", "other", "--output", "-", ...shadow());
    expect(chosen.stdout).toContain('export const app = appSchema("other");');
    const missing = await plinth("schema", "pull", "--schema", "nowhere", "--output", "-", ...shadow());
    expect(missing).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('schema "nowhere" holds nothing'),
    });
    expect((await plinth("migrate", "adopt", "--from", "rails")).code).toBe(2);
  });
});
