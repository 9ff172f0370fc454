import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestServer, testServer } from "../../../test/support/server.ts";
import { runProgram } from "../program.ts";
import type { Terminal } from "../terminal.ts";

let server: TestServer;
let folder: string;
let made = 0;

beforeAll(async () => {
  server = await testServer();
  folder = mkdtempSync(join(tmpdir(), "plinth-prove-cli-"));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await server.stop();
});

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function plinth(...words: readonly string[]): Promise<Ended> {
  const written = { out: "", err: "", code: -1 };
  const terminal: Terminal = {
    out: (text) => {
      written.out += text;
    },
    err: (text) => {
      written.err += `${text}\n`;
    },
    paint: (_, text) => text,
  };
  const setExitCode = (code: number): void => {
    written.code = code;
  };
  await runProgram({ terminal, setExitCode }, words);
  return written;
}

function filesIn(files: Readonly<Record<string, string>>): string {
  made += 1;
  const place = join(folder, `case_${made}`, "migrations");
  mkdirSync(place, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(place, name), text);
  return place;
}

const USERS = "create table users (id int primary key, name text not null);";

describe("plinth migrate prove", () => {
  it("proves any folder of SQL, without a project", async () => {
    const place = filesIn({
      "0001_users.sql": `-- migrate:up\n${USERS}\n-- migrate:down\ndrop table users;\n`,
      "0002_age.sql":
        "-- migrate:up\nalter table users add age int;\n-- migrate:down\nalter table users drop age;\n",
    });
    const { code, out, err } = await plinth(
      "migrate",
      "prove",
      place,
      "--shadow-url",
      server.url,
      "--rows",
      "3",
    );
    expect(err).toBe("");
    expect(out).toBe(`proven    0001_users.sql  up, down, up without rows
proven    0002_age.sql    up, down, up with 3 rows in 1 table
2 of 2 proven both ways, 0 errors, 0 warnings
`);
    expect(code).toBe(0);
  });

  it("exits with 3 on an error, and gives both sides in one document", async () => {
    const place = filesIn({
      "V1__users.sql": USERS,
      "U1__users.sql": "select 1;",
      "V2__age.sql": "alter table users add age int;",
      "U2__age.sql": "alter table users drop age;",
    });
    const { code, out } = await plinth("migrate", "prove", place, "--shadow-url", server.url, "--json");
    const { ok, command, data, findings } = JSON.parse(out);
    expect([code, ok, command, data.format]).toEqual([3, false, "migrate prove", "flyway"]);
    expect(data.migrations.map(({ proof }: { readonly proof: string }) => proof)).toEqual([
      "failed",
      "up-down-up",
    ]);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({
      rule: "down-differs",
      level: "error",
      object: "V1__users.sql",
      right: "table",
    });
  });

  it("proves the project's own folder against its schema", async () => {
    const { code, out, err } = await plinth(
      "migrate",
      "prove",
      "--project",
      "examples/tracker",
      "--shadow-url",
      server.url,
    );
    expect(err).toBe("");
    expect(out).toMatch(/^proven {4}0001_create_tracker\.sql/);
    expect(code).toBe(0);
  });

  it("says what is wrong with its arguments", async () => {
    expect((await plinth("migrate", "prove", "--rows", "0")).code).toBe(2);
    const missing = await plinth("migrate", "prove", join(folder, "nowhere"), "--shadow-url", server.url);
    expect(missing.code).toBe(1);
    expect(missing.err).toContain("nowhere");
    const place = filesIn({ "0001_users.sql": `-- migrate:up\n${USERS}\n` });
    const late = await plinth("migrate", "prove", place, "--shadow-url", server.url, "--from", "9");
    expect([late.code, late.err.includes('"9"')]).toEqual([1, true]);
  });
});

describe("plinth migrate squash", () => {
  it("squashes a project's folder, and writes nothing in a dry run", async () => {
    const place = filesIn({
      "0001_users.sql": `-- migrate:up\n${USERS}\n-- migrate:down\ndrop table users;\n`,
      "0002_age.sql":
        "-- migrate:up\nalter table users add age int;\n-- migrate:down\nalter table users drop age;\n",
    });
    const project = join(place, "..");
    writeFileSync(join(project, "plinth.config.mjs"), 'export default { database: { schema: "shop" } };\n');
    const command = ["migrate", "squash", "--project", project, "--to", "2", "--shadow-url", server.url];
    const dry = await plinth(...command, "--dry-run");
    expect(dry.out).toMatch(/^-- replaces: 0001\.\.0002, 2 migrations, sha256 [0-9a-f]{64}\n/);
    expect(readdirSync(place)).toHaveLength(2);
    const { code, out } = await plinth(...command, "first year");
    expect(code).toBe(0);
    expect(out).toBe(
      `${join(place, "0002_first_year.sql")}\nreplaces 2 migrations, which are in ${place}-replaced/0002_first_year now\n`,
    );
    expect(readdirSync(place)).toEqual(["0002_first_year.sql"]);
    const proven = await plinth("migrate", "prove", place, "--schema", "shop", "--shadow-url", server.url);
    expect([proven.code, proven.err]).toEqual([0, ""]);
  });

  it("exits with 3 and writes nothing when something would be lost", async () => {
    const place = filesIn({
      "0001_users.sql": `-- migrate:up\n${USERS}\n`,
      "0002_rights.sql": "-- migrate:up\nalter default privileges grant select on tables to public;\n",
    });
    const project = join(place, "..");
    writeFileSync(join(project, "plinth.config.mjs"), 'export default { database: { schema: "shop" } };\n');
    const { code, out, err } = await plinth(
      "migrate",
      "squash",
      "--project",
      project,
      "--to",
      "2",
      "--shadow-url",
      server.url,
    );
    expect([code, out]).toEqual([3, "nothing was written\n"]);
    expect(err).toContain("0002_rights.sql:2: it changes default privileges");
    expect(readdirSync(place)).toHaveLength(2);
  });
});
