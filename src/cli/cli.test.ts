import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type TestServer, testServer } from "../../test/support/server.ts";
import * as workshop from "../../test/support/workshop-schema.ts";
import { readCatalog } from "../catalog/index.ts";
import { type Connection, connect, parseTarget, retarget } from "../driver/index.ts";
import { catalogDifferences } from "../testing/index.ts";
import { type Installation, installPlinth } from "./installation.fixture.ts";

const APPLICATION = {
  "package.json": '{ "type": "module" }',
  "plinth.config.ts": `import { defineConfig } from "plinth";
export default defineConfig({ schema: "./src/schema.ts" });
`,
  "src/schema.ts": `import { text } from "drizzle-orm/pg-core";
import { appSchema, entity, ulidKey } from "plinth/schema";
export const app = appSchema("shop");
export const roles = entity(app, "roles", { id: ulidKey(), slug: text().notNull().unique() });
`,
  "migrations/0001_roles.sql": `-- migrate:up
create table roles (id text primary key, slug text not null unique);
-- migrate:down
drop table roles;
`,
  // The schema is a second import of the same module: its entities must be the ones the database knows.
  "seeds/reference/01_roles.ts": `import { roles } from "../../src/schema.ts";
export default {
  name: "roles",
  kind: "reference",
  run: (db: any) => db.repository(roles).upsert({ slug: "admin" }, { on: "slug" }),
};
`,
  "seeds/dev/01_roles.ts": `import { roles } from "../../src/schema.ts";
export default { name: "dev roles", kind: "dev", run: (db: any) => db.repository(roles).upsert({ slug: "dev" }, { on: "slug" }) };
`,
};

let plinth: Installation;
let server: TestServer;
let admin: Connection;
let databaseName: string;
let url: string;
let where: string;
let application: string;

beforeAll(async () => {
  server = await testServer();
  plinth = await installPlinth();
  databaseName = `cli_${randomBytes(6).toString("hex")}`;
  admin = await connect(parseTarget(server.url));
  await admin.script(`create database ${databaseName}`);
  const target = retarget(parseTarget(server.url), { database: databaseName });
  url = `postgres://${target.user}:hunter2@${target.host}:${target.port}/${databaseName}`;
  where = `${target.user}@${target.host}:${target.port}/${databaseName}`;
  application = plinth.application("shop", APPLICATION);
}, 120_000);

afterAll(async () => {
  await admin.script(`drop database ${databaseName} with (force)`);
  await admin.close();
  plinth.remove();
  await server.stop();
});

/** A schema of its own for each test, as one database can hold several copies of an application. */
const freshEnvironment = (): { readonly DATABASE_URL: string; readonly DATABASE_SCHEMA: string } => ({
  DATABASE_URL: url,
  DATABASE_SCHEMA: `shop_${randomBytes(4).toString("hex")}`,
});

const json = (text: string): unknown => JSON.parse(text);

