import {
  type ErrorCode,
  InputError,
  type InputIssue,
  isPlinthError,
  type PlinthError,
  RequestError,
  StatementError,
} from "../errors/index.ts";

/** What went wrong with a request, as RFC 9457 says it. Holds no value, SQL, host or password. */
export interface Problem {
  /** Always `about:blank`: what tells problems apart is `code`. */
  readonly type: string;
  /** The status in words. */
  readonly title: string;
  readonly status: number;
  /** A `PlinthError`'s code, or `INTERNAL_ERROR`. */
  readonly code: string;
  /** One sentence for a person. */
  readonly detail?: string;
  /** Which part of the input is wrong; `path` is dotted, and empty for the input as a whole. */
  readonly errors?: readonly InputIssue[];
}

/** Codes a server answers as 500 without a word: the fault is ours, and its text is for our log. */
type Silent = "500";

/** What a client is told: the status, and a sentence that names nothing of ours. */
type Answer = readonly [status: number, detail: string] | Silent;

const TRY_AGAIN = "Try again in a moment.";

/**
 * One answer for every code; `docs/reference/errors.md` has the same statuses. Sentences are written here rather than
 * taken from the error: its own may name hosts, tables and lines of code, which are an operator's business.
 */
const ANSWERS: Readonly<Record<ErrorCode, Answer>> = {
  CONFIG_INVALID: "500",
  SCHEMA_INVALID: "500",
  POOL_BUDGET_EXCEEDED: "500",
  CONNECTION_FAILED: [503, `The database cannot be reached. ${TRY_AGAIN}`],
  CONNECTION_LOST: [
    503,
    "The connection to the database was lost. Look whether the request took effect before sending it again.",
  ],
  AUTHENTICATION_FAILED: [503, "The database refuses this service."],
  DATABASE_MISSING: [503, "The database of this service does not exist."],
  SCHEMA_MISSING: [503, "The database of this service has not been set up."],
  ROLE_UNSAFE: "500",
  SERVER_UNAVAILABLE: [503, `The database is starting up or shutting down. ${TRY_AGAIN}`],
  TOO_MANY_CONNECTIONS: [503, `The database has no connection left. ${TRY_AGAIN}`],
  POOLER_ERROR: [503, `The database's pooler broke off. ${TRY_AGAIN}`],
  POOL_EXHAUSTED: [503, `The service is busy: no database connection came free in time. ${TRY_AGAIN}`],
  POOL_DEADLOCK: "500",
  POOL_CLOSED: [503, `The service is shutting down. ${TRY_AGAIN}`],
  POOL_MISUSE: "500",
  QUERY_CANCELED: [503, "The request was canceled before it was done."],
  STATEMENT_TIMEOUT: [503, "The database did not answer in time."],
  LOCK_TIMEOUT: [503, `Another request holds what this one needs. ${TRY_AGAIN}`],
  SERIALIZATION_FAILURE: [503, "Another request changed the same rows first. Send it again."],
  DEADLOCK: [503, "This request and another one waited for each other. Send it again."],
  TRANSACTION_ROLLED_BACK: "500",
  TRANSACTION_ABORTED: "500",
  TRANSACTION_TIMEOUT: [503, "The request took too long and was rolled back."],
  TRANSACTION_CLOSED: "500",
  TRANSACTION_CONTROL: "500",
  COMMIT_OUTCOME_UNKNOWN: "500",
  RETRIES_EXHAUSTED: [503, `Other requests changed the same rows each time. ${TRY_AGAIN}`],
  READ_ONLY: [503, `The database takes no writes at present. ${TRY_AGAIN}`],
  UNIQUE_VIOLATION: [409, "It is taken: another one has the same value."],
  FOREIGN_KEY_VIOLATION: [422, "It refers to something that does not exist."],
  RESTRICT_VIOLATION: [409, "Something still refers to it."],
  NOT_NULL_VIOLATION: [422, "A required value is missing."],
  CHECK_VIOLATION: [422, "A value is not allowed."],
  EXCLUSION_VIOLATION: [409, "It overlaps with another one."],
  INVALID_DATA: [422, "A value does not have the form it needs."],
  PERMISSION_DENIED: "500",
  ROW_SECURITY_VIOLATION: [403, "You may not do this."],
  STATEMENT_INVALID: "500",
  NOT_SUPPORTED: "500",
  STALE_STATEMENT: [503, "The database was changed under this request. Send it again."],
  OBJECT_STATE: "500",
  RESOURCE_EXHAUSTED: [503, "The database has run out of a resource."],
  RAISED: "500",
  HISTORY_UNKNOWN: [422, "What is asked for was earlier than anything that is known of it."],
  SERVER_ERROR: "500",
  NOT_FOUND: [404, "There is no such thing here."],
  VERSION_CONFLICT: [409, "Somebody has changed it since it was read. Read it again."],
  CONDITION_FAILED: [409, "It is no longer as it has to be for this."],
  TENANT_REQUIRED: "500",
  INVALID_VALUE: [422, "Some values are not as they should be; see errors."],
  INVALID_QUERY: [422, "Some query parameters are not as they should be; see errors."],
  INVALID_CURSOR: [422, "The cursor is not one of this list."],
  MALFORMED_REQUEST: [400, "The request's body is not JSON."],
  METHOD_NOT_ALLOWED: [405, "This address does not take the method."],
  BODY_TOO_LARGE: [413, "The request's body is too large."],
  UNSUPPORTED_MEDIA_TYPE: [415, "The request's body has to be application/json."],
  EMBEDDED_MISSING: "500",
  EMBEDDED_FAILED: [503, `The database is not running. ${TRY_AGAIN}`],
  MIGRATION_INVALID: "500",
  MIGRATION_CHANGED: "500",
  MIGRATION_MISSING: "500",
  MIGRATION_OUT_OF_ORDER: "500",
  MIGRATION_FAILED: "500",
  MIGRATION_IRREVERSIBLE: "500",
  MIGRATION_LOCKED: "500",
  SEED_FAILED: "500",
  SAFETY_REFUSED: "500",
};

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** When a client that got 503 may try again: an outage is over in seconds or needs a person. */
export const RETRY_AFTER_SECONDS = 1;

