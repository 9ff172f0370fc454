import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { type Connection, connect, parseTarget, retarget } from "../driver/index.ts";
import { type Installation, installPlinth } from "./installation.fixture.ts";

const schemaModule = (columns = ""): string => `import { date, text } from "drizzle-orm/pg-core";
import { appSchema, entity, ulidKey } from "plinth/schema";
export const app = appSchema("shop");
export const roles = entity(app, "roles", { id: ulidKey(), slug: text().notNull().unique()${columns} });
`;

const APPLICATION = {
  "package.json": '{ "type": "module" }',
  "plinth.config.ts": `import { defineConfig } from "plinth";
export default defineConfig({ schema: "./src/schema.ts" });
`,
  "src/schema.ts": schemaModule(),
  "migrations/0001_roles.sql": `-- migrate:up
create table roles (id text primary key, slug text not null);
create unique index concurrently roles_slug_unique on roles (slug);
insert into roles select n, n from generate_series(1, 30) as n;
-- migrate:down
drop table roles;
`,
  "migrations/0002_slugs.ts": `import { dataMigration, updateBatches } from "plinth/migrations";
export default dataMigration({
  batchSize: 10,
  up: updateBatches({ table: "roles", key: "id", set: "slug = slug || '!'" }),
  down: "nothing",
});
`,
  "migrations/0003_again.sql": `-- migrate:up
reindex index concurrently roles_slug_unique;
-- migrate:down
select 1;
`,
};

let plinth: Installation;
let server: TestServer;
let admin: Connection;
let databaseName: string;
let url: string;
let application: string;

beforeAll(async () => {
  server = await testServer();
  plinth = await installPlinth();
  databaseName = `migrate_${randomBytes(6).toString("hex")}`;
  admin = await connect(parseTarget(server.url));
  await admin.script(`create database ${databaseName}`);
  const { user, host, port } = parseTarget(server.url);
  url = `postgres://${user}@${host}:${port}/${databaseName}`;
  application = plinth.application("shop", APPLICATION);
}, 120_000);

afterAll(async () => {
  await admin.script(`drop database ${databaseName} with (force)`);
  await admin.close();
  plinth.remove();
  await server.stop();
});

const freshEnvironment = (): { readonly DATABASE_URL: string; readonly DATABASE_SCHEMA: string } => ({
  DATABASE_URL: url,
  DATABASE_SCHEMA: `shop_${randomBytes(4).toString("hex")}`,
});

const json = (text: string): unknown => JSON.parse(text);

describe("plinth migrate up", () => {
  it("run by eight processes at once migrates once; all of them say what happened and exit with 0", async () => {
    const environment = freshEnvironment();
    const runs = await Promise.all(
      Array.from({ length: 8 }, () => plinth.run(application, ["migrate", "up"], environment)),
    );
    expect(runs.map(({ code }) => code)).toEqual(Array(8).fill(0));
    const outputs = runs.map(({ stdout }) => stdout.replace(/\d+ ms/g, "N ms")).sort();
    expect(outputs).toEqual(
      [
        ...Array(7).fill("nothing to do\n"),
        "applied 0001_roles.sql (N ms)\napplied 0002_slugs.ts (30 rows, N ms)\napplied 0003_again.sql (N ms)\n",
      ].sort(),
    );
    const told = runs.find(({ stdout }) => stdout.startsWith("applied"))?.stderr;
    expect(told).toContain("0002_slugs.ts: 30 rows in 4 batches\n");
    const target = retarget(parseTarget(server.url), { database: databaseName });
    const connection = await connect(target);
    const { rows } = await connection.query({
      text: `select count(*) from ${environment.DATABASE_SCHEMA}.roles where slug ~ '^\\d+!$'`,
      values: [],
    });
    await connection.close();
    expect(rows).toEqual([["30"]]);
  }, 120_000);

  it("undoes to a version, and says which of two contradicting flags to leave out", async () => {
    const environment = freshEnvironment();
    await plinth.run(application, ["migrate", "up"], environment);
    const down = await plinth.run(application, ["migrate", "down", "--to", "1"], environment);
    expect(down.stdout).toMatch(
      /^undone 0003_again\.sql \(\d+ ms\)\nundone 0002_slugs\.ts \(0 rows, \d+ ms\)\n$/,
    );
    const both = await plinth.run(application, ["migrate", "down", "--to", "1", "--steps", "1"], environment);
    expect(both).toEqual({
      code: 2,
      stdout: "",
      stderr:
        "error: option '--to <version>' cannot be used with option '--steps <count>'. See plinth migrate down --help.\n",
    });
  });
});

