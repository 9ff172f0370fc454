/**
 * What can go wrong around migrations, and where it is tested. The numbers are the rows of the fault list the library
 * is built against.
 *
 * | Row | Fault                                               | Tests                                                      |
 * | --- | --------------------------------------------------- | ---------------------------------------------------------- |
 * | 37  | several migrators at once, concurrent builds too    | `src/migrations/runners.test.ts`, `src/cli/migrate.test.ts` |
 * | 38  | a migrator killed at any moment                     | `src/migrations/kill.test.ts`, `…/resume.test.ts`, `…/data/data.test.ts` |
 * | 39  | a concurrent build that fails                       | `src/migrations/resume.test.ts`, here                      |
 * | 40  | edited, deleted, renamed, reordered, CRLF, BOM, twice the same version | `src/migrations/migrator.test.ts`, `…/migration-file.test.ts`, here |
 * | 41  | writers queue up behind a waiting migration         | `src/migrations/lock-queue.test.ts`, here                  |
 * | 42  | drift                                               | `src/migrations/drift/`, `src/cli/cli.test.ts`             |
 * | 43  | up, down and up again leave the same                | here, `src/migrations/prove/`, `test/contract/example-migrations.test.ts` |
 * | 86  | a dangerous command, Ctrl-C, no terminal            | `src/cli/migrate.test.ts`                                  |
 * | 87  | texts that make a parser slow or deep               | `src/migrations/statements.test.ts`, `…/masked-sql.test.ts`, `src/transaction/control.test.ts`, here |
 */
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { compareCatalogs, readCatalog } from "../../src/catalog/index.ts";
import { connect } from "../../src/driver/index.ts";
import { parseMigrationFile } from "../../src/migrations/index.ts";
import { parseStatements } from "../../src/migrations/statements.ts";
import { openWorkbench, type Workbench } from "../../src/migrations/workbench.fixture.ts";

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

const table = (name: string): string =>
  `-- migrate:up\ncreate table ${name} (id bigint);\n-- migrate:down\ndrop table ${name};\n`;

const INDEXES = `select c.relname, i.indisvalid from pg_index i join pg_class c on c.oid = i.indexrelid
  where c.relnamespace = '%s'::regnamespace and c.relname not like 'plinth%' order by 1`;

describe("a concurrent index build that gives up waiting", () => {
  it("fails with the name of who was in its way, and is built anew by the next run", async () => {
    const project = bench.project({ "0001_a.sql": table("a") });
    await project.migrator().up();
    project.write(
      "0002_index.sql",
      "-- migrate:up\nset lock_timeout to '1500ms';\ncreate index concurrently if not exists a_id on a (id);\n",
    );
    const other = await connect(bench.target);
    await other.script(`begin; insert into ${project.schemaName}.a values (1)`);
    await expect(project.migrator({ lockAttempts: 2, lockTimeoutMs: 200 }).up()).rejects.toMatchObject({
      code: "MIGRATION_FAILED",
      sqlstate: "55P03",
      file: "0002_index.sql",
      line: 3,
      message: expect.stringContaining(`server process ${other.processId}, idle in transaction`),
    });
    expect(await project.rows(INDEXES)).toEqual([["a_id", "f"]]);
    await other.close();
    await project.migrator().up();
    expect(project.progress.filter(({ kind }) => kind === "cleaned")).toEqual([
      {
        kind: "cleaned",
        fileName: "0002_index.sql",
        what: "index a_id, left invalid by a build that did not finish",
      },
    ]);
    expect(await project.rows(INDEXES)).toEqual([["a_id", "t"]]);
    expect(await project.migrator().status()).toMatchObject({ pending: 0, findings: [] });
  });
});

