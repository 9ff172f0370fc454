import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "../driver/index.ts";
import { backoffMs } from "./backoff.ts";
import { commitFailure, invalidIndexFailure, sqlstateOf, statementFailure } from "./failure.ts";
import { interrupted } from "./interruption.ts";
import { endOf, type Phase } from "./phases.ts";
import type { ProgressListener } from "./progress.ts";
import { isIndexInvalid, prepareOutside } from "./recovery.ts";
import { concurrentLockTimeout, pinSession, type SessionPins, usualLockTimeout } from "./session.ts";
import type { Statement } from "./statements.ts";
import { ledgerText, type MigrationTask } from "./task.ts";

/** What a run works with. */
export interface RunContext {
  readonly connection: Connection;
  readonly pins: SessionPins;
  readonly lockAttempts: number;
  readonly signal: AbortSignal | undefined;
  readonly report: ProgressListener;
}

const QUERY_CANCELED = "57014";

const RESET_ROLE = "reset session authorization;\nreset role";

/**
 * Runs what is left of one direction of one file, phase by phase. The ledger's row is written in the same
 * transaction as the statements it speaks of; a statement outside a transaction is marked before it begins and
 * recorded after it ended, so that a run that was killed anywhere between goes on at the right place.
 */
export async function runTask(context: RunContext, task: MigrationTask): Promise<void> {
  try {
    await context.connection.script(pinSession(context.pins));
    await replaySettings(context, task, task.resumeAt);
    for (const phase of task.phases) {
      refuseWhenAborted(context, task);
      if (phase.kind === "transaction") await runTransaction(context, task, phase);
      else await runOutside(context, task, phase);
    }
  } catch (error) {
    // The cancel request may have met any statement, the ledger's own included.
    if (sqlstateOf(error) === QUERY_CANCELED) refuseWhenAborted(context, task);
    throw error;
  }
}

async function runTransaction(
  context: RunContext,
  task: MigrationTask,
  phase: Extract<Phase, { readonly kind: "transaction" }>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const failure = await tryTransaction(context, task, phase);
    if (failure === undefined) return;
    await retryOrThrow(context, task, failure, attempt, phase.first);
  }
}

/** A statement the server refused. */
interface StatementFailure {
  readonly statement: Statement;
  readonly error: unknown;
}

/** One attempt: undefined once it is committed, else what the server refused, after the rollback. */
async function tryTransaction(
  context: RunContext,
  task: MigrationTask,
  phase: Extract<Phase, { readonly kind: "transaction" }>,
): Promise<StatementFailure | undefined> {
  const { connection } = context;
  await connection.script("begin");
  for (const statement of phase.statements) {
    try {
      // An abort between two statements finds nothing to cancel.
      refuseWhenAborted(context, task);
      await connection.script(statement.text);
    } catch (error) {
      if (connection.isOpen) await connection.script("rollback");
      return { statement, error };
    }
  }
  try {
    if (phase.statements.some((statement) => statement.changesRole)) await connection.script(RESET_ROLE);
    await connection.script(ledgerText(context.pins.schemaName, task, endOf(phase)));
  } catch (error) {
    if (connection.isOpen) await connection.script("rollback");
    throw error;
  }
  await commit(context, task, phase.first);
  return undefined;
}

/** PostgreSQL answers the commit of a failed transaction with ROLLBACK and no error. */
async function commit(context: RunContext, task: MigrationTask, applied: number): Promise<void> {
  let command: string | undefined;
  try {
    command = (await context.connection.script("commit")).at(-1)?.command;
  } catch (error) {
    throw commitFailure(task, applied, error);
  }
  if (command !== "COMMIT") throw commitFailure(task, applied, undefined);
}

async function runOutside(
  context: RunContext,
  task: MigrationTask,
  phase: Extract<Phase, { readonly kind: "outside" }>,
): Promise<void> {
  const { connection, pins, report } = context;
  const { statement, recovery, first } = phase;
  let hadBegun = task.begun === first;
  for (let attempt = 1; ; attempt++) {
    const preparation = await prepareOutside(connection, pins.schemaName, recovery, hadBegun);
    for (const what of preparation.cleaned) report({ kind: "cleaned", fileName: task.file.fileName, what });
    if (preparation.next === "done") break;
    if (preparation.isOurs)
      await record(context, task, first, ledgerText(pins.schemaName, task, first, first));
    const error = await tryOutside(context, task, statement);
    if (error === undefined) break;
    hadBegun = preparation.isOurs;
    await retryOrThrow(context, task, { statement, error: error.reason }, attempt, first);
  }
  if (await isIndexInvalid(connection, pins.schemaName, recovery))
    throw invalidIndexFailure(task, statement, first);
  await record(context, task, first + 1, ledgerText(pins.schemaName, task, first + 1));
}

/** Undefined when the statement succeeded. */
async function tryOutside(
  context: RunContext,
  task: MigrationTask,
  statement: Statement,
): Promise<{ readonly reason: unknown } | undefined> {
  const { connection, pins } = context;
  // A file that chose its own lock time-out keeps it.
  const isPatient = !task.statements.some(
    (other) => other.setting === "lock_timeout" || other.setting === "all",
  );
  if (isPatient) await connection.script(concurrentLockTimeout(pins));
  try {
    refuseWhenAborted(context, task);
    await connection.script(statement.text);
    return undefined;
  } catch (reason) {
    return { reason };
  } finally {
    if (isPatient && connection.isOpen) await connection.script(usualLockTimeout(pins));
  }
}

/** Writes to the ledger between phases, as the role the runner connected with. */
async function record(context: RunContext, task: MigrationTask, done: number, text: string): Promise<void> {
  const changesRole = task.statements.slice(0, done).some((statement) => statement.changesRole);
  if (changesRole) await context.connection.script(RESET_ROLE);
  await context.connection.script(text);
  if (changesRole) await replaySettings(context, task, done);
}

/** Settings of the session do not survive a killed run, and statements that are left may rely on them. */
async function replaySettings(context: RunContext, task: MigrationTask, end: number): Promise<void> {
  for (const statement of task.statements.slice(0, end)) {
    if (statement.setting !== undefined) await context.connection.script(statement.text);
  }
}

async function retryOrThrow(
  context: RunContext,
  task: MigrationTask,
  { statement, error }: StatementFailure,
  attempt: number,
  applied: number,
): Promise<void> {
  refuseWhenAborted(context, task);
  const sqlstate = sqlstateOf(error);
  const isLock = sqlstate === "55P03" || sqlstate === "40P01";
  if (!isLock || attempt >= context.lockAttempts || !context.connection.isOpen) {
    throw statementFailure(task, statement, applied, error);
  }
  const delayMs = backoffMs(attempt, Math.random());
  const reason =
    sqlstate === "55P03" ? "another session holds a lock it needs" : "it met another session in a deadlock";
  context.report({ kind: "retrying", fileName: task.file.fileName, attempt, delayMs, reason });
  await sleep(delayMs, undefined, { signal: context.signal }).catch(() => refuseWhenAborted(context, task));
}

function refuseWhenAborted(context: RunContext, task: MigrationTask): void {
  if (context.signal?.aborted === true) throw interrupted(`${task.file.fileName} ran`);
}