describe("plinth migrate status", () => {
  it("shows what is partial, late and missing, once for a reader and once as JSON", async () => {
    const environment = freshEnvironment();
    const mixed = plinth.application("mixed", {
      ...APPLICATION,
      "migrations/0005_gone.sql": "-- migrate:up\nselect 1;\n",
      "migrations/0006_half.sql": "-- migrate:up\nselect 1;\nvacuum roles;\nselect 1 / 0;\n",
    });
    expect((await plinth.run(mixed, ["migrate", "up"], environment)).code).toBe(1);
    rmSync(join(mixed, "migrations/0005_gone.sql"));
    writeFileSync(join(mixed, "migrations/0004_late.sql"), "-- migrate:up\nselect 1;\n");
    const status = await plinth.run(mixed, ["migrate", "status"], environment);
    expect(status.code).toBe(3);
    expect(status.stdout.replace(/20\d\d-[\dT:.-]+Z/g, "WHEN")).toBe(`applied    0001_roles.sql  WHEN
applied    0002_slugs.ts   WHEN
applied    0003_again.sql  WHEN
pending    0004_late.sql   older than an applied one
missing    0005_gone.sql   WHEN
partial    0006_half.sql    2/3
2 pending
`);
    const document = await plinth.run(mixed, ["migrate", "status", "--json"], environment);
    expect(json(document.stdout)).toMatchObject({
      ok: false,
      command: "migrate status",
      data: {
        schema: environment.DATABASE_SCHEMA,
        pending: 2,
        migrations: [
          { state: "applied" },
          { state: "applied" },
          { state: "applied" },
          { state: "pending", isOutOfOrder: true },
          { version: "0005", name: "gone", fileName: "0005_gone.sql", state: "missing" },
          { state: "partial", statementsApplied: 2, statementsTotal: 3 },
        ],
      },
      findings: [{ rule: "migration-missing" }, { rule: "migration-interrupted" }],
    });
  });
});