describe("plinth migrate", () => {
  it("shows what is pending with exit code 3, applies it, and then has nothing to do", async () => {
    const environment = freshEnvironment();
    const before = await plinth.run(application, ["migrate", "status"], environment);
    expect(before).toEqual({ code: 3, stdout: "pending    0001_roles.sql\n1 pending\n", stderr: "" });
    const up = await plinth.run(application, ["migrate", "up"], environment);
    expect(up.code).toBe(0);
    expect(up.stdout).toMatch(/^applied 0001_roles\.sql \(\d+ ms\)\n$/);
    expect(up.stderr).toBe(
      `target: ${where}, schema ${environment.DATABASE_SCHEMA}\napplying 0001_roles.sql\n`,
    );
    const again = await plinth.run(application, ["migrate", "up"], environment);
    expect([again.code, again.stdout]).toEqual([0, "nothing to do\n"]);
    const after = await plinth.run(application, ["migrate", "status", "--json"], environment);
    expect(after.code).toBe(0);
    expect(json(after.stdout)).toMatchObject({
      ok: true,
      command: "migrate status",
      data: {
        pending: 0,
        schema: environment.DATABASE_SCHEMA,
        migrations: [{ fileName: "0001_roles.sql", state: "applied" }],
      },
      findings: [],
      error: null,
    });
    const redo = await plinth.run(application, ["migrate", "redo"], environment);
    expect(redo.stdout).toMatch(/^undone 0001_roles\.sql \(\d+ ms\)\napplied 0001_roles\.sql \(\d+ ms\)\n$/);
    const down = await plinth.run(application, ["migrate", "down"], environment);
    expect(down.stdout).toMatch(/^undone 0001_roles\.sql \(\d+ ms\)\n$/);
  });

  it("prints the exact SQL of a dry run and writes nothing", async () => {
    const environment = freshEnvironment();
    const dry = await plinth.run(application, ["migrate", "up", "--dry-run"], environment);
    expect(dry.code).toBe(0);
    expect(dry.stderr).toBe("");
    expect(dry.stdout).toContain(
      "begin;\n\ncreate table roles (id text primary key, slug text not null unique);\n\n",
    );
    expect((await plinth.run(application, ["migrate", "status"], environment)).code).toBe(3);
  });

  it("takes the schema's name from the schema module when no variable renames it", async () => {
    const dry = await plinth.run(application, ["migrate", "up", "--dry-run"], { DATABASE_URL: url });
    expect(dry.stdout).toContain('create schema "shop";');
  });

  it("shows a refused statement with file, line and caret, once as text and once as JSON", async () => {
    const broken = plinth.application("broken", {
      ...APPLICATION,
      "migrations/0002_bad.sql": "-- migrate:up\nselect * from roles where slog = 'x';\n",
    });
    const environment = freshEnvironment();
    const text = await plinth.run(broken, ["migrate", "up"], environment);
    expect([text.code, text.stdout]).toEqual([1, ""]);
    expect(
      text.stderr,
    ).toContain(`error: 0002_bad.sql:2: the statement is wrong: column "slog" does not exist [42703]
  2 | select * from roles where slog = 'x';
    |                           ^
  Nothing of this file was applied; correct it and run plinth migrate up again.
`);
    const document = await plinth.run(broken, ["migrate", "up", "--json"], environment);
    expect(document.code).toBe(1);
    expect(json(document.stdout)).toMatchObject({
      ok: false,
      command: "migrate up",
      data: null,
      findings: [],
      error: {
        code: "MIGRATION_FAILED",
        hint: "Nothing of this file was applied; correct it and run plinth migrate up again.",
        docs: "docs/reference/errors.md#migration_failed",
      },
    });
  });

  it("reports an edited file as a finding with exit code 3", async () => {
    const edited = plinth.application("edited", APPLICATION);
    const environment = freshEnvironment();
    await plinth.run(edited, ["migrate", "up"], environment);
    writeFileSync(join(edited, "migrations/0001_roles.sql"), "-- migrate:up\ncreate table roles (id int);\n");
    const status = await plinth.run(edited, ["migrate", "status"], environment);
    expect(status.code).toBe(3);
    expect(status.stderr).toBe(
      "error: 0001_roles.sql: the file was edited or renamed after it was applied\n  Restore the file, and put the change into a new migration.\n",
    );
  });

  it("refuses down in production with exit code 4, and names the flag", async () => {
    const environment = { ...freshEnvironment(), NODE_ENV: "production" };
    await plinth.run(application, ["migrate", "up"], environment);
    const refused = await plinth.run(application, ["migrate", "down"], environment);
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain(
      `or say that you mean it: plinth migrate down --allow-production ${databaseName}.\n`,
    );
    expect(
      (await plinth.run(application, ["migrate", "down", "--allow-production", databaseName], environment))
        .code,
    ).toBe(0);
  });

  it("stops the server's work on Ctrl-C and exits with 130", async () => {
    const slow = plinth.application("slow", {
      ...APPLICATION,
      "migrations/0002_slow.sql": "-- migrate:up\nselect pg_sleep(600);\n",
    });
    const run = plinth.start(slow, ["migrate", "up", "--json"], freshEnvironment());
    await vi.waitFor(() => expect(run.stderr()).toContain("applying 0002_slow.sql"), { timeout: 20_000 });
    run.kill("SIGINT");
    const { code, stdout } = await run.ended;
    expect(code).toBe(130);
    expect(json(stdout)).toMatchObject({ ok: false, error: { code: "QUERY_CANCELED" } });
  });
});

