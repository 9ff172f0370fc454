import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { REFERENCE_ROWS } from "../../src/migrations/lint/rules/reference-rows.ts";
import { RULE_IDS, RULES } from "../../src/migrations/lint/rules/registry.ts";

const page = readFileSync(new URL("../../docs/reference/lint.md", import.meta.url), "utf8");
const documented = [...page.matchAll(/^\| `([a-z]+\/[a-z-]+)` +\| (error|warning) +\|/gm)];

describe("the rules of lint", () => {
  it("have a row each in the reference, with their level, and no row is left over", () => {
    const rows = documented.map(([, id, level]) => `${id} ${level}`);
    expect(rows.sort()).toEqual(RULE_IDS.map((id) => `${id} ${RULES[id].level}`).sort());
  });

  it("answer every operation of the table they were made from, or say why it is harmless", () => {
    const numbers = Object.keys(REFERENCE_ROWS).map(Number);
    expect(numbers).toEqual(Array.from({ length: 58 }, (_, i) => i + 1));
    for (const answer of Object.values(REFERENCE_ROWS)) {
      if ("harmless" in answer) expect(answer.harmless.length).toBeGreaterThan(20);
      else for (const id of answer) expect(RULE_IDS).toContain(id);
    }
  });
});
