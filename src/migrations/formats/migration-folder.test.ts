import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { readMigrations } from "../folder.ts";
import { type MigrationFolder, readMigrationFolder } from "../index.ts";
import { parseStatements } from "../statements.ts";
import { onDisk, removeFolders } from "./on-disk.fixture.ts";

afterAll(removeFolders);

const tracker = fileURLToPath(new URL("../../../examples/tracker/migrations", import.meta.url));

function shape({ format, splitsPhases, files }: MigrationFolder) {
  return {
    format,
    splitsPhases,
    files: files.map(({ version, name, fileName }) => `${version} ${name} ${fileName}`),
  };
}

/** `select '${schema}'`, as Flyway and goose fill in. */
const placeholder = (name: string): string => `select '$\{${name}}';`;

const rules = ({ findings }: MigrationFolder): readonly string[] =>
  findings.map(({ rule, object }) => `${rule} ${object}`);

describe("readMigrationFolder with Plinth's and dbmate's markers", () => {
  const file = "-- migrate:up\ncreate table a ();\n\n-- migrate:down\ndrop table a;\n";

  it("reads a Plinth project's folder as the runner does", async () => {
    const read = await readMigrationFolder(tracker);
    expect(read.format).toBe("plinth");
    expect(read.splitsPhases).toBe(true);
    expect(read.findings).toEqual([]);
    expect(read.files).toEqual(await readMigrations(tracker));
  });

  it("reads a project's data migrations too", async () => {
    const folder = onDisk({
      "plinth.config.ts": "",
      "migrations/0001_a.sql": file,
      "migrations/0002_fill.ts": "export default {};",
    });
    const { files } = await readMigrationFolder(join(folder, "migrations"));
    expect(files.map(({ fileName, modulePath }) => [fileName, modulePath])).toEqual([
      ["0001_a.sql", undefined],
      ["0002_fill.ts", join(folder, "migrations/0002_fill.ts")],
    ]);
  });

  it("takes the markers for dbmate's outside a Plinth project, and for Plinth's inside one and in memory", async () => {
    const outside = onDisk({ "20240101120000_a.sql": file });
    const inside = onDisk({ "plinth.config.ts": "", "migrations/20240101120000_a.sql": file });
    expect(shape(await readMigrationFolder(outside))).toEqual({
      format: "dbmate",
      splitsPhases: false,
      files: ["20240101120000 a 20240101120000_a.sql"],
    });
    expect((await readMigrationFolder(join(inside, "migrations"))).format).toBe("plinth");
    expect((await readMigrationFolder({ "0001_a.sql": file })).format).toBe("plinth");
  });

  it("gives both ways with their lines, and what runs outside a transaction", async () => {
    const marked = "-- by hand\n-- migrate:up transaction:false\nvacuum;\n-- migrate:down\nselect 1;\n";
    const read = await readMigrationFolder({ "0001_a.sql": marked }, { format: "dbmate" });
    expect(read.files[0]).toMatchObject({
      up: { text: "vacuum;", firstLine: 3, isTransactional: false },
      down: { text: "select 1;\n", firstLine: 5, isTransactional: true },
    });
  });

  it("passes over what dbmate does not run, and says so", async () => {
    const read = await readMigrationFolder(
      { "1_a.sql": file, "schema.sql": "select 1;", "old/0_a.sql": file },
      { format: "dbmate" },
    );
    expect(read.files).toHaveLength(1);
    expect(rules(read)).toEqual(["file-passed-over schema.sql", "file-passed-over old/0_a.sql"]);
  });

  it("refuses two files of one version, and a file without a marker", async () => {
    const twice = { "1_a.sql": file, "01_b.sql": file };
    const unmarked = { "1_a.sql": file, "2_b.sql": "select 1;" };
    for (const format of ["plinth", "dbmate"] as const) {
      await expect(readMigrationFolder(twice, { format })).rejects.toThrow(/have the same version/);
      await expect(readMigrationFolder(unmarked, { format })).rejects.toThrow("2_b.sql has no -- migrate:up");
    }
  });
});

