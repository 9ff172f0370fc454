import type { ModuleLoader } from "../config/index.ts";
import { MigrationError } from "../errors/index.ts";
import { loadDataMigration } from "./data/data-file.ts";
import type { DataMigration } from "./data/data-migration.ts";
import { type LedgerRow, ledgerName } from "./ledger.ts";
import { checksumOf, type MigrationFile, type Section } from "./migration-file.ts";
import { type Phase, planPhases } from "./phases.ts";
import { forgetMigration, type LedgerEntry, recordProgress } from "./queries.ts";
import type { Recovery } from "./statement-kind.ts";
import { parseStatements, type Statement } from "./statements.ts";

/** One direction of one file, ready to run. */
export interface MigrationTask {
  readonly file: MigrationFile;
  readonly direction: "up" | "down";
  readonly section: Section;
  readonly statements: readonly Statement[];
  /** Statements an interrupted run had finished. */
  readonly resumeAt: number;
  /** Of the statements that are left. */
  readonly phases: readonly Phase[];
  /** The statement outside a transaction that an interrupted run had begun, from 0. */
  readonly begun: number | undefined;
  /** A newer migration is applied already. */
  readonly isOutOfOrder: boolean;
  /** Set for a data migration, which has no statements and counts as one. */
  readonly data?: DataMigration | undefined;
  /** The file is not the one an interrupted run began with. */
  readonly isEdited: boolean;
}

/**
 * Parses what is to run and finds where to go on.
 *
 * @throws {MIGRATION_CHANGED} when statements that an interrupted run had finished are not the same any more.
 * @throws {MIGRATION_INVALID} when the section cannot be parsed or run, or a data migration cannot be loaded.
 * @throws {MIGRATION_IRREVERSIBLE} for the way down of a file without one.
 */
export async function planTask(
  file: MigrationFile,
  direction: "up" | "down",
  row: LedgerRow | undefined,
  isOutOfOrder: boolean,
  loadModule?: ModuleLoader,
): Promise<MigrationTask> {
  if (file.modulePath !== undefined) return planDataTask(file, direction, row, isOutOfOrder, loadModule);
  const section = direction === "up" ? file.up : file.down;
  if (section === undefined) throw irreversible(file);
  const statements = await parseStatements(file, section);
  const resumed = resumedRow(row, direction);
  const resumeAt = resumed?.statementsApplied ?? 0;
  if (resumed !== undefined && appliedChecksum(statements, resumeAt) !== resumed.appliedChecksum) {
    throw partChanged(file, resumed, appliedChecksum(statements, resumeAt));
  }
  const phases = planPhases(section, statements.slice(resumeAt)).map((phase) => ({
    ...phase,
    first: phase.first + resumeAt,
  }));
  const begun = begunOf(resumed);
  const isEdited = resumed !== undefined && resumed.checksum !== file.checksum;
  return { file, direction, section, statements, resumeAt, phases, begun, isOutOfOrder, isEdited };
}

/** Loaded here, before anything runs: a mistake in the last file must not leave half of them applied. */
async function planDataTask(
  file: MigrationFile,
  direction: "up" | "down",
  row: LedgerRow | undefined,
  isOutOfOrder: boolean,
  loadModule: ModuleLoader | undefined,
): Promise<MigrationTask> {
  const data = await loadDataMigration(file, loadModule);
  if (direction === "down" && data.down === undefined) throw irreversible(file);
  const resumed = resumedRow(row, direction);
  return {
    file,
    direction,
    section: file.up,
    statements: [],
    resumeAt: 0,
    phases: [],
    begun: begunOf(resumed),
    isOutOfOrder,
    data,
    isEdited: resumed !== undefined && resumed.checksum !== file.checksum,
  };
}

/** The ledger's row when an interrupted run of this direction left it. */
function resumedRow(row: LedgerRow | undefined, direction: "up" | "down"): LedgerRow | undefined {
  const isResumed = row?.direction === direction && row.statementsApplied < row.statementsTotal;
  return isResumed ? row : undefined;
}

function begunOf(resumed: LedgerRow | undefined): number | undefined {
  return resumed?.inFlight === undefined ? undefined : resumed.inFlight - 1;
}

/** Whether a statement outside a transaction waits long for its lock; a file that chose a time-out keeps it. */
export function isPatient({ statements }: MigrationTask, { kind }: Recovery): boolean {
  return (
    kind !== "rebuild" && !statements.some(({ setting }) => setting === "lock_timeout" || setting === "all")
  );
}

/** What the ledger is told once `applied` statements are done; `inFlight` counts from 0. */
export function ledgerText(
  schemaName: string,
  task: MigrationTask,
  applied: number,
  inFlight?: number,
): string {
  const { file, direction, statements } = task;
  const statementsTotal = task.data === undefined ? statements.length : 1;
  if (direction === "down" && applied === statementsTotal) return forgetMigration(schemaName, file.version);
  const entry: LedgerEntry = {
    version: file.version,
    name: ledgerName(file),
    checksum: file.checksum,
    direction,
    statementsTotal,
    statementsApplied: applied,
    appliedChecksum: appliedChecksum(statements, applied),
    inFlight: inFlight === undefined ? undefined : inFlight + 1,
  };
  return recordProgress(schemaName, entry);
}

/** A separator no statement can hold keeps two statements from reading like one. */
function appliedChecksum(statements: readonly Statement[], count: number): string {
  return checksumOf(
    statements
      .slice(0, count)
      .map((statement) => statement.text)
      .join("\0"),
  );
}

function irreversible(file: MigrationFile): MigrationError {
  const way =
    file.modulePath === undefined ? "Write its -- migrate:down section" : 'Give it down (or down: "nothing")';
  return new MigrationError("MIGRATION_IRREVERSIBLE", `${file.fileName} has no way back`, {
    file: file.fileName,
    hint: `${way}, or undo it with a new migration.`,
  });
}

function partChanged(file: MigrationFile, row: LedgerRow, actual: string): MigrationError {
  const count = row.statementsApplied;
  return new MigrationError(
    "MIGRATION_CHANGED",
    `${file.fileName}: ${count === 1 ? "statement 1 was" : `statements 1 to ${count} were`} edited after ` +
      `${count === 1 ? "it was" : "they were"} applied\n  applied sha256 ${row.appliedChecksum}\n  now     sha256 ${actual}`,
    {
      file: file.fileName,
      hint: `Restore ${count === 1 ? "it" : "them"}; only what comes after may be corrected before the run goes on.`,
    },
  );
}