describe("plinth seed", () => {
  it("runs reference and dev seeds twice without a change, on entities the schema module shares with them", async () => {
    const environment = freshEnvironment();
    await plinth.run(application, ["migrate", "up"], environment);
    for (const kind of ["reference", "reference", "dev"]) {
      const run = await plinth.run(application, ["seed", kind], environment);
      expect(run.stderr).toBe(
        `target: ${where}, schema ${environment.DATABASE_SCHEMA}\nseeding ${kind === "dev" ? "dev roles" : "roles"}\n`,
      );
      expect(run.code).toBe(0);
    }
    const target = retarget(parseTarget(server.url), { database: databaseName });
    const connection = await connect(target);
    const { rows } = await connection.query({
      text: `select slug from ${environment.DATABASE_SCHEMA}.roles order by 1`,
      values: [],
    });
    await connection.close();
    expect(rows).toEqual([["admin"], ["dev"]]);
    const refused = await plinth.run(application, ["seed", "dev"], {
      ...environment,
      NODE_ENV: "production",
    });
    expect(refused.code).toBe(4);
  });
});

describe("plinth db", () => {
  it("starts the embedded server, prints its URL, lets commands use it, and stops it", {
    timeout: 150_000,
  }, async () => {
    const local = plinth.application("local", APPLICATION);
    const before = await plinth.run(local, ["db", "url"]);
    expect(before).toEqual({
      code: 1,
      stdout: "",
      stderr: "the embedded server is not started yet; run plinth db start\n",
    });
    const started = await plinth.run(local, ["db", "start"]);
    expect(started.code).toBe(0);
    const printed = await plinth.run(local, ["db", "url"]);
    expect(printed).toEqual({ code: 0, stdout: started.stdout, stderr: "" });
    const connection = await connect(parseTarget(printed.stdout.trim()));
    await connection.close();
    expect((await plinth.run(local, ["migrate", "up"])).code).toBe(0);
    expect((await plinth.run(local, ["seed", "dev"])).code).toBe(0);
    const stopped = await plinth.run(local, ["db", "stop", "--json"]);
    expect(json(stopped.stdout)).toMatchObject({
      ok: true,
      command: "db stop",
      data: { outcome: "stopped" },
    });
    expect((await plinth.run(local, ["db", "stop"])).stdout).toBe("it was not running\n");
  });
});

describe("plinth make migration", () => {
  it("writes the next version, which up refuses to run while it is empty", async () => {
    const made = plinth.application("made", APPLICATION);
    const run = await plinth.run(made, ["make", "migration", "add tags"]);
    expect(run).toMatchObject({ code: 0, stdout: `${join(made, "migrations/0002_add_tags.sql")}\n` });
    expect(readFileSync(run.stdout.trim(), "utf8")).toBe("-- migrate:up\n\n\n-- migrate:down\n\n");
    const up = await plinth.run(made, ["migrate", "up"], freshEnvironment());
    expect(up.stderr).toContain("error: 0002_add_tags.sql:2: there is no statement\n");
    const bad = await plinth.run(made, ["make", "migration", "../evil"]);
    expect(bad.code).toBe(1);
    expect(bad.stderr).toBe(
      "error: a migration's name is letters, digits, _ and -. Say what it does: plinth make migration add_tags.\n",
    );
  });
});