describe("readMigrationFolder with Drizzle's folders", () => {
  const journal = (...tags: readonly string[]): string =>
    JSON.stringify({ version: "7", entries: tags.map((tag, idx) => ({ idx, tag, when: idx })) });
  const sql = 'CREATE TABLE "a" ();\n--> statement-breakpoint\nCREATE TABLE "b" ();';

  it("follows the journal of 0.x, not the names", async () => {
    const read = await readMigrationFolder(
      onDisk({
        "meta/_journal.json": journal("0000_late", "0001_early"),
        "0001_early.sql": sql,
        "0000_late.sql": sql,
        "0002_forgotten.sql": sql,
      }),
    );
    expect(shape(read)).toEqual({
      format: "drizzle",
      splitsPhases: false,
      files: ["0000 late 0000_late.sql", "0001 early 0001_early.sql"],
    });
    expect(rules(read)).toEqual(["file-passed-over 0002_forgotten.sql"]);
    expect(read.files[0]?.down).toBeUndefined();
  });

  it("reads both statements around a breakpoint", async () => {
    const { files } = await readMigrationFolder({
      "meta/_journal.json": journal("0000_a"),
      "0000_a.sql": sql,
    });
    const [file] = files;
    if (file === undefined) throw new Error("no file");
    const statements = await parseStatements(file, file.up);
    expect(statements.map(({ text }) => text)).toEqual(['CREATE TABLE "a" ()', 'CREATE TABLE "b" ()']);
  });

  it("reads the folders of 1.0 in order of name", async () => {
    const read = await readMigrationFolder(
      onDisk({
        "20260102000000_b/migration.sql": sql,
        "20260102000000_b/snapshot.json": "{}",
        "20260101000000_a/migration.sql": sql,
        "20260101000000_a/snapshot.json": "{}",
        "20260103000000_by_hand/migration.sql": sql,
      }),
    );
    expect(shape(read)).toEqual({
      format: "drizzle",
      splitsPhases: false,
      files: [
        "20260101000000 a 20260101000000_a/migration.sql",
        "20260102000000 b 20260102000000_b/migration.sql",
        "20260103000000 by_hand 20260103000000_by_hand/migration.sql",
      ],
    });
  });

  it.each([
    [
      { "meta/_journal.json": journal("0000_gone"), "0001_a.sql": sql },
      /names 0000_gone\.sql, but the folder/,
    ],
    [{ "meta/_journal.json": journal("../../secret") }, /names \.\.\/\.\.\/secret\.sql, but the folder/],
    [{ "meta/_journal.json": "{" }, /is no JSON/],
    [{ "meta/_journal.json": "null" }, /has no entries/],
    [{ "meta/_journal.json": '{"entries":[null]}' }, /an entry without a tag/],
  ])("refuses a journal that does not fit the folder: %j", async (files, message) => {
    await expect(readMigrationFolder(files)).rejects.toThrow(message);
  });
});

describe("readMigrationFolder with Prisma's folders", () => {
  it("reads a folder for each migration, with the way back somebody wrote", async () => {
    const read = await readMigrationFolder(
      onDisk({
        "migration_lock.toml": 'provider = "postgresql"',
        "20240101000000_init/migration.sql": "CREATE TABLE a ();\nCREATE TABLE b ();",
        "20240101000000_init/down.sql": "DROP TABLE b;\nDROP TABLE a;",
        "20240102000000_idx/migration.sql": "CREATE INDEX CONCURRENTLY i ON a (x);",
        "20240103000000_nothing/migration.sql": "-- This is an empty migration.",
      }),
    );
    expect(shape(read)).toEqual({
      format: "prisma",
      splitsPhases: false,
      files: [
        "20240101000000 init 20240101000000_init/migration.sql",
        "20240102000000 idx 20240102000000_idx/migration.sql",
      ],
    });
    expect(read.files[0]?.down).toEqual({
      text: "DROP TABLE b;\nDROP TABLE a;",
      firstLine: 1,
      isTransactional: true,
      fileName: "20240101000000_init/down.sql",
    });
    // Sent whole, one statement has no transaction around it.
    expect(read.files.map(({ up }) => up.isTransactional)).toEqual([true, false]);
    expect(rules(read)).toEqual(["migration-empty 20240103000000_nothing/migration.sql"]);
  });

  it("finds the migration of a single file through the folder around it", async () => {
    const folder = onDisk({
      "20240101000000_a/migration.sql": "select 1; select 2;",
      "20240102000000_b/migration.sql": "select 3; select 4;",
    });
    const read = await readMigrationFolder(join(folder, "20240102000000_b/migration.sql"));
    expect(read.format).toBe("prisma");
    expect(read.files.map(({ fileName }) => fileName)).toEqual(["20240102000000_b/migration.sql"]);
  });
});

