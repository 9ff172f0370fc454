import type { Connection, StatementCall } from "../../driver/index.ts";
import { CommitOutcomeUnknownError, isConnectionError, MigrationError } from "../../errors/index.ts";
import { encodePlainValue, rowsByName, templateCall } from "../../statement/index.ts";
import { refuseTransactionControl } from "../../transaction/index.ts";
import { interrupted } from "../interruption.ts";
import type { Batch, BatchResult, BatchWork, Cursor } from "./data-migration.ts";

/** A cursor is a place, not a copy of the rows. */
const CURSOR_CHARACTERS_LIMIT = 100_000;

/** What one batch is run with. */
export interface BatchParts {
  readonly connection: Connection;
  readonly fileName: string;
  readonly work: BatchWork;
  readonly cursor: Cursor | undefined;
  readonly limit: number;
  readonly signal: AbortSignal;
  /** Wraps each statement: to watch who blocks it, say. */
  readonly send: <T>(statement: () => Promise<T>) => Promise<T>;
  /** Writes down what the batch did, in its transaction. */
  readonly record: (result: CheckedResult) => Promise<void>;
}

/** A batch's answer, filled and checked. */
export interface CheckedResult {
  readonly cursor: Cursor | undefined;
  /** The cursor as JSON; null for none. */
  readonly cursorJson: string | null;
  readonly done: boolean;
  readonly rows: number;
}

/**
 * Runs one batch in one transaction: its rows and the record of them commit together, or neither does. What fails,
 * the migration's own code included, is thrown after the rollback.
 */
export async function runBatch(parts: BatchParts): Promise<CheckedResult> {
  const { connection, fileName } = parts;
  await connection.script("begin");
  try {
    const result = await callWork(parts);
    await parts.record(result);
    await commit(connection, fileName);
    return result;
  } catch (error) {
    if (connection.isOpen && connection.transactionStatus !== "idle") await connection.script("rollback");
    throw error;
  }
}

/** Calls the migration's code, and makes sure that it left the transaction as it should. */
async function callWork(parts: BatchParts): Promise<CheckedResult> {
  const { connection, fileName, work, signal } = parts;
  const door = openDoor(parts);
  let answer: unknown;
  try {
    answer = await orAborted(signal, fileName, work(door.batch));
  } finally {
    door.close();
  }
  if (door.running > 0) {
    throw wrong(fileName, "a statement was still running when its batch ended", "Await every call of sql.");
  }
  if (connection.transactionStatus === "failed") {
    throw wrong(fileName, "a statement failed and the batch went on", "Let the error be thrown.");
  }
  if (connection.transactionStatus !== "open") {
    throw wrong(
      fileName,
      "the batch ended its transaction",
      "The runner commits: remove the statement that does.",
    );
  }
  return checkResult(fileName, answer, parts.cursor);
}

interface Door {
  readonly batch: Batch;
  /** Statements not answered yet. */
  readonly running: number;
  close(): void;
}

/** The batch's way to the server; it is shut afterwards, so that nothing runs outside the transaction. */
function openDoor({ connection, fileName, cursor, limit, signal, send }: BatchParts): Door {
  let isShut = false;
  let running = 0;
  // The caller names the shape of rows that only the caller's SQL knows.
  const run = async <T>(call: StatementCall): Promise<T[]> => {
    if (isShut)
      throw wrong(fileName, "a statement was sent after its batch had ended", "Await every call of sql.");
    refuseTransactionControl(call.text);
    running += 1;
    try {
      return rowsByName(await send(() => connection.query(call))) as T[];
    } finally {
      running -= 1;
    }
  };
  return {
    batch: Object.freeze({
      sql: <T>(strings: TemplateStringsArray, ...values: readonly unknown[]) =>
        run<T>(templateCall(strings, values)),
      query: <T>(text: string, values: readonly unknown[] = []) =>
        run<T>({ text, values: values.map((value, index) => encodePlainValue(value, `$${index + 1}`)) }),
      cursor,
      limit,
      signal,
    }),
    get running() {
      return running;
    },
    close: () => {
      isShut = true;
    },
  };
}

/** Code that waits for something else than the server does not keep Ctrl-C waiting. */
function orAborted<T>(signal: AbortSignal, fileName: string, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(interrupted(`${fileName} ran`));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    Promise.resolve(work)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", stop));
  });
}

function checkResult(fileName: string, answer: unknown, before: Cursor | undefined): CheckedResult {
  if (
    typeof answer !== "object" ||
    answer === null ||
    !("done" in answer) ||
    typeof answer.done !== "boolean"
  ) {
    throw wrong(fileName, "a batch gave no result", "Return { cursor, rows, done } from it.");
  }
  const { cursor, rows = 0 } = answer as BatchResult;
  if (!Number.isSafeInteger(rows) || rows < 0) {
    throw wrong(
      fileName,
      "a batch gave a number of rows that is none",
      "Return rows as a whole number from 0.",
    );
  }
  const cursorJson = cursorText(fileName, cursor);
  if (!answer.done && rows === 0 && cursorJson === cursorText(fileName, before)) {
    throw wrong(
      fileName,
      "a batch changed no row, did not move the cursor, and was not done: it would go on for ever",
      "Return done: true where nothing is left, or a new cursor.",
    );
  }
  return { cursor, cursorJson, done: answer.done, rows };
}

function cursorText(fileName: string, cursor: Cursor | undefined): string | null {
  if (cursor === undefined) return null;
  let text: string | undefined;
  try {
    text = JSON.stringify(cursor);
  } catch {
    // A bigint, or a circle.
  }
  if (text !== undefined && text.length <= CURSOR_CHARACTERS_LIMIT) return text;
  throw wrong(
    fileName,
    "a batch gave a cursor that cannot be written down",
    "Give text, numbers, or lists of them; a bigint as String(id).",
  );
}

/** PostgreSQL answers the commit of a failed transaction with ROLLBACK and no error. */
async function commit(connection: Connection, fileName: string): Promise<void> {
  let command: string | undefined;
  try {
    command = (await connection.script("commit")).at(-1)?.command;
  } catch (error) {
    if (!isConnectionError(error)) throw error;
    throw new CommitOutcomeUnknownError(`${fileName}: the server went away during the commit of a batch`, {
      hint: "Run the command again: the cursor is written in the same transaction, so the next run knows.",
      cause: error,
    });
  }
  if (command !== "COMMIT") throw wrong(fileName, "the server rolled a batch back", "Run the command again.");
}

function wrong(fileName: string, problem: string, hint: string): MigrationError {
  return new MigrationError("MIGRATION_FAILED", `${fileName}: ${problem}`, { file: fileName, hint });
}
