// The migrator

export { readMigrations } from "./folder.ts";
// The folder
export { createMigrationFile } from "./make-file.ts";
export { type MigrationFile, parseFileName, parseMigrationFile, type Section } from "./migration-file.ts";
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
export { LEDGER_TABLE } from "./queries.ts";
export { describeHolder, type LockHolder } from "./runner-lock.ts";
export type { MigrationFinding, MigrationReport, MigrationState, MigrationStatus } from "./status.ts";
