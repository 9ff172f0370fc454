import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { text } from "drizzle-orm/pg-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type TestServer, testServer } from "../../../test/support/server.ts";
import { BEHAVIOURS } from "../../behaviours.ts";
import { renderSchema } from "../../catalog/index.ts";
import { type Connection, connect, parseTarget } from "../../driver/index.ts";
import { app, schema } from "../../history/ledger.fixture.ts";
import { describeSchema, entity } from "../../schema/index.ts";
import { runProgram } from "../program.ts";
import type { Terminal } from "../terminal.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

let server: TestServer;
let admin: Connection;
let client: Connection;
let folder: string;
/** Rows that belong to a tenant each. */
const boxes = entity(
  app,
  "boxes",
  { id: text().primaryKey(), shopId: text().notNull(), name: text().notNull() },
  { tenant: "shopId", history: true },
);
const name = `cli_history_${randomBytes(6).toString("hex")}`;

beforeAll(async () => {
  server = await testServer();
  admin = await connect(parseTarget(server.url));
  await admin.script(`create database ${name}`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  vi.stubEnv("DATABASE_DIRECT_URL", url.href);
  client = await connect(parseTarget(url.href));
  const { up } = renderSchema(describeSchema({ ...schema, boxes }), BEHAVIOURS);
  await client.script(`create schema ledger; set search_path to ledger; ${up.join(";\n")};
    create role ${name}_app login; grant usage on schema ledger to ${name}_app;
    grant select on all tables in schema ledger to ${name}_app`);
  // Rows of tenants are shown to no role that policies do not hold for.
  url.username = `${name}_app`;
  url.password = "";
  vi.stubEnv("DATABASE_URL", url.href);
  folder = mkdtempSync(join(tmpdir(), "plinth-cli-history-"));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(join(folder, "plinth.config.ts"), "export default {};");
  writeFileSync(
    join(folder, "schema.ts"),
    `import { text, integer } from "drizzle-orm/pg-core";
import { appSchema, entity, ulidKey } from "plinth/schema";
export const app = appSchema("ledger");
export const notes = entity(app, "notes", { id: ulidKey(), text: text().notNull() });
export const shares = entity(app, "shares", {
  accountId: text().primaryKey(), holder: text().primaryKey(), percent: integer().notNull(),
}, { history: true });
export const boxes = entity(app, "boxes", {
  id: text().primaryKey(), shopId: text().notNull(), name: text().notNull(),
}, { tenant: "shopId", history: true });
`,
  );
});

afterAll(async () => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
  await client.close();
  await admin.script(`drop database ${name} with (force)`);
  await admin.script(`drop role ${name}_app`);
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

const KEY = '{"accountId": "a", "holder": "1"}';

describe("plinth history", () => {
  it("prints a row's changes, with who made them and why, the newest first", async () => {
    await client.script(
      "begin; select set_config('plinth.user_id', 'u7', true), set_config('plinth.reason', E'release\\u001b[31m', true); insert into shares values ('a', '1', 40); commit; update shares set percent = 50",
    );
    const { code, stdout } = await plinth("history", "shares", KEY);
    expect(code).toBe(0);
    expect(stdout.replaceAll(/\d{4}-\S+Z/g, "<time>")).toBe(`<time>  update  version 2  by role postgres
  percent: 40 -> 50
  permille: "400" -> "500"

<time>  insert  version 1  by u7 (role postgres), because: release\\u001b[31m
  holder: null -> "1"
  percent: null -> 40
  permille: null -> "400"
  accountId: null -> "a"
`);
  });

  it("gives one JSON document, and a cursor to go on from", async () => {
    const first = JSON.parse(
      (await plinth("history", "show", "shares", KEY, "--limit", "1", "--json")).stdout,
    );
    expect(first).toMatchObject({
      ok: true,
      command: "history show",
      data: { table: "shares", versions: [{ version: "2", operation: "update" }], nextCursor: "2" },
    });
    const second = await plinth("history", "shares", KEY, "--after", "2", "--json");
    expect(JSON.parse(second.stdout).data).toMatchObject({ versions: [{ version: "1" }], nextCursor: null });
  });

  it("shows a tenant's row to whoever says whose it is", async () => {
    await client.script("insert into boxes values ('b', 'ada', 'hers'), ('b', 'bob', 'his')");
    expect((await plinth("history", "boxes", "b", "--tenant", "bob")).stdout).toContain(
      'name: null -> "his"',
    );
    expect((await plinth("history", "boxes", "b", "--tenant", "eve")).stdout).toContain(
      "nothing was recorded of this row",
    );
    expect((await plinth("history", "boxes", "b")).stderr).toContain(
      '"boxes" has a tenant: say whose row it is, with --tenant <shopId>',
    );
    expect((await plinth("history", "shares", KEY, "--tenant", "bob")).stderr).toContain(
      `"shares" has no tenant, so its rows are nobody's`,
    );
  });

  it("says what it does not know", async () => {
    expect(await plinth("history", "shares", '{"accountId": "x", "holder": "y"}')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^nothing was recorded of this row since the history began at 2\d{3}-\S+\.\d{6}Z\n$/,
      ),
    });
    for (const [words, complaint] of [
      [["share", "1"], 'did you mean "shares"?'],
      [["notes", "1"], '"notes" keeps no history'],
      [["shares", "x"], "must have accountId, holder"],
      [["shares", KEY, "--after", "x"], "is no cursor of a history"],
    ] as const) {
      const said = await plinth("history", ...words);
      expect([said.code, said.stderr]).toEqual([2, expect.stringContaining(complaint)]);
    }
    expect((await plinth("history", "prune", "shares", "--older-than", "9d")).code).toBe(2);
    expect((await plinth("history", "shares", KEY, "--limit", "0")).code).toBe(2);
  });

  it("makes the next months' partitions, and deletes what is too old", async () => {
    await client.script(
      "insert into shares_history (at, operation, row_key, before, after) values ('2020-01-01', 'update', 'old', '{}', '{}')",
    );
    const planned = await plinth("history", "prune", "--older-than", "400d", "--dry-run");
    expect(planned).toMatchObject({ code: 0, stderr: "" });
    expect(planned.stdout).toMatch(/^delete from only ledger.shares_history_default where at < '.*';$/m);
    expect(planned.stdout).toMatch(/^alter table ledger.shares_history attach partition /m);
    const pruned = await plinth("history", "prune", "--older-than", "400d");
    expect(pruned).toMatchObject({ code: 0, stderr: expect.stringMatching(/^target: .*, schema ledger\n/) });
    expect(pruned.stdout).toContain("deleted 1 rows of shares_history\n");
    const left = await plinth("history", "shares", KEY);
    expect(left.stdout).toMatch(/\n\nwhat was before \S+Z was pruned\n$/);
    const again = await plinth("history", "prepare", "--months", "4", "--json");
    expect(JSON.parse(again.stdout).data.tables.map(({ made }: { made: string[] }) => made.length)).toEqual([
      1, 1, 1, 1, 1, 1,
    ]);
    expect((await plinth("history", "prune", "--older-than", "soon")).code).toBe(2);
    expect((await plinth("history", "prune")).code).toBe(2);
  });
});
