// Opening a database
export {
  type CreateDatabaseOptions,
  createDatabase,
  type Database,
  type DatabaseWarning,
  type SchemaModule,
  type Transaction,
} from "./database.ts";
export type { IsolationLevel, TransactionOptions } from "./transaction/index.ts";
export type { Check, Health } from "./health/index.ts";
export type { Actor } from "./schema/index.ts";

// Configuration
export { type Config, type DatabaseOptions, defineConfig, type PoolSettings } from "./config/index.ts";

// Repositories and their calls
export {
  type Addition,
  type BatchResults,
  type KeysetPage,
  type Operators,
  type Page,
  Query,
  type QuerySql,
  type ReadRow,
  type Repository,
  type SortKey,
  type Where,
  type With,
} from "./repository/index.ts";

// Seeds: declaring and running them
export {
  defineSeed,
  type RanSeed,
  type RunSeedsOptions,
  runSeeds,
  type Seed,
  type SeedProgress,
} from "./seeds/index.ts";

// The pool, for diagnostics
export type { Pool, PoolStats } from "./pool/index.ts";

// Errors and what to ask of them
export {
  CommitOutcomeUnknownError,
  ConfigError,
  ConnectionError,
  ConstraintError,
  EmbeddedError,
  ERROR_CODES,
  type ErrorCode,
  type HolderReport,
  InputError,
  type InputIssue,
  isConnectionError,
  isForeignKeyViolation,
  isNotFound,
  isPlinthError,
  isRestrictViolation,
  isRetryable,
  isUniqueViolation,
  MigrationError,
  NotFoundError,
  PlinthError,
  PoolError,
  RequestError,
  SafetyError,
  SchemaError,
  SeedError,
  StatementError,
  TransactionError,
} from "./errors/index.ts";
