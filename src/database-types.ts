/** What a database offers, in types. How it is put together is in database.ts. */
import type { Config, DatabaseOptions } from "./config/index.ts";
import type { ConnectionTarget } from "./driver/index.ts";
import type { createDrizzle } from "./drizzle/index.ts";
import type { Diagnosis, Health } from "./health/index.ts";
import type { Pool, PoolWarning } from "./pool/index.ts";
import type {
  BatchResults,
  ByteSource,
  Copied,
  CopyBytesInOptions,
  CopyBytesOutOptions,
  Query,
  Repository,
} from "./repository/index.ts";
import type { AnyEntity, AnyRoutine, CallInput, RoutineResult } from "./schema/index.ts";
import type { Actor } from "./sql/index.ts";
import type { RowSchema } from "./statement/index.ts";
import type {
  Hook,
  LockedWork,
  LockOptions,
  TransactionOptions,
  TransactionOutcome,
} from "./transaction/index.ts";

/** A schema module: `import * as schema from "./schema.ts"`. */
export type SchemaModule = Record<string, unknown>;

/** How a database is opened. What is left out comes from the environment, then from defaults. */
export interface CreateDatabaseOptions<S extends SchemaModule> extends Omit<DatabaseOptions, "schema"> {
  readonly schema: S;
  /** What `plinth.config.ts` exports, so that the application and the command line agree. @default nothing */
  readonly config?: Config;
  /**
   * The project's folder: where `.env` and the embedded server's data are. @default the nearest folder, from the
   * working directory upwards, with a `plinth.config.ts`, else with a `package.json`
   */
  readonly directory?: string;
  /**
   * `verify` connects and checks the connection budget before the database is given out; `lazy` leaves both to the
   * first call, for a process that must start while its server is away. @default "verify"
   */
  readonly boot?: "verify" | "lazy";
  /**
   * Single-row reads of one tick (`find`, `get`) travel as one statement. Switch it off to see each of them in the
   * server's log. @default true
   */
  readonly mergeReads?: boolean;
  /** Names of migrations not yet applied, for `health()`. */
  readonly pendingMigrations?: () => Promise<readonly string[]>;
  /** Where warnings (a leaked connection, a dirty release, a server that died) go. @default `process.emitWarning` */
  readonly onWarning?: (warning: DatabaseWarning) => void;
}

/** Something an operator ought to know that is nobody's error yet. */
export interface DatabaseWarning extends Pick<PoolWarning, "message" | "holder"> {
  readonly code: PoolWarning["code"] | "EMBEDDED_DOWN" | "EMBEDDED_UP" | "HOOK_FAILED";
  /** What an `afterCommit` or `afterRollback` hook threw. */
  readonly cause?: unknown;
}

/** A tagged template as a statement: `db.sql`, with or without a schema of its rows. */
export interface SqlTag {
  <T = Record<string, unknown>>(strings: TemplateStringsArray, ...values: readonly unknown[]): Query<T[]>;
  <T>(rows: RowSchema<T>): (strings: TemplateStringsArray, ...values: readonly unknown[]) => Query<T[]>;
}

/** What runs in one transaction: the same doors, bound to it, useless once it is over. */
export interface Transaction<S extends SchemaModule>
  extends Pick<
    Database<S>,
    | "repository"
    | "sql"
    | "call"
    | "copyIn"
    | "copyOut"
    | "withLock"
    | "beforeCommit"
    | "afterCommit"
    | "afterRollback"
  > {
  /** Which run of the callback this is, from 1: above 1 where others were in the way before (see `retry`). */
  readonly attempt: number;
  /** A savepoint: rolled back alone when `work` rejects. */
  transaction<T>(work: (tx: Transaction<S>) => PromiseLike<T>): Promise<T>;
}

