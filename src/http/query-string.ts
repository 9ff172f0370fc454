import type { z } from "zod";
import { InputError, type InputIssue } from "../errors/index.ts";
import { parseInput } from "./input.ts";
import { complaintOf, isStorableText } from "./text.ts";

/**
 * Reads a request's query parameters and checks them against a schema of texts. Unknown parameters, repeated ones and
 * broken percent-encoding are refused.
 *
 * @throws {INVALID_QUERY} with everything that is wrong, each with the parameter's name as its path.
 *
 * @example
 * ```ts
 * const { page, limit, sort } = readQuery(request, z.object({ page: pageNumber(), limit: pageLimit(), sort: sortKey(["name"]) }));
 * ```
 */
export function readQuery<S extends z.ZodObject>(request: Request, schema: S): z.output<S> {
  const issues: InputIssue[] = [];
  const values = new Map<string, string>();
  for (const pair of new URL(request.url).search.slice(1).split("&")) {
    if (pair === "") continue;
    const [name, value] = splitPair(pair);
    const decodedName = decode(name);
    const decoded = decode(value);
    if (decodedName === undefined || decoded === undefined) {
      issues.push({ path: decodedName ?? "", message: "is not valid percent-encoded UTF-8" });
    } else if (values.has(decodedName)) {
      issues.push({ path: decodedName, message: "must be given once" });
    } else {
      if (!isStorableText(decoded)) issues.push({ path: decodedName, message: complaintOf(decoded) });
      values.set(decodedName, decoded);
    }
  }
  if (issues.length > 0) throw new InputError("INVALID_QUERY", issues.slice(0, ISSUES_LIMIT));
  // `fromEntries` defines properties, so that a parameter named __proto__ is one like any other.
  return parseInput(schema, Object.fromEntries(values), "INVALID_QUERY");
}

const ISSUES_LIMIT = 100;

function splitPair(pair: string): readonly [string, string] {
  const at = pair.indexOf("=");
  return at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
}

/** `URLSearchParams` would turn bytes that are no UTF-8 into U+FFFD in silence. */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}
