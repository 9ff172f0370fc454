import { MigrationError, unknownName } from "../errors/index.ts";
import { fileNameOf, isApplied, type LedgerRow, ledgerName } from "./ledger.ts";
import { compareVersions, type MigrationFile } from "./migration-file.ts";
import { describePartial, type Fold, foldRows, type PartialSquash } from "./squash/replaces.ts";

/** A file beside what the ledger says about it. */
export interface PlannedFile {
  readonly file: MigrationFile;
  readonly row: LedgerRow | undefined;
  readonly isOutOfOrder: boolean;
}

/** What a folder and a ledger say together. */
export interface History {
  /** In order of version. */
  readonly files: readonly PlannedFile[];
  /** Ledger rows whose file is gone. */
  readonly orphans: readonly LedgerRow[];
  /** Squashed migrations that stand for rows of the ledger, which the next run writes down. */
  readonly folds: readonly Fold[];
  /** Squashed migrations of which the database has a part. */
  readonly partial: readonly PartialSquash[];
}

/** Brings files and ledger rows together by version, which is a number. */
export function matchHistory(files: readonly MigrationFile[], ledger: readonly LedgerRow[]): History {
  const { rows, folds, partial } = foldRows(files, ledger);
  const byVersion = new Map(rows.map((row) => [BigInt(row.version), row]));
  const newest = rows
    .filter(isApplied)
    .map((row) => row.version)
    .sort(compareVersions)
    .at(-1);
  const matched = files.map((file) => {
    const version = BigInt(file.version);
    const row = byVersion.get(version);
    byVersion.delete(version);
    return {
      file,
      row,
      isOutOfOrder: row === undefined && newest !== undefined && compareVersions(file.version, newest) < 0,
    };
  });
  const orphans = [...byVersion.values()].sort((a, b) => compareVersions(a.version, b.version));
  return { files: matched, orphans, folds, partial };
}

/**
 * Refuses a history that does not match: what ran is not what the folder holds, so neither direction is safe.
 *
 * @throws {MIGRATION_CHANGED} with file and both checksums, or both names.
 * @throws {MIGRATION_MISSING} when a migration is applied and its file is gone, or a squashed one is there in part.
 */
export function verifyHistory(history: History): void {
  const [partial] = history.partial;
  if (partial !== undefined) throw partlyReplaced(partial);
  const [orphan] = history.orphans;
  if (orphan !== undefined) throw missing(orphan);
  for (const { file, row } of history.files) {
    if (row === undefined) continue;
    // First the name: a file of another name is most likely another migration, and no edit.
    if (row.name !== ledgerName(file)) throw renamed(file, row);
    if (isApplied(row) && row.checksum !== file.checksum) throw changed(file, row);
  }
}

/**
 * What `up` has to run, oldest first: everything that is not applied, up to and with `to`.
 *
 * @throws {MIGRATION_OUT_OF_ORDER} when a file is older than an applied one and that is refused.
 * @throws {MIGRATION_FAILED} when a `down` was interrupted: it has to be finished first.
 */
export function planUp(
  history: History,
  options: { readonly to: string | undefined; readonly outOfOrder: "apply" | "refuse" },
): readonly PlannedFile[] {
  const last = options.to === undefined ? undefined : findVersion(history, options.to);
  const pending = history.files.filter(
    ({ file, row }) =>
      (row === undefined || !isApplied(row)) &&
      (last === undefined || compareVersions(file.version, last) <= 0),
  );
  const reverting = pending.find(({ row }) => row?.direction === "down");
  if (reverting !== undefined) throw halfUndone(reverting.file);
  const late = pending.find(({ isOutOfOrder }) => isOutOfOrder);
  if (late !== undefined && options.outOfOrder === "refuse") throw outOfOrder(late.file);
  return pending;
}

/** How far `down` goes: a number of migrations, or everything newer than a version, which stays. */
export type DownGoal =
  | { readonly steps: number; readonly to?: undefined }
  | { readonly steps?: undefined; readonly to: string };

