// Opening a database
export {
  type CreateDatabaseOptions,
  createDatabase,
  type Database,
  type DatabaseWarning,
  type SchemaModule,
  type SqlTag,
  type Transaction,
} from "./database.ts";
export type {
  Hook,
  IsolationLevel,
  LockedWork,
  LockOptions,
  RetryOptions,
  TransactionOptions,
  TransactionOutcome,
} from "./transaction/index.ts";
export type { Check, Diagnosis, Health, OpenTransaction } from "./health/index.ts";
export type { Actor } from "./sql/index.ts";
export type { RowSchema } from "./statement/index.ts";

// Configuration
export { type Config, type DatabaseOptions, defineConfig, type PoolSettings } from "./config/index.ts";

// Who may do what in the database
export {
  type CheckRolesOptions,
  checkRoles,
  type RoleFinding,
  type RoleNameOptions,
  type RoleNames,
  type RolePassword,
  type RoleRule,
  roleNames,
  type SyncRolesOptions,
  type SyncRolesResult,
  syncRoles,
} from "./roles/index.ts";

// Repositories and their calls
export {
  type Addition,
  add,
  append,
  type BatchResults,
  type Change,
  type Computed,
  type ComputedTag,
  type ComputeMap,
  computed,
  type ByteSource,
  type Copied,
  type CopyBytesInOptions,
  type CopyBytesOutOptions,
  type CopyInOptions,
  type CopyOutOptions,
  type CopyProgress,
  type CopyRowsProgress,
  condition,
  type GraphInput,
  type GraphRow,
  given,
  type ExplainOptions,
  type Explanation,
  type EstimatedPage,
  type KeysetPage,
  type Locking,
  type ManyFilter,
  merge,
  multiply,
  now,
  type Operators,
  type Page,
  type Patch,
  type PastRepository,
  type PlanNode,
  Query,
  type QuerySql,
  type ReadRow,
  type HighlightOptions,
  type HistoryActor,
  type HistoryChange,
  type HistoryOperation,
  type HistoryOptions,
  type HistoryPage,
  type HistoryRepository,
  type HistoryRow,
  type Repository,
  type Returning,
  type RowVersion,
  remove,
  type SearchHit,
  type SearchOptions,
  type SearchPage,
  type Sort,
  type SortKey,
  type SqlCondition,
  type StatementPlan,
  type StreamOptions,
  subtract,
  toggle,
  type UncountedPage,
  type UpsertPatch,
  type Where,
  type With,
} from "./repository/index.ts";

// Looking after histories: partitions by month, and what is too old
export {
  type HistoryPreparation,
  type HistoryPruning,
  type HistoryUpkeep,
  type PrepareHistoryOptions,
  type PruneHistoryOptions,
  prepareHistory,
  pruneHistory,
} from "./history/index.ts";

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
  ConditionError,
  ConfigError,
  ConnectionError,
  ConstraintError,
  EmbeddedError,
  HistoryUnknownError,
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
  RetriesExhaustedError,
  SafetyError,
  SchemaError,
  SeedError,
  StatementError,
  TenantError,
  TransactionError,
  VersionConflictError,
} from "./errors/index.ts";
