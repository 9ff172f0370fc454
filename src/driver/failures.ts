import {
  ConnectionError,
  errorFromServer,
  hide,
  isPlinthError,
  type PlinthError,
  type ServerReport,
  StatementError,
  TransactionError,
} from "../errors/index.ts";
import { type Exchange, isServerReport, type Reply, reportOf } from "./exchange.ts";
import { describeTarget } from "./parse-target.ts";
import type { ConnectionTarget } from "./target.ts";

/** Which statement of a batch an error belongs to; undefined when it arose at the commit, or not in a batch. */
export function batchIndexOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("batchIndex" in error)) return undefined;
  return typeof error.batchIndex === "number" ? error.batchIndex : undefined;
}

/** The error of a flight that had more statements in front than whoever asked for it knows of. */
export function countedWithout(inFront: number, error: unknown): unknown {
  const at = batchIndexOf(error);
  if (at !== undefined && error instanceof Error)
    hide(error, "batchIndex", at < inFront ? undefined : at - inFront);
  return error;
}

/** Whether a call failed because its connection was gone before it could be sent: then it can run on another one. */
export function wasNeverSent(error: unknown): boolean {
  return typeof error === "object" && error !== null && "wasSent" in error && error.wasSent === false;
}

/** Whether a flight may have been committed although it failed: its connection was lost before the server said how it ended. */
export function mayHaveHappened(error: unknown): boolean {
  return typeof error === "object" && error !== null && "mayHaveHappened" in error;
}

/** Notes that on the error of a flight of which no statement was refused. */
export function noteIfUnsettled(error: unknown, exchange: Exchange, reply: Reply): unknown {
  const isUnsettled = reply.kind === "lost" || exchange.farewell !== undefined;
  if (isUnsettled && exchange.startedIn !== undefined && isPlinthError(error))
    hide(error, "mayHaveHappened", true);
  return error;
}

/** A typed error for what the server refused, with the text it refused: parameterised, so it holds no value. */
export function statementFailure(
  report: ServerReport,
  context: {
    readonly text: string | undefined;
    readonly batchIndex?: number | undefined;
    readonly canceledByUs: boolean;
  },
): PlinthError {
  const error = errorFromServer(report, { canceledByUs: context.canceledByUs });
  hide(error, "statement", context.text);
  if (context.batchIndex !== undefined) hide(error, "batchIndex", context.batchIndex);
  return error;
}

