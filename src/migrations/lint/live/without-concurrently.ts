import type { Node } from "libpg-query";
import { wordsIn } from "../statement-text.ts";

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
  for (const { start, end } of wordsIn(text)) {
    if (text.slice(start, end).toLowerCase() !== "concurrently") continue;
    return `${text.slice(0, start)}${" ".repeat(end - start)}${text.slice(end)}`;
  }
  return text;
}