describe("plinth make migration --from-schema", () => {
  // The module both copies of Plinth import: the installed one as a file, this one as `workshop`.
  const declaration = new URL("../../test/support/workshop-schema.ts", import.meta.url);
  const DECLARED = {
    "package.json": APPLICATION["package.json"],
    "plinth.config.ts": APPLICATION["plinth.config.ts"],
    "src/schema.ts": readFileSync(declaration, "utf8"),
  };

  it("writes what the schema declares, and a way back that leaves nothing", async () => {
    const declared = plinth.application("declared", DECLARED);
    const environment = freshEnvironment();
    const made = await plinth.run(declared, ["make", "migration", "init", "--from-schema", "--json"]);
    const file = join(declared, "migrations/0001_init.sql");
    expect(json(made.stdout)).toMatchObject({ ok: true, command: "make migration", data: { file } });
    expect(readFileSync(file, "utf8")).toMatch(
      /^-- migrate:up\n\ncreate type "stage" as enum \('open', 'done'\);\n\ncreate table .+;\n\n-- migrate:down\n\nalter table .+;\n$/s,
    );
    expect(
      await catalogDifferences({
        schema: workshop,
        migrations: join(declared, "migrations"),
        url: server.url,
      }),
    ).toEqual([]);
    const connection = await connect(retarget(parseTarget(server.url), { database: databaseName }));
    const objects = async () => (await readCatalog(connection, environment.DATABASE_SCHEMA)).objects;
    expect((await plinth.run(declared, ["migrate", "up"], environment)).code).toBe(0);
    expect((await objects()).map(({ kind }) => kind)).toEqual(expect.arrayContaining(["table", "trigger"]));
    expect((await plinth.run(declared, ["migrate", "down"], environment)).code).toBe(0);
    expect(await objects()).toEqual([]);
    await connection.close();
  });

  it("refuses a folder that holds a migration, and a schema without entities", async () => {
    const begun = plinth.application("begun", APPLICATION);
    const refused = await plinth.run(begun, ["make", "migration", "add tags", "--from-schema"]);
    expect(refused).toEqual({
      code: 1,
      stdout: "",
      stderr: `error: ${join(begun, "migrations")} holds a migration already, 0001_roles.sql. The whole schema can only be the first one. Write the difference: plinth migrate generate add_tags.\n`,
    });
    const { "plinth.config.ts": config } = APPLICATION;
    const bare = plinth.application("bare", { "plinth.config.ts": config, "src/schema.ts": "export {};\n" });
    const none = await plinth.run(bare, ["make", "migration", "init", "--from-schema"]);
    expect(none.code).toBe(2);
    expect(none.stderr).toContain(`${join(bare, "src/schema.ts")} exports no entity`);
    expect([
      existsSync(join(bare, "migrations")),
      existsSync(join(begun, "migrations/0002_add_tags.sql")),
    ]).toEqual([false, false]);
  });
});