/** A pool of connections, repositories, transactions, health and an orderly end. One per process. */
export interface Database<S extends SchemaModule> {
  /** The typed door to one entity. Cheap; make it once all the same. */
  repository<E extends AnyEntity>(entity: E): Repository<S, E>;

  /**
   * Runs `work` in a transaction. Everything of this database that it calls joins by itself, however deep; a
   * transaction inside is a savepoint. Commits when `work` resolves, rolls back when it rejects.
   *
   * Serialization failures and deadlocks run the whole callback again, up to five times in ten seconds, so what it does
   * besides the database belongs into `afterCommit`; `retry: false` switches that off.
   *
   * Round trips: COMMIT besides its statements; BEGIN travels with the first. Holds one connection meanwhile.
   *
   * @throws {RETRIES_EXHAUSTED} when others were in the way each time; `cause` is the last failure.
   * @throws {TRANSACTION_ABORTED} when a failed statement's error was swallowed, so that COMMIT rolled back.
   * @throws {TRANSACTION_TIMEOUT} after `timeoutMs`; rolled back.
   * @throws {COMMIT_OUTCOME_UNKNOWN} when the connection broke while COMMIT was on its way; ask `db.outcomeOf(error)`.
   *
   * @example
   * ```ts
   * await db.transaction(async () => {
   *   const project = await repo.projects.create({ name, ownerId });
   *   await repo.members.create({ projectId: project.id, userId: ownerId, role: "owner" });
   * }, { isolation: "serializable" });
   * // begin isolation level serializable; insert …; insert …; commit
   * ```
   */
  transaction<T>(work: (tx: Transaction<S>) => PromiseLike<T>, options?: TransactionOptions): Promise<T>;

  /**
   * Runs `work` while it alone, of all processes on this database, has the lock of that name: a job that must not run twice at
   * once. A lock outlives what `work` commits: outside a transaction it is held by a connection of its own, which is idle
   * meanwhile, until `work` has ended; inside one it is held until that ends. Works behind a pooler.
   *
   * Round trips: four besides those of `work`, COMMIT included. Holds one connection, and one lock that no table's rows know of.
   *
   * @throws {LOCK_TIMEOUT} when somebody else has it for longer than `timeoutMs`, or has it now with `wait: "nowait"`.
   * @throws {CONNECTION_LOST} when the lock was lost while `work` ran; `signal` was aborted then.
   * @throws {INVALID_VALUE} for a key that is no text.
   *
   * @example
   * ```ts
   * await db.withLock("invoices of 2026-11", async (signal) => writeInvoices(signal), { wait: "nowait" });
   * // begin; select pg_try_advisory_xact_lock(hashtextextended($1, 0)); … ; commit
   * ```
   * @see https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
   */
  withLock<T>(key: string, work: LockedWork<T>, options?: LockOptions): Promise<T>;

  /**
   * What became of a transaction whose COMMIT was never answered. `unknown` where it had written nothing that Plinth saw (a
   * `db.batch`, a function's own writes), where the server has forgotten it, and where another server has taken over that
   * never saw it. Waits up to ten seconds for one that still runs. One round trip for each look.
   *
   * @throws {INVALID_VALUE} for anything but a `COMMIT_OUTCOME_UNKNOWN`.
   *
   * @example
   * ```ts
   * if (isPlinthError(error) && error.code === "COMMIT_OUTCOME_UNKNOWN") {
   *   if ((await db.outcomeOf(error)) === "aborted") return retryLater();
   * }
   * // select pg_catalog.pg_xact_status($1::pg_catalog.xid8)
   * ```
   * @see https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT
   */
  outcomeOf(error: unknown): Promise<TransactionOutcome>;

  /**
   * Runs `hook` inside the ambient transaction when its callback has ended, just before COMMIT. When it throws, all of it is
   * rolled back. Hooks run in the order they were given; those of a savepoint that was rolled back do not.
   *
   * @throws {TRANSACTION_CLOSED} outside a transaction.
   */
  beforeCommit(hook: Hook): void;

