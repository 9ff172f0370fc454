import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPostgres } from "../../test/support/postgres.ts";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { SOAK_TIMEOUT_MS, soakRuns } from "../../test/support/soak.ts";
import { BEHAVIOURS } from "../behaviours.ts";
import { EVERYTHING } from "../catalog/everything.fixture.ts";
import { type Connection, connect, parseTarget } from "../driver/index.ts";
import { createMigrator } from "../migrations/index.ts";
import { openShadow, type Shadow } from "../shadow/index.ts";
import { quoteIdentifier, quoteLiteral } from "../sql/index.ts";
import { EVERYTHING_FINDINGS, PARTLY, PARTLY_FINDINGS } from "./findings.fixture.ts";
import { type PulledSchema, pullSchema } from "./index.ts";
import { NASTY } from "./nasty.fixture.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

let server: TestServer;
let admin: Connection;
let shadow: Shadow;
const databases: string[] = [];
/** Everything that was pulled, to be compiled together. */
const written = new Map<string, string>();

beforeAll(async () => {
  server = await testServer();
  admin = await connect(parseTarget(server.url));
  shadow = await openShadow({ url: server.url, directory: "/nowhere" });
});

afterAll(async () => {
  await shadow.release();
  for (const name of databases) await admin.script(`drop database ${name} with (force)`);
  await admin.close();
  await server.stop();
});

async function newDatabase(): Promise<string> {
  const name = `pull_${randomBytes(6).toString("hex")}`;
  await admin.script(`create database ${name}`);
  databases.push(name);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return url.href;
}

async function pull(
  url: string,
  schemaName: string,
  leaveOut: readonly string[] = [],
): Promise<PulledSchema> {
  const connection = await connect(parseTarget(url));
  try {
    const pulled = await pullSchema({ connection, schemaName, shadow, behaviours: BEHAVIOURS, leaveOut });
    written.set(`${schemaName}-${written.size}.ts`, pulled.text);
    return pulled;
  } finally {
    await connection.close();
  }
}

/** A schema of its own, made by statements that run with `search_path` set to it. */
async function pullOf(sql: string, schemaName = "shop"): Promise<PulledSchema> {
  const url = await newDatabase();
  const connection = await connect(parseTarget(url));
  await connection.script(
    `create schema if not exists "${schemaName}"; set search_path to "${schemaName}"; ${sql}`,
  );
  await connection.close();
  return pull(url, schemaName);
}

async function pullExample(name: string): Promise<PulledSchema> {
  const url = await newDatabase();
  const folder = join(ROOT, "examples", name, "migrations");
  await createMigrator({ target: parseTarget(url), schemaName: name, folder }).up();
  return pull(url, name);
}

