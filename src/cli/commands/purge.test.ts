import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type TestServer, testServer } from "../../../test/support/server.ts";
import { type Connection, connect, parseTarget } from "../../driver/index.ts";
import { loadProject } from "../../project.ts";
import { runProgram } from "../program.ts";
import type { Terminal } from "../terminal.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

let server: TestServer;
let admin: Connection;
let client: Connection;
let folder: string;
const name = `cli_purge_${randomBytes(6).toString("hex")}`;

beforeAll(async () => {
  server = await testServer();
  admin = await connect(parseTarget(server.url));
  await admin.script(`create database ${name}`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  vi.stubEnv("DATABASE_URL", url.href);
  client = await connect(parseTarget(url.href));
  folder = mkdtempSync(join(tmpdir(), "plinth-cli-purge-"));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(join(folder, "plinth.config.ts"), "export default {};");
  writeFileSync(
    join(folder, "schema.ts"),
    `import { text, integer } from "drizzle-orm/pg-core";
import { appSchema, entity, ulidKey } from "plinth/schema";
export const app = appSchema("shelf");
export const notes = entity(app, "notes", { id: ulidKey() }, { softDelete: true });
export const lines = entity(app, "lines", {
  id: ulidKey(), noteId: text().references(() => notes.id, { onDelete: "cascade" }),
}, { softDelete: true });
`,
  );
  const { up } = await (await loadProject(folder)).renderSchema();
  await client.script(`create schema shelf; set search_path to shelf; ${up.join(";\n")}`);
});

beforeEach(async () => {
  await client.script(`begin; set local plinth.purging = 'on'; truncate notes cascade; commit;
    insert into notes (id) select i from generate_series(1, 5) i;
    insert into lines (id, note_id) select i, '1' from generate_series(1, 3) i;
    update notes set deleted_at = now() - interval '91 days' where id in ('1', '2');
    update notes set deleted_at = now() where id = '3'`);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
  await client.close();
  await admin.script(`drop database ${name} with (force)`);
  await admin.close();
  await server.stop();
});

/** The command line in this process, on the application's folder. */
async function plinth(...words: readonly string[]) {
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

const ids = async (table: string) =>
  ((await client.script(`select id from ${table} order by id`)).at(-1)?.rows ?? []).map(([id]) => id);

describe("plinth purge", () => {
  it("removes what has been deleted for longer, and says from where", async () => {
    const said = await plinth("purge", "--older-than", "90d", "--batch", "2");
    expect(said).toEqual({
      code: 0,
      stdout: "lines: removed 3\nnotes: removed 2\n",
      stderr: expect.stringMatching(/^target: .*cli_purge.*, schema shelf\n$/),
    });
    expect([await ids("notes"), await ids("lines")]).toEqual([["3", "4", "5"], []]);
  });

  it("removes nothing in a dry run, and prints SQL that does what it would", async () => {
    const said = await plinth("purge", "--older-than", "90d", "--dry-run");
    expect(said.code).toBe(0);
    expect(said.stderr).toBe("");
    expect(said.stdout).toMatch(/^-- lines: 3 old enough/);
    expect([await ids("notes"), await ids("lines")]).toEqual([
      ["1", "2", "3", "4", "5"],
      ["1", "2", "3"],
    ]);
    await client.script(said.stdout);
    expect([await ids("notes"), await ids("lines")]).toEqual([["3", "4", "5"], []]);
  });

  it("takes one table, says what it kept, and writes one document", async () => {
    const said = await plinth("purge", "--older-than", "90d", "--entity", "notes");
    expect(said.stdout).toBe("notes: removed 1, kept 1 that others refer to or hold\n");
    const json = JSON.parse((await plinth("purge", "--older-than", "90d", "--json")).stdout);
    expect(json).toMatchObject({
      ok: true,
      command: "purge",
      data: {
        tables: [
          { table: "lines", removedRows: 3, keptRows: 0 },
          { table: "notes", removedRows: 1, keptRows: 0 },
        ],
      },
    });
  });

  it("is refused while another one runs", async () => {
    await client.script("select pg_advisory_lock(1886153070, 2)");
    const said = await plinth("purge", "--older-than", "90d");
    await client.script("select pg_advisory_unlock(1886153070, 2)");
    expect([said.code, said.stderr]).toEqual([
      4,
      expect.stringContaining("another purge works on this database"),
    ]);
    expect(await ids("lines")).toEqual(["1", "2", "3"]);
  });

  it.each([
    [["purge"], "--older-than"],
    [["purge", "--older-than", "90"], "a number of days, such as 90d"],
    [["purge", "--older-than", "0d"], "a number of days, such as 90d"],
    [["purge", "--older-than", "90d", "--batch", "0"], "a whole number from 1 to 100000"],
  ])("takes no %j", async (words, complaint) => {
    const said = await plinth(...words);
    expect([said.code, said.stderr]).toEqual([2, expect.stringContaining(complaint)]);
  });

  it("names the tables there are where another is asked for", async () => {
    const said = await plinth("purge", "--older-than", "90d", "--entity", "note");
    expect(said.code).toBe(2);
    expect(said.stderr).toContain('unknown soft-deleted table "note"; did you mean "notes"?');
    expect(await ids("lines")).toEqual(["1", "2", "3"]);
    const json = JSON.parse((await plinth("purge", "--older-than", "90d", "--entity", "x", "--json")).stdout);
    expect(json).toMatchObject({ ok: false, error: { code: "INVALID_VALUE" } });
  });
});
