import type { ErrorCode } from "./codes.ts";
import { hide, PlinthError, type PlinthErrorOptions } from "./plinth-error.ts";

// ---- Configuration ------------------------------------------------------------------------------------

/** An option, environment variable or config file is wrong. `path` names it. */
export class ConfigError extends PlinthError {
  readonly path: string | undefined;
  constructor(message: string, options: PlinthErrorOptions & { readonly path?: string } = {}) {
    super("CONFIG_INVALID", message, options);
    this.path = options.path;
  }
}

/** A declared schema cannot work: a soft-deleting parent under a hard child, an unknown column, and the like. */
export class SchemaError extends PlinthError {
  constructor(message: string, options: PlinthErrorOptions = {}) {
    super("SCHEMA_INVALID", message, options);
  }
}

// ---- Connections and the pool -------------------------------------------------------------------------

/** The server could not be reached, refused us, or went away. */
export class ConnectionError extends PlinthError {
  constructor(
    code: Extract<
      ErrorCode,
      | "CONNECTION_FAILED"
      | "CONNECTION_LOST"
      | "AUTHENTICATION_FAILED"
      | "DATABASE_MISSING"
      | "SCHEMA_MISSING"
      | "ROLE_UNSAFE"
      | "SERVER_UNAVAILABLE"
      | "TOO_MANY_CONNECTIONS"
      | "POOLER_ERROR"
    >,
    message: string,
    options: PlinthErrorOptions & { readonly sqlstate?: string | undefined } = {},
  ) {
    super(code, message, options);
    this.sqlstate = options.sqlstate;
  }
  readonly sqlstate: string | undefined;
}

/** The pool cannot give a connection, or was used against its rules. */
export class PoolError extends PlinthError {
  constructor(
    code: Extract<
      ErrorCode,
      "POOL_EXHAUSTED" | "POOL_DEADLOCK" | "POOL_CLOSED" | "POOL_MISUSE" | "POOL_BUDGET_EXCEEDED"
    >,
    message: string,
    options: PlinthErrorOptions & { readonly holders?: readonly HolderReport[] } = {},
  ) {
    super(code, message, options);
    this.holders = options.holders ?? [];
  }
  /** Who holds each connection at the moment of the error. */
  readonly holders: readonly HolderReport[];
}

/** One connection in use: since when, and from which line of the application. */
export interface HolderReport {
  readonly connectionId: number;
  /** The server's process, as in `pg_stat_activity.pid`. */
  readonly processId: number;
  readonly heldMs: number;
  /** `file:line:column` of the caller that took it, or `unknown`. */
  readonly callSite: string;
  readonly stack: string;
}

// ---- Transactions -------------------------------------------------------------------------------------

/** A transaction did not do what was asked: rolled back, aborted, timed out, used after its end. */
export class TransactionError extends PlinthError {
  constructor(
    code: Extract<
      ErrorCode,
      | "TRANSACTION_ROLLED_BACK"
      | "TRANSACTION_ABORTED"
      | "TRANSACTION_TIMEOUT"
      | "TRANSACTION_CLOSED"
      | "TRANSACTION_CONTROL"
    >,
    message: string,
    options: PlinthErrorOptions & { readonly sqlstate?: string | undefined } = {},
  ) {
    super(code, message, options);
    this.sqlstate = options.sqlstate;
  }
  readonly sqlstate: string | undefined;
}

/**
 * The reply to COMMIT was lost, so the transaction may or may not have happened. Never retried by Plinth:
 * look at the database, or make the work idempotent, before trying again.
 */
export class CommitOutcomeUnknownError extends PlinthError {
  /** PostgreSQL's number of the transaction, where it is known: what `db.outcomeOf` asks for. */
  readonly transactionId: string | undefined;
  constructor(
    message: string,
    options: PlinthErrorOptions & { readonly transactionId?: string | undefined } = {},
  ) {
    super("COMMIT_OUTCOME_UNKNOWN", message, options);
    this.transactionId = options.transactionId;
  }
}

