import { resolve } from "node:path";
import { planDifference } from "../../catalog/index.ts";
import { MIGRATION_SETTINGS_DEFAULT } from "../../config/index.ts";
import type { Connection, ConnectionTarget } from "../../driver/index.ts";
import { MigrationError } from "../../errors/index.ts";
import type { Shadow, ShadowDatabase } from "../../shadow/index.ts";
import { readMigrationsIfAny } from "../folder.ts";
import { readContent } from "../formats/content.ts";
import type { TwoWayPlan } from "../generate/render-migration.ts";
import { type LedgerRow, readLedger } from "../ledger.ts";
import { nextFileName, writeMigrationFile } from "../make-file.ts";
import { type MigrationFile, parseMigrationFile } from "../migration-file.ts";
import type { ProgressListener } from "../progress.ts";
import { LEDGER_TABLE } from "../queries.ts";
import { buildFromStatements, replayFile } from "../replay.ts";
import { withRunnerSession } from "../runner-session.ts";
import { type BaselineOrigin, baselineScopeOf, ledgerNote, renderBaseline } from "./baseline-file.ts";
import { findToolTable, TOOL_READERS } from "./find-table.ts";
import { leaveOut } from "./leave-out.ts";
import { commentOnLedger } from "./queries.ts";
import { ledgerRows, record, renderRecord } from "./record.ts";
import { emptyHistory, pendingMigrations } from "./refusals.ts";
import type { AdoptableTool, AppliedMigration, TablePlace, ToolHistory, ToolTable } from "./tool.ts";
import {
  type BaselineFinding,
  type CatalogScope,
  downFindingsBetween,
  findingsBetween,
  isProven,
  readScope,
  readShadow,
} from "./verify.ts";