describe("a command that deletes", () => {
  it("is refused in production with 4, until the flag names the very database", async () => {
    const environment = { ...freshEnvironment(), NODE_ENV: "production" };
    await plinth.run(application, ["migrate", "up"], environment);
    for (const verb of ["down", "redo"]) {
      const refused = await plinth.run(application, ["migrate", verb], environment);
      expect(refused.code).toBe(4);
      expect(refused.stderr).toContain(`plinth migrate ${verb} --allow-production ${databaseName}.\n`);
      const mistaken = await plinth.run(
        application,
        ["migrate", verb, "--allow-production", "postgres"],
        environment,
      );
      expect(mistaken.code).toBe(4);
      expect(mistaken.stderr).toContain(
        `error: --allow-production names "postgres", but the database is "${databaseName}". Nothing was changed. Correct DATABASE_URL, or the name.\n`,
      );
      const allowed = ["migrate", verb, "--allow-production", databaseName];
      expect((await plinth.run(application, allowed, environment)).code).toBe(0);
    }
  }, 60_000);

  it("takes any other machine's server for production where NODE_ENV says nothing", async () => {
    const environment = { DATABASE_URL: "postgres://app@db.invalid/shop" };
    const unset = await plinth.run(application, ["migrate", "down"], environment);
    expect([unset.code, unset.stdout]).toEqual([4, ""]);
    expect(unset.stderr).toContain("migrate down is refused in production");
    const said = await plinth.run(application, ["migrate", "down"], {
      ...environment,
      NODE_ENV: "development",
    });
    // Nobody refuses, and nobody answers.
    expect(said.code).toBe(5);
    const seed = await plinth.run(application, ["seed", "dev", "--allow-production", "other"], environment);
    expect(seed.code).toBe(4);
  }, 60_000);

  it("touches nothing on a server that answers, but not by a name of this machine, until it is named", async () => {
    const environment = freshEnvironment();
    await plinth.run(application, ["migrate", "up"], environment);
    // Linux takes it for this machine, and Plinth does not.
    const elsewhere = { ...environment, DATABASE_URL: url.replace(/@[^/:]+/, "@0.0.0.0") };
    const status = async () => (await plinth.run(application, ["migrate", "status"], elsewhere)).code;
    expect(await status()).toBe(0);
    for (const command of [
      ["migrate", "down"],
      ["migrate", "redo"],
      ["seed", "dev"],
    ]) {
      const refused = await plinth.run(application, command, elsewhere);
      expect([command, refused.code, refused.stdout]).toEqual([command, 4, ""]);
      expect(refused.stderr).toContain("refused in production");
    }
    expect(await status()).toBe(0);
    const allowed = ["migrate", "down", "--allow-production", databaseName];
    expect((await plinth.run(application, allowed, elsewhere)).code).toBe(0);
    expect(await status()).toBe(3);
  }, 60_000);

  it("asks nothing without a terminal: it ends by itself with its standard input open", async () => {
    const environment = { ...freshEnvironment(), NODE_ENV: "production" };
    const child = spawn(
      process.execPath,
      [join(plinth.folder, "node_modules/plinth/bin/plinth.js"), "migrate", "down"],
      { cwd: application, env: { ...process.env, ...environment }, stdio: ["pipe", "ignore", "ignore"] },
    );
    expect(await new Promise((resolve) => child.once("close", resolve))).toBe(4);
  });

  it("gives the terminal back as it was after Ctrl-C, and exits with 130", async () => {
    const slow = plinth.application("slow", {
      ...APPLICATION,
      "migrations/0004_slow.sql": "-- migrate:up\nselect pg_sleep(600);\n",
    });
    const command = `trap : INT; stty -g; '${process.execPath}' '${join(plinth.folder, "node_modules/plinth/bin/plinth.js")}' migrate up; echo "code $?"; stty -g`;
    // A terminal of its own, as util-linux makes one.
    const child = spawn("script", ["-qec", command, "/dev/null"], {
      cwd: slow,
      env: { ...process.env, ...freshEnvironment() },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let screen = "";
    let isInterrupted = false;
    child.stdout.on("data", (chunk: Buffer) => {
      screen += chunk.toString();
      if (isInterrupted || !screen.includes("applying 0004_slow.sql")) return;
      isInterrupted = true;
      child.stdin.write("\u0003");
    });
    await new Promise((resolve) => child.once("close", resolve));
    const lines = screen.split(/\r?\n/).filter((line) => line !== "");
    expect(screen).toContain("code 130");
    expect(lines.at(-1)).toBe(lines[0]);
    expect(lines[0]).toMatch(/^[0-9a-f:]+$/);
  }, 60_000);
});

describe("the config file", () => {
  it("may import more of Plinth than defineConfig, and is read anew after an edit", async () => {
    const folder = plinth.application("imports", {
      ...APPLICATION,
      "plinth.config.ts": `import { defineConfig, PlinthError } from "plinth";
const schema: string = typeof PlinthError === "function" ? "first" : "absent";
export default defineConfig({ schema: "./src/schema.ts", database: { schema } });
`,
    });
    const schemaOf = async () => {
      const { stdout } = await plinth.run(folder, ["migrate", "up", "--dry-run"], { DATABASE_URL: url });
      return /create schema "(\w+)"/.exec(stdout)?.[1];
    };
    expect(await schemaOf()).toBe("first");
    for (const name of ["second", "third"]) {
      writeFileSync(
        join(folder, "plinth.config.ts"),
        `import { defineConfig } from "plinth";\nexport default defineConfig({ schema: "./src/schema.ts", database: { schema: "${name}" as string } });\n`,
      );
      expect(await schemaOf()).toBe(name);
    }
  });
});

describe("plinth migrate dev", () => {
  it("works on no server but the embedded one, and not in production", async () => {
    const other = await plinth.run(application, ["migrate", "dev"], freshEnvironment());
    expect(other).toEqual({
      code: 4,
      stdout: "",
      stderr:
        "error: migrate dev works on the project's embedded database and on no other server. Leave DATABASE_URL out to use that; for this server write a migration: plinth migrate generate NAME.\n",
    });
    const production = await plinth.run(application, ["migrate", "dev"], { NODE_ENV: "production" });
    expect(production.code).toBe(4);
  });

  it("follows the schema from edit to edit, and is in step once the migration is written and applied", {
    timeout: 240_000,
  }, async () => {
    const folder = plinth.application("daily", {
      "package.json": APPLICATION["package.json"],
      "plinth.config.ts": APPLICATION["plinth.config.ts"],
      "src/schema.ts": schemaModule(),
    });
    const run = (...words: readonly string[]) => plinth.run(folder, ["migrate", ...words]);
    const edit = (columns: string) => writeFileSync(join(folder, "src/schema.ts"), schemaModule(columns));
    await plinth.run(folder, ["db", "start"]);
    expect(await run("generate", "init")).toMatchObject({ code: 0 });
    expect((await run("up")).stdout).toMatch(/^applied 0001_init\.sql /);
    edit(", due: date()");
    const first = await run("dev");
    expect(first).toMatchObject({ code: 0, stdout: "changed the database with 1 statement\n" });
    expect(first.stderr).toMatch(/^target: .*\/plinth, schema shop\n$/);
    const { stdout: embeddedUrl } = await plinth.run(folder, ["db", "url"]);
    const connection = await connect(parseTarget(embeddedUrl.trim()));
    await connection.script("insert into shop.roles (id, slug, due) values ('1', 'admin', '2026-02-01')");
    expect((await run("status")).code).toBe(3);
    edit(", until: date()");
    const refused = await run("dev");
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain("  roles.due (data)\n  If it is a rename: --rename roles.due=until ");
    const dry = await run("dev", "--rename", "roles.due=until", "--dry-run");
    expect(dry.stdout).toMatch(/^alter table "?roles"? rename column "?due"? to "?until"?;\n$/);
    expect((await run("dev", "--rename", "roles.due=until")).code).toBe(0);
    expect((await run("generate", "until")).stdout).toBe(`${join(folder, "migrations/0002_until.sql")}\n`);
    const up = await run("up");
    expect(up).toMatchObject({
      code: 0,
      stdout: "recorded 0002_until.sql: the database has its shape already\n",
    });
    expect(await run("status")).toMatchObject({ code: 0 });
    expect(await run("dev")).toMatchObject({ code: 0, stdout: "nothing to do\n" });
    const { rows } = await connection.query({ text: "select id, slug, until from shop.roles", values: [] });
    expect(rows).toEqual([["1", "admin", "2026-02-01"]]);
    await connection.close();
    expect(readFileSync(join(folder, "migrations/0002_until.sql"), "utf8")).toContain(
      "add column until date",
    );
    await plinth.run(folder, ["db", "stop"]);
  });
});
