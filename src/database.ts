/** The composition root at run time: the one place that knows every part of the house. */
import { createActorScope } from "./actor/index.ts";
import { BEHAVIOURS } from "./behaviours.ts";
import {
  type Config,
  type DatabaseConfig,
  type DatabaseOptions,
  loadEnvironment,
  nearestProjectFolder,
  readDatabaseConfig,
} from "./config/index.ts";
import { type ConnectionTarget, parseTarget } from "./driver/index.ts";
import { createDrizzle } from "./drizzle/index.ts";
import type { EmbeddedServer } from "./embedded/index.ts";
import { ConfigError, SchemaError } from "./errors/index.ts";
import { checkHealth, type Health } from "./health/index.ts";
import { createPool, emitWarning, type Pool, type PoolWarning } from "./pool/index.ts";
import {
  type BatchResults,
  type ByteSource,
  CallsByEntity,
  type Copied,
  type CopyBytesInOptions,
  type CopyBytesOutOptions,
  copyBytesIn,
  copyQueryOut,
  createRepository,
  type Intent,
  Query,
  type QueryRunner,
  ReadMerger,
  type Repository,
  type RepositoryContext,
  runBatch,
} from "./repository/index.ts";
import { callRoutine } from "./routines/index.ts";
import {
  type AnyEntity,
  type AnyRoutine,
  type CallInput,
  describeSchema,
  type RoutineResult,
} from "./schema/index.ts";
import type { Actor } from "./sql/index.ts";
import { isRowSchema, parseRows, type RowSchema, rowsByName, templateCall } from "./statement/index.ts";
import {
  createUnitOfWork,
  type Place,
  refuseTransactionControl,
  type TransactionOptions,
  type UnitOfWork,
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
  readonly code: PoolWarning["code"] | "EMBEDDED_DOWN" | "EMBEDDED_UP";
}

/** A tagged template as a statement: `db.sql`, with or without a schema of its rows. */
export interface SqlTag {
  <T = Record<string, unknown>>(strings: TemplateStringsArray, ...values: readonly unknown[]): Query<T[]>;
  <T>(rows: RowSchema<T>): (strings: TemplateStringsArray, ...values: readonly unknown[]) => Query<T[]>;
}

/** What runs in one transaction: the same doors, bound to it, useless once it is over. */
export interface Transaction<S extends SchemaModule>
  extends Pick<Database<S>, "repository" | "sql" | "call" | "copyIn" | "copyOut"> {
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
   * Round trips: COMMIT besides its statements; BEGIN travels with the first. Holds one connection meanwhile.
   *
   * @throws {TRANSACTION_ABORTED} when a failed statement's error was swallowed, so that COMMIT rolled back.
   * @throws {COMMIT_OUTCOME_UNKNOWN} when the connection broke while COMMIT was on its way.
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
   * Drains: no new work, waits for what runs, then closes (and stops the embedded server, if this was its last
   * user). What still runs after `deadlineMs` is canceled. Idempotent. @default deadlineMs 5_000
   */
  close(options?: { readonly deadlineMs?: number }): Promise<void>;
}

/**
 * Opens a database: the server of `DATABASE_URL`, or the embedded one of this project. Connects once, and checks
 * that all instances together fit under the server's connection limit.
 *
 * @throws {CONFIG_INVALID} {CONNECTION_FAILED} {AUTHENTICATION_FAILED} {DATABASE_MISSING} in one line, with cause
 * and fix. @throws {POOL_BUDGET_EXCEEDED} when the fleet's pools do not fit. @throws {SCHEMA_INVALID}
 *
 * @example
 * ```ts
 * import * as schema from "./schema.ts";
 * export const db = await createDatabase({ schema });
 * export const repo = { tasks: db.repository(schema.tasks) };
 * ```
 */
export async function createDatabase<S extends SchemaModule>(
  options: CreateDatabaseOptions<S>,
): Promise<Database<S>> {
  const {
    schema,
    config: file,
    directory = nearestProjectFolder(process.cwd()),
    boot = "verify",
    mergeReads = true,
    pendingMigrations,
    onWarning = emitWarning,
    ...explicit
  } = options;
  const described = describeSchema(schema);
  if (described.schemas.length === 0) {
    throw new SchemaError("the schema has no entities", {
      hint: 'Give the whole module: import * as schema from "./schema.ts"; createDatabase({ schema }).',
    });
  }
  const { environment } = loadEnvironment({
    directories: [...(directory === undefined ? [] : [directory]), process.cwd()],
    environment: process.env,
  });
  const config = readDatabaseConfig({ explicit, environment, file: file?.database });
  const server = await openServer(config, directory, onWarning);
  const pool = createPool({
    ...config.pool,
    target: server.target,
    onWarning,
  });
  try {
    if (boot === "verify") await pool.verify();
  } catch (error) {
    await pool.close();
    await server.release();
    throw error;
  }
  let closed: Promise<void> | undefined;
  const unit = createUnitOfWork(pool);
  const actors = createActorScope();
  const merger = mergeReads ? new ReadMerger() : undefined;
  const calls = new CallsByEntity({ schema: described, behaviours: BEHAVIOURS, actor: actors.current });
  const contextOf = (runner: QueryRunner): RepositoryContext => ({ calls, runner, merger });
  return Object.freeze({
    ...doorsOn<S>(unit, contextOf, unit),
    batch: (queries) => runBatch(unit, queries),
    as: actors.run,
    drizzle: createDrizzle(unit, schema),
    pool,
    get target() {
      const { user, host, port, database } = server.target();
      return `${user}@${host}:${port}/${database}`;
    },
    connectionTarget: server.direct,
    health: () => checkHealth({ pool, pendingMigrations }),
    close(closing) {
      closed ??= drain(pool, server, closing?.deadlineMs ?? CLOSE_DEADLINE_MS_DEFAULT);
      return closed;
    },
  } satisfies Database<S>);
}

