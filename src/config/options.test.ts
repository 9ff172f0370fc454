import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as options from "./options.ts";

const document = readFileSync(new URL("../../docs/reference/config.md", import.meta.url), "utf8");

interface Rule {
  readonly variable: string;
  readonly default?: unknown;
}

function isRule(value: unknown): value is Rule {
  return typeof value === "object" && value !== null && "variable" in value;
}

const rules: readonly Rule[] = Object.values(options).flatMap((value): Rule[] =>
  isRule(value) ? [value] : typeof value === "object" ? Object.values(value).filter(isRule) : [],
);

describe("docs/reference/config.md", () => {
  it("has a row with the right default for every environment variable, and for nothing else", () => {
    const rows = [...document.matchAll(/^\| `[^`]+` \| `(DATABASE_\w+)` \| ([^|]+) \|/gm)];
    const documented = new Map(rows.map(([, variable, value]) => [variable, value]));
    expect([...documented.keys()].sort()).toEqual(rules.map(({ variable }) => variable).sort());
    for (const { variable, default: value } of rules) {
      if (value === undefined) continue;
      const shown = typeof value === "number" ? value.toLocaleString("en-US") : `\`${String(value)}\``;
      expect([variable, documented.get(variable)]).toEqual([variable, shown]);
    }
  });
});
