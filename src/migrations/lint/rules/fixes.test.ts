import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chosenPostgres } from "../../../../test/support/chosen-postgres.ts";
import { type TestServer, testServer } from "../../../../test/support/server.ts";
import { openShadow, type Shadow } from "../../../shadow/index.ts";
import { readMigrationFolder } from "../../formats/migration-folder.ts";
import { parseSql } from "../../parse-sql.ts";
import { lintMigrations } from "../lint.ts";
import type { LintReport } from "../model.ts";
import { type CaseFile, fileName, filesOf, type RuleCase } from "./cases/rule-case.fixture.ts";
import { RULE_CASES, titleOf } from "./cases.fixture.ts";

const CASES = RULE_CASES.filter(({ since }) => since <= chosenPostgres());
const titled = (cases: readonly RuleCase[]) => cases.map((one) => [titleOf(one), one] as const);

let server: TestServer;
let shadow: Shadow;

beforeAll(async () => {
  server = await testServer();
  shadow = await openShadow({ url: server.url, directory: tmpdir() });
});
afterAll(async () => {
  await shadow.release();
  await server.stop();
});

/** The report on the last of the files. */
async function lintLast(ground: string, files: readonly CaseFile[]): Promise<LintReport> {
  const { format = "plinth", version } = files.at(-1) ?? {};
  const folder = await readMigrationFolder(filesOf(ground, files), { format });
  return lintMigrations({ folder, only: [fileName(files.length)], shadow, dialectVersion: version });
}

/** What the rule says of the file, and the statement it says it of. */
async function fixOf({
  ground,
  fires,
  rule,
}: RuleCase): Promise<{ readonly fix: string; readonly sql: string }> {
  const { statements, findings } = await lintLast(ground, [fires]);
  const found = findings.find((finding) => finding.rule === rule);
  if (found === undefined) throw new Error(`${rule} is silent`);
  const sql = statements.find(({ line }) => line === found.line)?.sql ?? "";
  return { fix: found.fix, sql };
}

/** Runs the texts on a database with rows, as psql would: every statement commits by itself. */
async function run(ground: string, texts: readonly string[]): Promise<void> {
  const database = await shadow.createDatabase();
  try {
    await database.use(async (connection) => {
      await connection.script(ground);
      for (const text of texts) {
        for (const statement of (await parseSql(text)).statements) await connection.script(statement.text);
      }
    });
  } finally {
    await database.drop();
  }
}

describe("the fix of a rule", () => {
  it.each(titled(CASES.filter(({ fix }) => fix === "advice")))(
    "is advice in comments: %s",
    async (_, one) => {
      const { fix } = await fixOf(one);
      expect(await parseSql(fix)).toEqual({ statements: [], problem: undefined });
    },
  );

  it.each(titled(CASES.filter(({ fix }) => fix !== "advice")))(
    "runs where the statement would, with rows, and is not found fault with again: %s",
    async (_, one) => {
      const { fix, sql } = await fixOf(one);
      const { before, fixForm, ground, rule } = one;
      const pasted = one.fix === "advice" ? [] : [one.fix(fix, sql)].flat();
      expect(pasted).not.toEqual([]);
      for (const up of pasted) {
        expect((await parseSql(up)).statements, up).not.toEqual([]);
        const files = [...before.map((text) => ({ up: text })), { up, ...fixForm }];
        const { findings } = await lintLast(ground, files);
        const again = findings.filter((finding) => [rule, "run/fails", "run/syntax"].includes(finding.rule));
        expect(again, up).toEqual([]);
        await run(ground, [...before, up]);
      }
    },
  );
});
