import { MigrationError } from "../errors/index.ts";
import type { LedgerRow } from "./ledger.ts";
import { checksumOf, type MigrationFile, type Section } from "./migration-file.ts";
import { type Phase, planPhases } from "./phases.ts";
import { forgetMigration, type LedgerEntry, recordProgress } from "./queries.ts";
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
}

/**
 * Parses what is to run and finds where to go on.
 *
 * @throws {MIGRATION_CHANGED} when statements that an interrupted run had finished are not the same any more.
 * @throws {MIGRATION_INVALID} when the section cannot be parsed or run.
 * @throws {MIGRATION_IRREVERSIBLE} for the way down of a file without one.
 */
export async function planTask(
  file: MigrationFile,
  direction: "up" | "down",
  row: LedgerRow | undefined,
  isOutOfOrder: boolean,
): Promise<MigrationTask> {
  const section = direction === "up" ? file.up : file.down;
  if (section === undefined) throw irreversible(file);
  const statements = await parseStatements(file, section);
  const isResumed =
    row !== undefined && row.direction === direction && row.statementsApplied < row.statementsTotal;
  const resumeAt = isResumed ? row.statementsApplied : 0;
  if (isResumed && appliedChecksum(statements, resumeAt) !== row.appliedChecksum) {
    throw partChanged(file, row, appliedChecksum(statements, resumeAt));
  }
  const phases = planPhases(section, statements.slice(resumeAt)).map((phase) => ({
    ...phase,
    first: phase.first + resumeAt,
  }));
  const begun = isResumed && row.inFlight !== undefined ? row.inFlight - 1 : undefined;
  return { file, direction, section, statements, resumeAt, phases, begun, isOutOfOrder };
}

/** What the ledger is told once `applied` statements are done; `inFlight` counts from 0. */
export function ledgerText(
  schemaName: string,
  task: MigrationTask,
  applied: number,
  inFlight?: number,
): string {
  const { file, direction, statements } = task;
  if (direction === "down" && applied === statements.length) return forgetMigration(schemaName, file.version);
  const entry: LedgerEntry = {
    version: file.version,
    name: file.name,
    checksum: file.checksum,
    direction,
    statementsTotal: statements.length,
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
  return new MigrationError("MIGRATION_IRREVERSIBLE", `${file.fileName} has no way back`, {
    file: file.fileName,
    hint: "Write its -- migrate:down section, or undo it with a new migration.",
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
