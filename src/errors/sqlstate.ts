import {
  CommitOutcomeUnknownError,
  ConnectionError,
  ConstraintError,
  type ServerErrorFields,
  StatementError,
  TransactionError,
} from "./classes.ts";
import type { ErrorCode } from "./codes.ts";
import { HISTORY_UNKNOWN_SQLSTATE, historyUnknown } from "./history-unknown.ts";
import type { PlinthError } from "./plinth-error.ts";

/** An ErrorResponse as the wire delivers it; `pg`'s DatabaseError has this shape. */
export interface ServerReport {
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  readonly severity?: string | undefined;
  readonly detail?: string | undefined;
  readonly where?: string | undefined;
  readonly schema?: string | undefined;
  readonly table?: string | undefined;
  readonly column?: string | undefined;
  readonly constraint?: string | undefined;
  readonly position?: string | undefined;
}

/** What Plinth knows about the call that the server does not say. */
export interface CallContext {
  /** Our own timer or AbortSignal asked for the cancellation: 57014 alone cannot tell (same code, other words). */
  readonly canceledByUs?: boolean;
}

type Kind = readonly [code: ErrorCode, words: string];

/** Exact codes first, then their class (the first two characters). Source: PostgreSQL's errcodes.txt, 15 to 18. */
const EXACT: Readonly<Record<string, Kind>> = {
  "40001": [
    "SERIALIZATION_FAILURE",
    "another transaction changed the same rows first; run the whole transaction again",
  ],
  "40P01": [
    "DEADLOCK",
    "two transactions waited for each other and this one was ended; run the whole transaction again",
  ],
  "40003": ["COMMIT_OUTCOME_UNKNOWN", "the server does not know whether the statement completed"],
  "08007": ["COMMIT_OUTCOME_UNKNOWN", "the server does not know whether the transaction was committed"],
  "55P03": ["LOCK_TIMEOUT", "a lock was not available in time"],
  "57014": ["QUERY_CANCELED", "the statement was canceled"],
  "57P01": ["CONNECTION_LOST", "an administrator ended the connection"],
  "57P02": ["CONNECTION_LOST", "the server crashed and is restarting"],
  "57P03": ["SERVER_UNAVAILABLE", "the server is starting up, recovering or shutting down"],
  "57P04": ["CONNECTION_LOST", "the database was dropped"],
  "57P05": ["CONNECTION_LOST", "the connection was idle for too long (idle_session_timeout)"],
  "25P02": [
    "TRANSACTION_ABORTED",
    "an earlier statement failed, so this transaction can only be rolled back",
  ],
  "25P03": [
    "TRANSACTION_TIMEOUT",
    "the transaction was idle for too long (idle_in_transaction_session_timeout)",
  ],
  "25P04": ["TRANSACTION_TIMEOUT", "the transaction took too long (transaction_timeout)"],
  "25006": ["READ_ONLY", "the transaction or the server is read-only"],
  "53300": ["TOO_MANY_CONNECTIONS", "the server has no connection left"],
  "28000": ["AUTHENTICATION_FAILED", "the server refused the role"],
  // PostgreSQL does not tell an unknown role from a wrong password, so that nobody can find out which roles exist.
  "28P01": ["AUTHENTICATION_FAILED", "the server refused the user or its password"],
  "3D000": ["DATABASE_MISSING", "the database does not exist"],
  "3F000": ["SCHEMA_MISSING", "the schema does not exist"],
  "23505": ["UNIQUE_VIOLATION", "a row with the same key already exists"],
  "23503": ["FOREIGN_KEY_VIOLATION", "the row it refers to does not exist, or rows still refer to it"],
  "23001": ["RESTRICT_VIOLATION", "rows still refer to it"],
  "23502": ["NOT_NULL_VIOLATION", "a required column has no value"],
  "23514": ["CHECK_VIOLATION", "a check constraint refused the row"],
  "23P01": ["EXCLUSION_VIOLATION", "an exclusion constraint refused the row"],
  "44000": ["CHECK_VIOLATION", "the view's check option refused the row"],
  "42501": ["PERMISSION_DENIED", "the role may not do this"],
  "0A000": ["NOT_SUPPORTED", "PostgreSQL does not support this"],
  "26000": ["STALE_STATEMENT", "the prepared statement is gone"],
  "42P05": ["STALE_STATEMENT", "the prepared statement already exists"],
  [HISTORY_UNKNOWN_SQLSTATE]: ["HISTORY_UNKNOWN", "that moment of the past is not known"],
  P0001: ["RAISED", "a function in the database raised an exception (see error.serverMessage)"],
};

