// The registry of codes
export { ERROR_CODES, type ErrorCode } from "./codes.ts";

// The base class, and what keeps values out of logs
export { hide, PlinthError, type PlinthErrorOptions } from "./plinth-error.ts";

// One class per question a caller asks
export {
  CommitOutcomeUnknownError,
  ConfigError,
  ConnectionError,
  ConstraintError,
  EmbeddedError,
  HistoryUnknownError,
  type HolderReport,
  InputError,
  type InputIssue,
  MigrationError,
  ConditionError,
  NotFoundError,
  PoolError,
  RequestError,
  RetriesExhaustedError,
  SafetyError,
  SchemaError,
  SeedError,
  type ServerErrorFields,
  StatementError,
  TenantError,
  TransactionError,
  VersionConflictError,
} from "./classes.ts";

// Predicates to branch on
export {
  isConnectionError,
  isForeignKeyViolation,
  isNotFound,
  isPlinthError,
  isRestrictViolation,
  isRetryable,
  isUniqueViolation,
} from "./predicates.ts";

// From the wire to a class
export { type CallContext, errorFromServer, type ServerReport } from "./sqlstate.ts";

// Messages that teach
export { nearestName, unknownName } from "./suggest.ts";

// Who called
export { CallSite } from "./call-site.ts";
