import { Socket } from "node:net";
import { ConnectionError, type PlinthError } from "../errors/index.ts";
import { isBackendWorking } from "./backend-state.ts";
import { openByteSource } from "./byte-source.ts";
import type { Connection } from "./connection.ts";
import { isServerReport } from "./exchange.ts";
import { connectFailure } from "./failures.ts";
import { describeTarget } from "./parse-target.ts";
import { Client } from "./pg.ts";
import { PgConnection } from "./pg-connection.ts";
import { SILENCE_GRACE_MS, SILENCE_MS_WITHOUT_TIMEOUT } from "./silence-watch.ts";
import type { ConnectionTarget } from "./target.ts";
import { tlsOptions } from "./tls-options.ts";
import { WireConnection } from "./wire-connection.ts";

/** Targets behind a pooler that refused our start-up options, so that only the first connection tries twice. */
const refusesOptions = new WeakSet<ConnectionTarget>();

/**
 * Opens a session. `connectTimeoutMs` covers all of it: name, TCP, TLS, password, until the server is ready.
 * Time-outs of the session travel as start-up options, which saves a round trip; a pooler that refuses them is
 * asked again without (`hasSessionSettings` is then false).
 *
 * @throws {CONNECTION_FAILED} when nothing answers, the name does not resolve, TLS fails, or time is up.
 * @throws {AUTHENTICATION_FAILED} when the server refuses user or password.
 * @throws {DATABASE_MISSING} when there is no such database.
 * @throws {TOO_MANY_CONNECTIONS} when the server is full.
 * @throws {SERVER_UNAVAILABLE} while it starts, recovers or stops.
 */
export async function connect(
  target: ConnectionTarget,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Connection> {
  const { signal } = options;
  if (!refusesOptions.has(target)) {
    try {
      return await open(target, true, signal);
    } catch (error) {
      if (!(error instanceof OptionsRefused)) throw error;
      refusesOptions.add(target);
    }
  }
  return open(target, false, signal);
}

interface BackendKeyData {
  readonly processID: number;
  readonly secretKey: number;
}

/** Internal: PgBouncer answers "unsupported startup parameter" with 08P01. */
class OptionsRefused extends Error {}

async function open(
  target: ConnectionTarget,
  withSettings: boolean,
  signal: AbortSignal | undefined,
): Promise<Connection> {
  if (signal?.aborted === true) throw abandoned(target);
  // TLS reads the socket itself, below the stream.
  const source = target.tls === "disable" && target.session.wire === "plinth" ? openByteSource() : undefined;
  const socket = source?.socket ?? new Socket();
  const client = new Client({
    host: target.host,
    port: target.port,
    user: target.user,
    database: target.database,
    // A function, so that the client object does not hold the password before the server asks for it.
    password: () => target.password ?? "",
    ssl: target.tls === "disable" ? false : tlsOptions(target),
    enableChannelBinding: target.tls !== "disable",
    application_name: target.session.applicationName,
    keepAlive: target.session.keepAlive,
    keepAliveInitialDelayMillis: target.session.keepAliveDelayMs,
    options: withSettings ? settingsOf(target) : undefined,
    stream: () => socket,
  });
  // From the start: an `error` event without a listener ends the process. The end of the socket tells about it too.
  client.on("error", () => {});
  let identity = { processId: 0, secretKey: 0 };
  client.connection.on("backendKeyData", ({ processID, secretKey }: BackendKeyData) => {
    identity = { processId: processID, secretKey };
  });
  let reason: PlinthError | undefined;
  const give = (error: PlinthError) => {
    reason = error;
    socket.destroy();
  };
  const { connectTimeoutMs } = target.session;
  const onTimeout = () => give(connectFailure(target, Object.assign(new Error(), { code: "ETIMEDOUT" })));
  const timer = connectTimeoutMs === 0 ? undefined : setTimeout(onTimeout, connectTimeoutMs);
  const onAbort = () => give(abandoned(target));
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    await client.connect();
    const parts = {
      ...identity,
      socket,
      target,
      hasSessionSettings: withSettings,
      silenceMs: silenceOf(target),
      isServerWorking: (processId: number) => isBackendWorking(() => connect(target), processId),
    };
    // Nothing may wait between here and `connect`: bytes that come now are the new owner's.
    return target.session.wire === "pg"
      ? new PgConnection({ ...parts, client })
      : new WireConnection({ ...parts, stream: client.connection.stream, source });
  } catch (error) {
    socket.destroy();
    if (withSettings && isOptionsRefusal(error)) throw new OptionsRefused();
    throw reason ?? connectFailure(target, error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

function silenceOf({ session: { statementTimeoutMs } }: ConnectionTarget): number {
  return statementTimeoutMs === 0 ? SILENCE_MS_WITHOUT_TIMEOUT : statementTimeoutMs + SILENCE_GRACE_MS;
}

/**
 * What a role or database may have set otherwise: time-outs (zero switches one off), and the text forms that decoding
 * relies on (ADR 0015).
 */
function settingsOf(target: ConnectionTarget): string {
  const { statementTimeoutMs, lockTimeoutMs, idleInTransactionTimeoutMs } = target.session;
  return [
    `-c statement_timeout=${Math.trunc(statementTimeoutMs)}`,
    `-c lock_timeout=${Math.trunc(lockTimeoutMs)}`,
    `-c idle_in_transaction_session_timeout=${Math.trunc(idleInTransactionTimeoutMs)}`,
    "-c datestyle=iso -c intervalstyle=postgres -c bytea_output=hex -c extra_float_digits=1",
  ].join(" ");
}

function isOptionsRefusal(error: unknown): boolean {
  return (
    error instanceof Error &&
    isServerReport(error) &&
    error.code === "08P01" &&
    /startup param/i.test(error.message)
  );
}

function abandoned(target: ConnectionTarget): ConnectionError {
  return new ConnectionError("CONNECTION_FAILED", `connecting to ${describeTarget(target)} was abandoned`);
}
