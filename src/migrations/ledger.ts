import type { Cell, Connection } from "../driver/index.ts";
import { selectAllDataProgress } from "./data/queries.ts";
import type { MigrationFile } from "./migration-file.ts";
import { ledgerColumns, selectLedger } from "./queries.ts";
import { sqlstateOf } from "./sqlstate.ts";

/**
 * What the ledger says about one migration. It is applied when `direction` is `up` and `statementsApplied`
 * equals `statementsTotal`. Anything else is a run that was interrupted: part of `up` is done, or part of
 * `down`.
 */
export interface LedgerRow {
  readonly version: string;
  readonly name: string;
  readonly checksum: string;
  readonly direction: "up" | "down";
  readonly statementsTotal: number;
  readonly statementsApplied: number;
  /** Checksum over the statements that are done: these must not change, the rest of an unfinished file may. */
  readonly appliedChecksum: string;
  /** The statement outside a transaction that had begun and was not yet recorded, from 1. */
  readonly inFlight: number | undefined;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly appliedAt: string | undefined;
  /** From the first start to the end, on the server's clock. */
  readonly durationMs: number | undefined;
  readonly appliedBy: string;
}

/** True when every statement of `up` is done and nothing of it was undone. */
export function isApplied(row: LedgerRow): boolean {
  return row.direction === "up" && row.statementsApplied === row.statementsTotal;
}

/** What the ledger calls a file: a data migration keeps its ending, so that it cannot turn into SQL unnoticed. */
export function ledgerName({ name, modulePath }: Pick<MigrationFile, "name" | "modulePath">): string {
  return modulePath === undefined ? name : `${name}.ts`;
}

/** The file a row was applied from. */
export function fileNameOf({ version, name }: LedgerRow): string {
  return name.endsWith(".ts") ? `${version}_${name}` : `${version}_${name}.sql`;
}

const UNDEFINED_TABLE = "42P01";

/** Reads the ledger: one round trip. An absent ledger is an empty one. */
export async function readLedger(connection: Connection, schemaName: string): Promise<readonly LedgerRow[]> {
  try {
    const { rows } = await connection.query({ text: selectLedger(schemaName), values: [] });
    return rows.map(rowOf);
  } catch (error) {
    // Also what the server says of a schema that does not exist.
    if (sqlstateOf(error) === UNDEFINED_TABLE) return [];
    throw error;
  }
}

/** Rows that data migrations under way have changed, by version. The table is there: one of them has begun. */
export async function readRowsDone(
  connection: Connection,
  schemaName: string,
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await connection.query({ text: selectAllDataProgress(schemaName), values: [] });
  return new Map(rows.map(([version, done]) => [version ?? "", Number(done)]));
}

function rowOf(cells: readonly Cell[]): LedgerRow {
  const cell = (name: (typeof ledgerColumns)[number]): Cell => cells[ledgerColumns.indexOf(name)] ?? null;
  const text = (name: (typeof ledgerColumns)[number]): string => cell(name) ?? "";
  const optionalNumber = (value: Cell): number | undefined => (value === null ? undefined : Number(value));
  return {
    version: text("version"),
    name: text("name"),
    checksum: text("checksum"),
    direction: text("direction") === "down" ? "down" : "up",
    statementsTotal: Number(text("statements_total")),
    statementsApplied: Number(text("statements_applied")),
    appliedChecksum: text("applied_checksum"),
    inFlight: optionalNumber(cell("in_flight")),
    startedAt: text("started_at"),
    appliedAt: cell("applied_at") ?? undefined,
    durationMs: optionalNumber(cell("duration_ms")),
    appliedBy: text("applied_by"),
  };
}
