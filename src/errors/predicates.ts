import { ConstraintError } from "./classes.ts";
import { PlinthError } from "./plinth-error.ts";

/** True for anything Plinth threw, whichever copy of the package threw it. */
export function isPlinthError(error: unknown): error is PlinthError {
  return error instanceof PlinthError;
}

/** True when a unique constraint or index refused the row; `error.columns` names its columns. */
export function isUniqueViolation(error: unknown): error is ConstraintError {
  return error instanceof ConstraintError && error.code === "UNIQUE_VIOLATION";
}

/** True when a foreign key refused the row: its parent is absent (or dead, where it is soft-deleted). */
export function isForeignKeyViolation(error: unknown): error is ConstraintError {
  return error instanceof ConstraintError && error.code === "FOREIGN_KEY_VIOLATION";
}

/** True when living children refuse the deletion of their parent. */
export function isRestrictViolation(error: unknown): error is ConstraintError {
  return error instanceof ConstraintError && error.code === "RESTRICT_VIOLATION";
}

/** True when `get` found nothing. */
export function isNotFound(error: unknown): error is PlinthError {
  return error instanceof PlinthError && error.code === "NOT_FOUND";
}

/** The connection is gone or was never there; the server may be back in a moment. */
export function isConnectionError(error: unknown): error is PlinthError {
  return (
    error instanceof PlinthError &&
    (error.code === "CONNECTION_FAILED" ||
      error.code === "CONNECTION_LOST" ||
      error.code === "SERVER_UNAVAILABLE" ||
      error.code === "TOO_MANY_CONNECTIONS" ||
      error.code === "POOLER_ERROR")
  );
}

/**
 * True when running the *whole transaction* again is both safe and likely to help: it was certainly rolled
 * back, and the cause was another transaction. False for a lost COMMIT reply, whose outcome is unknown.
 */
export function isRetryable(error: unknown): boolean {
  return (
    error instanceof PlinthError && (error.code === "SERIALIZATION_FAILURE" || error.code === "DEADLOCK")
  );
}
