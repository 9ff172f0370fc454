import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "../../driver/index.ts";
import { isConnectionError, MigrationError, PlinthError } from "../../errors/index.ts";
import { backoffMs } from "../backoff.ts";
import { refusalHint } from "../failure.ts";
import { interrupted } from "../interruption.ts";
import type { ProgressListener } from "../progress.ts";
import type { RunContext } from "../run-task.ts";
import { pinSession, watchEveryMs } from "../session.ts";
import { sqlstateOf } from "../sqlstate.ts";
import { ledgerText, type MigrationTask } from "../task.ts";
import type { BatchWork, Cursor, DataMigration } from "./data-migration.ts";
import {
  advanceDataProgress,
  beginDataProgress,
  createDataProgress,
  DATA_PROGRESS_TABLE,
  endDataProgress,
  selectDataProgress,
  selectDataProgressExists,
} from "./queries.ts";
import { type CheckedResult, runBatch } from "./run-batch.ts";

/** Between two reports of how far it is. */
const REPORT_EVERY_MS = 1_000;

/** Lock time-out, deadlock, serialization failure: the batch was rolled back, and may simply be run again. */
const RETRIED = new Set(["55P03", "40P01", "40001"]);

/** How far a data migration is. */
interface DataPlace {
  readonly cursor: Cursor | undefined;
  readonly batches: number;
  readonly rows: number;
}

const START: DataPlace = { cursor: undefined, batches: 0, rows: 0 };

/**
 * Runs what is left of one direction of a data migration, and gives the number of rows it changed in all. Each batch
 * commits with its cursor, the last one with the ledger's row, so a run that was killed anywhere goes on after the
 * last batch that committed.
 */
export async function runData(
  context: RunContext,
  task: MigrationTask,
  migration: DataMigration,
): Promise<number> {
  const { connection, pins } = context;
  const work = task.direction === "up" ? migration.up : migration.down;
  await connection.script(pinSession(pins));
  if (work === "nothing" || work === undefined) {
    await connection.script(ledgerText(pins.schemaName, task, 1));
    return 0;
  }
  const place = await beginOrResume(context, task);
  return runBatches({ context, task, migration, work, place });
}

/** The same without a ledger, for shadow databases, which nobody resumes. */
export async function replayData(
  connection: Connection,
  task: MigrationTask,
  migration: DataMigration,
): Promise<void> {
  const work = task.direction === "up" ? migration.up : migration.down;
  if (work === "nothing" || work === undefined) return;
  const { fileName } = task.file;
  const signal = new AbortController().signal;
  let place = START;
  for (let isDone = false; !isDone; ) {
    const parts = { connection, fileName, work, cursor: place.cursor, limit: migration.batchSize, signal };
    const result = await runBatch({
      ...parts,
      send: (statement) => statement(),
      record: async () => undefined,
    }).catch((error: unknown) => {
      throw batchFailure(task, place, error);
    });
    place = after(place, result);
    isDone = result.done;
  }
}

/** Marks it as begun, or reads where an interrupted run was. One transaction, so that both tables agree. */
async function beginOrResume(
  { connection, pins, report }: RunContext,
  task: MigrationTask,
): Promise<DataPlace> {
  const { schemaName } = pins;
  const { version, fileName } = task.file;
  const exists = await connection.query({ text: selectDataProgressExists, values: [schemaName] });
  if (exists.rows.length === 0) await connection.script(createDataProgress(schemaName));
  const { rows } = await connection.query({ text: selectDataProgress(schemaName), values: [version] });
  const [row] = rows;
  if (task.begun !== undefined) {
    if (row === undefined || row[0] !== task.direction) throw placeIsGone(fileName);
    if (task.isEdited) {
      report({
        kind: "notice",
        message: `${fileName} was edited since its first batch; the rest runs as it is now`,
      });
    }
    return { cursor: cursorOf(row[1] ?? null), batches: Number(row[2]), rows: Number(row[3]) };
  }
  await connection.script(
    `begin;\n${ledgerText(schemaName, task, 0, 0)};\n${beginDataProgress(schemaName, version, task.direction)};\ncommit`,
  );
  return START;
}

/** Beginning again would change rows a second time. */
function placeIsGone(fileName: string): MigrationError {
  return new MigrationError(
    "MIGRATION_FAILED",
    `${fileName} is half done, and ${DATA_PROGRESS_TABLE} does not say how far`,
    {
      file: fileName,
      hint: "Restore that table's row. If every batch may run again, delete the migration's row in plinth_migrations.",
    },
  );
}

function cursorOf(json: string | null): Cursor | undefined {
  // The text was written by JSON.stringify of a Cursor.
  return json === null ? undefined : (JSON.parse(json) as Cursor);
}

