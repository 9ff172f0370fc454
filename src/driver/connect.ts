import { Socket } from "node:net";
import { ConnectionError, isPlinthError, type PlinthError } from "../errors/index.ts";
import { isBackendWorking } from "./backend-state.ts";
import { openByteSource } from "./byte-source.ts";
import type { Connection } from "./connection.ts";
import { isServerReport } from "./exchange.ts";
import { connectFailure } from "./failures.ts";
import { describeTarget } from "./parse-target.ts";
import { Client } from "./pg.ts";
import { PgConnection } from "./pg-connection.ts";
import { checkSession, refuseOtherForms, startupOptions } from "./session-check.ts";
import { SILENCE_GRACE_MS, SILENCE_MS_WITHOUT_TIMEOUT } from "./silence-watch.ts";
import type { ConnectionTarget } from "./target.ts";
import { tlsOptions } from "./tls-options.ts";
import { WireConnection } from "./wire-connection.ts";

/** Whether a target takes our start-up options, so that only its first connection tries, and looks. */
const takesOptions = new WeakMap<ConnectionTarget, boolean>();

/**
 * Opens a session. `connectTimeoutMs` covers all of it: name, TCP, TLS, password, until the server is ready.
 * Time-outs of the session travel as start-up options, which saves a round trip. The first session of a target is
 * asked whether they have arrived; a pooler, which refuses or ignores them, is asked again without
 * (`hasSessionSettings` is then false).
 *
 * @throws {CONNECTION_FAILED} when nothing answers, the name does not resolve, TLS fails, or time is up.
 * @throws {AUTHENTICATION_FAILED} when the server refuses user or password.
 * @throws {DATABASE_MISSING} when there is no such database.
 * @throws {TOO_MANY_CONNECTIONS} when the server is full.
 * @throws {SERVER_UNAVAILABLE} while it starts, recovers or stops.
 * @throws {POOLER_ERROR} when a pooler stands between, and the sessions behind it write values in another form.
 */
export async function connect(
  target: ConnectionTarget,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Connection> {
  const { signal } = options;
  if (takesOptions.get(target) !== false) {
    try {
      return await open(target, true, signal);
    } catch (error) {
      if (!(error instanceof OptionsRefused)) throw error;
    }
  }
  return open(target, false, signal);
}

interface BackendKeyData {
  readonly processID: number;
  readonly secretKey: number;
}

/** Internal: PgBouncer answers "unsupported startup parameter" with 08P01, or passes over what it is told to ignore. */
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
    options: withSettings ? startupOptions(target) : undefined,
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
    const connection =
      target.session.wire === "pg"
        ? new PgConnection({ ...parts, client })
        : new WireConnection({ ...parts, stream: client.connection.stream, source });
    if (takesOptions.get(target) !== withSettings) await learn(connection, target, withSettings);
    return connection;
  } catch (error) {
    socket.destroy();
    if (error instanceof OptionsRefused || (withSettings && isOptionsRefusal(error))) {
      throw new OptionsRefused();
    }
    throw reason ?? (isPlinthError(error) ? checkFailure(target, error) : connectFailure(target, error));
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Node's timers hold 31 bits of milliseconds; more would fire at once. */
const TIMER_LIMIT_MS = 2_147_483_647;

function silenceOf({ session: { statementTimeoutMs } }: ConnectionTarget): number {
  if (statementTimeoutMs === 0) return SILENCE_MS_WITHOUT_TIMEOUT;
  return Math.min(statementTimeoutMs + SILENCE_GRACE_MS, TIMER_LIMIT_MS);
}

/** Looks, once for each target, how its sessions are set. */
async function learn(connection: Connection, target: ConnectionTarget, withSettings: boolean): Promise<void> {
  const check = await checkSession(connection, target).catch((error: unknown) => {
    if (isPlinthError(error) && error.code === "STATEMENT_TIMEOUT") return undefined;
    throw error;
  });
  // With a time-out of next to nothing there was no time to look: the next session is asked.
  if (check === undefined) return;
  if (withSettings) {
    if (!check.isOwn || !check.hasTimeouts || check.otherForms.length > 0) throw new OptionsRefused();
  } else {
    refuseOtherForms(check, target);
  }
  takesOptions.set(target, withSettings);
}

/** A session that was lost while it was looked at has never been open for its owner. */
function checkFailure(target: ConnectionTarget, error: PlinthError): PlinthError {
  return error.code === "CONNECTION_LOST" ? connectFailure(target, new Error("lost")) : error;
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
