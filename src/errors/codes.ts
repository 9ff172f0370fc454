/**
 * Every code a `PlinthError` can carry. Users branch on these, so a code is never renamed and a retired one
 * is never reused. `docs/reference/errors.md` has a row for each; a contract test holds the two together.
 */
export const ERROR_CODES = [
  // Configuration and boot
  "CONFIG_INVALID",
  "SCHEMA_INVALID",
  "POOL_BUDGET_EXCEEDED",
  // Connecting and staying connected
  "CONNECTION_FAILED",
  "CONNECTION_LOST",
  "AUTHENTICATION_FAILED",
  "DATABASE_MISSING",
  "SCHEMA_MISSING",
  "ROLE_UNSAFE",
  "SERVER_UNAVAILABLE",
  "TOO_MANY_CONNECTIONS",
  "POOLER_ERROR",
  // Pool
  "POOL_EXHAUSTED",
  "POOL_DEADLOCK",
  "POOL_CLOSED",
  "POOL_MISUSE",
  // Time and cancellation
  "QUERY_CANCELED",
  "STATEMENT_TIMEOUT",
  "LOCK_TIMEOUT",
  // Transactions
  "SERIALIZATION_FAILURE",
  "DEADLOCK",
  "TRANSACTION_ROLLED_BACK",
  "TRANSACTION_ABORTED",
  "TRANSACTION_TIMEOUT",
  "TRANSACTION_CLOSED",
  "TRANSACTION_CONTROL",
  "COMMIT_OUTCOME_UNKNOWN",
  "RETRIES_EXHAUSTED",
  "READ_ONLY",
  // Constraints
  "UNIQUE_VIOLATION",
  "FOREIGN_KEY_VIOLATION",
  "RESTRICT_VIOLATION",
  "NOT_NULL_VIOLATION",
  "CHECK_VIOLATION",
  "EXCLUSION_VIOLATION",
  // What the server refuses
  "INVALID_DATA",
  "PERMISSION_DENIED",
  "ROW_SECURITY_VIOLATION",
  "STATEMENT_INVALID",
  "NOT_SUPPORTED",
  "STALE_STATEMENT",
  "OBJECT_STATE",
  "RESOURCE_EXHAUSTED",
  "RAISED",
  "HISTORY_UNKNOWN",
  "SERVER_ERROR",
  // Repository calls
  "NOT_FOUND",
  "CONDITION_FAILED",
  "VERSION_CONFLICT",
  "TENANT_REQUIRED",
  "INVALID_VALUE",
  "INVALID_QUERY",
  "INVALID_CURSOR",
  // HTTP requests
  "MALFORMED_REQUEST",
  "METHOD_NOT_ALLOWED",
  "BODY_TOO_LARGE",
  "UNSUPPORTED_MEDIA_TYPE",
  // Embedded server
  "EMBEDDED_MISSING",
  "EMBEDDED_FAILED",
  // Migrations and seeds
  "MIGRATION_INVALID",
  "MIGRATION_CHANGED",
  "MIGRATION_MISSING",
  "MIGRATION_OUT_OF_ORDER",
  "MIGRATION_FAILED",
  "MIGRATION_IRREVERSIBLE",
  "MIGRATION_LOCKED",
  "SEED_FAILED",
  "SAFETY_REFUSED",
] as const;

/** A stable, documented identity of what went wrong. */
export type ErrorCode = (typeof ERROR_CODES)[number];
