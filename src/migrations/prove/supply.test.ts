import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestServer, testServer } from "../../../test/support/server.ts";
import { createModuleLoader } from "../../config/index.ts";
import { openShadow, type Shadow } from "../../shadow/index.ts";
import { parseMigrationFile } from "../migration-file.ts";
import { proveMigrations } from "./prove.ts";
import type { ProofReport } from "./report.ts";
import { type ProveRows, readProveRows } from "./supply.ts";

let server: TestServer;
let shadow: Shadow;
let folder: string;

beforeAll(async () => {
  server = await testServer();
  shadow = await openShadow({ url: server.url, directory: import.meta.dirname });
  folder = mkdtempSync(join(tmpdir(), "plinth-prove-rows-"));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await shadow.release();
  await server.stop();
});

function prove(texts: readonly string[], proveRows?: ProveRows): Promise<ProofReport> {
  const files = texts.map((text, index) => parseMigrationFile(`000${index + 1}_step.sql`, Buffer.from(text)));
  return proveMigrations({ shadow, files, schemaName: "shop", proveRows });
}

function step(up: string, down: string): string {
  return `-- migrate:up\n${up}\n-- migrate:down\n${down}\n`;
}

const LICENCES = `-- migrate:up
create table licences (key text primary key, constraint magic check (md5(key) = '54ef36ec71201fdf9d1423fd26f97f6b'));
create table seats (licence text not null references licences);
-- migrate:down
drop table seats; drop table licences;
`;

describe("readProveRows", () => {
  const load = createModuleLoader();

  it("is not needed to say which tables were proven without rows", async () => {
    const { findings } = await prove([
      LICENCES,
      step("alter table seats add x int;", "alter table seats drop x;"),
    ]);
    expect(findings.map(({ level, rule, object }) => `${level} ${rule} ${object}`)).toEqual([
      "warning unproven-with-data 0001_step.sql",
      "warning unproven-with-data 0001_step.sql",
    ]);
    expect(findings.map(({ why }) => why).sort()).toEqual([
      "from here on licences has no rows: no generated row satisfies check magic: (md5(key) = '54ef36ec71201fdf9d1423fd26f97f6b'::text)",
      "from here on seats has no rows: foreign key seats_licence_fkey: the table it refers to has no rows",
    ]);
  });

  it("takes rows from prove-rows.sql beside the folder, for the versions they fit", async () => {
    const beside = mkdtempSync(join(folder, "sql-"));
    writeFileSync(
      join(beside, "prove-rows.sql"),
      `-- Rows nobody can guess.
-- rows: licences to 1
insert into licences values ('open sesame');
-- rows: licences from 2
insert into licences (key, at) values ('open sesame', now());
-- rows: "other table" from 7 to 9
insert into nowhere values (1);
`,
    );
    const proveRows = await readProveRows(join(beside, "migrations"), load);
    const { findings, migrations } = await prove(
      [LICENCES, step("alter table licences add at timestamptz;", "alter table licences drop at;")],
      proveRows,
    );
    expect(findings).toEqual([]);
    expect(migrations[1]).toMatchObject({ tables: 2 });
  });

  it("takes rows from a function of prove-rows.ts", async () => {
    const beside = mkdtempSync(join(folder, "ts-"));
    writeFileSync(
      join(beside, "prove-rows.ts"),
      `export async function proveRows({ table, version, query }: any): Promise<void> {
  if (table === "licences") await query("insert into licences values ($1)", [version === "0001" ? "open sesame" : "no"]);
}
`,
    );
    const proveRows = await readProveRows(join(beside, "migrations"), load);
    expect((await prove([LICENCES], proveRows)).findings).toEqual([]);
  });

  it("makes a mistake in the supplied rows part of the finding", async () => {
    const { findings } = await prove([LICENCES], async ({ query }) => {
      await query("insert into licences values ('wrong')");
    });
    expect(findings.find(({ why }) => why.includes("licences has no rows"))?.why).toMatch(
      /proveRows failed: .*magic/,
    );
  });

  it("refuses a file it cannot use, and finds none where there is none", async () => {
    const beside = mkdtempSync(join(folder, "bad-"));
    expect(await readProveRows(join(beside, "migrations"), load)).toBeUndefined();
    writeFileSync(join(beside, "rows.sql"), "-- rows: a b c\n");
    await expect(readProveRows(beside, load, join(beside, "rows.sql"))).rejects.toMatchObject({
      code: "MIGRATION_INVALID",
      line: 1,
    });
    writeFileSync(join(beside, "empty.mjs"), "export const nothing = 1;\n");
    await expect(readProveRows(beside, load, join(beside, "empty.mjs"))).rejects.toMatchObject({
      code: "MIGRATION_INVALID",
    });
    await expect(readProveRows(beside, load, join(beside, "none.sql"))).rejects.toMatchObject({
      code: "MIGRATION_INVALID",
    });
  });
});
