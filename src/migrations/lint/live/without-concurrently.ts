import type { Node } from "libpg-query";
import { endOfQuoted, skipBlank } from "../../text-guard.ts";

/**
 * A statement that PostgreSQL refuses in a transaction, as one that it takes there and that leaves the same catalog.
 * Undefined where the catalog does not change at all, or where there is no such statement.
 */
export function withoutConcurrently(tree: Node, text: string): string | undefined {
  const isAboutRelation =
    "IndexStmt" in tree ||
    "DropStmt" in tree ||
    "AlterTableStmt" in tree ||
    "DoStmt" in tree ||
    "CallStmt" in tree;
  if (!isAboutRelation) return undefined;
  // A block that commits as it goes leaves the same without the commits.
  if ("DoStmt" in tree)
    return text.replace(/\b(?:commit|rollback)(?:\s+and\s+(?:no\s+)?chain)?\s*;/giu, "null;");
  if ("CallStmt" in tree) return text;
  for (const [start, end] of wordsOf(text)) {
    if (text.slice(start, end).toLowerCase() !== "concurrently") continue;
    return `${text.slice(0, start)}${" ".repeat(end - start)}${text.slice(end)}`;
  }
  return text;
}

/** Where words of code begin and end: none in strings, quoted names and comments. */
export function* wordsOf(text: string): Generator<readonly [number, number]> {
  const word = /[\p{L}_][\p{L}\p{N}_$]*/uy;
  let at = skipBlank(text, 0);
  while (at < text.length) {
    const quotedEnd = endOfQuoted(text, at);
    word.lastIndex = at;
    const found = quotedEnd === undefined ? word.exec(text)?.[0] : undefined;
    if (found !== undefined) yield [at, at + found.length];
    const end = quotedEnd === undefined ? at + (found?.length ?? 1) : quotedEnd + 1;
    at = skipBlank(text, end);
  }
}
