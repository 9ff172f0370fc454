import { type Catalog, compareCatalogs } from "../../catalog/index.ts";
import type { Connection, ConnectionTarget } from "../../driver/index.ts";
import type { RenameDescription } from "../../schema/index.ts";
import type { Shadow, ShadowDatabase } from "../../shadow/index.ts";
import { readMigrations } from "../folder.ts";
import { isApplied, readLedger } from "../ledger.ts";
import type { MigrationFile } from "../migration-file.ts";
import { createMigrator, type MigratorOptions, type RanMigration } from "../migrator.ts";
import { type History, matchHistory, type PlannedFile, planUp, verifyHistory } from "../plan.ts";
import { buildFromStatements, replayFile, replayMigrations } from "../replay.ts";
import { withRunnerLock } from "../runner-lock.ts";
import { createMissing, withRunnerSession } from "../runner-session.ts";
import { pinSession } from "../session.ts";
import { ledgerText, planTask } from "../task.ts";
import { hasDevMarker } from "./marker.ts";
import { createDev, dropDev } from "./queries.ts";
import {
  type Ground,
  planReshaping,
  type Renames,
  type Reshaping,
  readOwn,
  runReshaping,
} from "./reshape.ts";
import { rowChangingLines } from "./row-changes.ts";

/** What a development database is worked on with. */
export interface DevelopmentOptions
  extends Pick<MigratorOptions, "schemaName" | "folder" | "loadModule" | "onProgress"> {
  /** Opens the server on which catalogs are built to compare with; each run that needs one releases it. */
  readonly openShadow: () => Promise<Shadow>;
  /** How long a statement waits for a lock of the application that runs beside it. @default 5_000 */
  readonly lockTimeoutMs?: number | undefined;
  /** Whose rights are not the schema's but kept by `roles sync`. @default nobody's */
  readonly roles?: readonly string[] | undefined;
}

