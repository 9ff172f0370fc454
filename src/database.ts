/** The composition root at run time: the one place that knows every part of the house. */
import { createActorScope } from "./actor/index.ts";
import { BEHAVIOURS } from "./behaviours.ts";
import {
  type DatabaseConfig,
  loadEnvironment,
  nearestProjectFolder,
  type RoleSettings,
  readDatabaseConfig,
  readRoleSettings,
} from "./config/index.ts";
import type {
  CreateDatabaseOptions,
  Database,
  DatabaseWarning,
  SchemaModule,
  SqlTag,
  Transaction,
} from "./database-types.ts";
import { type ConnectionTarget, parseTarget } from "./driver/index.ts";
import { createDrizzle } from "./drizzle/index.ts";
import type { EmbeddedServer } from "./embedded/index.ts";
import { ConfigError, SchemaError } from "./errors/index.ts";
import { checkHealth, diagnose } from "./health/index.ts";
import { createPool, emitWarning, type Pool } from "./pool/index.ts";
import {
  CallsByEntity,
  copyBytesIn,
  copyQueryOut,
  createRepository,
  type Intent,
  Query,
  type QueryRunner,
  ReadMerger,
  type RepositoryContext,
  runBatch,
} from "./repository/index.ts";
import {
  connectSafely,
  type EmbeddedRolesOptions,
  policiesHold,
  type RoleNames,
  refuseUnsafeRole,
  roleNames,
  securedTables,
  syncEmbeddedRoles,
  type TableName,
} from "./roles/index.ts";
import { callRoutine } from "./routines/index.ts";
import { describeSchema, type SchemaDescription } from "./schema/index.ts";
import { isRowSchema, parseRows, type RowSchema, rowsByName, templateCall } from "./statement/index.ts";
import {
  createUnitOfWork,
  type HookMoment,
  outcomeOf,
  type Place,
  RETRY_DEFAULT,
  refuseTransactionControl,
  type TransactionOptions,
  type UnitOfWork,
} from "./transaction/index.ts";

export type {
  CreateDatabaseOptions,
  Database,
  DatabaseWarning,
  SchemaModule,
  SqlTag,
  Transaction,
} from "./database-types.ts";

