import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
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
const mark = randomBytes(6).toString("hex");
const name = `cli_roles_${mark}`;
const KINDS = ["migrator", "app", "readonly", "backup", "monitor", "owner"];

beforeAll(async () => {
  server = await testServer();
  admin = await connect(parseTarget(server.url));
  await admin.script(`create database ${name}`);
  await admin.script(`create role reports_${mark}`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  vi.stubEnv("DATABASE_URL", url.href);
  client = await connect(parseTarget(url.href));
  folder = mkdtempSync(join(tmpdir(), "plinth-cli-roles-"));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(
    join(folder, "plinth.config.ts"),
    `export default { roles: { prefix: "shelf_${mark}", app: "shop ${mark}" } };`,
  );
  writeFileSync(
    join(folder, "schema.ts"),
    `import { appSchema, entity, ulidKey } from "plinth/schema";
export const app = appSchema("shelf");
export const notes = entity(app, "notes", { id: ulidKey() }, { softDelete: true, history: true });
export const reports = app.grant({ on: notes, to: "reports_${mark}", privileges: ["select"] });
`,
  );
  const { up } = await (await loadProject(folder)).renderSchema();
  await client.script(`create schema shelf; set search_path to shelf; ${up.join(";\n")}; reset search_path`);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
  await client.close();
  await admin.script(`drop database ${name} with (force)`);
  await admin.script(`drop role reports_${mark}`);
  for (const kind of KINDS) await admin.script(`drop role if exists shelf_${mark}_${kind}`);
  await admin.script(`drop role if exists "shop ${mark}"`);
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

const roles = async () =>
  (
    await admin.query({
      text: "select rolname from pg_roles where rolname ~ $1 order by 1",
      values: [`^sh.*${mark}`],
    })
  ).rows;

describe("plinth roles", () => {
  it("prints in a dry run SQL that does what sync does, without a target and without a password", async () => {
    vi.stubEnv("DATABASE_ROLES_READ_ONLY_PASSWORD", "hush-hush");
    const said = await plinth("roles", "sync", "--dry-run");
    expect([said.code, said.stderr]).toEqual([0, ""]);
    expect(said.stdout).toMatch(/^begin;\ncreate role "shelf_\w+_owner" nologin/);
    expect(said.stdout).toMatch(
      /\n-- alter role "shelf_\w+_readonly" password …, which DATABASE_ROLES_READ_ONLY_PASSWORD holds; not shown\ncommit;\n$/,
    );
    expect(said.stdout).not.toContain("hush");
    expect(await roles()).toEqual([]);
    await client.script(`${said.stdout.replace(/commit;\n$/, "")} rollback`);
    expect(await roles()).toEqual([]);
  });

  it("says of a database without roles which are missing, and exits with 3", async () => {
    const said = await plinth("roles", "check", "--json");
    expect(said.code).toBe(3);
    const { ok, findings } = JSON.parse(said.stdout);
    expect(ok).toBe(false);
    expect(findings).toContainEqual({
      rule: "role-missing",
      level: "error",
      object: `role shop ${mark}`,
      why: "the app role does not exist",
      fix: `create role "shop ${mark}" login inherit nocreaterole nocreatedb;`,
    });
  });

  it("makes them, tells the target first, and has nothing to do the second time", async () => {
    const said = await plinth("roles", "sync");
    expect(said.stdout).toMatch(/^ran \d+ statements\n$/);
    expect(said.stderr).toMatch(/^target: .*cli_roles.*, schema shelf\n$/);
    expect(said.code).toBe(0);
    expect(await roles()).toHaveLength(6);
    expect(await plinth("roles", "sync")).toMatchObject({ code: 0, stdout: "nothing to do\n" });
    expect(await plinth("roles", "check")).toEqual({
      code: 0,
      stdout: "roles and rights are in order\n",
      stderr: "",
    });
  });

  it("names what somebody gave away, with the statement that takes it back", async () => {
    await client.script("grant truncate on shelf.notes to public");
    const said = await plinth("roles", "check");
    expect(said).toEqual({
      code: 3,
      stdout: "",
      stderr:
        "error: table shelf.notes: everybody (PUBLIC) has truncate\n  revoke truncate on table shelf.notes from public cascade;\n",
    });
    await client.script(said.stderr.split("\n")[1] ?? "");
    expect((await plinth("roles", "check")).code).toBe(0);
  });

  it("is refused with the reason to a role that may create none, and exits with 1", async () => {
    await client.script(`drop owned by shelf_${mark}_monitor; drop role shelf_${mark}_monitor`);
    const url = new URL(process.env.DATABASE_URL ?? "");
    url.username = `shelf_${mark}_migrator`;
    vi.stubEnv("DATABASE_URL", url.href);
    const said = await plinth("roles", "sync", "--json");
    expect(said.code).toBe(1);
    expect(JSON.parse(said.stdout).error).toMatchObject({
      code: "PERMISSION_DENIED",
      message: `shelf_${mark}_monitor is missing, and shelf_${mark}_owner may not create roles`,
    });
  });
});