describe("every command", () => {
  it("exits with 2 and one line for wrong arguments, and names what was meant", async () => {
    const cases = [
      [["migrate", "upp"], "error: unknown command 'upp' (Did you mean up?). See plinth migrate --help.\n"],
      [
        ["migrate", "up", "--dry-rum"],
        "error: unknown option '--dry-rum' (Did you mean --dry-run?). See plinth migrate up --help.\n",
      ],
      [["migrate"], "error: a command is missing. See plinth migrate --help.\n"],
      [
        ["migrate", "up", "extra"],
        "error: too many arguments for 'up'. Expected 0 arguments but got 1. See plinth migrate up --help.\n",
      ],
      [
        ["migrate", "down", "--steps", "0"],
        "error: option '--steps <count>' argument '0' is invalid. It must be a whole number from 1. See plinth migrate down --help.\n",
      ],
    ] as const;
    for (const [arguments_, stderr] of cases) {
      expect(await plinth.run(application, arguments_)).toEqual({ code: 2, stdout: "", stderr });
    }
    const document = await plinth.run(application, ["migrate", "upp", "--json"]);
    expect(json(document.stdout)).toEqual({
      ok: false,
      command: "migrate",
      data: null,
      findings: [],
      error: {
        code: "USAGE",
        message: "unknown command 'upp' (Did you mean up?)",
        hint: "See plinth migrate --help.",
        docs: "docs/reference/cli.md",
      },
    });
  });

  it("exits with 5 and one line when it cannot connect, without the password", async () => {
    const run = await plinth.run(application, ["migrate", "up"], {
      DATABASE_URL: "postgres://app:hunter2@127.0.0.1:1/shop",
    });
    expect(run).toEqual({
      code: 5,
      stdout: "",
      stderr:
        "target: app@127.0.0.1:1/shop, schema shop\n" +
        "error: cannot connect to app@127.0.0.1:1/shop: nothing listens there (ECONNREFUSED). Start the server, or correct host and port in DATABASE_URL.\n",
    });
  });

  it("exits with 2 and one line for a wrong setting or a missing project", async () => {
    const wrong = await plinth.run(application, ["migrate", "up"], {
      DATABASE_URL: url,
      DATABASE_POOL_MAX: "many",
    });
    expect(wrong).toMatchObject({
      code: 2,
      stderr:
        "error: DATABASE_POOL_MAX must be a whole number from 1 to 1000 (the most connections one process opens), not the text it holds; leave it out for 10\n",
    });
    const missing = await plinth.run(plinth.folder, ["migrate", "status"]);
    expect(missing).toMatchObject({
      code: 2,
      stderr: `error: no plinth.config.ts in ${plinth.folder} or above; run the command inside the project, or say --project DIR\n`,
    });
    const unset = await plinth.run(application, ["migrate", "up"], { NODE_ENV: "production" });
    expect(unset.code).toBe(2);
    expect(unset.stderr).toContain("error: DATABASE_URL is not set: ");
  });

  it("finds its project from --project, from a folder inside it, and from package.json", async () => {
    const environment = freshEnvironment();
    const pointing = plinth.application("pointing", {
      "package.json": '{ "plinth": { "project": "../shop" } }',
    });
    const runs = await Promise.all([
      plinth.run(plinth.folder, ["migrate", "status", "--project", "shop"], environment),
      plinth.run(join(application, "src"), ["migrate", "status"], environment),
      plinth.run(pointing, ["migrate", "status"], environment),
      plinth.run(plinth.folder, ["migrate", "status"], { ...environment, INIT_CWD: application }),
    ]);
    expect(runs.map(({ code }) => code)).toEqual([3, 3, 3, 3]);
  });

  it("reads .env beside the config in development, and not in production", async () => {
    const configured = plinth.application("configured", {
      ...APPLICATION,
      ".env": `DATABASE_URL=${url}\nDATABASE_SCHEMA=from_env_file\n`,
    });
    const run = await plinth.run(configured, ["migrate", "up", "--dry-run"]);
    expect(run.stdout).toContain('create schema "from_env_file";');
    expect((await plinth.run(configured, ["migrate", "up"], { NODE_ENV: "production" })).code).toBe(2);
  });

  it("shows help without config, database or network, in a fraction of the time of a run", async () => {
    const start = performance.now();
    const help = await plinth.run("/", ["migrate", "up", "--help"]);
    // Five times what design.md promises.
    expect(performance.now() - start).toBeLessThan(750);
    expect(help.code).toBe(0);
    expect(help.stdout).toContain("Usage: plinth migrate up [options]");
    expect(help.stdout).toContain("--json");
    const { version } = JSON.parse(
      readFileSync(join(plinth.folder, "node_modules/plinth/package.json"), "utf8"),
    );
    expect((await plinth.run("/", ["--version"])).stdout).toBe(`${version}\n`);
  });

  it("says which file cannot be loaded, and why", async () => {
    const broken = plinth.application("unloadable", {
      ...APPLICATION,
      "plinth.config.ts": "import './absent.ts';",
    });
    const run = await plinth.run(broken, ["migrate", "status"]);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain(`error: ${join(broken, "plinth.config.ts")} cannot be loaded: `);
    expect(run.stderr.trimEnd()).not.toContain("\n");
  });
});

