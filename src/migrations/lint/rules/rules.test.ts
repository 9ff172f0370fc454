import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chosenPostgres } from "../../../../test/support/chosen-postgres.ts";
import { type TestServer, testServer } from "../../../../test/support/server.ts";
import { openShadow, type Shadow } from "../../../shadow/index.ts";
import { readMigrationFolder } from "../../formats/migration-folder.ts";
import { lintMigrations } from "../lint.ts";
import type { LintFinding } from "../model.ts";
import { type CaseFile, fileName, filesOf, type RuleCase } from "./cases/rule-case.fixture.ts";
import { RULE_CASES, titleOf } from "./cases.fixture.ts";
import { RULE_IDS, RULES } from "./registry.ts";

const CASES = RULE_CASES.filter(({ since }) => since <= chosenPostgres());

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

/** What is found in the one file, behind those that make its ground. */
async function findingsIn({ ground }: RuleCase, file: CaseFile): Promise<readonly LintFinding[]> {
  const { format = "plinth", version } = file;
  const folder = await readMigrationFolder(filesOf(ground, [file]), { format });
  const only = [fileName(1)];
  const { findings } = await lintMigrations({ folder, only, shadow, dialectVersion: version });
  return findings;
}

describe("a rule of lint", () => {
  it("has a case each, and the cases know no other rule", () => {
    expect([...new Set(RULE_CASES.map(({ rule }) => rule))].sort()).toEqual([...RULE_IDS].sort());
    expect(new Set(RULE_CASES.map(titleOf)).size).toBe(RULE_CASES.length);
  });

  it.each(CASES.map((one) => [titleOf(one), one] as const))("speaks of %s", async (_, one) => {
    const findings = await findingsIn(one, one.fires);
    const found = findings.filter(({ rule }) => rule === one.rule);
    expect(found, JSON.stringify(findings, null, 1)).not.toEqual([]);
    for (const { level, why, fix, file } of found) {
      expect([level, file]).toEqual([RULES[one.rule].level, fileName(1)]);
      expect(Math.min(why.length, fix.length)).toBeGreaterThan(5);
    }
  });

  it.each(CASES.map((one) => [titleOf(one), one] as const))(
    "is silent on a near miss of %s",
    async (_, one) => {
      const findings = await findingsIn(one, one.near);
      const rules = findings.map(({ rule }) => rule);
      expect(rules).not.toContain(one.rule);
      // A near miss that does not run would prove nothing.
      expect(rules, JSON.stringify(findings)).not.toEqual(expect.arrayContaining(["run/syntax"]));
      expect(rules, JSON.stringify(findings)).not.toEqual(expect.arrayContaining(["run/fails"]));
    },
  );
});
