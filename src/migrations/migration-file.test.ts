import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseFileName, parseMigrationFile, readMigrations } from "./index.ts";

const parse = (text: string | Buffer, fileName = "0001_a.sql") =>
  parseMigrationFile(fileName, Buffer.from(text));

describe("parseFileName", () => {
  it.each([
    ["0001_create_users.sql", { version: "0001", name: "create_users" }],
    ["20260412120000_add-tasks.sql", { version: "20260412120000", name: "add-tasks" }],
    ["20260412_120000_create_users.sql", { version: "20260412120000", name: "create_users" }],
    ["create_users.sql", undefined],
    ["0001-create.sql", undefined],
    ["0001_.sql", undefined],
    ["0001_x.SQL", undefined],
    ["0001_a'; drop table b; --.sql", undefined],
    ["0001_a/../../b.sql", undefined],
  ])("reads %s", (fileName, expected) => {
    expect(parseFileName(fileName)).toEqual(expected);
  });
});

describe("parseMigrationFile", () => {
  it("reads both halves, their first lines and their options", () => {
    const file = parse(
      "-- a comment\n\n-- migrate:up transaction:false\nselect 1;\n\n--migrate:down\nselect 2;\n",
    );
    expect(file.up).toEqual({
      text: "select 1;\n",
      firstLine: 4,
      isTransactional: false,
      header: "-- a comment",
    });
    expect(file.down).toEqual({ text: "select 2;\n", firstLine: 7, isTransactional: true });
  });

  it("takes a way back of comments only for none", () => {
    expect(parse("-- migrate:up\nselect 1;\n-- migrate:down\n-- not possible\n").down).toBeUndefined();
  });

  it.each([
    ["select 1;", "0001_a.sql has no -- migrate:up\n  Put a line -- migrate:up above the statements."],
    [
      "-- migrate:down\nselect 1;\n-- migrate:up\nselect 2;",
      "0001_a.sql:1: -- migrate:down stands above -- migrate:up\n  Put -- migrate:up first.",
    ],
    [
      "-- migrate:up\nselect 1;\n-- migrate:up\nselect 2;",
      "0001_a.sql:3: a second -- migrate:up\n  Put each migration into its own file.",
    ],
    [
      "create table t ();\n-- migrate:up\nselect 2;",
      "0001_a.sql:1: there is a statement above -- migrate:up\n  Move it below the marker.",
    ],
    [
      "-- migrate:up\nselect 1;\n-- Migrate:Down\nselect 2;",
      "0001_a.sql:3: a marker nobody knows\n  The markers are -- migrate:up and -- migrate:down.",
    ],
    [
      "-- migrate:up transaction:no\nselect 1;",
      '0001_a.sql:1: the marker has an unknown option "transaction:no"\n  The only options are transaction:false and transaction:true.',
    ],
    [Buffer.from([0x2d, 0xff, 0xfe]), "0001_a.sql is not UTF-8 text\n  Save it as UTF-8."],
    ["-- migrate:up\nselect '\0';", "0001_a.sql holds a NUL character\n  Save it as UTF-8 text."],
  ])("refuses %j", (text, message) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: "MIGRATION_INVALID", message }));
  });
});

describe("readMigrations", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "plinth-folder-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const write = (fileName: string): void =>
    writeFileSync(join(folder, fileName), "-- migrate:up\nselect 1;\n");

  it("orders by the number, not by the text", async () => {
    for (const fileName of ["10_c.sql", "9_b.sql", "0001_a.sql", "20260412120000_d.sql"]) write(fileName);
    expect((await readMigrations(folder)).map(({ name }) => name)).toEqual(["a", "b", "c", "d"]);
  });

  it("refuses two files of one version", async () => {
    write("0002_a.sql");
    write("2_b.sql");
    await expect(readMigrations(folder)).rejects.toMatchObject({
      code: "MIGRATION_INVALID",
      message:
        "0002_a.sql and 2_b.sql have the same version 2\n  Give the one that is applied nowhere yet a new number.",
    });
  });

  it.each([
    "add_users.sql",
    "0001_users.js",
    "0001_users.test.ts",
    "0001_users.d.ts",
    "0001_users.sql.bak",
    "0001 users.sql",
  ])("refuses %s instead of skipping it", async (fileName) => {
    write(fileName);
    await expect(readMigrations(folder)).rejects.toMatchObject({
      code: "MIGRATION_INVALID",
      message: `${fileName} is not named like a migration\n  Name it NNNN_what_it_does.sql: digits, _, then letters, digits, _ and -.`,
    });
  });

  it("refuses a folder named like a migration, and says which folder is missing", async () => {
    mkdirSync(join(folder, "0001_a.sql"));
    await expect(readMigrations(folder)).rejects.toMatchObject({ code: "MIGRATION_INVALID" });
    await expect(readMigrations("/nowhere/migrations")).rejects.toMatchObject({
      message:
        "the migrations folder /nowhere/migrations does not exist\n  Write the first one with `plinth make migration NAME`, or set migrations.folder in plinth.config.ts.",
    });
  });
});
