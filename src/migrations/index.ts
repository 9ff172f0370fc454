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

// The folder and its files
export { readMigrations } from "./folder.ts";
export { type MigrationFile, parseFileName, parseMigrationFile, type Section } from "./migration-file.ts";
export { createMigrationFile } from "./make-file.ts";

// The ledger
export { LEDGER_TABLE } from "./queries.ts";
