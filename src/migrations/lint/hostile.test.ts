import { tmpdir } from "node:os";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestServer, testServer } from "../../../test/support/server.ts";
import { SOAK_TIMEOUT_MS, soakRuns } from "../../../test/support/soak.ts";
import { openShadow, type Shadow } from "../../shadow/index.ts";
import { readMigrationFolder } from "../formats/migration-folder.ts";
import { withSqlParser } from "../sql-parser.ts";
import { TASKS } from "./corpus/grounds.fixture.ts";
import { hostileText, MEGABYTE_TEXTS } from "./corpus/hostile-text.fixture.ts";
import { lintMigrations } from "./lint.ts";
import type { LintReport } from "./model.ts";

const FILE = "0002_hostile.sql";
const SEED = 20_261_121;

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

async function lint(text: string, where: Shadow | undefined): Promise<LintReport> {
  const files = { "0001_ground.sql": `${TASKS};`, [FILE]: text };
  const folder = await readMigrationFolder(files, { format: "plain" });
  return lintMigrations({ folder, only: [FILE], shadow: where });
}

/**
 * Lines on which statements begin, told by PostgreSQL's own scanner; `refused` where its parser refuses the text, `unknown`
 * where the text is too much for it.
 */
async function linesIn(text: string): Promise<readonly number[] | "refused" | "unknown"> {
  const bytes = Buffer.from(text);
  try {
    return await withSqlParser(async ({ parse, scan }) => {
      const { stmts = [] } = await parse(text);
      const locations = stmts.map(({ stmt_location = 0 }) => stmt_location);
      // The scanner's answer is no JSON where a comment or string holds one of these.
      const { tokens } = await scan(text.replace(/[^\P{Cc}\n\r\t]/gu, inItsPlace));
      const starts = tokens.filter(({ tokenName }) => !/COMMENT$/.test(tokenName)).map(({ start }) => start);
      return locations.map((location) => {
        const first = starts.find((start) => start >= location) ?? location;
        return bytes.subarray(0, first).toString().split("\n").length;
      });
    });
  } catch (error) {
    return error instanceof RangeError ? "unknown" : "refused";
  }
}

/** A character of as many bytes that the scanner passes over in the same way. */
function inItsPlace(control: string): string {
  if (control >= "\x80") return control;
  return /\s/.test(control) ? " " : "x";
}

/** As files are read: UTF-8 without a byte order mark, LF line ends. */
function asRead(text: string): string {
  const decoded = new TextDecoder().decode(Buffer.from(text));
  return decoded.replaceAll("\r\n", "\n").replaceAll("\r", "\n");
}

/** What PostgreSQL itself needs minutes for is not given to it. */
const BEYOND_REASON = /nested (?:too|more than)|operator characters/;

async function checkReport({ statements, findings }: LintReport, given: string): Promise<void> {
  const text = asRead(given);
  const own = findings.filter(({ file }) => file === FILE);
  const problems = own.filter(({ rule }) => rule === "run/syntax");
  expect(problems.length).toBeLessThan(2);
  if (!BEYOND_REASON.test(problems[0]?.why ?? "")) {
    const lines = await linesIn(text);
    if (lines === "refused") expect([statements.length, problems.length]).toEqual([0, 1]);
    else if (lines !== "unknown") expect(statements.map(({ line }) => line)).toEqual(lines);
  }
  const count = text.split("\n").length;
  for (const { line, why, fix } of own) {
    expect(line).toBeGreaterThan(0);
    expect(line).toBeLessThanOrEqual(count);
    expect(Math.min(why.length, fix.length)).toBeGreaterThan(0);
  }
}

describe("lint of what nobody would write", () => {
  it("gives a report by the text alone, with the places PostgreSQL sees", {
    timeout: SOAK_TIMEOUT_MS,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(hostileText, async (text) => checkReport(await lint(text, undefined), text)),
      { numRuns: soakRuns(20_000), seed: SEED },
    );
  });

  it("gives a report with a catalog, with the same places", { timeout: SOAK_TIMEOUT_MS }, async () => {
    await fc.assert(
      fc.asyncProperty(hostileText, async (text) => checkReport(await lint(text, shadow), text)),
      { numRuns: soakRuns(2_000), seed: SEED + 1 },
    );
  });

  it("refuses a file with a NUL by its name, as PostgreSQL would end it there", async () => {
    await expect(lint("select 1;\0 drop table tasks", undefined)).rejects.toMatchObject({
      code: "MIGRATION_INVALID",
      message: expect.stringContaining(FILE),
    });
  });

  it.each(MEGABYTE_TEXTS)("reads a line of a megabyte: %s", { timeout: 120_000 }, async (_, text) => {
    await checkReport(await lint(text, undefined), text);
    await checkReport(await lint(text, shadow), text);
  });
});
