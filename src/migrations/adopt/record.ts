import { type Catalog, compareCatalogs } from "../../catalog/index.ts";
import type { Connection } from "../../driver/index.ts";
import { MigrationError } from "../../errors/index.ts";
import { readLedger } from "../ledger.ts";
import type { MigrationFile } from "../migration-file.ts";
import type { ProgressListener } from "../progress.ts";
import { createLedger } from "../queries.ts";
import { withRunnerLock } from "../runner-lock.ts";
import { createMissing, findMissing } from "../runner-session.ts";
import { ledgerText, planTask } from "../task.ts";

/** Where and how a baseline is recorded. */
export interface RecordGround {
  readonly connection: Connection;
  readonly schemaName: string;
  readonly runnerWaitMs: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ProgressListener | undefined;
}

/** The ledger's rows of migrations that count as applied, as SQL. */
export async function ledgerRows(
  schemaName: string,
  files: readonly MigrationFile[],
): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const file of files) {
    const task = await planTask(file, "up", undefined, false);
    texts.push(ledgerText(schemaName, task, task.statements.length));
  }
  return texts;
}

/** What would be sent, in order, ready to be read. */
export async function renderRecord(
  connection: Connection,
  schemaName: string,
  statements: readonly string[],
): Promise<string> {
  const missing = await findMissing(connection, schemaName);
  const ledger = missing.ledger ? [createLedger(schemaName)] : [];
  return `${[...ledger, "begin", ...statements, "commit"].map((statement) => `${statement};`).join("\n\n")}\n`;
}

/**
 * Writes to the ledger under the runners' lock, all or nothing, if the ledger and the schema are still what was looked at.
 *
 * @throws {MIGRATION_CHANGED} when either changed meanwhile; nothing is recorded.
 * @throws {MIGRATION_LOCKED} when another runner does not finish.
 */
export async function record(
  ground: RecordGround,
  statements: readonly string[],
  seen: { readonly ledgerRows: number; readonly live: Catalog; readonly readLive: () => Promise<Catalog> },
): Promise<void> {
  const { connection, schemaName, runnerWaitMs: waitMs, signal, onProgress } = ground;
  const wait = {
    waitMs,
    signal,
    onWait: (holder: Parameters<Parameters<typeof withRunnerLock>[2]["onWait"]>[0], waitedMs: number) =>
      onProgress?.({ kind: "waiting", holder, waitedMs }),
  };
  await withRunnerLock(connection, schemaName, wait, async () => {
    if ((await readLedger(connection, schemaName)).length !== seen.ledgerRows)
      throw changedMeanwhile("ledger");
    await createMissing(connection, schemaName);
    await connection.script("begin");
    try {
      if (compareCatalogs(seen.live, await seen.readLive()).length > 0) throw changedMeanwhile("schema");
      for (const statement of statements) await connection.script(statement);
      await connection.script("commit");
    } catch (error) {
      if (connection.isOpen) await connection.script("rollback");
      throw error;
    }
  });
}

function changedMeanwhile(what: "ledger" | "schema"): MigrationError {
  return new MigrationError("MIGRATION_CHANGED", `somebody changed the ${what} while it was compared`, {
    hint: "Nothing was recorded. Run the command again once nobody else works on the schema.",
  });
}