describe("plinth migrate status --drift", () => {
  it("exits with 3 where the database is not what its migrations make, and prints what brings it back", async () => {
    const environment = freshEnvironment();
    const status = ["migrate", "status", "--drift", "--shadow-url", server.url];
    await plinth.run(application, ["migrate", "up"], environment);
    const clean = await plinth.run(application, status, environment);
    expect(clean.stdout).toMatch(/\n0 pending\nno drift\n$/);
    expect([clean.code, clean.stderr]).toEqual([0, ""]);
    const target = retarget(parseTarget(server.url), { database: databaseName });
    const connection = await connect(target);
    await connection.script(
      `alter table ${environment.DATABASE_SCHEMA}.roles drop constraint roles_slug_key`,
    );
    await connection.close();
    const drifted = await plinth.run(application, status, environment);
    expect(drifted.code).toBe(3);
    expect(drifted.stdout).toContain("\n-- Brings the database back to its migrations:\n");
    expect(drifted.stderr).toContain(
      "error: constraint roles.roles_slug_key: the database does not have it, and the migrations make\n    UNIQUE (slug)\n",
    );
    const document = await plinth.run(application, [...status, "--json"], environment);
    expect(json(document.stdout)).toMatchObject({
      ok: false,
      data: { drift: { applied: 1, repair: { losses: [] } } },
      findings: [{ rule: "drift", level: "error", object: "constraint roles.roles_slug_key" }],
    });
  });
});

describe("plinth migrate dump", () => {
  it("writes the schema beside the folder, says when it is stale, and prints it", async () => {
    const dumped = plinth.application("dumped", APPLICATION);
    const run = (...flags: readonly string[]) =>
      plinth.run(dumped, ["migrate", "dump", "--shadow-url", server.url, ...flags], { DATABASE_URL: url });
    const file = join(dumped, "schema.sql");
    expect((await run("--check")).code).toBe(3);
    expect(await run()).toEqual({ code: 0, stdout: `${file}\n`, stderr: "" });
    expect(readFileSync(file, "utf8")).toContain("create table roles (");
    expect(await run("--check")).toEqual({ code: 0, stdout: `${file} is fresh\n`, stderr: "" });
    expect((await run("--output", "-")).stdout).toBe(readFileSync(file, "utf8"));
    writeFileSync(join(dumped, "migrations/0002_more.sql"), "-- migrate:up\ncreate table more (id int);\n");
    expect(await run("--check")).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(
        /^error: .+schema\.sql: it is not what the migrations make, from line \d+ on\n/,
      ),
    });
  });

  it("is kept fresh by generate where the config names it, but in production", async () => {
    const { "migrations/0001_roles.sql": _written, ...rest } = APPLICATION;
    const kept = plinth.application("kept", rest);
    const generate = (NODE_ENV: string) =>
      plinth.run(kept, ["migrate", "generate", "init", "--shadow-url", server.url], {
        DATABASE_URL: url,
        DATABASE_MIGRATIONS_DUMP: "./db/schema.sql",
        NODE_ENV,
      });
    const file = join(kept, "db/schema.sql");
    expect((await generate("production")).code).toBe(0);
    expect(existsSync(file)).toBe(false);
    rmSync(join(kept, "migrations"), { recursive: true });
    // A folder that is not there is said, and does not take back what generate has written.
    const failed = await generate("development");
    expect(failed.code).toBe(0);
    expect(failed.stderr).toContain(`${file} was not rewritten: `);
    mkdirSync(join(kept, "db"));
    rmSync(join(kept, "migrations"), { recursive: true });
    expect((await generate("development")).stderr).toContain(`wrote ${file}\n`);
    expect(readFileSync(file, "utf8")).toContain("create table roles (");
  });
});
