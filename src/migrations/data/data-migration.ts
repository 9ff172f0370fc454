import { MigrationError } from "../../errors/index.ts";

/** Rows of one batch, if the migration does not say. */
export const BATCH_SIZE_DEFAULT = 1_000;
export const BATCH_SIZE_LIMIT = 100_000;
/** The rest between two batches, if the migration does not say. */
export const PAUSE_MS_DEFAULT = 50;
export const PAUSE_MS_LIMIT = 60_000;

/** Where a data migration is: anything JSON can hold. A `bigint` travels as its text. */
export type Cursor =
  | string
  | number
  | boolean
  | null
  | readonly Cursor[]
  | { readonly [key: string]: Cursor };

/** What one batch works with. */
export interface Batch {
  /**
   * Runs one statement in the batch's transaction and gives its rows; every hole is a parameter. Names without a
   * schema mean the application's. Values come as `db.sql` gives them: `int8` is a `bigint`, `timestamptz` a `Date`.
   */
  sql<T = Record<string, unknown>>(
    strings: TemplateStringsArray,
    ...values: readonly unknown[]
  ): Promise<T[]>;
  /** The same for a text put together from names: `$1`, `$2`, … stand for the values. */
  query<T = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<T[]>;
  /** What the batch before gave; `undefined` for the first. It survives a kill, as it commits with the rows. */
  readonly cursor: Cursor | undefined;
  /** How many rows to touch: `batchSize`. */
  readonly limit: number;
  /** Aborted by Ctrl-C. A running statement is canceled by itself. */
  readonly signal: AbortSignal;
}

/** What one batch did. */
export interface BatchResult {
  /** Where the next one begins. Left out, the next one finds its rows by itself. */
  readonly cursor?: Cursor | undefined;
  /** Nothing is left. */
  readonly done: boolean;
  /** Rows it changed, for the progress. @default 0 */
  readonly rows?: number | undefined;
}

/** One batch: it runs in a transaction of its own, which the runner begins and commits. */
export type BatchWork = (batch: Batch) => Promise<BatchResult>;

/** What a data migration is made from. */
export interface DataMigrationOptions {
  /** @default 1_000 */
  readonly batchSize?: number | undefined;
  /** The rest after each batch, which leaves the server to others. @default 50 */
  readonly pauseMs?: number | undefined;
  readonly up: BatchWork;
  /** The way back. `"nothing"` says that none is needed: the column goes with its own migration, say. */
  readonly down?: BatchWork | "nothing" | undefined;
}

/** A checked data migration. */
export interface DataMigration {
  /** By this the runner knows it, also when it comes from another copy of Plinth. */
  readonly kind: "plinth data migration";
  readonly batchSize: number;
  readonly pauseMs: number;
  readonly up: BatchWork;
  readonly down: BatchWork | "nothing" | undefined;
}

/**
 * Declares a change of rows that is too large for one transaction: the default export of `NNNN_name.ts` in the
 * migrations folder, between the SQL files. Each batch is a transaction of its own, which also writes the cursor
 * down, so a run that is killed at any point goes on after the last batch that committed, and none runs twice.
 * What a batch does outside the database (a request, a file) may happen twice.
 *
 * The file should import nothing but this module: its checksum covers its own text.
 *
 * @throws {MIGRATION_INVALID} when an option is wrong.
 *
 * @example
 * ```ts
 * // migrations/0007_fill_slugs.ts
 * export default dataMigration({
 *   up: async ({ sql, cursor = "", limit }) => {
 *     const rows = await sql<{ id: string }>`
 *       update tasks set slug = lower(title)
 *       where id in (select id from tasks where id > ${cursor} order by id limit ${limit}) returning id`;
 *     return { cursor: rows.map(({ id }) => id).sort().at(-1) ?? null, rows: rows.length, done: rows.length < limit };
 *   },
 *   down: "nothing",
 * });
 * ```
 */
export function dataMigration(options: DataMigrationOptions): DataMigration {
  const { batchSize = BATCH_SIZE_DEFAULT, pauseMs = PAUSE_MS_DEFAULT, up, down } = options;
  requireInteger("batchSize", batchSize, 1, BATCH_SIZE_LIMIT);
  requireInteger("pauseMs", pauseMs, 0, PAUSE_MS_LIMIT);
  if (typeof up !== "function")
    throw wrong("up must be a function: async ({ sql, cursor, limit }) => ({ done: true })");
  if (down !== undefined && down !== "nothing" && typeof down !== "function") {
    throw wrong('down must be a function or "nothing"');
  }
  const unknown = Object.keys(options).find((key) => !["batchSize", "pauseMs", "up", "down"].includes(key));
  if (unknown !== undefined) throw wrong(`it has no option ${JSON.stringify(unknown.slice(0, 64))}`);
  return Object.freeze({ kind: "plinth data migration", batchSize, pauseMs, up, down });
}

/** By shape: the project may have loaded its own copy of Plinth. */
export function isDataMigration(value: unknown): value is DataMigration {
  return (
    typeof value === "object" &&
    value !== null &&
    "kind" in value &&
    value.kind === "plinth data migration" &&
    "up" in value &&
    typeof value.up === "function" &&
    "batchSize" in value &&
    typeof value.batchSize === "number" &&
    "pauseMs" in value &&
    typeof value.pauseMs === "number"
  );
}

function requireInteger(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw wrong(`${name} must be a whole number from ${least} to ${most}`);
}

function wrong(problem: string): MigrationError {
  return new MigrationError("MIGRATION_INVALID", `dataMigration: ${problem}`);
}