describe("pullSchema", () => {
  it("writes the tracker's schema so that it makes the same database, in its own words", async () => {
    const { text, entities, findings } = await pullExample("tracker");
    expect(findings).toEqual([]);
    expect(entities).toBe(5);
    expect(text).toContain('export const app = appSchema("tracker");');
    expect(text).toContain("...timestamps(),");
    expect(text).toContain("softDelete: true");
    expect(text).not.toContain("touch_updated_at");
  });

  it("writes the schema of snippets so that it makes the same database, in its own words", async () => {
    const { text, findings } = await pullExample("snippets");
    expect(findings).toEqual([]);
    expect(text).toContain("oneOf([");
  });

  it("writes a nasty schema so that it makes the same database", async () => {
    const { findings, text } = await pullOf(NASTY);
    expect(findings).toEqual([]);
    expect(text).toContain("export const");
  });

  it("adopts public, and leaves the tables of other tools out", async () => {
    const url = await newDatabase();
    const connection = await connect(parseTarget(url));
    await connection.script(
      "create table notes (id int primary key); create table knex_migrations (id serial primary key, name text)",
    );
    await connection.close();
    const { text, findings } = await pull(url, "public", ["knex_migrations"]);
    expect(text).toContain('export const app = appSchema("public", { adopted: true });');
    expect(text).not.toContain("knex");
    expect(findings).toEqual([
      {
        rule: "left-out",
        level: "warning",
        object: "table knex_migrations",
        why: "another migration tool keeps its history in it",
        fix: "Nothing to do. It stays as it is.",
      },
    ]);
  });

  it("names everything that has no declaration, and what needs it", async () => {
    const { findings } = await pullOf(EVERYTHING);
    expect(findings.map(({ rule, object, why }) => `${rule} ${object}: ${why}`)).toEqual(EVERYTHING_FINDINGS);
  });

  it("uses a behaviour's words only where the database is exactly what they make", async () => {
    const touched = (body: string): string => `
      create table notes (id bigint generated always as identity primary key,
        created_at timestamptz not null default now(), updated_at timestamptz not null default now());
      create function touch_updated_at() returns trigger language plpgsql as $$${body}$$;
      create trigger notes_touch before update on notes for each row execute function touch_updated_at();`;
    const exact = await pullOf(touched('\nbegin\n  new."updated_at" = now();\n  return new;\nend;\n'));
    expect(exact.text).toContain("...timestamps(),");
    expect(exact.findings).toEqual([]);
    const other = await pullOf(touched("begin new.updated_at = clock_timestamp(); return new; end"));
    expect(other.text).not.toContain("timestamps()");
    expect(other.text).toContain('app.function("touch_updated_at"');
    expect(other.findings).toEqual([]);
  });

  it("refuses a schema that holds nothing, and one whose name no declaration can have", async () => {
    await expect(pullOf("select 1")).rejects.toThrow('schema "shop" holds nothing to declare');
    await expect(pullOf("create table a (id int primary key)", "My Shop")).rejects.toMatchObject({
      code: "SCHEMA_INVALID",
      message: expect.stringContaining('the schema name "My Shop" is not lower-case letters'),
    });
  });

  it("proves the file on a server of another version too", async () => {
    const other = await startPostgres({ version: shadow.serverVersion === 15 ? 18 : 15 });
    const elsewhere = await openShadow({ url: other.url, directory: "/nowhere" });
    const url = await newDatabase();
    const connection = await connect(parseTarget(url));
    try {
      await connection.script(
        "create table notes (id int primary key, at date); create view dated as select n.id from notes n where n.at is not null",
      );
      const options = { connection, schemaName: "public", shadow: elsewhere, behaviours: BEHAVIOURS };
      expect((await pullSchema(options)).findings).toEqual([]);
    } finally {
      await connection.close();
      await elsewhere.release();
      await other.remove();
    }
  });

  it("says of each part that has no declaration what the file leaves out", async () => {
    const { findings } = await pullOf(PARTLY);
    expect(findings.map(({ rule, object, why }) => `${rule} ${object}: ${why}`)).toEqual(PARTLY_FINDINGS);
  });

  it(
    "writes down any name and any text, whatever characters it has",
    async () => {
      const text = fc.string({ unit: "binary", maxLength: 20 }).map((value) => value.replaceAll("\0", ""));
      const name = fc
        .string({ unit: "binary", minLength: 1, maxLength: 15 })
        .map((value) => value.replaceAll("\0", "x").toWellFormed());
      const table = fc.record({
        name,
        columns: fc.uniqueArray(name, { minLength: 1, maxLength: 5 }),
        comment: text.map((value) => value.toWellFormed()),
        value: text.map((value) => value.toWellFormed()),
      });
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(table, { minLength: 1, maxLength: 4, selector: (one) => one.name }),
          async (tables) => {
            const { findings } = await pullOf(tables.map(tableOf).join("\n"));
            expect(findings).toEqual([]);
          },
        ),
        { seed: 20_261_121, numRuns: soakRuns(200) },
      );
    },
    SOAK_TIMEOUT_MS,
  );

  it("writes files that compile", () => {
    const folder = mkdtempSync(join(tmpdir(), "plinth-pulled-"));
    try {
      symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
      writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
      for (const [name, text] of written) writeFileSync(join(folder, name), text);
      const paths = { plinth: [`${ROOT}src/index.ts`], "plinth/*": [`${ROOT}src/*/index.ts`] };
      const config = { extends: `${ROOT}tsconfig.json`, include: ["*.ts"], compilerOptions: { paths } };
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
      const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
      const run = (): string =>
        execFileSync(process.execPath, [compiler, "-p", folder], { encoding: "utf8" });
      expect(errorsOf(run)).toBe("");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

/** A table whose every name and text is what it is given. */
function tableOf({
  name,
  columns,
  comment,
  value,
}: Readonly<Record<"name" | "comment" | "value", string>> & {
  readonly columns: readonly string[];
}): string {
  const [first = "id", ...rest] = columns.map(quoteIdentifier);
  const lines = [
    `${first} text primary key`,
    ...rest.map((column) => `${column} text default ${quoteLiteral(value)}`),
  ];
  const table = quoteIdentifier(name);
  const said = comment.trim() === "" ? "" : `comment on table ${table} is ${quoteLiteral(comment)};`;
  return `create table ${table} (${lines.join(", ")}, check (${first} <> ${quoteLiteral(value)})); ${said}`;
}

function errorsOf(run: () => string): string {
  try {
    return run();
  } catch (error) {
    return error instanceof Error && "stdout" in error ? String(error.stdout) : String(error);
  }
}