describe("readMigrationFolder with node-pg-migrate's files", () => {
  it("cuts at its comments, whichever comes first, and takes a file without them as the way up", async () => {
    const read = await readMigrationFolder({
      "1700000000000_b.sql": "-- Down Migration\ndrop table b;\n-- Up Migration\ncreate table b ();\n",
      "1600000000000_a.sql": "-- Up Migration\ncreate table a ();\n\n-- Down Migration\ndrop table a;",
      "1800000000000_c.sql": "create table c ();",
    });
    expect(shape(read)).toEqual({
      format: "node-pg-migrate",
      splitsPhases: false,
      files: ["1600000000000 a", "1700000000000 b", "1800000000000 c"].map(
        (start, at) => `${start} ${["1600000000000_a", "1700000000000_b", "1800000000000_c"][at]}.sql`,
      ),
    });
    expect(read.files[0]).toMatchObject({
      up: { text: "-- Up Migration\ncreate table a ();\n", firstLine: 1 },
      down: { text: "-- Down Migration\ndrop table a;", firstLine: 4 },
    });
    expect(read.files[1]).toMatchObject({ up: { firstLine: 3 }, down: { firstLine: 1 } });
    expect(read.files[2]).toMatchObject({ up: { text: "create table c ();" }, down: undefined });
  });

  it("orders dates of 17 digits among milliseconds", async () => {
    const up = "-- Up Migration\nselect 1;";
    const read = await readMigrationFolder({
      "20240101000000000_later.sql": up,
      "1600000000000_earlier.sql": up,
    });
    expect(read.files.map(({ name }) => name)).toEqual(["earlier", "later"]);
  });

  it("says that programs cannot be read", async () => {
    const read = await readMigrationFolder({
      "1_a.js": "export const up = (pgm) => { pgm.createTable('a', {}); };",
      "2_b.sql": "-- Up Migration\nselect 1;",
    });
    expect(read.files.map(({ fileName }) => fileName)).toEqual(["2_b.sql"]);
    expect(read.findings).toEqual([
      {
        rule: "migration-not-sql",
        level: "warning",
        object: "1_a.js",
        why: "it is a program in JavaScript or TypeScript (1_a.js): what it does cannot be read from the text",
        fix: "Write new migrations as SQL. To go on with Plinth: plinth migrate adopt --from node-pg-migrate, which starts from the database itself.",
      },
    ]);
  });
});

describe("readMigrationFolder with files for each way", () => {
  it("pairs golang-migrate's by number, in order of number", async () => {
    const read = await readMigrationFolder({
      "10_b.up.sql": "select 1; select 2;",
      "9_a.up.sql": "\nBEGIN;\ncreate table a ();\ncommit ;\n",
      "9_a.down.sql": "begin; drop table a; end;",
      "notes.sql": "select 1;",
    });
    expect(shape(read)).toEqual({
      format: "golang-migrate",
      splitsPhases: false,
      files: ["9 a 9_a.up.sql", "10 b 10_b.up.sql"],
    });
    const [file] = read.files;
    expect(file?.up).toEqual({
      text: "\n      \ncreate table a ();\n        \n",
      firstLine: 1,
      isTransactional: true,
    });
    expect(file?.down).toMatchObject({ isTransactional: true, fileName: "9_a.down.sql" });
    expect(rules(read)).toEqual(["file-passed-over notes.sql"]);
  });

  it("names the file of the way back in the error of one of its statements", async () => {
    const read = await readMigrationFolder({
      "1_a.up.sql": "select 1;",
      "1_a.down.sql": "\nselekt 1; select 2;",
    });
    const [file] = read.files;
    if (file?.down === undefined) throw new Error("no way back");
    await expect(parseStatements(file, file.down)).rejects.toThrow(/^1_a\.down\.sql:2: syntax error/);
  });

  it("refuses a way back without a way up", async () => {
    const files = { "1_a.down.sql": "select 1;", "2_b.up.sql": "select 1;" };
    await expect(readMigrationFolder(files)).rejects.toThrow(
      "1_a.down.sql is a way back, but 1_a.up.sql is not there",
    );
  });

  it("orders Flyway's versions by their parts and repeatable files last", async () => {
    const read = await readMigrationFolder(
      onDisk({
        "V1.10__c.sql": "create index concurrently i on a (x);",
        "V1.10__c.sql.conf": "executeInTransaction=false\n",
        "V1_9__b.sql": placeholder("schema"),
        "V1__a.sql": "select 1;",
        "U1__a.sql": "select 2;",
        "R__view.sql": "select 3;",
        "B1__base.sql": "select 4;",
        "afterMigrate.sql": "select 5;",
        "more/V2__d.sql": "select 6;",
      }),
    );
    expect(shape(read)).toEqual({
      format: "flyway",
      splitsPhases: false,
      files: [
        "1 a V1__a.sql",
        "2 b V1_9__b.sql",
        "3 c V1.10__c.sql",
        "4 d more/V2__d.sql",
        "5 view R__view.sql",
      ],
    });
    expect(read.files[0]?.down).toMatchObject({ text: "select 2;", fileName: "U1__a.sql" });
    expect(read.files.map(({ up }) => up.isTransactional)).toEqual([true, true, false, true, true]);
    expect(rules(read)).toEqual([
      "file-passed-over B1__base.sql",
      "placeholder-unfilled V1_9__b.sql",
      "file-passed-over afterMigrate.sql",
    ]);
  });
});