/**
 * What `down` has to undo, newest first, by version. `to: "0"` means all.
 *
 * @throws {MIGRATION_INVALID} when the folder has no version `to`.
 * @throws {MIGRATION_FAILED} when an `up` was interrupted: it has to be finished first.
 */
export function planDown(history: History, goal: DownGoal): readonly PlannedFile[] {
  const present = history.files.filter(({ row }) => row !== undefined).reverse();
  const chosen = goal.to === undefined ? present.slice(0, goal.steps) : newerThan(history, present, goal.to);
  const partial = chosen.find(({ row }) => row !== undefined && row.direction === "up" && !isApplied(row));
  if (partial !== undefined) throw halfApplied(partial);
  return chosen;
}

function newerThan(history: History, present: readonly PlannedFile[], to: string): readonly PlannedFile[] {
  if (/^0{1,20}$/.test(to)) return present;
  const last = findVersion(history, to);
  return present.filter(({ file }) => compareVersions(file.version, last) > 0);
}

function findVersion(history: History, written: string): string {
  const digits = /^(\d{1,20})(?:_.*)?$/.exec(written)?.[1];
  const found =
    digits === undefined
      ? undefined
      : history.files.find(({ file }) => compareVersions(file.version, digits) === 0);
  if (found !== undefined) return found.file.version;
  const versions = history.files.map(({ file }) => file.version).slice(-20);
  throw new MigrationError("MIGRATION_INVALID", unknownName("version", written, versions));
}

function changed(file: MigrationFile, row: LedgerRow): MigrationError {
  return new MigrationError(
    "MIGRATION_CHANGED",
    `${file.fileName} was edited after it was applied\n  applied sha256 ${row.checksum}\n  now     sha256 ${file.checksum}`,
    { file: file.fileName, hint: "Restore the file, and put the change into a new migration." },
  );
}

function renamed(file: MigrationFile, row: LedgerRow): MigrationError {
  return new MigrationError(
    "MIGRATION_CHANGED",
    `${file.fileName} was applied under the name ${fileNameOf(row)}`,
    {
      file: file.fileName,
      hint: "Give the file its old name back, or the new migration a version of its own.",
    },
  );
}

function missing(row: LedgerRow): MigrationError {
  const fileName = fileNameOf(row);
  return new MigrationError("MIGRATION_MISSING", `${fileName} is applied, but the folder does not have it`, {
    file: fileName,
    hint: "Restore the file, or check that DATABASE_URL and DATABASE_SCHEMA name the database you mean.",
  });
}

function partlyReplaced(partial: PartialSquash): MigrationError {
  const { fileName } = partial.file;
  const { why, fix } = describePartial(partial);
  return new MigrationError("MIGRATION_MISSING", `${fileName} ${why}`, { file: fileName, hint: fix });
}

function outOfOrder(file: MigrationFile): MigrationError {
  return new MigrationError(
    "MIGRATION_OUT_OF_ORDER",
    `${file.fileName} is older than a migration that is applied already`,
    {
      file: file.fileName,
      hint: 'Give it a newer version, or allow it with migrations.outOfOrder: "apply".',
    },
  );
}

function halfUndone(file: MigrationFile): MigrationError {
  return new MigrationError(
    "MIGRATION_FAILED",
    `${file.fileName} is half undone: a run of down was interrupted`,
    {
      file: file.fileName,
      hint: "Run plinth migrate down to finish that first.",
    },
  );
}

function halfApplied({ file, row }: PlannedFile): MigrationError {
  return new MigrationError(
    "MIGRATION_FAILED",
    `${file.fileName} is applied up to statement ${row?.statementsApplied} of ${row?.statementsTotal}`,
    {
      file: file.fileName,
      hint: "Run plinth migrate up to finish it; what is not applied yet may be edited.",
    },
  );
}