const BY_CLASS: Readonly<Record<string, Kind>> = {
  "08": ["CONNECTION_LOST", "the connection broke"],
  "0A": ["NOT_SUPPORTED", "PostgreSQL does not support this"],
  "21": ["STATEMENT_INVALID", "the statement returned or touched more rows than allowed"],
  "22": ["INVALID_DATA", "a value cannot be stored in, or read as, the column's type"],
  "23": ["CHECK_VIOLATION", "a constraint refused the row"],
  "20": ["STATEMENT_INVALID", "a case statement met a value it has no branch for"],
  "24": ["STATEMENT_INVALID", "the cursor is not in the state the statement needs"],
  "25": ["STATEMENT_INVALID", "the statement cannot run in this state of the transaction"],
  "27": ["STATEMENT_INVALID", "a trigger changed the row that the statement was changing"],
  "28": ["AUTHENTICATION_FAILED", "the server refused the role"],
  "2B": ["STATEMENT_INVALID", "other objects depend on it"],
  "2D": ["STATEMENT_INVALID", "the transaction cannot end here"],
  "2F": ["STATEMENT_INVALID", "a function did what it may not do"],
  "34": ["STATEMENT_INVALID", "there is no such cursor"],
  "38": ["STATEMENT_INVALID", "a function did what it may not do"],
  "39": ["STATEMENT_INVALID", "a function was called in a way it does not take"],
  "3B": ["STATEMENT_INVALID", "there is no such savepoint"],
  "40": ["TRANSACTION_ROLLED_BACK", "the server rolled the transaction back"],
  "42": ["STATEMENT_INVALID", "the statement is wrong"],
  "53": ["RESOURCE_EXHAUSTED", "the server ran out of disk, memory or another limit"],
  "54": ["STATEMENT_INVALID", "the statement exceeds a limit of PostgreSQL"],
  "55": ["OBJECT_STATE", "the object is not in the state the statement needs"],
  "57": ["CONNECTION_LOST", "the server intervened"],
  P0: ["RAISED", "a function in the database raised an exception (see error.serverMessage)"],
};

/** Classes whose server message names objects, never values; the others are paraphrased. */
const MESSAGE_IS_SAFE = /^(0A|08|25|26|28|2B|3D|3F|40|42|53|54|55|57)/;

/** A function may raise any code with words of its own; its context ends so in every language of the server. */
const RAISED_BY_CODE = /\bRAISE$/m;

/**
 * The one place where an SQLSTATE becomes a typed error. Values stay out of the message: for classes whose
 * texts quote values (22, 23, P0) the message is ours, and what the server said is on non-enumerable fields.
 */
export function errorFromServer(report: ServerReport, context: CallContext = {}): PlinthError {
  const sqlstate = report.code ?? "XX000";
  const [code, words] = kindOf(sqlstate, report, context);
  const secrets = { serverMessage: report.message, detail: report.detail, where: report.where };
  const copied = placeInCopy(report.where);
  const column = report.column ?? copied?.column;
  const fields: ServerErrorFields = {
    sqlstate,
    schema: report.schema,
    table: report.table,
    columns: column === undefined ? keyColumns(sqlstate, report.detail) : [column],
    constraint: report.constraint,
    position: report.position === undefined ? undefined : Number(report.position),
    line: copied?.line,
  };
  const message = `${messageOf(sqlstate, words, report)}${objectOf(fields)} [${sqlstate}]`;
  switch (code) {
    case "CONNECTION_LOST":
    case "SERVER_UNAVAILABLE":
    case "TOO_MANY_CONNECTIONS":
    case "AUTHENTICATION_FAILED":
    case "DATABASE_MISSING":
    case "SCHEMA_MISSING":
    case "POOLER_ERROR":
      return new ConnectionError(code, message, { sqlstate });
    case "TRANSACTION_ABORTED":
    case "TRANSACTION_TIMEOUT":
    case "TRANSACTION_ROLLED_BACK":
      return new TransactionError(code, message, { sqlstate });
    case "COMMIT_OUTCOME_UNKNOWN":
      return new CommitOutcomeUnknownError(message);
    case "HISTORY_UNKNOWN":
      return historyUnknown(report.detail, fields, secrets);
    default:
      return sqlstate.startsWith("23")
        ? new ConstraintError(code, message, fields, { secrets })
        : new StatementError(code, message, fields, { secrets, ...hintFor(sqlstate, report) });
  }
}

/** The first thing most people forget, or never meet. */
function hintFor(sqlstate: string, report: ServerReport): { readonly hint?: string } {
  const hint = sqlstate === "42501" ? missingGrant(report) : HINTS[sqlstate];
  return hint === undefined ? {} : { hint };
}