/**
 * Opens a database: the server of `DATABASE_URL`, or the embedded one of this project. Connects once, and checks
 * that all instances together fit under the server's connection limit.
 *
 * @throws {CONFIG_INVALID} {CONNECTION_FAILED} {AUTHENTICATION_FAILED} {DATABASE_MISSING} in one line, with cause
 * and fix. @throws {POOL_BUDGET_EXCEEDED} when the fleet's pools do not fit. @throws {SCHEMA_INVALID}
 * @throws {ROLE_UNSAFE} when the schema has tables with row security and no policy holds for the role.
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
  const secured = securedTables(described);
  const server = await openServer(config, directory, onWarning, async (serverUrl, roleUrl) => {
    if (secured.length === 0) return undefined;
    const settings = readRoleSettings({ environment, file: file?.roles });
    return embeddedRoles({ serverUrl, roleUrl }, described, settings);
  });
  const pool = createPool({
    ...config.pool,
    target: server.target,
    onWarning,
    // A role that policies do not hold for shows every tenant every row, so it never gets as far as a call.
    ...(boot === "lazy" && secured.length > 0 ? { connect: connectSafely(secured) } : {}),
  });
  try {
    if (boot === "verify") await verify(pool, secured);
  } catch (error) {
    await pool.close();
    await server.release();
    throw error;
  }
  let closed: Promise<void> | undefined;
  const actors = createActorScope();
  const isRecorded = described.entities.some(({ history }) => history !== undefined);
  const isDivided = described.entities.some(({ tenant }) => tenant !== undefined);
  const unit = createUnitOfWork(pool, {
    onHookFailure: (error, moment) => onWarning(hookWarning(error, moment)),
    actor: isRecorded || isDivided ? actors.current : undefined,
    tellsReads: isDivided,
  });
  const merger = mergeReads ? new ReadMerger() : undefined;
  const calls = new CallsByEntity({ schema: described, behaviours: BEHAVIOURS, actor: actors.current });
  const contextOf = (runner: QueryRunner): RepositoryContext => ({ calls, runner, merger });
  return Object.freeze({
    ...doorsOn<S>(unit, contextOf, unit),
    batch: (queries) => runBatch(unit, queries),
    as: actors.run,
    outcomeOf: (error) => outcomeOf(pool, error),
    drizzle: createDrizzle(unit, schema),
    pool,
    get target() {
      const { user, host, port, database } = server.target();
      return `${user}@${host}:${port}/${database}`;
    },
    connectionTarget: server.direct,
    health: () => checkHealth({ pool, pendingMigrations }),
    diagnose: () => diagnose({ pool, target: server.direct() }),
    close(closing) {
      closed ??= drain(pool, server, closing?.deadlineMs ?? CLOSE_DEADLINE_MS_DEFAULT);
      return closed;
    },
  } satisfies Database<S>);
}

/** Looks whether the fleet fits, and whether policies hold for this role. One round trip. */
async function verify(pool: Pool, secured: readonly TableName[]): Promise<void> {
  if (secured.length === 0) await pool.verify();
  else refuseUnsafeRole((await pool.verify(policiesHold(secured))).answer);
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

/** Makes the roles of the schema on the embedded server, whose own is a superuser: no policy would hold for it. */
async function embeddedRoles(
  server: Pick<EmbeddedRolesOptions, "serverUrl" | "roleUrl">,
  { schemas, objects }: SchemaDescription,
  settings: RoleSettings,
): Promise<RoleNames | undefined> {
  const [schemaName] = schemas;
  if (schemaName === undefined) return undefined;
  const names = roleNames(schemaName, settings);
  const declared = objects.filter((object) => object.kind === "grant");
  await syncEmbeddedRoles({ ...server, schemaName, names, declared });
  return names;
}

/** Whether the embedded server may stand in for a missing URL, the configuration has decided already. */
async function openServer(
  config: DatabaseConfig,
  directory: string | undefined,
  warn: (warning: DatabaseWarning) => void,
  /** The roles to be on the embedded server; undefined for its own. */
  prepareRoles: (
    serverUrl: string,
    roleUrl: EmbeddedRolesOptions["roleUrl"],
  ) => Promise<RoleNames | undefined>,
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
  const { embeddedRoleUrl, startEmbedded } = await import("./embedded/index.ts");
  const embedded: EmbeddedServer = await startEmbedded({ directory });
  const roles = await prepareRoles(embedded.url, embeddedRoleUrl).catch(async (error: unknown) => {
    await embedded.release();
    throw error;
  });
  embedded.onDown(() =>
    warn({ code: "EMBEDDED_DOWN", message: "the embedded server died; bringing it back" }),
  );
  embedded.onUp(() => warn({ code: "EMBEDDED_UP", message: "the embedded server is back" }));
  // Asked for each time: the port may have changed.
  const targetOf = (role: string | undefined) => (): ConnectionTarget =>
    parseTarget(role === undefined ? embedded.url : embeddedRoleUrl(embedded.url, role), config.session);
  return {
    target: targetOf(roles?.app),
    direct: targetOf(roles?.migrator),
    release: () => embedded.release(),
  };
}

/** What the database and a transaction have in common: `runner` decides where their statements go. */
function doorsOn<S extends SchemaModule>(
  unit: UnitOfWork,
  contextOf: (runner: QueryRunner) => RepositoryContext,
  runner: Place,
): Pick<Database<S>, Exclude<keyof Transaction<S>, "attempt">> {
  const context = contextOf(runner);
  return {
    repository: (entity) => createRepository(context, entity),
    sql: sqlTag(runner),
    call: (routine, ...[input]) => callRoutine(runner, routine, input),
    copyIn: (entity, source, options = {}) => copyBytesIn(runner, entity, source, options),
    copyOut: (query, options = {}) => copyQueryOut(unit, query, options),
    withLock: (key, work, options = {}) => runner.withLock(key, work, options),
    beforeCommit: (hook) => runner.hook("beforeCommit", hook),
    afterCommit: (hook) => runner.hook("afterCommit", hook),
    afterRollback: (hook) => runner.hook("afterRollback", hook),
    transaction: <T>(work: (tx: Transaction<S>) => PromiseLike<T>, options?: TransactionOptions) =>
      runner.transaction(
        (scope) => work({ ...doorsOn<S>(unit, contextOf, unit.bind(scope)), attempt: scope.attempt }),
        { ...options, retry: options?.retry ?? RETRY_DEFAULT },
      ),
  };
}

/** Its message is the application's own, and says what is now missing. */
function hookWarning(error: unknown, moment: HookMoment): DatabaseWarning {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : "something that is no error";
  return { code: "HOOK_FAILED", message: `an ${moment} hook failed, with ${what}`, cause: error };
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
