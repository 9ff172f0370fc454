import type { z } from "zod";
import { InputError, type InputIssue, unknownName } from "../errors/index.ts";

/** More complaints than this help nobody. */
const ISSUES_LIMIT = 100;
/** A client's own names come back in paths, cut to this length. */
const PATH_PART_LIMIT = 64;

/**
 * Checks `value` against `schema`, with unknown properties refused whatever the schema says of them.
 *
 * @throws {INVALID_VALUE} or {INVALID_QUERY} with every complaint. Messages hold no value.
 */
export function parseInput<S extends z.ZodObject>(
  schema: S,
  value: unknown,
  code: "INVALID_VALUE" | "INVALID_QUERY",
): z.output<S> {
  const result = schema.safeParse(value, {
    error: (issue) => (issue.input === undefined ? "is required" : undefined),
  });
  const known = Object.keys(schema.shape);
  const unknown = unknownKeys(value, known).map((key) => ({
    path: shown(key),
    message: unknownName(code === "INVALID_QUERY" ? "parameter" : "field", key, known),
  }));
  const complaints = result.success ? [] : result.error.issues.flatMap(issuesOf);
  const issues = firstOfEachPath([...unknown, ...complaints]).slice(0, ISSUES_LIMIT);
  if (!result.success || issues.length > 0) throw new InputError(code, issues);
  return result.data;
}

/** What is wrong in two ways is wrong once: the second complaint often follows from the first. */
function firstOfEachPath(issues: readonly InputIssue[]): readonly InputIssue[] {
  const seen = new Set<string>();
  return issues.filter(({ path }) => !seen.has(path) && seen.add(path));
}

/** Own properties, `__proto__` too: `JSON.parse` makes it one. */
function unknownKeys(value: unknown, known: readonly string[]): readonly string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  return Object.keys(value).filter((key) => !known.includes(key));
}

function issuesOf(issue: z.core.$ZodIssue): readonly InputIssue[] {
  const path = issue.path.map((part) => shown(String(part))).join(".");
  // A strict schema's own complaint: its top level is reported above, with the nearest known name.
  if (issue.code === "unrecognized_keys" && path === "") return [];
  return [{ path, message: issue.message }];
}

function shown(part: string): string {
  return part.length > PATH_PART_LIMIT ? `${part.slice(0, PATH_PART_LIMIT)}…` : part;
}