/**
 * Others got in the way each time that the transaction was run. It is rolled back; `cause` is the last failure. Running
 * it again later may help, at once it hardly will.
 */
export class RetriesExhaustedError extends PlinthError {
  /** How often the callback ran. */
  readonly attempts: number;
  constructor(attempts: number, why: string, options: PlinthErrorOptions = {}) {
    const times = attempts === 1 ? "once" : `${attempts} times`;
    super("RETRIES_EXHAUSTED", `the transaction was run ${times} and rolled back each time: ${why}`, {
      hint: "Others change the same rows: shorten the transaction, lock the rows it starts from, or let fewer run at once.",
      ...options,
    });
    this.attempts = attempts;
  }
}

// ---- What the server refused --------------------------------------------------------------------------

/** The non-secret fields PostgreSQL sends with an error. */
export interface ServerErrorFields {
  readonly sqlstate: string;
  readonly schema?: string | undefined;
  readonly table?: string | undefined;
  readonly columns?: readonly string[] | undefined;
  readonly constraint?: string | undefined;
  /** 1-based character offset into the statement. */
  readonly position?: number | undefined;
  /** 1-based line of the input of a copy. */
  readonly line?: number | undefined;
}

/** What holds values, and is therefore kept off every log: readable by name only. */
export interface ServerErrorSecrets {
  readonly serverMessage?: string | undefined;
  readonly detail?: string | undefined;
  readonly where?: string | undefined;
}

/** PostgreSQL refused a statement. `sqlstate` is its code, `code` is ours. */
export class StatementError extends PlinthError {
  readonly sqlstate: string;
  readonly schema: string | undefined;
  readonly table: string | undefined;
  readonly columns: readonly string[];
  readonly constraint: string | undefined;
  readonly position: number | undefined;
  /** Which line (1-based; of rows, which row) of a copy's input it is about. */
  readonly line: number | undefined;
  /** What the server said, in its own language. May quote values: not enumerable, not in `message`. */
  declare readonly serverMessage: string | undefined;
  /** PostgreSQL's `DETAIL`, which quotes row values: not enumerable, not in `message`. */
  declare readonly detail: string | undefined;
  /** PostgreSQL's `CONTEXT`: not enumerable, as it may quote a statement of a function. */
  declare readonly where: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    fields: ServerErrorFields,
    options: PlinthErrorOptions & { readonly secrets?: ServerErrorSecrets } = {},
  ) {
    super(code, message, options);
    this.sqlstate = fields.sqlstate;
    this.schema = fields.schema;
    this.table = fields.table;
    this.columns = fields.columns ?? [];
    this.constraint = fields.constraint;
    this.position = fields.position;
    this.line = fields.line;
    hide(this, "serverMessage", options.secrets?.serverMessage);
    hide(this, "detail", options.secrets?.detail);
    hide(this, "where", options.secrets?.where);
  }
}

/** A moment was asked for of which a table's history knows nothing: before it began, or before what was pruned. */
export class HistoryUnknownError extends StatementError {
  /**
   * The first moment that the past of `table` is known of, as text to the microsecond, which `asOf` takes; undefined where
   * nothing says when the history began.
   */
  readonly knownSince: string | undefined;

  constructor(
    message: string,
    fields: ServerErrorFields,
    options: PlinthErrorOptions & {
      readonly secrets?: ServerErrorSecrets;
      readonly since?: string | undefined;
    } = {},
  ) {
    super("HISTORY_UNKNOWN", message, fields, options);
    this.knownSince = options.since;
  }
}

/** A unique, foreign-key, not-null, check or exclusion constraint said no. */
export class ConstraintError extends StatementError {}

// ---- Repository calls ---------------------------------------------------------------------------------

/** `get` found no living row. `entity` is the table's name; the key is not repeated. */
export class NotFoundError extends PlinthError {
  readonly entity: string;
  constructor(entity: string, options: PlinthErrorOptions = {}) {
    super("NOT_FOUND", `no ${entity} row with that key`, options);
    this.entity = entity;
  }
}

