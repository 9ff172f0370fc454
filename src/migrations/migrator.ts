import {
  isProduction,
  MIGRATION_SETTINGS_DEFAULT,
  type MigrationSettings,
  type ModuleLoader,
  type Optional,
} from "../config/index.ts";
import type { Connection, ConnectionTarget } from "../driver/index.ts";
import { hasDevMarker } from "./dev/marker.ts";
import { readMigrations } from "./folder.ts";
import { isApplied, ledgerName, readLedger, readRowsDone } from "./ledger.ts";
import type { MigrationFile } from "./migration-file.ts";
import { type DownGoal, matchHistory, type PlannedFile, planDown, planUp, verifyHistory } from "./plan.ts";
import type { ProgressListener } from "./progress.ts";
import { foldProgress } from "./queries.ts";
import { downGoal, refusedInProduction, refuseReshaped } from "./refusals.ts";
import type { RunContext } from "./run-task.ts";
import { type LockWait, withRunnerLock } from "./runner-lock.ts";
import { createMissing, findMissing, type RunnerSession, withRunnerSession } from "./runner-session.ts";
import { describeStatus, type MigrationStatus } from "./status.ts";
import type { MigrationTask } from "./task.ts";

/** What a migrator works on. */
export interface MigratorOptions extends Optional<Omit<MigrationSettings, "folder" | "dump">> {
  /** The server itself, not a pooler: the lock between runners belongs to a session. */
  readonly target: ConnectionTarget;
  /** The application's schema. Names without a schema in the files mean this one. It is created when absent. */
  readonly schemaName: string;
  /** Absolute path of the folder with `NNNN_name.sql`. */
  readonly folder: string;
  /**
   * `down` and `redo` are refused in production.
   *
   * @default NODE_ENV is "production", or it is not "development" or "test" and the server is not this machine's own
   */
  readonly isProduction?: boolean | undefined;
  /** Imports the modules of data migrations. @default as the project's other modules are imported */
  readonly loadModule?: ModuleLoader | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** Options of every run. */
export interface RunOptions {
  /** Runs nothing and gives the exact SQL in `sql`. */
  readonly dryRun?: boolean | undefined;
  /** Runs although `migrate dev` has taken the schema beyond its migrations. @default false */
  readonly allowReshaped?: boolean | undefined;
  /** Aborting cancels the running statement on the server; what was applied stays recorded. */
  readonly signal?: AbortSignal | undefined;
}

/** One direction of one migration that was run, or would be. */
export interface RanMigration {
  readonly version: string;
  readonly name: string;
  readonly fileName: string;
  readonly direction: "up" | "down";
  /** 0 for a data migration. */
  readonly statements: number;
  /** Rows a data migration changed, over all its runs; undefined for SQL and in a dry run. */
  readonly rows: number | undefined;
  /** It is older than a migration that was applied before it. */
  readonly isOutOfOrder: boolean;
  /** Undefined in a dry run. */
  readonly durationMs: number | undefined;
}

/** What a run did. */
export interface MigrationRun {
  readonly ran: readonly RanMigration[];
  /** In a dry run, what would have been sent; otherwise undefined. */
  readonly sql: string | undefined;
}

/**
 * Applies and undoes the migrations of a folder. Each call opens one connection of its own and closes it.
 *
 * Runners that start together are safe: one works, the others wait and then find nothing to do. A runner that
 * is killed leaves a ledger from which the next one goes on.
 */
export interface Migrator {
  /**
   * Applies what is pending, oldest first, up to and with version `to`. Nothing pending: no lock is taken and
   * nothing is written.
   *
   * @throws {MIGRATION_INVALID} for the folder or a file; nothing was sent.
   * @throws {MIGRATION_CHANGED} when an applied file was edited or renamed.
   * @throws {MIGRATION_MISSING} when an applied file is gone.
   * @throws {MIGRATION_OUT_OF_ORDER} when `outOfOrder` is `refuse` and a pending file is older than an applied one.
   * @throws {SAFETY_REFUSED} when `migrate dev` has changed this schema, without `allowReshaped`.
   * @throws {MIGRATION_LOCKED} when another runner does not finish within `runnerWaitMs`.
   * @throws {MIGRATION_FAILED} with file, line, caret and SQLSTATE of the statement the server refused.
   */
  up(options?: RunOptions & { readonly to?: string | undefined }): Promise<MigrationRun>;
  /**
   * Undoes the newest migrations by version: a number of them, or all that are newer than `to`.
   *
   * @throws {MIGRATION_INVALID} when both are said, `steps` is no number from 1, or no file has the version `to`.
   * @throws {SAFETY_REFUSED} in production without `allowInProduction`.
   * @throws {MIGRATION_IRREVERSIBLE} when one has no way back; nothing was sent.
   */
  down(
    options?: RunOptions & {
      /** How many. @default 1, without `to` */
      readonly steps?: number | undefined;
      /** Everything newer than this version, which stays; `"0"` for all. */
      readonly to?: string | undefined;
      readonly allowInProduction?: boolean | undefined;
    },
  ): Promise<MigrationRun>;
  /** Undoes the newest migration and applies it again, under one lock. Refused in production like `down`. */
  redo(options?: RunOptions & { readonly allowInProduction?: boolean | undefined }): Promise<MigrationRun>;
  /** Compares folder and ledger. Reads only, takes no lock, and reports what is wrong instead of throwing it. */
  status(): Promise<MigrationStatus>;
}

/** Chooses what to run; called again once the lock is held, as another runner may have been faster. */
type Chooser = (session: RunnerSession) => Promise<readonly MigrationTask[]>;

/**
 * Makes a migrator. Nothing is read or connected before its first call.
 *
 * @example
 * ```ts
 * const migrator = createMigrator({ target: parseTarget(url), schemaName: "tracker", folder: "/app/migrations" });
 * await migrator.up(); // { ran: [{ version: "0001", name: "create_users", … }], sql: undefined }
 * ```
 */
export function createMigrator(options: MigratorOptions): Migrator {
  const settings = { ...MIGRATION_SETTINGS_DEFAULT, ...definedOnly(options) };
  const production = options.isProduction ?? isProduction(process.env.NODE_ENV, options.target.host);
  const context: MigratorContext = { options, settings };
  return {
    up: ({ to, ...run } = {}) => execute(context, run, (session) => chooseUp(context, session, to)),
    down: async ({ steps, to, allowInProduction = false, ...run } = {}) => {
      if (production && !allowInProduction && run.dryRun !== true)
        throw refusedInProduction("down", options.target);
      const goal = downGoal(steps, to);
      return execute(context, run, (session) => chooseDown(context, session, goal));
    },
    redo: async ({ allowInProduction = false, ...run } = {}) => {
      if (production && !allowInProduction && run.dryRun !== true)
        throw refusedInProduction("redo", options.target);
      return execute(context, run, (session) => chooseRedo(context, session));
    },
    status: async () => {
      const files = await readMigrations(options.folder);
      return withRunnerSession(options.target, undefined, async ({ connection }) =>
        readStatus(connection, options.schemaName, files),
      );
    },
  };
}

async function readStatus(
  connection: Connection,
  schemaName: string,
  files: readonly MigrationFile[],
): Promise<MigrationStatus> {
  const rows = await readLedger(connection, schemaName);
  const hasUnfinished = rows.some((row) => row.name.endsWith(".ts") && !isApplied(row));
  const rowsDone = hasUnfinished ? await readRowsDone(connection, schemaName) : undefined;
  const isReshaped = await hasDevMarker(connection, schemaName);
  return describeStatus(schemaName, matchHistory(files, rows), rowsDone, isReshaped);
}

interface MigratorContext {
  readonly options: MigratorOptions;
  readonly settings: typeof MIGRATION_SETTINGS_DEFAULT;
}

async function execute(context: MigratorContext, run: RunOptions, choose: Chooser): Promise<MigrationRun> {
  const { target, schemaName } = context.options;
  return withRunnerSession(target, run.signal, async (session) => {
    // Before the lock: a deploy with nothing to do neither waits nor needs the right to create anything.
    const planned = await choose(session);
    if (run.dryRun === true) {
      const { renderRun } = await import("./render.ts");
      const missing = await findMissing(session.connection, schemaName);
      const folds = (await foldTexts(context, session)).map((text) => `${text};\n\n`).join("");
      const sql =
        planned.length === 0 ? "" : folds + renderRun(planned, await pinsOf(context, session), missing);
      return { ran: planned.map((task) => ranOf(task, undefined)), sql };
    }
    if (planned.length === 0) return { ran: [], sql: undefined };
    return withRunnerLock(session.connection, schemaName, lockWait(context, run), async (lock) => {
      const ran: RanMigration[] = [];
      for (const text of await foldTexts(context, session)) await session.connection.script(text);
      for (const task of await choose(session)) {
        await lock.verify();
        if (ran.length === 0) {
          if (run.allowReshaped !== true) await refuseReshaped(session.connection, schemaName);
          await createMissing(session.connection, schemaName);
        }
        ran.push(await runOne(context, session, run, task));
      }
      return { ran, sql: undefined };
    });
  });
}

async function runOne(
  context: MigratorContext,
  session: RunnerSession,
  run: RunOptions,
  task: MigrationTask,
): Promise<RanMigration> {
  const { createLockWatch } = await import("./lock-watch.ts");
  const { runTask } = await import("./run-task.ts");
  const report = reporter(context);
  const { fileName } = task.file;
  const { direction, isOutOfOrder, resumeAt } = task;
  report({
    kind: "started",
    direction,
    fileName,
    statements: task.statements.length,
    resumeAt,
    isOutOfOrder,
  });
  const start = performance.now();
  let rows: number | undefined;
  const watch = createLockWatch(context.options.target, session.connection.processId);
  const runContext: RunContext = {
    connection: session.connection,
    watch,
    pins: await pinsOf(context, session),
    lockAttempts: context.settings.lockAttempts,
    signal: run.signal,
    report,
  };
  const stop = session.connection.onNotice((notice) => report({ kind: "notice", message: notice.message }));
  try {
    if (task.data === undefined) await runTask(runContext, task);
    // Loaded only where there is one: it brings the statements' values with it.
    else rows = await (await import("./data/run-data.ts")).runData(runContext, task, task.data);
  } finally {
    stop();
    await watch.close();
  }
  const durationMs = Math.round(performance.now() - start);
  report({ kind: "finished", direction, fileName, durationMs });
  return ranOf(task, durationMs, rows);
}

async function chooseUp(
  context: MigratorContext,
  session: RunnerSession,
  to: string | undefined,
): Promise<readonly MigrationTask[]> {
  const history = await readHistory(context, session);
  return planTasks(
    "up",
    planUp(history, { to, outOfOrder: context.settings.outOfOrder }),
    context.options.loadModule,
  );
}

async function chooseDown(
  context: MigratorContext,
  session: RunnerSession,
  goal: DownGoal,
): Promise<readonly MigrationTask[]> {
  const chosen = planDown(await readHistory(context, session), goal);
  return planTasks("down", chosen, context.options.loadModule);
}

async function chooseRedo(
  context: MigratorContext,
  session: RunnerSession,
): Promise<readonly MigrationTask[]> {
  const chosen = planDown(await readHistory(context, session), { steps: 1 });
  const down = await planTasks("down", chosen, context.options.loadModule);
  // Parsed now, so that a mistake in `up` is found before `down` has run.
  const again = await planTasks(
    "up",
    chosen.map((planned) => ({ ...planned, row: undefined })),
    context.options.loadModule,
  );
  return [...down, ...again];
}

async function readHistory(context: MigratorContext, session: RunnerSession) {
  const { folder, schemaName } = context.options;
  // The server reads its side while the files are read.
  const [rows, files] = await Promise.all([
    readLedger(session.connection, schemaName),
    readMigrations(folder),
  ]);
  const history = matchHistory(files, rows);
  verifyHistory(history);
  return history;
}

/** What brings the ledger up to date with squashed migrations. Written by a run that has something to do, not for itself. */
async function foldTexts(context: MigratorContext, session: RunnerSession): Promise<readonly string[]> {
  const { folds } = await readHistory(context, session);
  return folds.map(({ file, rows, digest }) =>
    foldProgress(
      context.options.schemaName,
      rows.map(({ version }) => version),
      { version: file.version, name: ledgerName(file), checksum: file.checksum, appliedChecksum: digest },
    ),
  );
}

/** All of them before the first one runs: a mistake in the last file must not leave half of them applied. */
async function planTasks(
  direction: "up" | "down",
  planned: readonly PlannedFile[],
  loadModule: ModuleLoader | undefined,
): Promise<readonly MigrationTask[]> {
  const tasks: MigrationTask[] = [];
  if (planned.length === 0) return tasks;
  // What reads statements, and runs them, is loaded where there is one: most runs of a deploy have nothing to do.
  const { planTask } = await import("./task.ts");
  for (const { file, row, isOutOfOrder } of planned) {
    tasks.push(await planTask(file, direction, row, isOutOfOrder, loadModule));
  }
  return tasks;
}

function ranOf(task: MigrationTask, durationMs: number | undefined, rows?: number): RanMigration {
  const { version, name, fileName } = task.file;
  const { direction, isOutOfOrder } = task;
  const statements = task.statements.length;
  return { version, name, fileName, direction, statements, rows, isOutOfOrder, durationMs };
}

async function pinsOf(context: MigratorContext, session: RunnerSession): Promise<RunContext["pins"]> {
  const { lockTimeoutMs, statementTimeoutMs } = context.settings;
  const { schemaName } = context.options;
  const noticesDeadClient = await session.noticesDeadClient();
  return { schemaName, lockTimeoutMs, statementTimeoutMs, noticesDeadClient };
}

function lockWait(context: MigratorContext, run: RunOptions): LockWait {
  const report = reporter(context);
  return {
    waitMs: context.settings.runnerWaitMs,
    signal: run.signal,
    onWait: (holder, waitedMs) => report({ kind: "waiting", holder, waitedMs }),
  };
}

function reporter(context: MigratorContext): ProgressListener {
  return context.options.onProgress ?? (() => undefined);
}

/** Spreading an undefined over a default would erase it. */
function definedOnly(options: MigratorOptions): Partial<typeof MIGRATION_SETTINGS_DEFAULT> {
  const { outOfOrder, lockTimeoutMs, lockAttempts, runnerWaitMs, statementTimeoutMs } = options;
  return {
    ...(outOfOrder === undefined ? {} : { outOfOrder }),
    ...(lockTimeoutMs === undefined ? {} : { lockTimeoutMs }),
    ...(lockAttempts === undefined ? {} : { lockAttempts }),
    ...(runnerWaitMs === undefined ? {} : { runnerWaitMs }),
    ...(statementTimeoutMs === undefined ? {} : { statementTimeoutMs }),
  };
}
