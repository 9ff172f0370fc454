import type { Connection } from "../driver/index.ts";
import type { Shadow, ShadowDatabase } from "../shadow/index.ts";
import { quoteIdentifier } from "../sql/index.ts";
import { statementFailure } from "./failure.ts";
import type { MigrationFile } from "./migration-file.ts";
import { parseSql, rolesIn } from "./parse-sql.ts";
import { pinSession } from "./session.ts";
import { ended } from "./sql-text.ts";
import type { Statement } from "./statements.ts";
import { type MigrationTask, planTask } from "./task.ts";

/**
 * Runs one direction of a file as the runner would, phase by phase with the same session, but without a ledger:
 * for shadow databases, which nobody else uses and nobody resumes.
 *
 * @throws {MIGRATION_INVALID} {MIGRATION_IRREVERSIBLE} before anything was sent.
 * @throws {MIGRATION_FAILED} with file, line, caret and SQLSTATE of the statement the server refused.
 */
export async function replayFile(
  { shadow, connection, schemaName }: ReplayGround,
  file: MigrationFile,
  direction: "up" | "down",
): Promise<void> {
  const task = await planTask(file, direction, undefined, false);
  await shadow.ensureRoles(task.statements.flatMap((statement) => statement.roles));
  await connection.script(pinSession({ ...PINS, schemaName }));
  if (task.data !== undefined) {
    const { replayData } = await import("./data/run-data.ts");
    await replayData(connection, task, task.data);
    return;
  }
  for (const phase of task.phases) {
    if (phase.kind === "transaction")
      await replayTransaction(connection, task, phase.statements, phase.first);
    else await replayStatement(connection, task, phase.statement, phase.first);
  }
}

/** One round trip for all of them. When one is refused, again one by one: the server does not say which it was. */
async function replayTransaction(
  connection: Connection,
  task: MigrationTask,
  statements: readonly Statement[],
  first: number,
): Promise<void> {
  try {
    await connection.script(together(["begin", ...statements.map((statement) => statement.text), "commit"]));
  } catch (error) {
    if (!connection.isOpen) throw error;
    await connection.script("rollback; begin");
    try {
      for (const statement of statements) await replayStatement(connection, task, statement, first);
      await commit(connection, task);
    } catch (failure) {
      if (connection.isOpen) await connection.script("rollback");
      throw failure;
    }
  }
}

async function replayStatement(
  connection: Connection,
  task: MigrationTask,
  statement: Statement,
  first: number,
): Promise<void> {
  try {
    await connection.script(statement.text);
  } catch (error) {
    throw statementFailure(task, statement, first, error);
  }
}

/** As one message. */
function together(statements: readonly string[]): string {
  return statements.map(ended).join("\n");
}

/** Where migrations are replayed. */
export interface ReplayGround {
  readonly shadow: Shadow;
  readonly connection: Connection;
  readonly schemaName: string;
}

const STATEMENTS_TOGETHER = 500;

const PINS = { lockTimeoutMs: 0, statementTimeoutMs: 0, noticesDeadClient: false };

/** A deferred constraint fails at the end, where no statement is to blame. */
async function commit(connection: Connection, task: MigrationTask): Promise<void> {
  const last = task.statements.at(-1);
  try {
    await connection.script("commit");
  } catch (error) {
    throw last === undefined ? error : statementFailure(task, last, 0, error);
  }
}

/**
 * A new shadow database with the schema, made by the files in order. The caller drops it.
 *
 * @throws what `replayFile` throws.
 */
export async function replayMigrations(
  shadow: Shadow,
  files: readonly MigrationFile[],
  schemaName: string,
): Promise<ShadowDatabase> {
  return buildOnShadow(shadow, schemaName, async (connection) => {
    for (const file of files) await replayFile({ shadow, connection, schemaName }, file, "up");
  });
}

/** A new shadow database with the schema, made by single statements: what a schema declares, say. */
export async function buildFromStatements(
  shadow: Shadow,
  statements: readonly string[],
  schemaName: string,
): Promise<ShadowDatabase> {
  return buildOnShadow(shadow, schemaName, async (connection) => {
    const parsed = await parseSql(together(statements));
    await shadow.ensureRoles(rolesIn(parsed.statements.map((statement) => statement.tree)));
    await connection.script(pinSession({ ...PINS, schemaName }));
    // The statements of one message share a transaction, which has to keep a lock for each object it makes.
    for (let at = 0; at < statements.length; at += STATEMENTS_TOGETHER) {
      await connection.script(together(statements.slice(at, at + STATEMENTS_TOGETHER)));
    }
  });
}

async function buildOnShadow(
  shadow: Shadow,
  schemaName: string,
  work: (connection: Connection) => Promise<void>,
): Promise<ShadowDatabase> {
  const database = await shadow.createDatabase();
  try {
    await database.use(async (connection) => {
      await connection.script(`create schema if not exists ${quoteIdentifier(schemaName)}`);
      await work(connection);
    });
    return database;
  } catch (error) {
    await database.drop();
    throw error;
  }
}
