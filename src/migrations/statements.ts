import { MigrationError } from "../errors/index.ts";
import type { MigrationFile, Section } from "./migration-file.ts";
import { offsetOfCharacter, snippetAt } from "./snippet.ts";
import {
  changesRole,
  classifyStatement,
  mayCommitInside,
  type Recovery,
  settingOf,
} from "./statement-kind.ts";
import { findTextProblem, skipBlank } from "./text-guard.ts";

/** One statement of a section, without the blanks and comments around it. */
export interface Statement {
  readonly text: string;
  /** Where it begins in its section's text. */
  readonly offset: number;
  readonly run: "transaction" | "boundary" | "outside";
  /** Set for statements outside a transaction. */
  readonly recovery: Recovery | undefined;
  /** The session setting it changes, such as `work_mem`: repeated when an interrupted run goes on. */
  readonly setting: string | undefined;
  readonly changesRole: boolean;
}

/** A parser failure shows what it met, which may be the rest of the file. */
const PARSER_MESSAGE_LIMIT = 200;

/**
 * Takes a section apart with PostgreSQL's own parser, so that a semicolon in a function body is no end and a
 * keyword in a string is no keyword.
 *
 * @throws {MIGRATION_INVALID} for a syntax error, a section without statements, and statements the runner
 * refuses (`begin`, `copy from stdin`); with file, line and a caret. Nothing was sent.
 */
export async function parseStatements(file: MigrationFile, section: Section): Promise<readonly Statement[]> {
  const { text } = section;
  const problem = findTextProblem(text);
  if (problem !== undefined) {
    throw invalidAt(file, section, problem.offset, problem.why, "Shorten it.");
  }
  // Loaded here because it is 1.7 MB of WebAssembly that only a run with something to do needs.
  const { parse } = await import("libpg-query");
  const parsed = await parse(text).catch((error: unknown) => {
    throw syntaxError(file, section, error);
  });
  const bytes = Buffer.from(text);
  const statements: Statement[] = [];
  let offset = 0;
  let byte = 0;
  for (const { stmt, stmt_location = 0, stmt_len } of parsed.stmts ?? []) {
    if (stmt === undefined) continue;
    // The parser counts bytes; the cursor moves forward only, so the whole conversion stays linear.
    offset += bytes.subarray(byte, stmt_location).toString().length;
    byte = stmt_location;
    const source = bytes.subarray(byte, stmt_len === undefined ? undefined : byte + stmt_len).toString();
    const blank = skipBlank(source, 0);
    const start = offset + blank;
    const kind = classifyStatement(stmt);
    if (kind.run === "refused") throw invalidAt(file, section, start, kind.why, kind.fix);
    const recovery = kind.run === "outside" ? kind.recovery : undefined;
    // In a section without a transaction these may commit by themselves, so nothing may stand around them.
    const runsAlone = !section.isTransactional && mayCommitInside(stmt);
    statements.push({
      text: source.slice(blank).trimEnd(),
      offset: start,
      run: runsAlone ? "outside" : kind.run,
      recovery: runsAlone ? { kind: "rerun" } : recovery,
      setting: settingOf(stmt),
      changesRole: changesRole(stmt),
    });
  }
  if (statements.length === 0) {
    throw invalidAt(
      file,
      section,
      0,
      "there is no statement",
      "Write what the migration does before it is run.",
    );
  }
  return statements;
}

function syntaxError(file: MigrationFile, section: Section, error: unknown): MigrationError {
  const message = error instanceof Error ? error.message : "the parser failed";
  // A tree too deep for the parser overflows the stack, which says nothing about where.
  if (error instanceof RangeError) {
    return invalidAt(
      file,
      section,
      0,
      "an expression is nested too deep to be parsed",
      "Split the statement.",
    );
  }
  return invalidAt(
    file,
    section,
    offsetOfCharacter(section.text, cursorOf(error)),
    message.length > PARSER_MESSAGE_LIMIT ? `${message.slice(0, PARSER_MESSAGE_LIMIT)}…` : message,
    "Nothing was sent to the server. Correct the file and run the command again.",
    "42601",
  );
}

/** The parser's `sqlDetails.cursorPosition` counts characters from 0. */
function cursorOf(error: unknown): number {
  if (!(error instanceof Error) || !("sqlDetails" in error)) return 0;
  const details = error.sqlDetails;
  if (typeof details !== "object" || details === null || !("cursorPosition" in details)) return 0;
  return typeof details.cursorPosition === "number" ? details.cursorPosition : 0;
}

function invalidAt(
  file: MigrationFile,
  section: Section,
  offset: number,
  problem: string,
  hint: string,
  sqlstate?: string,
): MigrationError {
  const { line, text } = snippetAt(section, offset);
  return new MigrationError("MIGRATION_INVALID", `${file.fileName}:${line}: ${problem}\n${text}`, {
    file: file.fileName,
    line,
    sqlstate,
    hint,
  });
}
