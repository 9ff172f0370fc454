/**
 * Texts made to make a reader of SQL slow, as they stand in a file of somebody's migrations or in a statement (row 87 of
 * the fault list). What the parser is given, and what is shown of other sessions, is tested in `faults-migrations.test.ts`,
 * `src/migrations/statements.test.ts` and `…/masked-sql.test.ts`; what people type into a search in `src/search/hostile.test.ts`.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { directivesOf } from "../../src/migrations/directives.ts";
import { FOLDER_FORMATS, type FolderFormat } from "../../src/migrations/formats/model.ts";
import { lintMigrations, readMigrationFolder } from "../../src/migrations/index.ts";
import { parseMigrationFile } from "../../src/migrations/migration-file.ts";
import { readProveRows } from "../../src/migrations/prove/supply.ts";
import { withLiterals } from "../../src/repository/copy/literal.ts";
import { refuseTransactionControl } from "../../src/transaction/index.ts";

// What reads a text once needs milliseconds for it; what reads it once for each of its characters, minutes.
const SIZE = 300_000;
const PATIENCE = { timeout: 15_000 };
const blanks = " ".repeat(SIZE);
const many = (piece: string): string => piece.repeat(Math.ceil(SIZE / piece.length));

describe("what a line says to Plinth", () => {
  it.each([
    ["loses", `-- loses: a${blanks}b`, [`a${blanks}b`]],
    ["loses, with a reason", `-- loses: a${blanks}(b)`, ["a"]],
    ["loses, with brackets", `-- loses: ${many("(")}`, [many("(")]],
    ["up loses", `-- up loses: a${many(" \t")}b`, [`a${many(" \t")}b`]],
    ["blanks alone", `-- loses:${blanks}`, []],
  ])("is read once, however long it is: %s", PATIENCE, (_what, line, losses) => {
    const text = `${line}\n-- migrate:up\n${line}\nselect 1;\n`;
    const file = parseMigrationFile("0001_a.sql", Buffer.from(text));
    expect(directivesOf(file).losses).toEqual([...losses, ...losses]);
  });

  it("is read once in a file of rows too", PATIENCE, async () => {
    const folder = mkdtempSync(join(tmpdir(), "plinth-rows-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "rows.sql");
    const read = () => readProveRows(folder, async () => ({}), file);
    for (const head of [`a${blanks}b`, `"${many('""')}`, `a from${blanks}x`, many("a.")]) {
      writeFileSync(file, `-- rows: ${head}\ninsert into a values (1);\n`);
      await expect(read()).rejects.toMatchObject({ code: "MIGRATION_INVALID" });
    }
    writeFileSync(file, `-- rows: a${blanks}\ninsert into a values (1);\n`);
    const asked: string[] = [];
    const query = async (text: string) => {
      asked.push(text.trim());
      return [];
    };
    await (await read())?.({ table: "a", version: "1", query });
    expect(asked).toEqual(["insert into a values (1);"]);
  });
});

describe("a folder of another tool's migrations", () => {
  const FILE_OF: Readonly<Record<FolderFormat, string>> = {
    plinth: "0001_a.sql",
    dbmate: "0001_a.sql",
    drizzle: "0001_a.sql",
    prisma: "1_a/migration.sql",
    "node-pg-migrate": "1_a.sql",
    "golang-migrate": "1_a.up.sql",
    flyway: "V1__a.sql",
    goose: "1_a.sql",
    knex: "1_a.js",
    alembic: "versions/a.py",
    plain: "1_a.sql",
  };
  const LINES: readonly (readonly [name: string, text: string])[] = [
    ["a mark and blanks", `-- +goose Up${blanks}b`],
    ["a mark of another tool and blanks", `-- migrate:up${blanks}\v`],
    ["marks that are none", many("-- +goose\n-- migrate :up\n")],
    ["options without an end", `-- migrate:up${many(" a:b")} \v`],
    [
      "dollar quotes without an end, each of its own",
      Array.from({ length: 40_000 }, (_, i) => `$t${i}$ `).join(""),
    ],
    ["words of a template", many("{{ ")],
    ["assignments", `exports.${many("up = ")}`],
  ];

  it.each(LINES)("is read once, whichever tool is meant: %s", PATIENCE, async (_what, text) => {
    for (const format of [undefined, ...FOLDER_FORMATS]) {
      const content = { [FILE_OF[format ?? "plain"]]: `${text}\nselect 1;\n` };
      const read = readMigrationFolder(content, format === undefined ? {} : { format });
      const error: unknown = await read.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error !== undefined) expect(error).toMatchObject({ code: "MIGRATION_INVALID" });
    }
  });

  it("is linted in time, where a line allows something at great length", PATIENCE, async () => {
    const text = `-- plinth:allow ${blanks}x\n--${blanks}plinth:allow a\ncreate table a (id int);\n`;
    const folder = await readMigrationFolder({ "0001_a.sql": text }, { format: "plain" });
    const { statements } = await lintMigrations({ folder });
    expect(statements).toHaveLength(1);
  });
});

describe("a statement of one's own", () => {
  it.each([
    ["blanks", `${blanks}commit`],
    ["comments", `${many("/**/")}commit`],
    ["comments in comments", `${many("/*")}${many("*/")}commit`],
    ["lines of comments", `${many("--\n")}commit`],
    ["semicolons", `${many(";")}commit`],
  ])("is looked at once for what ends a transaction: behind %s", PATIENCE, (_what, text) => {
    expect(() => refuseTransactionControl(text)).toThrow(
      expect.objectContaining({ code: "TRANSACTION_CONTROL" }),
    );
  });

  it("may hold a text of twenty million characters where its values are written into it", PATIENCE, () => {
    const long = `it''s${"a".repeat(1_000)}`.repeat(20_000);
    expect(withLiterals(`select '${long}', $1`, ["b"])).toBe(`select '${long}',  'b' `);
    expect(() => withLiterals(`select '${long}, $1`, ["b"])).toThrow(
      expect.objectContaining({ code: "INVALID_QUERY" }),
    );
    const quotes = `select $1 ${many(`"'`)}'`;
    expect(() => withLiterals(quotes, ["b"])).toThrow(expect.objectContaining({ code: "INVALID_QUERY" }));
  });
});