interface BatchesParts {
  readonly context: RunContext;
  readonly task: MigrationTask;
  readonly migration: DataMigration;
  readonly work: BatchWork;
  readonly place: DataPlace;
}

async function runBatches({ context, task, migration, work, place: start }: BatchesParts): Promise<number> {
  const { signal, report } = context;
  const tell = throttled(report, task);
  let place = start;
  let result: CheckedResult;
  do {
    if (signal?.aborted === true) throw interrupted(`${task.file.fileName} ran`);
    result = await runWithRetry(context, task, migration.batchSize, work, place);
    place = after(place, result);
    tell(place, result.done);
    if (!result.done && migration.pauseMs > 0) {
      // The check above answers an abort.
      await sleep(migration.pauseMs, undefined, { signal }).catch(() => undefined);
    }
  } while (!result.done);
  return place.rows;
}

async function runWithRetry(
  context: RunContext,
  task: MigrationTask,
  limit: number,
  work: BatchWork,
  place: DataPlace,
): Promise<CheckedResult> {
  const { connection, pins, watch, report } = context;
  const { fileName, version } = task.file;
  const signal = context.signal ?? new AbortController().signal;
  const record = async ({ cursorJson, rows, done }: CheckedResult): Promise<void> => {
    if (done) {
      await connection.script(
        `${ledgerText(pins.schemaName, task, 1)};\n${endDataProgress(pins.schemaName, version)}`,
      );
      return;
    }
    const values = [version, cursorJson, String(rows)];
    await connection.query({ text: advanceDataProgress(pins.schemaName), values });
  };
  const send = <T>(statement: () => Promise<T>): Promise<T> => watch.during(watchEveryMs(pins), statement);
  for (let attempt = 1; ; attempt++) {
    try {
      return await runBatch({
        connection,
        fileName,
        work,
        cursor: place.cursor,
        limit,
        signal,
        send,
        record,
      });
    } catch (error) {
      if (signal.aborted) throw interrupted(`${fileName} ran`);
      const sqlstate = sqlstateOf(error) ?? "";
      if (!RETRIED.has(sqlstate) || attempt >= context.lockAttempts || !connection.isOpen) {
        throw batchFailure(task, place, error, refusalHint(sqlstate, watch.blockers));
      }
      const delayMs = backoffMs(attempt, Math.random());
      report({
        kind: "retrying",
        fileName,
        attempt,
        delayMs,
        reason: reasonOf(sqlstate),
        blockers: watch.blockers,
      });
      await sleep(delayMs, undefined, { signal }).catch(() => {
        throw interrupted(`${fileName} ran`);
      });
    }
  }
}

function reasonOf(sqlstate: string): string {
  if (sqlstate === "55P03") return "another session holds a lock it needs";
  return sqlstate === "40P01"
    ? "it met another session in a deadlock"
    : "another session changed the same rows";
}

function after(place: DataPlace, { cursor, rows }: CheckedResult): DataPlace {
  return { cursor, batches: place.batches + 1, rows: place.rows + rows };
}

/** Tells how far it is, once a second and at the end. */
function throttled(
  report: ProgressListener,
  task: MigrationTask,
): (place: DataPlace, isLast: boolean) => void {
  let toldAt = performance.now();
  return ({ batches, rows }, isLast) => {
    const now = performance.now();
    if (!isLast && now - toldAt < REPORT_EVERY_MS) return;
    toldAt = now;
    report({ kind: "batches", direction: task.direction, fileName: task.file.fileName, batches, rows });
  };
}

/** The error of a batch that was rolled back. */
function batchFailure(task: MigrationTask, place: DataPlace, error: unknown, hint?: string): Error {
  // A lost server is no fault of the file; what was done is recorded.
  if (error instanceof Error && (isConnectionError(error) || isOutcomeUnknown(error))) return error;
  const { fileName } = task.file;
  const { batches } = place;
  const reason =
    error instanceof PlinthError
      ? error.summary.replace(`${fileName}: `, "")
      : error instanceof Error
        ? error.message.split("\n", 1)[0]
        : "it threw something that is no error";
  const own = error instanceof MigrationError ? error.hint : undefined;
  const command = `plinth migrate ${task.direction}`;
  const done =
    batches === 0
      ? `Nothing of it was done; correct it and run ${command} again.`
      : `The batches before it are done and recorded; correct it and run ${command} again to go on there.`;
  return new MigrationError("MIGRATION_FAILED", `${fileName}: batch ${batches + 1}: ${reason}`, {
    file: fileName,
    sqlstate: sqlstateOf(error),
    hint: [own, hint, done].filter((part) => part !== undefined).join(" "),
    cause: error,
  });
}

function isOutcomeUnknown(error: Error): boolean {
  return "code" in error && error.code === "COMMIT_OUTCOME_UNKNOWN";
}