/** What the server says, where it speaks English, of an object and not of a policy or in a function's own words. */
const DENIED =
  /^permission denied for (table|view|materialized view|sequence|function|procedure|schema) ([^\s"']{1,63})$/;

const RIGHTS: Readonly<Record<string, string>> = {
  function: "execute",
  procedure: "execute",
  schema: "usage",
};

/** The grant that is missing, as far as the server tells: not for which role, and of a table not for what. */
function missingGrant({ message = "", where = "" }: ServerReport): string | undefined {
  const [, kind = "", name = ""] = RAISED_BY_CODE.test(where) ? [] : (DENIED.exec(message) ?? []);
  if (name === "") return undefined;
  const target = kind.endsWith("view") ? "table" : kind;
  if (target === "table" && name.endsWith("_history")) {
    return `To read a history takes a right of its own: grant select on ${name} to the role, in a migration or by app.grant({ on, history: true, … }).`;
  }
  const right = RIGHTS[target] ?? "select, or what else the statement does,";
  return `The role lacks a right: grant ${right} on ${target} ${name} to it, in a migration or by app.grant.`;
}

const HINTS: Readonly<Record<string, string>> = {
  "42P01":
    "Have the migrations run on this database? See plinth migrate status. SQL of your own names the schema: tracker.tasks.",
  "54000":
    "A value may have 2,700 bytes in an index and a row 8,000 in its page: limit the column's length, index a hash of it, or split the row.",
};

function kindOf(sqlstate: string, report: ServerReport, context: CallContext): Kind {
  if (
    sqlstate === "57014" &&
    context.canceledByUs !== true &&
    report.message?.includes("user request") !== true
  ) {
    return ["STATEMENT_TIMEOUT", "the statement took longer than statement_timeout allows"];
  }
  // Row security answers with the code of a missing grant; only its wording tells them apart.
  if (sqlstate === "42501" && report.message?.includes("row-level security") === true) {
    return ["ROW_SECURITY_VIOLATION", "a row-security policy refused the row"];
  }
  if (sqlstate === "0A000" && report.message?.includes("cached plan") === true) {
    return ["STALE_STATEMENT", "the table changed since the statement was prepared"];
  }
  // PgBouncer reports its own conditions as protocol violations.
  if (sqlstate === "08P01") return ["POOLER_ERROR", "the pooler or the server broke off the conversation"];
  return (
    EXACT[sqlstate] ??
    BY_CLASS[sqlstate.slice(0, 2)] ?? ["SERVER_ERROR", "PostgreSQL reported an internal error"]
  );
}

function messageOf(sqlstate: string, words: string, report: ServerReport): string {
  const said = report.message;
  const isServersOwn = MESSAGE_IS_SAFE.test(sqlstate) && !RAISED_BY_CODE.test(report.where ?? "");
  return said !== undefined && isServersOwn ? `${words}: ${said}` : words;
}

function objectOf(fields: ServerErrorFields): string {
  const parts: string[] = [];
  if (fields.line !== undefined) parts.push(`line ${fields.line}`);
  if (fields.table !== undefined) parts.push(`table ${fields.table}`);
  if (fields.columns !== undefined && fields.columns.length > 0)
    parts.push(`column ${fields.columns.join(", ")}`);
  if (fields.constraint !== undefined) parts.push(`constraint ${fields.constraint}`);
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}

/** `COPY tasks, line 3, column priority: "x"`, in any language of the server that keeps this order. */
const PLACE_IN_COPY = /^COPY .*?, [^\d,:]*(\d+)(?:, [^\s,:]+ ([^:"]+))?(?:: .*)?$/m;

/** Where in a copy's input an error arose, without the value that its context quotes. */
function placeInCopy(
  where: string | undefined,
): { readonly line: number; readonly column: string | undefined } | undefined {
  const match = where === undefined ? null : PLACE_IN_COPY.exec(where);
  return match === null ? undefined : { line: Number(match[1]), column: match[2] };
}

/** Whose detail begins with the key: unique, foreign key, restrict and exclusion. Others quote the whole row there. */
const NAMES_KEY = new Set(["23505", "23503", "23001", "23P01"]);

/**
 * The columns of a key, from `Key (a, b)=(…)`. The wire's own column field is set for 23502 only; this shape
 * holds in every language of the server because translations keep `(%s)=(%s)` together. Only the first parenthesis
 * counts: after an expression key (`Key (lower(a))=(…)`) the next `(…)=(` could stand in a value.
 */
function keyColumns(sqlstate: string, detail: string | undefined): readonly string[] {
  const match =
    detail === undefined || !NAMES_KEY.has(sqlstate) ? null : /^[^()]*\(([^()]{1,500})\)=\(/.exec(detail);
  return match?.[1] === undefined ? [] : match[1].split(", ").map((name) => name.replace(/^"|"$/g, ""));
}
