import { fileNameOf, isApplied, type LedgerRow, ledgerName } from "./ledger.ts";
import type { History, PlannedFile } from "./plan.ts";
import { describePartial, type PartialSquash } from "./squash/replaces.ts";

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
  /** Statements that are done and in all; undefined for a file that is pending. A data migration counts as one. */
  readonly statementsApplied: number | undefined;
  readonly statementsTotal: number | undefined;
  /** Rows a data migration that was interrupted has changed; undefined for anything else. */
  readonly rowsDone: number | undefined;
  readonly isOutOfOrder: boolean;
}

/** Something that stops the next run. */
export interface MigrationFinding {
  readonly rule: "migration-changed" | "migration-missing" | "migration-interrupted" | "schema-reshaped";
  readonly level: "error" | "warning";
  /** The file's name, or the schema's. */
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
  /** `migrate dev` has taken the schema beyond its migrations. */
  readonly isReshaped: boolean;
  readonly findings: readonly MigrationFinding[];
}

/** Says where every migration stands. Throws nothing: what is wrong is a finding. */
export function describeStatus(
  schemaName: string,
  history: History,
  rowsDone: ReadonlyMap<string, number> = new Map(),
  isReshaped = false,
): MigrationStatus {
  const present = history.files.map((planned) => reportOf(planned, rowsDone.get(planned.row?.version ?? "")));
  const gone = history.orphans.map((row) => ({
    version: row.version,
    name: row.name,
    fileName: fileNameOf(row),
    state: "missing" as const,
    ...progressOf(row),
    rowsDone: rowsDone.get(row.version),
    isOutOfOrder: false,
  }));
  const migrations = [...present, ...gone].sort((a, b) => (BigInt(a.version) < BigInt(b.version) ? -1 : 1));
  return {
    schemaName,
    migrations,
    pending: migrations.filter(({ state }) => state === "pending" || state === "partial").length,
    isReshaped,
    findings: [
      ...history.partial.map(partlyReplaced),
      ...migrations.flatMap(findingOf),
      ...(isReshaped ? [reshaped(schemaName)] : []),
    ],
  };
}

function reportOf(planned: PlannedFile, rowsDone: number | undefined): MigrationReport {
  const { file, row, isOutOfOrder } = planned;
  const { version, name, fileName } = file;
  return { version, name, fileName, state: stateOf(planned), ...progressOf(row), rowsDone, isOutOfOrder };
}

function stateOf({ file, row }: PlannedFile): MigrationState {
  if (row === undefined) return "pending";
  if (row.name !== ledgerName(file)) return "changed";
  if (row.direction === "down") return "reverting";
  if (!isApplied(row)) return "partial";
  return row.checksum === file.checksum ? "applied" : "changed";
}

function progressOf(row: LedgerRow | undefined) {
  return {
    appliedAt: row?.appliedAt,
    appliedBy: row?.appliedBy,
    durationMs: row?.durationMs,
    statementsApplied: row?.statementsApplied,
    statementsTotal: row?.statementsTotal,
  };
}

function partlyReplaced(partial: PartialSquash): MigrationFinding {
  const { why, fix } = describePartial(partial);
  return { rule: "migration-missing", level: "error", object: partial.file.fileName, why, fix };
}

function reshaped(schemaName: string): MigrationFinding {
  return {
    rule: "schema-reshaped",
    level: "warning",
    object: schemaName,
    why: "plinth migrate dev has taken it beyond its migrations",
    fix: "plinth migrate generate NAME && plinth migrate up; or, to give it up: plinth migrate dev --undo",
  };
}

function findingOf(report: MigrationReport): readonly MigrationFinding[] {
  const object = report.fileName;
  const progress =
    report.rowsDone === undefined
      ? `${report.statementsApplied} of ${report.statementsTotal} statements`
      : `${report.rowsDone} rows`;
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