/** Long enough for what a request does, short enough for an orchestrator that kills after ten seconds. */
const CLOSE_DEADLINE_MS_DEFAULT = 5_000;

async function drain(pool: Pool, server: OpenServer, deadlineMs: number): Promise<void> {
  try {
    await pool.close({ deadlineMs });
  } finally {
    await server.release();
  }
}

interface OpenServer {
  readonly target: () => ConnectionTarget;
  /** Past a pooler, where there is one. */
  readonly direct: () => ConnectionTarget;
  release(): Promise<void>;
}

/** Whether the embedded server may stand in for a missing URL, the configuration has decided already. */
async function openServer(
  config: DatabaseConfig,
  directory: string | undefined,
  warn: (warning: DatabaseWarning) => void,
): Promise<OpenServer> {
  if (config.url !== undefined) {
    const target = parseTarget(config.url, config.session);
    const { directUrl } = config;
    const direct = directUrl === undefined ? target : parseTarget(directUrl, config.session);
    return { target: () => target, direct: () => direct, release: async () => {} };
  }
  if (directory === undefined) {
    throw new ConfigError(`there is no project to run a database for in ${process.cwd()} or above`, {
      hint: "Set DATABASE_URL, start it inside the project, or say createDatabase({ schema, directory }).",
      path: "directory",
    });
  }
  // Loaded only where it is used: production installs leave the embedded server out.
  const { startEmbedded } = await import("./embedded/index.ts");
  const embedded: EmbeddedServer = await startEmbedded({ directory });
  embedded.onDown(() =>
    warn({ code: "EMBEDDED_DOWN", message: "the embedded server died; bringing it back" }),
  );
  embedded.onUp(() => warn({ code: "EMBEDDED_UP", message: "the embedded server is back" }));
  const target = () => parseTarget(embedded.url, config.session);
  return { target, direct: target, release: () => embedded.release() };
}

/** What the database and a transaction have in common: `runner` decides where their statements go. */
function doorsOn<S extends SchemaModule>(
  unit: UnitOfWork,
  contextOf: (runner: QueryRunner) => RepositoryContext,
  runner: Place,
): Pick<Database<S>, "repository" | "sql" | "call" | "copyIn" | "copyOut" | "transaction"> {
  const context = contextOf(runner);
  return {
    repository: (entity) => createRepository(context, entity),
    sql: sqlTag(runner),
    call: (routine, ...[input]) => callRoutine(runner, routine, input),
    copyIn: (entity, source, options = {}) => copyBytesIn(runner, entity, source, options),
    copyOut: (query, options = {}) => copyQueryOut(unit, query, options),
    transaction: (work, options) =>
      runner.transaction((scope) => work(doorsOn<S>(unit, contextOf, unit.bind(scope))), options),
  };
}

function sqlTag(runner: QueryRunner): SqlTag {
  function tag<T>(strings: TemplateStringsArray, ...values: readonly unknown[]): Query<T[]>;
  function tag<T>(
    rows: RowSchema<T>,
  ): (strings: TemplateStringsArray, ...values: readonly unknown[]) => Query<T[]>;
  function tag<T>(first: TemplateStringsArray | RowSchema<T>, ...values: readonly unknown[]) {
    if (!isRowSchema(first)) return rawQuery(runner, first, values, async (rows) => rows as T[]);
    return (strings: TemplateStringsArray, ...given: readonly unknown[]) =>
      rawQuery(runner, strings, given, (rows) => parseRows<T>(first, rows));
  }
  return tag;
}

function rawQuery<T>(
  runner: QueryRunner,
  strings: TemplateStringsArray,
  values: readonly unknown[],
  shape: (rows: readonly unknown[]) => Promise<T[]>,
): Query<T[]> {
  return new Query((): Intent<T[]> => {
    const call = templateCall(strings, values);
    refuseTransactionControl(call.text);
    return {
      calls: [call],
      additions: [],
      isOwnSql: true,
      read: ([outcome]) => shape(outcome === undefined ? [] : rowsByName(outcome)),
    };
  }, runner);
}