  /**
   * Runs `hook` once the ambient transaction, the outermost one, is committed: never after a rollback, once however often the
   * callback ran, with the actor of whoever gave it, outside the transaction and before `db.transaction` resolves. What it
   * throws goes to `onWarning` as `HOOK_FAILED` and stops no other hook. Where no transaction is open, it runs at once. A
   * process that dies after COMMIT runs no hooks: what must not be lost belongs into a table.
   *
   * @example
   * ```ts
   * await db.transaction(async () => {
   *   const order = await repo.orders.create(input);
   *   db.afterCommit(() => mail.send(order.id));
   * });
   * ```
   */
  afterCommit(hook: Hook): void;

  /**
   * Runs `hook` when what the ambient transaction did until now was rolled back: once for each run of the callback that did not
   * commit, after its end. One given inside a savepoint that is rolled back runs when the transaction around it is over.
   * Where COMMIT was not answered neither this nor `afterCommit` runs.
   *
   * @throws {TRANSACTION_CLOSED} outside a transaction.
   */
  afterRollback(hook: Hook): void;

  /**
   * Runs queries together, all or nothing. One round trip: one Sync ends them all. Inside a transaction, two more
   * for a savepoint; and one more, for COMMIT, where a call may find no row (`update`, `delete`, `get`, …) beside another
   * that writes, because then the answers decide whether the writes stay.
   *
   * A query runs once: one that was awaited before is refused, and so is awaiting it after.
   *
   * @throws {INVALID_QUERY} for a promise, a query that ran already, and queries of different databases or handles.
   *
   * @example
   * ```ts
   * const [order, stock] = await db.batch([repo.orders.create(o), repo.stock.increment(id, { count: -1 })]);
   * ```
   */
  batch<const Q extends readonly Query<unknown>[]>(queries: Q): Promise<BatchResults<Q>>;

  /**
   * Runs `work` on behalf of an actor, who signs the rows it makes and changes. Everything inside is covered, however
   * deep; a call inside another adds to its facts.
   *
   * @example
   * ```ts
   * await db.as({ userId: session.userId }, () => repo.tasks.update(id, { status: "done" }));
   * // update … set "status" = $1, "updated_by" = $2 …
   * ```
   */
  as<T>(actor: Actor, work: () => T | PromiseLike<T>): Promise<T>;

  /**
   * One statement of your own. Every hole is a parameter. Rows come by column name: int8 as bigint, numeric and
   * date as text, timestamptz as Date.
   *
   * @example
   * ```ts
   * const [{ n }] = await db.sql<{ n: bigint }>`select count(*) as n from tracker.tasks where status = ${status}`;
   * // select count(*) as n from tracker.tasks where status = $1
   * ```
   *
   * With a schema (Zod, Valibot, ArkType: anything that speaks Standard Schema) every row is checked, and typed by it.
   *
   * @throws {INVALID_DATA} when a row does not fit its schema.
   *
   * @example
   * ```ts
   * const [row] = await db.sql(z.object({ n: z.bigint() }))`select count(*) as n from tracker.tasks`;
   * ```
   */
  readonly sql: SqlTag;

  /**
   * Calls a function or procedure that the schema declares. Arguments go by name and are checked before anything is
   * sent; the result is decoded as the declaration says. One round trip, inside the ambient transaction. Behaviours
   * add nothing: what a function does with deleted rows is its own affair.
   *
   * @throws {INVALID_VALUE} naming the arguments that do not fit.
   * @throws {INVALID_DATA} when the routine gives null for what is declared `.notNull()`.
   * @throws {INVALID_QUERY} for a trigger function.
   *
   * @example
   * ```ts
   * const at = await db.call(touch, { taskId });
   * // select "tracker"."touch"("task_id" => $1::text)
   * ```
   */
  call<R extends AnyRoutine>(routine: R, ...input: CallInput<R>): Query<RoutineResult<R>>;

