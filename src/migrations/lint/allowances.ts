import { nearestName } from "../../errors/index.ts";
import type { LintFinding } from "./model.ts";
import { isRuleId, RULE_IDS, RULES } from "./rules/registry.ts";

/** `-- plinth:allow lock/index, breaks/drop-column: the table is empty` */
export interface Allowance {
  readonly rules: readonly string[];
  /** Empty when none is given. */
  readonly reason: string;
  /** Where it stands, from 1. */
  readonly line: number;
}

const ALLOWANCE = /^\s*--\s*plinth:allow\b[ \t]*(.*)$/;

/** The allowances in the comment lines directly above a statement, of the text between it and the one before. */
export function allowancesAbove(gap: string, statementLine: number): readonly Allowance[] {
  const lines = gap.split("\n").slice(0, -1);
  const found: Allowance[] = [];
  for (let at = lines.length - 1; at >= 0; at--) {
    const text = lines[at] ?? "";
    if (!text.trimStart().startsWith("--")) break;
    const line = statementLine - (lines.length - at);
    const allowance = readAllowance(text, line);
    if (allowance !== undefined) found.unshift(allowance);
  }
  return found;
}

/** Every line of a text that is an allowance, wherever it stands. */
export function allowancesIn(text: string, firstLine: number): readonly Allowance[] {
  return text.split("\n").flatMap((line, at) => readAllowance(line, firstLine + at) ?? []);
}

function readAllowance(text: string, line: number): Allowance | undefined {
  const rest = ALLOWANCE.exec(text)?.[1];
  if (rest === undefined) return undefined;
  const colon = rest.indexOf(":");
  const ids = colon < 0 ? rest : rest.slice(0, colon);
  return {
    rules: ids
      .split(",")
      .map((id) => id.trim())
      .filter((id) => id !== ""),
    reason: colon < 0 ? "" : reasonIn(rest.slice(colon + 1)),
    line,
  };
}

/** A fix that is pasted leaves the reason open: `…` is none. */
function reasonIn(text: string): string {
  return /^[\s.…]*$/.test(text) ? "" : text.trim();
}

/** Only an allowance that says why silences anything. */
export function isAllowed(allowances: readonly Allowance[], rule: string): boolean {
  return allowances.some(({ rules, reason }) => reason !== "" && rules.includes(rule));
}

/** What is wrong with the allowances of a statement on which `found` rules speak. */
export function checkAllowances(
  allowances: readonly Allowance[],
  found: ReadonlySet<string>,
  file: string,
): readonly LintFinding[] {
  return allowances.flatMap((allowance) => {
    const place = { file, line: allowance.line, object: `${file}:${allowance.line}` };
    const ids = allowance.rules.join(", ");
    if (allowance.rules.length === 0 || allowance.reason === "") {
      return [
        {
          ...place,
          rule: "allowance/without-reason",
          level: RULES["allowance/without-reason"].level,
          why: "it does not say why, so it allows nothing",
          fix: `-- plinth:allow ${ids === "" ? "RULE" : ids}: why it is all right here`,
        },
      ];
    }
    return allowance.rules.flatMap((rule) => checkRule(rule, found, place));
  });
}

function checkRule(
  rule: string,
  found: ReadonlySet<string>,
  place: Pick<LintFinding, "file" | "line" | "object">,
): readonly LintFinding[] {
  if (!isRuleId(rule)) {
    const close = nearestName(rule, RULE_IDS);
    return [
      {
        ...place,
        rule: "allowance/unknown-rule",
        level: RULES["allowance/unknown-rule"].level,
        why: `there is no rule ${rule}${close === undefined ? "" : `; did you mean ${close}?`}`,
        fix:
          close === undefined
            ? "-- the rules are listed in docs/reference/lint.md"
            : `-- plinth:allow ${close}: …`,
      },
    ];
  }
  if (found.has(rule)) return [];
  return [
    {
      ...place,
      rule: "allowance/unused",
      level: RULES["allowance/unused"].level,
      why: `${rule} finds nothing in the statement below`,
      fix: "-- leave it out",
    },
  ];
}