/**
 * Says what a client may know of an error. Never throws, whatever was thrown.
 *
 * 404 for a missing row, 409 for a taken or referenced one, 422 with `errors` for input, 503 while the database cannot
 * serve, and 500 without details for everything else: log those.
 *
 * @example
 * ```ts
 * app.onError((error) => problemResponse(problemOf(error)));
 * // {"type":"about:blank","title":"Conflict","status":409,"code":"UNIQUE_VIOLATION","detail":"…","errors":[{"path":"email",…}]}
 * ```
 * @see https://www.rfc-editor.org/rfc/rfc9457
 */
export function problemOf(error: unknown): Problem {
  if (!isPlinthError(error)) return internal("INTERNAL_ERROR");
  const answer = ANSWERS[error.code];
  if (answer === "500") return internal(error.code);
  const [status, detail] = answer;
  const errors = issuesOf(error, status);
  return {
    type: "about:blank",
    title: titleOf(status),
    status,
    code: error.code,
    detail: error instanceof RequestError ? error.summary : detail,
    ...(errors.length === 0 ? {} : { errors }),
  };
}

/** The answer itself, as `application/problem+json`. With `Retry-After` when the status is 503. */
export function problemResponse(problem: Problem, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      ...(problem.status === 503 ? { "retry-after": String(RETRY_AFTER_SECONDS) } : {}),
      ...headers,
    },
  });
}

/** 405 for an address that exists and takes other methods, which are in `Allow`. */
export function methodNotAllowed(allowed: readonly string[]): Response {
  const allow = allowed.join(", ");
  const error = new RequestError("METHOD_NOT_ALLOWED", `this address takes ${allow}`);
  return problemResponse(problemOf(error), { allow });
}

/** 500 with a code that says whose fault it is not: the client's. */
function internal(code: string): Problem {
  return { type: "about:blank", title: titleOf(500), status: 500, code };
}

function titleOf(status: number): string {
  return TITLES[status] ?? "Error";
}

function issuesOf(error: PlinthError, status: number): readonly InputIssue[] {
  if (error instanceof InputError) return error.issues;
  if (!(error instanceof StatementError) || (status !== 409 && status !== 422)) return [];
  const message = COMPLAINTS[error.code] ?? "is not allowed";
  if (error.columns.length > 0) return error.columns.map((column) => ({ path: propertyOf(column), message }));
  return status === 422 ? [{ path: "", message }] : [];
}

const COMPLAINTS: Readonly<Partial<Record<ErrorCode, string>>> = {
  UNIQUE_VIOLATION: "is taken",
  EXCLUSION_VIOLATION: "overlaps with another one",
  FOREIGN_KEY_VIOLATION: "refers to something that does not exist",
  RESTRICT_VIOLATION: "is still referred to",
  NOT_NULL_VIOLATION: "is required",
};

/** `owner_id` -> `ownerId`: errors know columns, clients know properties. */
function propertyOf(column: string): string {
  return column.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
