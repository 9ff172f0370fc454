import type { Node } from "libpg-query";
import { offsetOfCharacter } from "./snippet.ts";
import { withSqlParser } from "./sql-parser.ts";
import { findTextProblem, skipBlank } from "./text-guard.ts";

/** One statement of a text, without the blanks and comments around it. */
export interface ParsedStatement {
  readonly tree: Node;
  readonly text: string;
  /** Where `text` begins in the whole. */
  readonly offset: number;
}

/** Why a text cannot be parsed, and where. */
export interface ParseProblem {
  readonly offset: number;
  readonly why: string;
  readonly fix: string;
  /** `42601` where PostgreSQL would refuse the text as well. */
  readonly sqlstate: string | undefined;
}

/** What became of a text: its statements, or the first problem. */
export type ParsedSql =
  | { readonly statements: readonly ParsedStatement[]; readonly problem: undefined }
  | { readonly statements: readonly []; readonly problem: ParseProblem };

/** A parser failure shows what it met, which may be the rest of the file. */
const PARSER_MESSAGE_LIMIT = 200;

/**
 * Takes a text apart with PostgreSQL's own parser, so that a semicolon in a function body is no end and a keyword
 * in a string is no keyword. Never throws for what the text holds.
 */
export async function parseSql(text: string): Promise<ParsedSql> {
  const guarded = findTextProblem(text);
  if (guarded !== undefined) {
    return failed({ offset: guarded.offset, why: guarded.why, fix: "Shorten it.", sqlstate: undefined });
  }
  try {
    const parsed = await withSqlParser(({ parse }) => parse(text));
    return { statements: cut(text, parsed.stmts ?? []), problem: undefined };
  } catch (error) {
    return failed(problemOf(text, error));
  }
}

interface RawStatement {
  readonly stmt?: Node;
  readonly stmt_location?: number;
  readonly stmt_len?: number;
}

function cut(text: string, raw: readonly RawStatement[]): readonly ParsedStatement[] {
  const bytes = Buffer.from(text);
  const statements: ParsedStatement[] = [];
  let offset = 0;
  let byte = 0;
  for (const { stmt, stmt_location = 0, stmt_len } of raw) {
    if (stmt === undefined) continue;
    // The parser counts bytes; the cursor moves forward only, so the whole conversion stays linear.
    offset += bytes.subarray(byte, stmt_location).toString().length;
    byte = stmt_location;
    const source = bytes.subarray(byte, stmt_len === undefined ? undefined : byte + stmt_len).toString();
    const blank = skipBlank(source, 0);
    statements.push({ tree: stmt, text: source.slice(blank).trimEnd(), offset: offset + blank });
  }
  return statements;
}

function problemOf(text: string, error: unknown): ParseProblem {
  const message = error instanceof Error ? error.message : "the parser failed";
  if (error instanceof RangeError) {
    return {
      offset: 0,
      why: "an expression is nested too deep to be parsed",
      fix: "Split the statement.",
      sqlstate: undefined,
    };
  }
  return {
    offset: offsetOfCharacter(text, cursorOf(error)),
    why: message.length > PARSER_MESSAGE_LIMIT ? `${message.slice(0, PARSER_MESSAGE_LIMIT)}…` : message,
    fix: "Nothing was sent to the server. Correct the file and run the command again.",
    sqlstate: "42601",
  };
}

/** The parser's `sqlDetails.cursorPosition` counts characters from 0. */
function cursorOf(error: unknown): number {
  if (!(error instanceof Error) || !("sqlDetails" in error)) return 0;
  const details = error.sqlDetails;
  if (typeof details !== "object" || details === null || !("cursorPosition" in details)) return 0;
  return typeof details.cursorPosition === "number" ? details.cursorPosition : 0;
}

function failed(problem: ParseProblem): ParsedSql {
  return { statements: [], problem };
}

/** Names of the roles a tree speaks of, each once: a shadow server needs them before the statement can run. */
export function rolesIn(tree: unknown): readonly string[] {
  const names = new Set<string>();
  // With a list of its own: an expression can be nested deeper than functions may call themselves.
  const open: unknown[] = [tree];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== "object" || value === null) continue;
    if ("roletype" in value && value.roletype === "ROLESPEC_CSTRING" && "rolename" in value) {
      names.add(String(value.rolename));
    }
    for (const child of Object.values(value)) open.push(child);
  }
  return [...names];
}