/** What failed: its text, its place in a batch, the signal that may have ended it. */
export interface FailedCall {
  readonly text?: string | undefined;
  readonly batchIndex?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The typed error for an exchange that did not succeed, other than by a lost connection nobody asked for. */
export function replyFailure(exchange: Exchange, reply: Reply, call: FailedCall): PlinthError {
  const { signal, text, batchIndex } = call;
  const wasAborted = exchange.isCanceled && signal?.aborted === true;
  if (reply.kind === "refused" && !(wasAborted && reply.report.code === "57014")) {
    return statementFailure(reply.report, { text, batchIndex, canceledByUs: exchange.isCanceled });
  }
  if (exchange.startedIn === undefined) return canceledFailure(signal, "before it was sent");
  return reply.kind === "refused"
    ? canceledFailure(signal, "and the server has stopped it")
    : canceledFailure(signal, "but the server did not confirm it, so its connection was cut");
}

export function canceledFailure(signal: AbortSignal | undefined, how: string): StatementError {
  return new StatementError(
    "QUERY_CANCELED",
    `the statement was canceled ${how}`,
    { sqlstate: "57014" },
    { cause: signal?.reason },
  );
}

/** What a call learns when the owner of the connection has ended it. */
export const CLOSED = Object.assign(new Error("closed"), { code: "it was closed" });
/** What a call learns when the server no longer knows of it. */
export const SILENT = Object.assign(new Error("silent"), {
  code: "the server fell silent and does not work on it any more",
});

/** Why connecting failed, in one line with cause and fix. */
export function connectFailure(target: ConnectionTarget, error: unknown): PlinthError {
  const where = describeTarget(target);
  if (error instanceof Error && isServerReport(error))
    return refusal(where, errorFromServer(reportOf(error)));
  const code = codeOf(error);
  const text = error instanceof Error ? error.message : "";
  if (text.startsWith("SASL") || text.startsWith("SCRAM")) {
    return new ConnectionError(
      "AUTHENTICATION_FAILED",
      `cannot connect to ${where}: the password exchange failed`,
      {
        hint:
          target.password === undefined
            ? "The server asks for a password and the URL has none: postgres://user:password@host/database."
            : "Check the password and the server's authentication method.",
      },
    );
  }
  return new ConnectionError(
    "CONNECTION_FAILED",
    `cannot connect to ${where}: ${reasonOf(code, text, target)}`,
    {
      hint: hintOf(code, text),
      cause: socketCause(error, code),
    },
  );
}

/** The end of a session that nobody asked for, or a call on one that has ended. */
export function lostFailure(target: ConnectionTarget, reason: unknown, wasRunning: boolean): ConnectionError {
  const code = codeOf(reason);
  const why = isPlinthError(reason) ? reason.summary : (code ?? "it ended unexpectedly");
  return new ConnectionError(
    "CONNECTION_LOST",
    `the connection to ${describeTarget(target)} is gone: ${why}`,
    {
      hint: wasRunning
        ? "Whether the running statement took effect is unknown; look before running it again."
        : "Nothing was sent; run it again on another connection.",
      cause: isPlinthError(reason) ? reason : socketCause(reason, code),
    },
  );
}

function refusal(where: string, error: PlinthError): PlinthError {
  if (!(error instanceof ConnectionError)) return error;
  const hint = REFUSAL_HINTS[error.code];
  return new ConnectionError(codeOfRefusal(error), `cannot connect to ${where}: ${error.summary}`, {
    ...(hint === undefined ? {} : { hint }),
    sqlstate: error.sqlstate,
  });
}

type ConnectionCode = ConstructorParameters<typeof ConnectionError>[0];

const REFUSAL_HINTS: Readonly<Record<string, string>> = {
  AUTHENTICATION_FAILED: "Check user and password in DATABASE_URL, and the server's pg_hba.conf.",
  DATABASE_MISSING: "Create it (createdb), or correct the name in DATABASE_URL.",
  TOO_MANY_CONNECTIONS:
    "Lower the pool's max or the number of instances, raise max_connections, or put PgBouncer between.",
  SERVER_UNAVAILABLE: "Wait until the server is ready; the pool tries again by itself.",
  POOLER_ERROR: "Check the pooler's settings and log.",
};

function codeOfRefusal(error: ConnectionError): ConnectionCode {
  const codes: readonly ConnectionCode[] = [
    "CONNECTION_FAILED",
    "CONNECTION_LOST",
    "AUTHENTICATION_FAILED",
    "DATABASE_MISSING",
    "SCHEMA_MISSING",
    "SERVER_UNAVAILABLE",
    "TOO_MANY_CONNECTIONS",
    "POOLER_ERROR",
  ];
  return codes.find((code) => code === error.code) ?? "CONNECTION_FAILED";
}

function reasonOf(code: string | undefined, text: string, target: ConnectionTarget): string {
  switch (code) {
    case "ECONNREFUSED":
      return "nothing listens there (ECONNREFUSED)";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `the host name does not resolve (${code})`;
    case "ENOENT":
      return "there is no such socket (ENOENT)";
    case "ETIMEDOUT":
      return `no answer within ${target.session.connectTimeoutMs} ms`;
    case undefined:
      return text.includes("SSL") ? "the server does not offer TLS" : "the server closed the connection";
    default:
      return code;
  }
}

function hintOf(code: string | undefined, text: string): string {
  if (text.includes("SSL"))
    return "Use sslmode=disable on a trusted network, or switch ssl on in postgresql.conf.";
  if (code === "ECONNREFUSED" || code === "ENOENT")
    return "Start the server, or correct host and port in DATABASE_URL.";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "Correct the host in DATABASE_URL.";
  if (
    code?.startsWith("CERT_") === true ||
    code?.includes("SIGNED") === true ||
    code?.startsWith("ERR_TLS") === true
  ) {
    return "Give Node the authority's certificate (NODE_EXTRA_CA_CERTS), or use sslmode=require to encrypt without verifying.";
  }
  return "Check that host and port are right and that no firewall is between.";
}

/** `AggregateError` (one per address of `localhost`) has the code of its first part. */
function codeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" && error.code !== "" ? error.code : undefined;
}

/** A fresh error that keeps the code only: the original may name more than the log may see. */
function socketCause(error: unknown, code: string | undefined): Error | undefined {
  if (code === undefined) return undefined;
  const syscall = error instanceof Error && "syscall" in error ? `${String(error.syscall)} ` : "";
  return Object.assign(new Error(`${syscall}${code}`), { code });
}

/** For what was called behind a BEGIN that failed. */
export function notBegun(): TransactionError {
  return new TransactionError(
    "TRANSACTION_ABORTED",
    "the statement was not sent, because the transaction it belongs to could not begin",
    { hint: "The error of the statement that began it says why." },
  );
}

/** What the server said last, unasked: why the session ended. */
export function farewellOf(report: ServerReport): PlinthError {
  return statementFailure(report, { text: undefined, canceledByUs: false });
}
