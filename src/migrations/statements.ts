import { MigrationError } from "../errors/index.ts";
import type { MigrationFile, Section } from "./migration-file.ts";
import { type ParsedStatement, parseSql, rolesIn } from "./parse-sql.ts";
import { snippetAt } from "./snippet.ts";
import {
  changesRole,
  classifyStatement,
  mayCommitInside,
  type Recovery,
  settingOf,
} from "./statement-kind.ts";

/** One statement of a section, without the blanks and comments around it. */
export interface Statement {
  readonly text: string;
  /** Where it begins in its section's text. */
  readonly offset: number;
  readonly run: "transaction" | "boundary" | "alone" | "outside" | "apart";
  /** Set for statements outside a transaction. */
  readonly recovery: Recovery | undefined;
  /** The session setting it changes, such as `work_mem`: repeated when an interrupted run goes on. */
  readonly setting: string | undefined;
  readonly changesRole: boolean;
  /** Roles it names: a shadow server needs them first. */
  readonly roles: readonly string[];
}

/**
 * Takes a section apart with PostgreSQL's own parser, so that a semicolon in a function body is no end and a
 * keyword in a string is no keyword.
 *
 * @throws {MIGRATION_INVALID} for a syntax error, a section without statements, and statements the runner
 * refuses (`begin`, `copy from stdin`); with file, line and a caret. Nothing was sent.
 */
export async function parseStatements(
  file: Pick<MigrationFile, "fileName">,
  section: Section,
): Promise<readonly Statement[]> {
  const { statements: parsed, problem } = await parseSql(section.text);
  if (problem !== undefined) {
    throw invalidAt(file, section, problem.offset, problem.why, problem.fix, problem.sqlstate);
  }
  const statements = parsed.map((one) => statementOf(file, section, one));
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

function statementOf(
  file: Pick<MigrationFile, "fileName">,
  section: Section,
  { tree, text, offset }: ParsedStatement,
): Statement {
  const kind = classifyStatement(tree);
  if (kind.run === "refused") throw invalidAt(file, section, offset, kind.why, kind.fix);
  const recovery = "recovery" in kind ? kind.recovery : undefined;
  // In a section without a transaction these may commit by themselves, so nothing may stand around them.
  const runsAlone = !section.isTransactional && mayCommitInside(tree);
  return {
    text,
    offset,
    run: runsAlone ? "outside" : kind.run,
    recovery: runsAlone ? { kind: "rerun" } : recovery,
    setting: settingOf(tree),
    changesRole: changesRole(tree),
    roles: rolesIn(tree),
  };
}

function invalidAt(
  file: Pick<MigrationFile, "fileName">,
  section: Section,
  offset: number,
  problem: string,
  hint: string,
  sqlstate?: string,
): MigrationError {
  const { line, text } = snippetAt(section, offset);
  const fileName = section.fileName ?? file.fileName;
  return new MigrationError("MIGRATION_INVALID", `${fileName}:${line}: ${problem}\n${text}`, {
    file: fileName,
    line,
    sqlstate,
    hint,
  });
}
