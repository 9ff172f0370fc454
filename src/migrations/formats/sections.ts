import type { Section } from "../migration-file.ts";
import { parseSql } from "../parse-sql.ts";
import { skipBlank } from "../text-guard.ts";

/** A whole text that its tool runs in one transaction. */
export function wholeText(text: string, isTransactional = true, fileName?: string): Section {
  return { text, firstLine: 1, isTransactional, ...(fileName === undefined ? {} : { fileName }) };
}

/** The lines from `first` to before `end`, counted from 1. */
export function linesOf(
  lines: readonly string[],
  first: number,
  end: number,
  isTransactional = true,
): Section {
  return { text: lines.slice(first - 1, end - 1).join("\n"), firstLine: first, isTransactional };
}

/** A way back, unless there is nothing in it but comments. */
export function unlessEmpty(section: Section | undefined): Section | undefined {
  return section === undefined || isEmpty(section) ? undefined : section;
}

/** Nothing but blanks and comments. One with a comment that never ends is not: it swallows statements. */
export function isEmpty({ text }: Section): boolean {
  return skipBlank(`${text}\n;`, 0) === text.length + 1;
}

/**
 * A text as tools run it that send a file to the server in one piece. PostgreSQL then makes one transaction of it,
 * unless it is a single statement or the text begins one itself: a `begin` around the whole is blanked out, so that
 * what is left reads like any other migration, on the same lines.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT
 */
export async function sentWhole(text: string, fileName?: string): Promise<Section> {
  const { statements } = await parseSql(text);
  const [first, ...rest] = statements;
  const last = rest.at(-1);
  const isWrapped =
    first !== undefined &&
    last !== undefined &&
    transactionWord(first.tree) === "begin" &&
    transactionWord(last.tree) === "commit" &&
    rest.slice(0, -1).every((statement) => !("TransactionStmt" in statement.tree));
  if (!isWrapped) return wholeText(text, statements.length !== 1, fileName);
  return wholeText(blankOut(blankOut(text, first), last), true, fileName);
}

function transactionWord(tree: object): "begin" | "commit" | undefined {
  if (!("TransactionStmt" in tree)) return undefined;
  const { TransactionStmt: statement } = tree;
  if (typeof statement !== "object" || statement === null || !("kind" in statement)) return undefined;
  if (statement.kind === "TRANS_STMT_BEGIN" || statement.kind === "TRANS_STMT_START") return "begin";
  return statement.kind === "TRANS_STMT_COMMIT" ? "commit" : undefined;
}

/** Spaces for the statement and its semicolon; line ends stay. */
function blankOut(text: string, statement: { readonly text: string; readonly offset: number }): string {
  const end = statement.offset + statement.text.length;
  const semicolon = skipBlank(text, end);
  const after = text.charAt(semicolon) === ";" ? semicolon + 1 : end;
  const blank = text.slice(statement.offset, after).replaceAll(/[^\n]/g, " ");
  return text.slice(0, statement.offset) + blank + text.slice(after);
}
