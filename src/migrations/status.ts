import { isApplied, type LedgerRow } from "./ledger.ts";
import type { History, PlannedFile } from "./plan.ts";

/**
 * `partial`: a run of `up` was interrupted, and the next one goes on. `reverting`: the same for `down`.
 * `changed`: the file was edited or renamed after it was applied. `missing`: it is applied and its file is gone.
 */
export type MigrationState = "applied" | "pending" | "partial" | "reverting" | "changed" | "missing";

/** One migration, as folder and ledger know it. */
export interface MigrationReport {
  readonly version: string;
  readonly name: string;
  readonly fileName: string;
  readonly state: MigrationState;
  /** ISO 8601, UTC. */
  readonly appliedAt: string | undefined;
  readonly appliedBy: string | undefined;
  readonly durationMs: number | undefined;
  /** Statements that are done and in all; undefined for a file that is pending. */
  readonly statementsApplied: number | undefined;
  readonly statementsTotal: number | undefined;
  readonly isOutOfOrder: boolean;
}

/** Something that stops the next run. */
export interface MigrationFinding {
  readonly rule: "migration-changed" | "migration-missing" | "migration-interrupted";
  readonly level: "error" | "warning";
  /** The file's name. */
  readonly object: string;
  readonly why: string;
  readonly fix: string;
}

export interface MigrationStatus {
  readonly schemaName: string;
  /** In order of version. */
  readonly migrations: readonly MigrationReport[];
  /** How many the next `up` would apply or finish. */
  readonly pending: number;
  readonly findings: readonly MigrationFinding[];
}

/** Says where every migration stands. Throws nothing: what is wrong is a finding. */
export function describeStatus(schemaName: string, history: History): MigrationStatus {
  const present = history.files.map(reportOf);
  const gone = history.orphans.map((row) =>
    entryOf(row.version, row.name, `${row.version}_${row.name}.sql`, "missing", row, false),
  );
  const migrations = [...present, ...gone].sort((a, b) => (BigInt(a.version) < BigInt(b.version) ? -1 : 1));
  return {
    schemaName,
    migrations,
    pending: migrations.filter(({ state }) => state === "pending" || state === "partial").length,
    findings: migrations.flatMap(findingOf),
  };
}

function reportOf({ file, row, isOutOfOrder }: PlannedFile): MigrationReport {
  return entryOf(
    file.version,
    file.name,
    file.fileName,
    stateOf({ file, row, isOutOfOrder }),
    row,
    isOutOfOrder,
  );
}

function stateOf({ file, row }: PlannedFile): MigrationState {
  if (row === undefined) return "pending";
  if (row.name !== file.name) return "changed";
  if (row.direction === "down") return "reverting";
  if (!isApplied(row)) return "partial";
  return row.checksum === file.checksum ? "applied" : "changed";
}

function entryOf(
  version: string,
  name: string,
  fileName: string,
  state: MigrationState,
  row: LedgerRow | undefined,
  isOutOfOrder: boolean,
): MigrationReport {
  return {
    version,
    name,
    fileName,
    state,
    appliedAt: row?.appliedAt,
    appliedBy: row?.appliedBy,
    durationMs: row?.durationMs,
    statementsApplied: row?.statementsApplied,
    statementsTotal: row?.statementsTotal,
    isOutOfOrder,
  };
}

function findingOf(report: MigrationReport): readonly MigrationFinding[] {
  const object = report.fileName;
  const progress = `${report.statementsApplied} of ${report.statementsTotal} statements`;
  switch (report.state) {
    case "changed":
      return [
        {
          rule: "migration-changed",
          level: "error",
          object,
          why: "the file was edited or renamed after it was applied",
          fix: "Restore the file, and put the change into a new migration.",
        },
      ];
    case "missing":
      return [
        {
          rule: "migration-missing",
          level: "error",
          object,
          why: "it is applied, but the folder does not have it",
          fix: "Restore the file, or check that DATABASE_URL and DATABASE_SCHEMA name the database you mean.",
        },
      ];
    case "partial":
      return [
        {
          rule: "migration-interrupted",
          level: "warning",
          object,
          why: `a run was interrupted after ${progress}`,
          fix: "plinth migrate up",
        },
      ];
    case "reverting":
      return [
        {
          rule: "migration-interrupted",
          level: "warning",
          object,
          why: `a run of down was interrupted after ${progress}`,
          fix: "plinth migrate down",
        },
      ];
    case "applied":
    case "pending":
      return [];
  }
}
