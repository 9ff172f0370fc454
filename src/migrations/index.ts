// The migrator
export {
  createMigrator,
  type MigrationRun,
  type Migrator,
  type MigratorOptions,
  type RanMigration,
  type RunOptions,
} from "./migrator.ts";

// What it tells
export type { MigrationProgress, ProgressListener } from "./progress.ts";
export type { MigrationFinding, MigrationReport, MigrationState, MigrationStatus } from "./status.ts";
export { describeHolder, type LockHolder } from "./runner-lock.ts";
export { describeBlocker, type LockBlocker } from "./lock-watch.ts";

// The folder and its files
export { readMigrations } from "./folder.ts";
export { type MigrationFile, parseFileName, parseMigrationFile, type Section } from "./migration-file.ts";
export { createDataMigrationFile, createMigrationFile } from "./make-file.ts";

// Other tools' folders
export { type MigrationFolderOptions, readMigrationFolder } from "./formats/migration-folder.ts";
export type { FolderContent, FolderFinding, FolderFormat, MigrationFolder } from "./formats/model.ts";

// A developer's database
export { createDevelopment } from "./dev/create-development.ts";
export type {
  Development,
  DevelopmentOptions,
  DevelopmentRun,
  DevelopmentRunOptions,
} from "./dev/development.ts";

// Data migrations, in TypeScript
export {
  BATCH_SIZE_DEFAULT,
  type Batch,
  type BatchResult,
  type BatchWork,
  type Cursor,
  type DataMigration,
  type DataMigrationOptions,
  dataMigration,
  PAUSE_MS_DEFAULT,
} from "./data/data-migration.ts";
export { type BatchedRows, deleteBatches, type UpdatedRows, updateBatches } from "./data/update-batches.ts";

// Proof
export { PROOF_ROWS_DEFAULT, type ProveOptions, proveMigrations } from "./prove/prove.ts";
export type {
  ProofFinding,
  ProofKind,
  ProofReport,
  ProofRule,
  ProvenMigration,
} from "./prove/report.ts";
export { type ProveRows, type ProveRowsContext, readProveRows } from "./prove/supply.ts";

// Squash
export { type SquashedMigrations, type SquashOptions, squashMigrations } from "./squash/squash.ts";
export type { SquashFinding } from "./squash/findings.ts";

// Rows that fit
export {
  type FilledTable,
  type FilledTables,
  type FillOptions,
  fillTables,
  type RowSupplier,
  type UnfilledTable,
} from "./rows/fill-tables.ts";

// Taking a database over
export { type AdoptFinding, type Adoption, type AdoptOptions, adoptMigrations } from "./adopt/adopt.ts";
export { ADOPTABLE_TOOLS, type AdoptableTool, type AppliedMigration, type TablePlace } from "./adopt/tool.ts";
export { OTHER_TOOLS_TABLES } from "./adopt/find-table.ts";
export { type BaselineOptions, type BaselineRun, recordBaseline } from "./adopt/baseline.ts";
export { type BaselineScope, baselineScopeOf } from "./adopt/baseline-file.ts";
export type { BaselineFinding } from "./adopt/verify.ts";

// The ledger
export { LEDGER_TABLE } from "./queries.ts";

// Writing a migration from the schema
export {
  type GeneratedMigration,
  type GenerateFinding,
  type GenerateOptions,
  generateMigration,
} from "./generate/generate.ts";
export { parseRename } from "./generate/rename.ts";

// Drift, and the whole schema as one file
export { type DriftFinding, type DriftOptions, type DriftReport, findDrift } from "./drift/find-drift.ts";
export { type DumpOptions, dumpSchema } from "./dump/dump-schema.ts";
export { defaultDumpFile, staleLine, writeDump } from "./dump/dump-file.ts";
export { renderDump } from "./dump/render-dump.ts";

// What statements lock, rewrite and scan
export { type LintOptions, lintMigrations } from "./lint/lint.ts";
export type {
  LintFinding,
  LintReport,
  LintStatement,
  LockMode,
  StatementEffects,
  StatementLock,
} from "./lint/model.ts";