/** What is adopted, and into which project. */
export interface AdoptOptions {
  readonly from: AdoptableTool;
  /** Absolute path of the tool's folder. Without it what is pending there cannot be seen. */
  readonly toolFolder?: string | undefined;
  /** The tool's table, `name` or `schema.name`. @default what the tool calls it, in whichever schema it is */
  readonly table?: string | undefined;
  /** The server itself, not a pooler. */
  readonly target: ConnectionTarget;
  /** The schema whose tables are adopted, and in which Plinth keeps its ledger: mostly `public`. */
  readonly schemaName: string;
  /** Takes every schema of the database into the baseline. @default false */
  readonly allSchemas?: boolean | undefined;
  /** Absolute path of Plinth's folder: missing, empty, or with the baseline another database was adopted by. */
  readonly folder: string;
  /** Where the baseline is proven. Of the database's major version, or texts may differ that mean the same. */
  readonly shadow: Shadow;
  /** Writes nothing, neither the file nor the ledger. @default false */
  readonly dryRun?: boolean | undefined;
  /** The longest wait for another runner. @default 300_000 */
  readonly runnerWaitMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** What adopting did. */
export interface Adoption {
  /**
   * `adopted`: recorded, or in a dry run to be. `already`: Plinth's ledger is in use; nothing was looked at.
   * `differs`: the baseline does not make what the database is, as the findings say; nothing was written.
   */
  readonly outcome: "adopted" | "already" | "differs";
  /** What the tool had applied, oldest first. */
  readonly applied: readonly AppliedMigration[];
  /** Tables of the tool, left as they are. */
  readonly leftAlone: readonly TablePlace[];
  readonly fileName: string | undefined;
  /** Absolute path of the baseline when it was written now; undefined when it was there, and in a dry run. */
  readonly file: string | undefined;
  /** The baseline; empty when it was there. */
  readonly text: string;
  /** In a dry run, what would have been sent to the database. */
  readonly sql: string | undefined;
  readonly findings: readonly (BaselineFinding | AdoptFinding)[];
}

/** Something about the tool's folder that does not stop the adoption. */
export interface AdoptFinding {
  readonly rule: "pending-unknown" | "applied-file-missing" | "applied-file-edited";
  readonly level: "warning";
  readonly object: string;
  readonly why: string;
  readonly fix: string;
}

/**
 * Takes a database over from another migration tool: reads its table, writes what the database holds as the first
 * migration (`0001_baseline.sql`, both ways), proves on a shadow server that it makes the same again, and records it
 * as applied. The tool's tables stay as they are and are in no migration. On the next database of the same project
 * (production, after the laptop) the file is there: it is proven against that database and recorded.
 *
 * The live database is read, and written to only in Plinth's own ledger.
 *
 * @throws {MIGRATION_INVALID} when the table is not found or not the tool's, when the schema holds nothing, when
 * Plinth's folder holds other migrations.
 * @throws {SAFETY_REFUSED} when the tool's state is failed, dirty, locked, empty, or has pending migrations; and when
 * something needs one of its tables.
 * @throws {MIGRATION_FAILED} when the baseline cannot be replayed on the shadow server.
 * @throws {MIGRATION_CHANGED} {MIGRATION_LOCKED} when somebody else was at work.
 *
 * @example
 * ```ts
 * await adoptMigrations({ from: "knex", toolFolder: "/app/knex", target, schemaName: "public", folder, shadow });
 * // { outcome: "adopted", applied: [{ name: "20240101_init.js", … }], fileName: "0001_baseline.sql", … }
 * ```
 */
export async function adoptMigrations(options: AdoptOptions): Promise<Adoption> {
  const { target, schemaName, signal, from, toolFolder } = options;
  if (toolFolder !== undefined && resolve(toolFolder) === resolve(options.folder)) throw sameFolder(options);
  const files = await readMigrationsIfAny(options.folder);
  const content = toolFolder === undefined ? undefined : await readContent(toolFolder);
  return withRunnerSession(target, signal, async ({ connection }) => {
    const ledger = await readLedger(connection, schemaName);
    if (ledger.length > 0) return already(ledger);
    const table = await findToolTable(connection, from, options.table);
    const reader = TOOL_READERS[from];
    const history = await reader.read(connection, table, content);
    if (history.pending.length > 0) throw pendingMigrations(from, history.pending, reader.applyCommand);
    if (history.applied.length === 0) {
      throw emptyHistory(from, `${table.schema}.${table.name}`, reader.applyCommand);
    }
    const warnings = warningsOf(options, history);
    const baseline = await proveBaseline(options, connection, files, table, history);
    const adoption = {
      applied: history.applied,
      leftAlone: placesOf(table),
      fileName: baseline.file.fileName,
      text: baseline.text,
    };
    const findings = [...baseline.findings, ...warnings];
    if (!isProven(baseline.findings)) {
      return { ...adoption, outcome: "differs", file: undefined, sql: undefined, findings };
    }
    const written = await recordAdoption(options, connection, baseline);
    return { ...adoption, ...written, outcome: "adopted", findings };
  });
}

/** A baseline, compared with the live database. */
interface ProvenBaseline {
  readonly file: MigrationFile;
  /** Empty when the file was there. */
  readonly text: string;
  readonly origin: BaselineOrigin;
  readonly live: Awaited<ReturnType<typeof readScope>>;
  readonly readLive: () => ReturnType<typeof readScope>;
  readonly findings: readonly BaselineFinding[];
}

async function proveBaseline(
  options: AdoptOptions,
  connection: Connection,
  files: readonly MigrationFile[],
  table: ToolTable,
  { applied }: ToolHistory,
): Promise<ProvenBaseline> {
  const { schemaName, folder, shadow, from: tool } = options;
  const [there] = files;
  const known = baselineScopeOf(files.slice(0, 1));
  if (there !== undefined && known.tables.length === 0) throw folderInUse(folder, there);
  const isWholeDatabase = there === undefined ? options.allSchemas === true : known.isWholeDatabase;
  const scope: CatalogScope = { schemaName, schemas: isWholeDatabase ? "all" : undefined };
  const readLive = async () => leaveOut(await readScope(connection, scope), placesOf(table));
  const live = await readLive();
  if (live.objects.every(({ kind }) => kind === "extension" || kind === "schema"))
    throw nothingThere(schemaName, table);
  const { serverVersion } = live;
  const origin = { tool, serverVersion, tables: placesOf(table), applied, isWholeDatabase };
  const emptyDatabase = await buildFromStatements(shadow, [], schemaName);
  try {
    const empty = await readShadow(emptyDatabase, scope);
    const plan: TwoWayPlan = {
      up: planDifference(empty, live, { online: false }),
      down: planDifference(live, empty, { online: false }),
    };
    const text = there === undefined ? renderBaseline(origin, plan) : "";
    const file = there ?? parseMigrationFile(nextFileName([], "baseline"), Buffer.from(text));
    const findings = await tryOut(options, emptyDatabase, file, scope, { empty, live });
    return { file, text, origin, live, readLive, findings };
  } finally {
    await emptyDatabase.drop();
  }
}

const REMEDY = "Bring the database and the baseline together, and run adopt again.";

/** Up must make the live catalog; down, where the file has one, must take everything away again. */
function tryOut(
  { shadow, schemaName }: AdoptOptions,
  database: ShadowDatabase,
  file: MigrationFile,
  scope: CatalogScope,
  { empty, live }: Readonly<Record<"empty" | "live", ProvenBaseline["live"]>>,
): Promise<readonly BaselineFinding[]> {
  return database.use(async (connection) => {
    const ground = { shadow, connection, schemaName };
    await replayFile(ground, file, "up");
    const sides = { live, replayed: await readScope(connection, scope), scope };
    const findings = await findingsBetween(shadow, sides, REMEDY);
    if (!isProven(findings) || file.down === undefined) return findings;
    await replayFile(ground, file, "down");
    return [...findings, ...downFindingsBetween(empty, await readScope(connection, scope))];
  });
}

/** The file first: when the process dies in between, the next run finds it and records it. */
async function recordAdoption(
  options: AdoptOptions,
  connection: Connection,
  { file, text, origin, live, readLive }: ProvenBaseline,
): Promise<Pick<Adoption, "file" | "sql">> {
  const { schemaName, folder, signal, onProgress } = options;
  const statements = [
    ...(await ledgerRows(schemaName, [file])),
    commentOnLedger(schemaName, LEDGER_TABLE, ledgerNote(origin, file)),
  ];
  if (options.dryRun === true) {
    return { file: undefined, sql: await renderRecord(connection, schemaName, statements) };
  }
  const path = text === "" ? undefined : await writeMigrationFile(folder, file.fileName, text);
  const runnerWaitMs = options.runnerWaitMs ?? MIGRATION_SETTINGS_DEFAULT.runnerWaitMs;
  const ground = { connection, schemaName, runnerWaitMs, signal, onProgress };
  await record(ground, statements, { ledgerRows: 0, live, readLive });
  return { file: path, sql: undefined };
}

function placesOf(table: ToolTable): readonly TablePlace[] {
  return [table, ...table.companions].map(({ schema, name }) => ({ schema, name }));
}

function already(ledger: readonly LedgerRow[]): Adoption {
  const first = [...ledger].sort((a, b) => (BigInt(a.version) < BigInt(b.version) ? -1 : 1))[0];
  return {
    outcome: "already",
    applied: [],
    leftAlone: [],
    fileName: first === undefined ? undefined : `${first.version}_${first.name}.sql`,
    file: undefined,
    text: "",
    sql: undefined,
    findings: [],
  };
}

function warningsOf(
  { from, toolFolder }: AdoptOptions,
  { missing, edited }: ToolHistory,
): readonly AdoptFinding[] {
  const unknown: readonly AdoptFinding[] =
    toolFolder === undefined
      ? [
          {
            rule: "pending-unknown",
            level: "warning",
            object: from,
            why: "its folder was not looked at, so a migration that is not applied yet would be forgotten",
            fix: "Say --folder DIR.",
          },
        ]
      : [];
  return [
    ...unknown,
    ...missing.map(
      (object): AdoptFinding => ({
        rule: "applied-file-missing",
        level: "warning",
        object,
        why: `${from} has applied it, and its folder does not have it`,
        fix: "Nothing to do: the baseline is read from the database. Check that the folder is the right one.",
      }),
    ),
    ...edited.map(
      (object): AdoptFinding => ({
        rule: "applied-file-edited",
        level: "warning",
        object,
        why: "its file was edited after it was applied",
        fix: "Nothing to do: the baseline is read from the database, which has what was applied.",
      }),
    ),
  ];
}

function sameFolder({ from, folder }: AdoptOptions): MigrationError {
  const own =
    from === "dbmate"
      ? " (dbmate's files are in Plinth's own format: once its table schema_migrations is gone, plinth migrate baseline takes them over as they are)"
      : "";
  return new MigrationError("MIGRATION_INVALID", `${folder} is ${from}'s folder and Plinth's at once`, {
    hint: `Name another one for Plinth's: migrations.folder in plinth.config.ts${own}.`,
  });
}

function folderInUse(folder: string, file: MigrationFile): MigrationError {
  return new MigrationError("MIGRATION_INVALID", `${folder} holds a migration already, ${file.fileName}`, {
    file: file.fileName,
    hint:
      "Adopting writes the first one. If these migrations make what the database has, record them: plinth migrate " +
      "baseline. If they are the other tool's, name another folder for Plinth's: migrations.folder in plinth.config.ts.",
  });
}

function nothingThere(schemaName: string, table: ToolTable): MigrationError {
  return new MigrationError("MIGRATION_INVALID", `schema ${schemaName} holds nothing to adopt`, {
    hint:
      table.schema === schemaName
        ? "Check that DATABASE_URL names the database you mean."
        : `The tool's table is in schema ${table.schema}: if that is where the application's are, say so with DATABASE_SCHEMA=${table.schema}.`,
  });
}