  /**
   * Copies bytes as they are into the table of an entity, by one COPY: a file that `psql`, another database or
   * `copyOut` has written. Plinth looks at nothing of it and adds nothing, so every column that the bytes leave out has
   * its default or null (an id that Plinth makes has neither); triggers and constraints hold as ever.
   * `repo.tasks.copyIn(rows)` is for rows.
   *
   * All or nothing; in a transaction part of that, as `repo.tasks.copyIn` is. Starts at once, holds one connection,
   * makes a fast source wait, and is bounded in time by `signal` only.
   *
   * @throws {INVALID_DATA} and the server's other errors, with the `line` of the input.
   *
   * @example
   * ```ts
   * const columns = ["id", "projectId", "title"] as const;
   * await db.copyIn(tasks, createReadStream("tasks.csv"), { format: "csv", header: "match", columns });
   * // copy "tracker"."tasks" ("id", "project_id", "title") from stdin with (format csv, header match)
   * ```
   * @see https://www.postgresql.org/docs/current/sql-copy.html
   */
  copyIn<E extends AnyEntity>(
    entity: E,
    source: ByteSource,
    options?: CopyBytesInOptions<E>,
  ): Promise<Copied>;

  /**
   * The rows of a query of your own as bytes, straight from COPY: pieces of up to some 64 KB that end with a row. The
   * query runs there, once, and nothing is sent before the first piece is asked for. Leaving the loop early rolls back.
   *
   * COPY takes no parameters, so values are written into the text as quoted literals. Where it cannot be certain that a
   * hole is a value's place (in a text with backslashes, comments or dollar quotes; inside quotes), a query with values
   * is refused.
   *
   * @throws {INVALID_QUERY} for what is no `db.sql` of this database.
   *
   * @example
   * ```ts
   * const open = db.sql`select id, title from tracker.tasks where status = ${status}`;
   * for await (const piece of db.copyOut(open, { format: "csv", header: true })) response.write(piece);
   * // copy (select id, title from tracker.tasks where status = 'open') to stdout with (format csv, header true)
   * ```
   */
  copyOut(query: Query<unknown>, options?: CopyBytesOutOptions): AsyncIterable<Buffer>;

  /** A full Drizzle database on the same connections, inside the ambient transaction, unable to end it. */
  readonly drizzle: ReturnType<typeof createDrizzle<S>>;

  /** The pool: its numbers, and who holds its connections. */
  readonly pool: Pool;

  /** `user@host:port/database`, for a log line; never the password. */
  readonly target: string;

  /**
   * Where the server itself is (`directUrl`, else `url`), with the password (not enumerable): for what opens sessions of
   * its own, such as a migrator. Ask anew each time, as an embedded server may come back on another port.
   */
  connectionTarget(): ConnectionTarget;

  /** Whether the server answers, migrations are applied and the pool has room. At most two seconds. Never throws. */
  health(): Promise<Health>;

  /**
   * Who is in a transaction now, since when, who waits for whom, and which line of this process began it; with what is wrong
   * in words. By a connection of its own (to `directUrl`, where there is one), so that it also answers when the pool is
   * stuck. Roles without `pg_read_all_stats` see the statements of their own sessions only.
   *
   * @throws {CONNECTION_FAILED} and the like, when the server cannot be reached.
   *
   * @example
   * ```ts
   * const { problems } = await db.diagnose();
   * // process 4711 (app, shop), begun at src/orders.ts:14:9, has been idle in a transaction for 41.2 s, and 3 wait for it
   * ```
   */
  diagnose(): Promise<Diagnosis>;

  /**
   * Drains: no new work, waits for what runs, then closes (and stops the embedded server, if this was its last
   * user). What still runs after `deadlineMs` is canceled. Idempotent. @default deadlineMs 5_000
   */
  close(options?: { readonly deadlineMs?: number }): Promise<void>;
}
