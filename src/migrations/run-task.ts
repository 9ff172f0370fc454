import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "../driver/index.ts";
import { backoffMs } from "./backoff.ts";
import { commitFailure, invalidIndexFailure, statementFailure } from "./failure.ts";
import { interrupted } from "./interruption.ts";
import type { BlockedListener, LockWatch } from "./lock-watch.ts";
import { endOf, type Phase } from "./phases.ts";
import type { ProgressListener } from "./progress.ts";
import { isIndexInvalid, prepareOutside } from "./recovery.ts";
import {
  concurrentLockTimeout,
  pinSession,
  type SessionPins,
  usualLockTimeout,
  watchEveryMs,
} from "./session.ts";
import { sqlstateOf } from "./sqlstate.ts";
import type { Statement } from "./statements.ts";
import { isPatient, ledgerText, type MigrationTask } from "./task.ts";

/** What a run works with. */
export interface RunContext {
  readonly connection: Connection;
  readonly watch: LockWatch;
  readonly pins: SessionPins;
  readonly lockAttempts: number;
  readonly signal: AbortSignal | undefined;
  readonly report: ProgressListener;
}

const QUERY_CANCELED = "57014";

/** Between two reports that a patient statement waits. */
const BLOCKED_EVERY_MS = 10_000;

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
    // What was left was taken out of the file: everything in it is done.
    if (task.phases.length === 0) {
      await context.connection.script(ledgerText(context.pins.schemaName, task, task.statements.length));
    }
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
  const onBlocked = briefReporter(context, task);
  await connection.script("begin");
  for (const statement of phase.statements) {
    try {
      // An abort between two statements finds nothing to cancel.
      refuseWhenAborted(context, task);
      await runWatched(context, statement, onBlocked);
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
  const { connection, pins } = context;
  const { statement, recovery, first } = phase;
  let hadBegun = task.begun === first;
  for (let attempt = 1; ; attempt++) {
    const outcome = await tryOutside(context, task, phase, hadBegun);
    if (outcome.error === undefined) break;
    hadBegun = outcome.hadBegun;
    await retryOrThrow(context, task, { statement, error: outcome.error }, attempt, first);
  }
  if (await isIndexInvalid(connection, pins.schemaName, recovery))
    throw invalidIndexFailure(task, statement, first);
  await record(context, task, first + 1, ledgerText(pins.schemaName, task, first + 1));
}

/** One attempt: what the server refused, if anything, and whether what is found afterwards may be the runner's work. */
interface OutsideOutcome {
  readonly error: unknown;
  readonly hadBegun: boolean;
}

/** Cleaning up after an earlier attempt waits for the same sessions as the statement, and as patiently. */
async function tryOutside(
  context: RunContext,
  task: MigrationTask,
  { statement, recovery, first }: Extract<Phase, { readonly kind: "outside" }>,
  hadBegun: boolean,
): Promise<OutsideOutcome> {
  const { connection, pins, watch, report } = context;
  const onBlocked =
    recovery.kind === "rebuild" ? briefReporter(context, task) : blockedReporter(context, task);
  const waitsLong = isPatient(task, recovery);
  if (waitsLong) await connection.script(concurrentLockTimeout(pins));
  let isOurs = hadBegun;
  try {
    const prepare = () => prepareOutside(connection, pins.schemaName, recovery, hadBegun);
    const preparation = await watch.during(watchEveryMs(pins), prepare, onBlocked);
    for (const what of preparation.cleaned) report({ kind: "cleaned", fileName: task.file.fileName, what });
    if (preparation.next === "done") return { error: undefined, hadBegun };
    isOurs = preparation.isOurs;
    if (isOurs) await record(context, task, first, ledgerText(pins.schemaName, task, first, first));
    refuseWhenAborted(context, task);
    await runWatched(context, statement, onBlocked);
    return { error: undefined, hadBegun: isOurs };
  } catch (error) {
    return { error, hadBegun: isOurs };
  } finally {
    if (waitsLong && connection.isOpen) await connection.script(usualLockTimeout(pins));
  }
}

async function runWatched(
  { connection, watch, pins }: RunContext,
  statement: Statement,
  onBlocked?: BlockedListener,
): Promise<void> {
  await watch.during(watchEveryMs(pins), () => connection.script(statement.text), onBlocked);
}

/** A statement with a short time-out gives up soon, and the retry names who was in the way. */
function briefReporter(context: RunContext, task: MigrationTask): BlockedListener | undefined {
  return context.pins.lockTimeoutMs === 0 ? blockedReporter(context, task) : undefined;
}

/** For statements that wait long. */
function blockedReporter({ report }: RunContext, task: MigrationTask): BlockedListener {
  let reportedAt = Number.NEGATIVE_INFINITY;
  return (blockers, waitedMs) => {
    if (waitedMs - reportedAt < BLOCKED_EVERY_MS) return;
    reportedAt = waitedMs;
    report({ kind: "blocked", fileName: task.file.fileName, waitedMs, blockers });
  };
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
    throw statementFailure(task, statement, applied, error, context.watch.blockers);
  }
  const delayMs = backoffMs(attempt, Math.random());
  const reason =
    sqlstate === "55P03" ? "another session holds a lock it needs" : "it met another session in a deadlock";
  const { blockers } = context.watch;
  context.report({ kind: "retrying", fileName: task.file.fileName, attempt, delayMs, reason, blockers });
  await sleep(delayMs, undefined, { signal: context.signal }).catch(() => refuseWhenAborted(context, task));
}

function refuseWhenAborted(context: RunContext, task: MigrationTask): void {
  if (context.signal?.aborted === true) throw interrupted(`${task.file.fileName} ran`);
}