describe("readMigrationFolder with goose's annotations", () => {
  const text = [
    "-- +goose NO TRANSACTION",
    "-- +goose Up",
    "-- +goose StatementBegin",
    "create function f() returns int language sql as $$ select 1; $$;",
    "-- +goose StatementEnd",
    "-- +goose Down",
    "drop function f();",
  ].join("\n");

  it("reads both ways, and the whole file outside a transaction where it says so", async () => {
    const read = await readMigrationFolder({
      "00002_b.sql": text.replace(/^.*TRANSACTION\n/, ""),
      "00001_a.sql": text,
    });
    expect(shape(read).files).toEqual(["00001 a 00001_a.sql", "00002 b 00002_b.sql"]);
    expect(read.format).toBe("goose");
    expect(read.files[0]).toMatchObject({
      up: { firstLine: 3, isTransactional: false },
      down: { text: "drop function f();", firstLine: 7, isTransactional: false },
    });
    expect(read.files[1]?.up.isTransactional).toBe(true);
    const [file] = read.files;
    if (file === undefined) throw new Error("no file");
    expect(await parseStatements(file, file.up)).toHaveLength(1);
  });

  it.each([
    ["-- +goose Down\nselect 1;\n-- +goose Up\nselect 2;", /^1_a\.sql:1: -- \+goose Up is not its first/],
    ["-- +goose Up\nselect 1;\n-- +goose Up\nselect 2;", /^1_a\.sql:3: there is more than one/],
  ])("refuses sections it cannot tell apart: %j", async (broken, message) => {
    await expect(readMigrationFolder({ "1_a.sql": broken })).rejects.toThrow(message);
  });

  it("says that files in Go and filled-in variables are not what is read", async () => {
    const read = await readMigrationFolder({
      "1_a.sql": `-- +goose ENVSUB ON\n-- +goose Up\n${placeholder("X")}`,
      "2_b.go": "package migrations",
    });
    expect(rules(read)).toEqual(["migration-not-sql 2_b.go", "placeholder-unfilled 1_a.sql"]);
  });
});

describe("readMigrationFolder with programs and plain files", () => {
  it("reads nothing of Knex and Alembic, and says so", async () => {
    const knex = await readMigrationFolder({
      "20240101_a.js": "exports.up = (knex) => knex.schema.createTable('a', () => {});",
      "20240102_b.ts": "import type { Knex } from 'knex';\nexport async function up(knex: Knex) {}",
      "types.d.ts": "export const up: (knex: unknown) => void;",
      "knexfile.js": "module.exports = { client: 'pg' };",
    });
    expect({ ...shape(knex), rules: rules(knex) }).toEqual({
      format: "knex",
      splitsPhases: false,
      files: [],
      rules: ["migration-not-sql 20240101_a.js"],
    });
    expect(knex.findings[0]?.why).toMatch(/^2 migrations are programs .* \(20240101_a\.js, 20240102_b\.ts\)/);
    const alembic = await readMigrationFolder(
      onDisk({
        "env.py": "from alembic import context",
        "versions/ae10_init.py":
          'revision = "ae10"\ndown_revision = None\n\ndef upgrade() -> None:\n    pass\n',
      }),
    );
    expect(alembic.format).toBe("alembic");
    expect(rules(alembic)).toEqual(["migration-not-sql versions/ae10_init.py"]);
  });

  it("runs plain files in order of name, each whole", async () => {
    const read = await readMigrationFolder(
      onDisk({ "b.sql": "begin;\nselect 1;\ncommit;", "a.sql": "vacuum;", "deep/c.sql": "select 1;" }),
    );
    expect(shape(read)).toEqual({ format: "plain", splitsPhases: false, files: ["1 a a.sql", "2 b b.sql"] });
    expect(read.files.map(({ up }) => up.isTransactional)).toEqual([false, true]);
    expect(rules(read)).toEqual(["file-passed-over deep/c.sql"]);
  });

  it.each(["001.undo.sql", "001_init_down.sql", "rollback.sql", "1-x.revert.sql"])(
    "refuses the plain file %s, whose direction is unknown",
    async (name) => {
      await expect(readMigrationFolder({ "001.do.sql": "select 1;", [name]: "select 2;" })).rejects.toThrow(
        `${name} looks like a way back, but nothing says of which migration`,
      );
    },
  );

  it("keeps a text that does not parse, for who reads it to say where", async () => {
    const read = await readMigrationFolder({ "a.sql": "begin; selekt; commit;" });
    expect(read.files[0]?.up).toEqual({
      text: "begin; selekt; commit;",
      firstLine: 1,
      isTransactional: true,
    });
  });
});
