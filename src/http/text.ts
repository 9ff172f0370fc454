import type { InputIssue } from "../errors/index.ts";

/** JSON nested deeper than this is nothing a person wrote. */
const DEPTH_LIMIT = 64;
const ISSUES_LIMIT = 100;

/**
 * True for text that PostgreSQL can store: without NUL, and without half of a surrogate pair, which UTF-8 has no bytes
 * for. A key for which this is false belongs to no row.
 */
export function isStorableText(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}

/** Texts anywhere in parsed JSON that cannot be stored, with their paths. */
export function textIssues(value: unknown): readonly InputIssue[] {
  const issues: InputIssue[] = [];
  collect(value, "", 0, issues);
  return issues;
}

function collect(value: unknown, path: string, depth: number, issues: InputIssue[]): void {
  if (issues.length >= ISSUES_LIMIT) return;
  if (typeof value === "string") {
    if (!isStorableText(value)) issues.push({ path, message: complaintOf(value) });
  } else if (typeof value === "object" && value !== null) {
    if (depth === DEPTH_LIMIT) {
      issues.push({ path, message: `must not be nested more than ${DEPTH_LIMIT} levels deep` });
      return;
    }
    for (const [key, item] of Object.entries(value))
      collect(item, path === "" ? key : `${path}.${key}`, depth + 1, issues);
  }
}

export function complaintOf(text: string): string {
  return text.includes("\0")
    ? "must not contain the NUL character"
    : "must not contain a lone surrogate (it is not valid Unicode)";
}