/** `update` met the row, and it is not as the call's `where` says. Nothing was changed. */
export class ConditionError extends PlinthError {
  readonly entity: string;
  constructor(entity: string, options: PlinthErrorOptions = {}) {
    super("CONDITION_FAILED", `the ${entity} row with that key is not as "where" says`, options);
    this.entity = entity;
  }
}

/** `update` met the row, and somebody has changed it since the version that `ifVersion` names. Nothing was changed. */
export class VersionConflictError extends PlinthError {
  readonly entity: string;
  constructor(entity: string, options: PlinthErrorOptions = {}) {
    super(
      "VERSION_CONFLICT",
      `the ${entity} row with that key has changed since the version that was given`,
      {
        hint: "Read it again, and decide anew what to write.",
        ...options,
      },
    );
    this.entity = entity;
  }
}

/** A call is about rows of tenants, and on no tenant's behalf. Nothing was sent. `entity` is the table's name. */
export class TenantError extends PlinthError {
  readonly entity: string;
  constructor(entity: string, options: PlinthErrorOptions = {}) {
    super("TENANT_REQUIRED", `rows of "${entity}" belong to tenants, and this call is on behalf of none`, {
      hint: "Run it inside db.as({ tenantId }, …).",
      ...options,
    });
    this.entity = entity;
  }
}

/** One thing wrong with a caller's input. `path` is dotted, as in `where.priority`. */
export interface InputIssue {
  readonly path: string;
  readonly message: string;
}

/** A repository call was given a value, column, sort or cursor it cannot use. Nothing was sent. */
export class InputError extends PlinthError {
  readonly issues: readonly InputIssue[];
  constructor(
    code: Extract<ErrorCode, "INVALID_VALUE" | "INVALID_QUERY" | "INVALID_CURSOR">,
    issues: readonly InputIssue[],
    options: PlinthErrorOptions = {},
  ) {
    super(
      code,
      issues.map((issue) => (issue.path ? `${issue.path}: ${issue.message}` : issue.message)).join("; "),
      options,
    );
    this.issues = issues;
  }
}

// ---- HTTP requests ------------------------------------------------------------------------------------

/** A request cannot be read: its message, unlike that of other errors, is written for the client. */
export class RequestError extends PlinthError {
  constructor(
    code: Extract<
      ErrorCode,
      "MALFORMED_REQUEST" | "METHOD_NOT_ALLOWED" | "BODY_TOO_LARGE" | "UNSUPPORTED_MEDIA_TYPE"
    >,
    message: string,
    options: PlinthErrorOptions = {},
  ) {
    super(code, message, options);
  }
}

// ---- Operator tools -----------------------------------------------------------------------------------

/** The embedded server is missing its binaries or will not start. */
export class EmbeddedError extends PlinthError {
  constructor(
    code: Extract<ErrorCode, "EMBEDDED_MISSING" | "EMBEDDED_FAILED">,
    message: string,
    options: PlinthErrorOptions = {},
  ) {
    super(code, message, options);
  }
}

/** A migration or its folder is wrong, or a statement of it failed. `file` and `line` say where. */
export class MigrationError extends PlinthError {
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly sqlstate: string | undefined;
  constructor(
    code: Extract<ErrorCode, `MIGRATION_${string}`>,
    message: string,
    options: PlinthErrorOptions & {
      readonly file?: string | undefined;
      readonly line?: number | undefined;
      readonly sqlstate?: string | undefined;
    } = {},
  ) {
    super(code, message, options);
    this.file = options.file;
    this.line = options.line;
    this.sqlstate = options.sqlstate;
  }
}

/** A seed failed; everything it wrote was rolled back. */
export class SeedError extends PlinthError {
  readonly seed: string;
  constructor(seed: string, message: string, options: PlinthErrorOptions = {}) {
    super("SEED_FAILED", message, options);
    this.seed = seed;
  }
}

/** A command refused to write where it could do harm. The message names the flag that allows it. */
export class SafetyError extends PlinthError {
  constructor(message: string, options: PlinthErrorOptions = {}) {
    super("SAFETY_REFUSED", message, options);
  }
}
