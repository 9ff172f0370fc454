import { InputError } from "../../errors/index.ts";
import type { ParameterNode } from "../../sql/index.ts";

/** ISO 8601 with a zone, to the microsecond: what PostgreSQL and JavaScript agree on. */
const INSTANT = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}(?::?\d{2})?)$/;

/**
 * The moment of an as-of read. PostgreSQL's moments are a thousand times finer than a `Date`: it stands for its whole
 * millisecond, so that the `at` of a version is a moment that shows that version.
 *
 * @throws {INVALID_VALUE}
 */
export function momentNode(given: unknown): ParameterNode {
  const text = momentText(given);
  return { kind: "parameter", value: () => text, type: "timestamptz" };
}

function momentText(given: unknown): string {
  if (
    given instanceof Date &&
    !Number.isNaN(given.getTime()) &&
    given.getUTCFullYear() >= 1 &&
    given.getUTCFullYear() <= 9_999
  ) {
    return given.toISOString().replace("Z", "999Z");
  }
  if (typeof given === "string" && INSTANT.test(given) && !Number.isNaN(Date.parse(given.replace(" ", "T"))))
    return given;
  throw new InputError("INVALID_VALUE", [
    { path: "asOf", message: "must be a Date, or a text such as 2026-11-21T09:30:00.123456Z" },
  ]);
}
