import { MIGRATION_SETTINGS_DEFAULT } from "../../config/index.ts";
import type { ConnectionTarget } from "../../driver/index.ts";
import { MigrationError } from "../../errors/index.ts";
import type { Shadow } from "../../shadow/index.ts";
import { readMigrations } from "../folder.ts";
import { isApplied, readLedger } from "../ledger.ts";
import { compareVersions, type MigrationFile } from "../migration-file.ts";
import { type History, matchHistory, type PlannedFile, planUp, verifyHistory } from "../plan.ts";
import type { ProgressListener } from "../progress.ts";
import { replayMigrations } from "../replay.ts";
import { withRunnerSession } from "../runner-session.ts";
import { baselineScopeOf } from "./baseline-file.ts";
import { leaveOut } from "./leave-out.ts";
import { ledgerRows, record, renderRecord } from "./record.ts";
import { type BaselineFinding, findingsBetween, isProven, readScope, readShadow } from "./verify.ts";

/** What a baseline is recorded on. */
export interface BaselineOptions {
  /** The server itself, not a pooler. */
  readonly target: ConnectionTarget;
  readonly schemaName: string;
  /** Absolute path of the folder with `NNNN_name.sql`. */
  readonly folder: string;
  /** The last version the database already has. @default the newest of the folder */
  readonly to?: string | undefined;
  /** Where the migrations are replayed. Of the database's major version, or texts may differ that mean the same. */
  readonly shadow: Shadow;
  /** Records nothing and gives the exact SQL in `sql`. @default false */
  readonly dryRun?: boolean | undefined;
  /** The longest wait for another runner. @default 300_000 */
  readonly runnerWaitMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** What was recorded, or why not. */
export interface BaselineRun {
  /** Files recorded as applied, or, in a dry run, to be. Empty when the ledger has all of them, and with findings. */
  readonly recorded: readonly string[];
  /** In a dry run, what would have been sent. */
  readonly sql: string | undefined;
  /** Where the database and the replayed migrations differ. Nothing is recorded while one is an error. */
  readonly findings: readonly BaselineFinding[];
}

/**
 * Records migrations as applied without running them, on a database that has what they make: restored from a dump,
 * made by hand, migrated by another tool. The chain is replayed on a shadow database first, and the two catalogs
 * must be equal. Tables that an adopted tool keeps are left out of the comparison.
 *
 * @throws {MIGRATION_INVALID} {MIGRATION_FAILED} when the chain cannot be replayed, or `to` is no version of it.
 * @throws {MIGRATION_CHANGED} {MIGRATION_MISSING} when the ledger does not fit the folder, or the database changed
 * meanwhile.
 * @throws {MIGRATION_LOCKED} when another runner does not finish within `runnerWaitMs`.
 *
 * @example
 * ```ts
 * const { recorded, findings } = await recordBaseline({ target, schemaName: "tracker", folder, shadow, to: "0042" });
 * ```
 */
export async function recordBaseline(options: BaselineOptions): Promise<BaselineRun> {
  const { target, schemaName, folder, shadow, signal, onProgress } = options;
  const files = await readMigrations(folder);
  const { tables, isWholeDatabase } = baselineScopeOf(files);
  const scope = { schemaName, schemas: isWholeDatabase ? ("all" as const) : undefined };
  return withRunnerSession(target, signal, async ({ connection }) => {
    const rows = await readLedger(connection, schemaName);
    const history = matchHistory(files, rows);
    verifyHistory(history);
    const wanted = planUp(history, { to: options.to, outOfOrder: "apply" });
    if (wanted.length === 0) return { recorded: [], sql: undefined, findings: [] };
    refuseUnfinished(wanted);
    const readLive = async () => leaveOut(await readScope(connection, scope), tables);
    const live = await readLive();
    const replayed = await replayMigrations(shadow, chainOf(history, wanted), schemaName);
    const sides = { live, replayed: await readShadow(replayed, scope), scope };
    await replayed.drop();
    const findings = await findingsBetween(shadow, sides, REMEDY);
    if (!isProven(findings)) return { recorded: [], sql: undefined, findings };
    const statements = await ledgerRows(
      schemaName,
      wanted.map(({ file }) => file),
    );
    const recorded = wanted.map(({ file }) => file.fileName);
    if (options.dryRun === true) {
      return { recorded, sql: await renderRecord(connection, schemaName, statements), findings };
    }
    const runnerWaitMs = options.runnerWaitMs ?? MIGRATION_SETTINGS_DEFAULT.runnerWaitMs;
    const ground = { connection, schemaName, runnerWaitMs, signal, onProgress };
    await record(ground, statements, { ledgerRows: rows.length, live, readLive });
    return { recorded, sql: undefined, findings };
  });
}

const REMEDY = "Bring one to the other, or choose another version with --to.";

/** What the database should be: all that is applied, and all that is to be recorded. */
function chainOf(history: History, wanted: readonly PlannedFile[]): readonly MigrationFile[] {
  const last = wanted.at(-1)?.file.version ?? "0";
  return history.files
    .filter(
      ({ file, row }) => compareVersions(file.version, last) <= 0 || (row !== undefined && isApplied(row)),
    )
    .map(({ file }) => file);
}

function refuseUnfinished(wanted: readonly PlannedFile[]): void {
  const unfinished = wanted.find(({ row }) => row !== undefined);
  if (unfinished === undefined) return;
  throw new MigrationError("MIGRATION_FAILED", `${unfinished.file.fileName} was begun and not finished`, {
    file: unfinished.file.fileName,
    hint: "Finish it with plinth migrate up, or undo it with plinth migrate down; then run baseline again.",
  });
}