/** Options of every call. */
export interface DevelopmentRunOptions {
  /** What would be lost may go. @default false */
  readonly acceptLoss?: boolean | undefined;
  /** Changes nothing and gives the statements. */
  readonly dryRun?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What was done to a development database. */
export interface DevelopmentRun {
  /** Migrations that ran as anywhere. */
  readonly ran: readonly RanMigration[];
  /** Files that were written into the ledger without being run, as the database had their shape already. */
  readonly recorded: readonly string[];
  /** What changed the shape, in order. */
  readonly statements: readonly string[];
  /** What that deleted for good: `tasks.due_date (data)`. In a dry run, what it would. */
  readonly losses: readonly string[];
}

/**
 * The database of a developer, which follows the schema while it is being edited: no file for each attempt.
 *
 * Its shape may then be ahead of what its applied migrations built. A marker beside the ledger says so, and `settle`
 * brings the two together once the migrations are written.
 */
export interface Development {
  /** Whether the marker is there. One connection, one round trip. */
  isReshaped(): Promise<boolean>;
  /**
   * Applies what is pending, then turns the schema into what `declared` builds, keeping the rows.
   *
   * @throws {SAFETY_REFUSED} when something would be lost and `acceptLoss` is not said.
   */
  reshape(
    options: DevelopmentRunOptions & {
      /** The declared schema as SQL for an empty database: `project.renderSchema()`. */
      readonly declared: readonly string[];
      /** Hints of the schema (`renamedFrom`); those that do not fit any more are passed over. */
      readonly renames?: readonly RenameDescription[] | undefined;
      /** Renames asked for; each must fit. */
      readonly renameFlags?: readonly RenameDescription[] | undefined;
    },
  ): Promise<DevelopmentRun>;
  /**
   * What `up` is here: turns the database into what the folder builds, keeping the rows, and records the pending SQL
   * files. Their statements that change rows are not run; a notice names them. Data migrations run as anywhere.
   *
   * @throws {SAFETY_REFUSED} when something would be lost and `acceptLoss` is not said.
   */
  settle(options?: DevelopmentRunOptions & { readonly to?: string | undefined }): Promise<DevelopmentRun>;
  /** Takes the database back to what its applied migrations built. @throws {SAFETY_REFUSED} as above. */
  undo(options?: DevelopmentRunOptions): Promise<DevelopmentRun>;
}

const NOTHING: DevelopmentRun = Object.freeze({ ran: [], recorded: [], statements: [], losses: [] });
const LOCK_TIMEOUT_MS_DEFAULT = 5_000;
/** Another runner of the same developer: it will not take long. */
const RUNNER_WAIT_MS = 60_000;

/** The same on any server; the face makes sure that it is an embedded one. */
export function developmentOn(target: ConnectionTarget, options: DevelopmentOptions): Development {
  const context: Context = { target, options };
  const development: Development = {
    isReshaped: () => isReshaped(context),
    reshape: (run) => reshapeDeclared(context, run),
    settle: ({ to, ...run } = {}) => settle(context, run, to),
    undo: (run = {}) => undo(context, run),
  };
  return Object.freeze(development);
}

interface Context {
  readonly target: ConnectionTarget;
  readonly options: DevelopmentOptions;
}

type ReshapeOptions = Parameters<Development["reshape"]>[0];

const MAY_GO = "If it may go: --accept-loss.";
const UP_KEEPS =
  "plinth migrate dev applies what is pending and keeps what the schema declares. To give it up: plinth migrate dev --undo --accept-loss.";

async function reshapeDeclared(context: Context, run: ReshapeOptions): Promise<DevelopmentRun> {
  const { schemaName } = context.options;
  const { declared, renames: hints = [], renameFlags: flags = [] } = run;
  const isMarked = await isReshaped(context);
  const first = isMarked ? NOTHING : await applyPending(context, run, {});
  // Compared with what the pending files have not built yet, the difference would be wrong.
  if (run.dryRun === true && first.ran.length > 0) return first;
  const wish = await onShadow(context, async (shadow) =>
    catalogOf(context, await buildFromStatements(shadow, declared, schemaName)),
  );
  const { statements, losses, recorded } = await underLock(context, run, MAY_GO, async (ground) => {
    const reshaping = await depart(ground, wish, { hints, flags });
    // The schema says what the database should be, so what the pending files would change is there.
    const files = isMarked ? await readPending(context, ground) : [];
    return { ...reshaping, recorded: await record(context, ground, files, "stays") };
  });
  const last =
    isMarked && run.dryRun !== true ? await applyPending(context, run, { allowReshaped: true }) : NOTHING;
  return { ran: [...first.ran, ...last.ran], recorded, statements, losses };
}

/** The marker first: whatever interrupts the rest, the next `up` knows. */
async function depart(ground: Ground, wish: Catalog, renames: Renames): Promise<Reshaping> {
  const { connection, pins, dryRun } = ground;
  const planned = await planReshaping(ground, wish, renames);
  if (planned.statements.length === 0 || dryRun) return planned;
  await connection.script(createDev(pins.schemaName));
  await runReshaping(ground, wish, planned);
  return planned;
}

async function settle(
  context: Context,
  run: DevelopmentRunOptions,
  to: string | undefined,
): Promise<DevelopmentRun> {
  const settled = await underLock(context, run, UP_KEEPS, async (ground) => {
    const isMarked = await hasDevMarker(ground.connection, ground.pins.schemaName);
    return isMarked ? settleMarked(context, ground, to) : NOTHING;
  });
  if (run.dryRun === true && settled.recorded.length > 0) return settled;
  // Data migrations, and everything where the shape turned out to be that of the applied files.
  const { ran, statements } = await applyPending(context, run, { to });
  return { ...settled, ran, statements: [...settled.statements, ...statements] };
}

async function settleMarked(
  context: Context,
  ground: Ground,
  to: string | undefined,
): Promise<DevelopmentRun> {
  const { schemaName } = context.options;
  const { connection, dryRun } = ground;
  const history = await readHistory(context, connection);
  const pending = planUp(history, { to, outOfOrder: "apply" });
  if (pending.length === 0) return NOTHING;
  const { before, after } = await onShadow(context, (shadow) =>
    chainCatalogs(context, shadow, history, pending),
  );
  if (compareCatalogs(await readOwn(connection, schemaName, ground.roles), before).length === 0) {
    // Edited there and back again: the migrations simply run.
    if (!dryRun) await connection.script(dropDev(schemaName));
    return NOTHING;
  }
  const reshaping = await planReshaping(ground, after);
  if (!dryRun) await runReshaping(ground, after, reshaping);
  return { ran: [], recorded: await record(context, ground, pending, "goes"), ...reshaping };
}

/** What the folder builds without the pending files, and with them. */
async function chainCatalogs(
  context: Context,
  shadow: Shadow,
  history: History,
  pending: readonly PlannedFile[],
): Promise<{ readonly before: Catalog; readonly after: Catalog }> {
  const { schemaName } = context.options;
  const chain = await replayMigrations(shadow, appliedFiles(history), schemaName);
  const before = await catalogIn(context, chain);
  await chain.use(async (connection) => {
    for (const { file } of pending) await replayFile({ shadow, connection, schemaName }, file, "up");
  });
  return { before, after: await catalogOf(context, chain) };
}

/**
 * Writes pending SQL files down as applied, all in one transaction with the end of the marker, where it goes: then the
 * shape is the folder's. Gives their names.
 */
async function record(
  { options }: Context,
  { connection, pins, dryRun }: Ground,
  pending: readonly PlannedFile[],
  marker: "stays" | "goes",
): Promise<readonly string[]> {
  const files = pending.filter(({ file }) => file.modulePath === undefined);
  const texts: string[] = [];
  for (const { file, isOutOfOrder } of files) {
    const task = await planTask(file, "up", undefined, isOutOfOrder);
    texts.push(ledgerText(pins.schemaName, task, task.statements.length));
    const lines = await rowChangingLines(file);
    if (lines.length === 0 || dryRun) continue;
    const where = lines.length === 1 ? `line ${lines[0]}` : `lines ${lines.join(", ")}`;
    const message = `${file.fileName} is recorded as applied; what it does to rows (${where}) was not run here`;
    options.onProgress?.({ kind: "notice", message });
  }
  if (marker === "goes") texts.push(dropDev(pins.schemaName));
  if (texts.length > 0 && !dryRun) await connection.script(["begin", ...texts, "commit"].join(";\n"));
  return files.map(({ file }) => file.fileName);
}

/** As `up` anywhere; in a dry run `statements` is the text it would send. */
async function applyPending(
  { target, options }: Context,
  { dryRun, signal }: DevelopmentRunOptions,
  run: { readonly to?: string | undefined; readonly allowReshaped?: boolean },
): Promise<DevelopmentRun> {
  const migrator = createMigrator({ ...options, target, isProduction: false, outOfOrder: "apply" });
  const { ran, sql } = await migrator.up({ ...run, dryRun, signal });
  return { ...NOTHING, ran, statements: sql === undefined || sql === "" ? [] : [sql.trimEnd()] };
}

async function undo(context: Context, run: DevelopmentRunOptions): Promise<DevelopmentRun> {
  const { schemaName } = context.options;
  return underLock(context, run, MAY_GO, async (ground) => {
    const { connection, dryRun } = ground;
    if (!(await hasDevMarker(connection, schemaName))) return NOTHING;
    const files = appliedFiles(await readHistory(context, connection));
    const wish = await onShadow(context, async (shadow) =>
      catalogOf(context, await replayMigrations(shadow, files, schemaName)),
    );
    const reshaping = await planReshaping(ground, wish);
    if (!dryRun) {
      await runReshaping(ground, wish, reshaping);
      await connection.script(dropDev(schemaName));
    }
    return { ran: [], recorded: [], ...reshaping };
  });
}

async function readHistory({ options }: Context, connection: Connection): Promise<History> {
  const files = await readMigrations(options.folder);
  const history = matchHistory(files, await readLedger(connection, options.schemaName));
  verifyHistory(history);
  return history;
}

async function readPending(context: Context, { connection }: Ground): Promise<readonly PlannedFile[]> {
  return planUp(await readHistory(context, connection), { to: undefined, outOfOrder: "apply" });
}

function appliedFiles({ files }: History): readonly MigrationFile[] {
  return files.filter(({ row }) => row !== undefined && isApplied(row)).map(({ file }) => file);
}

function isReshaped({ target, options }: Context): Promise<boolean> {
  return withRunnerSession(target, undefined, ({ connection }) =>
    hasDevMarker(connection, options.schemaName),
  );
}

/** Runs `work` on a session of its own that is pinned like a migration's, while no runner works on the schema. */
async function underLock<T>(
  { target, options }: Context,
  run: DevelopmentRunOptions,
  advice: string,
  work: (ground: Ground) => Promise<T>,
): Promise<T> {
  const { schemaName, onProgress, lockTimeoutMs = LOCK_TIMEOUT_MS_DEFAULT } = options;
  const { signal, acceptLoss = false, dryRun = false } = run;
  const onWait: Parameters<typeof withRunnerLock>[2]["onWait"] = (holder, waitedMs) =>
    onProgress?.({ kind: "waiting", holder, waitedMs });
  return withRunnerSession(target, signal, async ({ connection, noticesDeadClient }) =>
    withRunnerLock(connection, schemaName, { waitMs: RUNNER_WAIT_MS, signal, onWait }, async () => {
      const pins = {
        schemaName,
        lockTimeoutMs,
        statementTimeoutMs: 0,
        noticesDeadClient: await noticesDeadClient(),
      };
      if (!dryRun) await createMissing(connection, schemaName);
      await connection.script(pinSession(pins));
      return work({ connection, pins, roles: options.roles ?? [], acceptLoss, advice, dryRun, signal });
    }),
  );
}

async function onShadow<T>({ options }: Context, work: (shadow: Shadow) => Promise<T>): Promise<T> {
  const shadow = await options.openShadow();
  try {
    return await work(shadow);
  } finally {
    await shadow.release();
  }
}

function catalogIn({ options }: Context, database: ShadowDatabase): Promise<Catalog> {
  return database.use((connection) => readOwn(connection, options.schemaName, options.roles ?? []));
}

/** Reads a database that is needed for nothing else. */
async function catalogOf(context: Context, database: ShadowDatabase): Promise<Catalog> {
  try {
    return await catalogIn(context, database);
  } finally {
    await database.drop();
  }
}