describe("a table lock that is not to be had", () => {
  it("is shown on stderr with who has it, tried for again, and had in the end", async () => {
    const folder = mkdtempSync(join(tmpdir(), "plinth-lock-queue-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const project = bench.project({ "0001_a.sql": table("a") });
    await project.migrator().up();
    mkdirSync(join(folder, "migrations"));
    writeFileSync(join(folder, "migrations/0001_a.sql"), table("a"));
    writeFileSync(join(folder, "migrations/0002_b.sql"), "-- migrate:up\nalter table a add column b text;\n");
    writeFileSync(
      join(folder, "plinth.config.js"),
      "export default { migrations: { lockTimeoutMs: 100, lockAttempts: 1_000 } };\n",
    );
    const reader = await connect(bench.target);
    await reader.script(`begin; select count(*) from ${project.schemaName}.a where id = 4711`);
    const { user, host, port, database } = bench.target;
    const child = spawn(
      process.execPath,
      ["--import", "tsx", "src/cli/main.ts", "migrate", "up", "--project", folder],
      {
        cwd: fileURLToPath(new URL("../..", import.meta.url)),
        env: {
          ...process.env,
          DATABASE_URL: `postgres://${user}@${host}:${port}/${database}`,
          DATABASE_SCHEMA: project.schemaName,
        },
      },
    );
    const [shown, told] = [{ text: "" }, { text: "" }];
    child.stdout.on("data", (chunk: Buffer) => {
      shown.text += chunk.toString();
    });
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    // The reader leaves once it has been named, and not before.
    await new Promise<void>((resolve) => {
      child.stderr.on("data", (chunk: Buffer) => {
        told.text += chunk.toString();
        if (told.text.includes("in its way:")) resolve();
      });
      void ended.then(() => resolve());
    });
    expect(told.text).toMatch(/0002_b\.sql: another session holds a lock it needs; again in \d+ ms\n/);
    expect(told.text).toContain(`server process ${reader.processId}, idle in transaction`);
    expect(told.text).not.toContain("4711");
    await reader.close();
    expect(await ended).toBe(0);
    expect(shown.text).toMatch(/^applied 0002_b\.sql \(\d+ ms\)\n$/);
  });
});

describe("a folder that was changed behind the ledger's back", () => {
  it.each([
    [
      "swapped",
      {
        "0001_a.sql": undefined,
        "0002_b.sql": undefined,
        "0001_b.sql": table("b"),
        "0002_a.sql": table("a"),
      },
      "MIGRATION_CHANGED",
      "0001_b.sql was applied under the name 0001_a.sql",
    ],
    [
      "renumbered",
      { "0002_b.sql": undefined, "0003_b.sql": table("b") },
      "MIGRATION_MISSING",
      "0002_b.sql is applied, but the folder does not have it",
    ],
    [
      "given a second file of one version",
      { "2_c.sql": table("c") },
      "MIGRATION_INVALID",
      "0002_b.sql and 2_c.sql have the same version 2",
    ],
    [
      "written in UTF-16",
      { "0002_b.sql": Buffer.from(table("b"), "utf16le") },
      "MIGRATION_INVALID",
      "0002_b.sql",
    ],
  ])(
    "is refused when its files were %s, in both directions, and nothing changes",
    async (_how, changes, code, message) => {
      const project = bench.project({ "0001_a.sql": table("a"), "0002_b.sql": table("b") });
      await project.migrator().up();
      const before = await readCatalog(bench.connection, project.schemaName);
      for (const [name, text] of Object.entries(changes)) {
        if (text === undefined) project.remove(name);
        else project.write(name, text);
      }
      project.write("0009_more.sql", table("more"));
      for (const run of [
        () => project.migrator().up(),
        () => project.migrator().down(),
        () => project.migrator().redo(),
      ]) {
        await expect(run()).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
      }
      expect(compareCatalogs(before, await readCatalog(bench.connection, project.schemaName))).toEqual([]);
    },
  );
});

describe("the migrations of an example", () => {
  it("leave the same after up, down and up again, and nothing after down", async () => {
    const folder = mkdtempSync(join(tmpdir(), "plinth-example-"));
    const example = fileURLToPath(new URL("../../examples/tracker/migrations", import.meta.url));
    cpSync(example, folder, { recursive: true });
    const project = bench.project();
    const migrator = project.migrator({ folder });
    const read = () => readCatalog(bench.connection, project.schemaName);
    await migrator.up();
    const first = await read();
    expect(first.objects.length).toBeGreaterThan(10);
    const undone = await migrator.down({ to: "0" });
    expect(undone.ran).toHaveLength(readdirSync(folder).filter((name) => name.endsWith(".sql")).length);
    expect((await read()).objects.filter(({ kind }) => kind !== "extension")).toEqual([]);
    await migrator.up();
    expect(compareCatalogs(first, await read())).toEqual([]);
    rmSync(folder, { recursive: true });
  });
});

describe("a text made to make a parser slow or deep", () => {
  const parse = (sql: string) => {
    const file = parseMigrationFile("0001_a.sql", Buffer.from(`-- migrate:up\n${sql}\n`));
    return parseStatements(file, file.up);
  };

  // What is slow here is quadratic: twenty times the size would take minutes.
  it.each([
    ["brackets, which the server answers with 'memory exhausted'", `select ${"(".repeat(20_000)}`],
    ["brackets that close", `select ${"(".repeat(20_000)}1${")".repeat(20_000)}`],
    ["a dollar quote without an end", `do $a$ ${"$b$ $".repeat(80_000)}`],
    ["dollar quotes without an end, one in the other", "select $a$ $b$ $c$ ".repeat(20_001)],
    ["comments without an end, one in the other", "/* ".repeat(130_000)],
    ["comments that end, one in the other", `${"/* ".repeat(60_000)}${"*/ ".repeat(60_000)}`],
    ["quoted names without an end", '"a'.repeat(200_001)],
    ["marks that are none", "-- migrate :up\n".repeat(25_000)],
    ["a case in a case", `select ${"case when true then ".repeat(20_000)}`],
    ["arrays of arrays", `select ${"array[".repeat(60_000)}`],
    ["selects in selects", `${"select (".repeat(50_000)}`],
  ])("is refused in seconds, with a short message: 400 kB of %s", { timeout: 15_000 }, async (_what, sql) => {
    const error: unknown = await Promise.resolve()
      .then(() => parse(sql))
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "MIGRATION_INVALID", file: "0001_a.sql" });
    expect(error instanceof Error && error.message.length).toBeLessThan(1_000);
  });

  it("is no obstacle where it is only text: a body, a string and a comment of the same", {
    timeout: 15_000,
  }, async () => {
    const mess = `${"(".repeat(20_000)} ${"/* ".repeat(20_000)} ${"$x ".repeat(20_000)}`;
    const statements = await parse(
      `do $body$ begin perform '${mess}'; commit; end $body$;\nselect '${mess}';\n-- ${mess}\nselect 1;`,
    );
    expect(statements.map(({ run }) => run)).toEqual(["outside", "transaction", "transaction"]);
  });
});
