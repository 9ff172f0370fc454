import {
  CommitOutcomeUnknownError,
  isConnectionError,
  MigrationError,
  PlinthError,
  StatementError,
} from "../errors/index.ts";
import { describeBlocker, type LockBlocker } from "./lock-watch.ts";
import { offsetOfCharacter, snippetAt } from "./snippet.ts";
import { sqlstateOf } from "./sqlstate.ts";
import type { Statement } from "./statements.ts";
import type { MigrationTask } from "./task.ts";

/** What the server says more often than anything else about a migration, and what to do about it. */
const HINTS: Readonly<Record<string, string>> = {
  "42P07":
    "The database already has it, so something made it outside the migrations. Drop it there, or take it out of the file.",
  "42701":
    "The database already has it, so something made it outside the migrations. Drop it there, or take it out of the file.",
  "42710":
    "The database already has it, so something made it outside the migrations. Drop it there, or take it out of the file.",
  "42501": "Run migrations as the role that owns the schema, or grant the right to this one.",
  "23505": "Rows that are there already repeat a key. Make them unique in an earlier statement.",
  "23502":
    "Rows that are there already have no value. Fill the column in an earlier statement, or give it a default.",
  "23514":
    "Rows that are there already break the check. Correct them first, or add it as not valid and validate it later.",
  "23503":
    "Rows that are there already refer to nothing. Correct them first, or add it as not valid and validate it later.",
  "25001":
    "It cannot run inside a transaction. Write -- migrate:up transaction:false, or move it out of the function.",
  "55P04":
    "A new value of an enum can be used after its transaction has ended. Move the use into the next migration.",
  "55P03":
    "Another session kept the lock. Look for it in pg_stat_activity, or raise migrations.lockTimeoutMs.",
};

/** The error of a statement the server refused: file, line, a caret, SQLSTATE, and what to do. */
export function statementFailure(
  task: MigrationTask,
  statement: Statement,
  applied: number,
  error: unknown,
  blockers: readonly LockBlocker[] = [],
): Error {
  if (!(error instanceof PlinthError)) return error instanceof Error ? error : new Error(String(error));
  // A lost server is no fault of the file; what was applied is recorded.
  if (isServerLost(error)) return error;
  const position = error instanceof StatementError ? error.position : undefined;
  const offset =
    statement.offset + (position === undefined ? 0 : offsetOfCharacter(statement.text, position - 1));
  const { line, text } = snippetAt(task.section, offset);
  const fileName = task.section.fileName ?? task.file.fileName;
  const sqlstate = sqlstateOf(error);
  return new MigrationError("MIGRATION_FAILED", `${fileName}:${line}: ${error.summary}\n${text}`, {
    file: fileName,
    line,
    sqlstate,
    hint: [refusalHint(sqlstate, blockers), consequence(task, applied)]
      .filter((part) => part !== undefined)
      .join(" "),
    cause: error,
  });
}

/** What to do about a statement the server refused, with the names of those who were in its way. */
export function refusalHint(
  sqlstate: string | undefined,
  blockers: readonly LockBlocker[],
): string | undefined {
  const [first, ...others] = blockers;
  if (sqlstate !== "55P03" || first === undefined) return HINTS[sqlstate ?? ""];
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
  const end = first.processId === 0 ? "" : `, end it with select pg_terminate_backend(${first.processId})`;
  return `In its way: ${describeBlocker(first)}${more}. Wait for it${end}, or raise migrations.lockTimeoutMs.`;
}

/** The error of a commit that did not happen. */
export function commitFailure(task: MigrationTask, applied: number, error: unknown): Error {
  if (isServerLost(error)) {
    return new CommitOutcomeUnknownError(`${task.file.fileName}: the server went away during the commit`, {
      hint: "Run the command again: the ledger is written in the same transaction, so it knows whether it happened.",
      cause: error,
    });
  }
  const summary = error instanceof PlinthError ? error.summary : "the server rolled the transaction back";
  return new MigrationError("MIGRATION_FAILED", `${task.file.fileName}: the commit failed: ${summary}`, {
    file: task.file.fileName,
    line: task.section.firstLine,
    sqlstate: sqlstateOf(error),
    hint: consequence(task, applied),
    cause: error,
  });
}

/** The error of a concurrent build that ended without an error and without a usable index. */
export function invalidIndexFailure(
  task: MigrationTask,
  statement: Statement,
  applied: number,
): MigrationError {
  const { line, text } = snippetAt(task.section, statement.offset);
  return new MigrationError(
    "MIGRATION_FAILED",
    `${task.file.fileName}:${line}: the index it makes is invalid\n${text}`,
    {
      file: task.file.fileName,
      line,
      hint: `The next run drops it and builds it again. ${consequence(task, applied)}`,
    },
  );
}

/** As a plain boolean: a type guard would leave nothing of the class for the lines that follow. */
function isServerLost(error: unknown): boolean {
  return isConnectionError(error);
}

function consequence(task: MigrationTask, applied: number): string {
  const command = `plinth migrate ${task.direction}`;
  if (applied === 0) {
    return `Nothing of this file was ${task.direction === "up" ? "applied" : "undone"}; correct it and run ${command} again.`;
  }
  const done = applied === 1 ? "Statement 1 is" : `Statements 1 to ${applied} are`;
  return `${done} done and recorded; correct the rest and run ${command} again to go on with statement ${applied + 1}.`;
}
