import { userInfo } from "node:os";
import { inspect } from "node:util";
import { ConfigError, hide, unknownName } from "../errors/index.ts";
import type { ConnectionTarget, SessionSettings, WireChoice } from "./target.ts";

export const APPLICATION_NAME_DEFAULT = "plinth";
export const CONNECT_TIMEOUT_MS_DEFAULT = 5_000;
export const KEEP_ALIVE_DELAY_MS_DEFAULT = 10_000;
export const STATEMENT_TIMEOUT_MS_DEFAULT = 30_000;
export const LOCK_TIMEOUT_MS_DEFAULT = 10_000;
export const WIRE_DEFAULT: WireChoice = "plinth";
export const IDLE_IN_TRANSACTION_TIMEOUT_MS_DEFAULT = 60_000;

const PORT_DEFAULT = 5432;
const TLS_MODES = ["disable", "require", "verify-full"] as const;
const PARAMETERS = [
  "sslmode",
  "application_name",
  "host",
  "port",
  "user",
  "password",
  "dbname",
  "connect_timeout",
];

/**
 * Reads a connection URL: `postgres://user:password@host:port/database?sslmode=require`. Parts that are left out
 * follow libpq: `PGUSER` or the system's user, `PGPASSWORD`, `localhost`, 5432, a database named after the user.
 * The answer is frozen, and its password appears in no log: it is readable by name only.
 *
 * @throws {CONFIG_INVALID} when the URL or a parameter cannot be used; the message never holds the password.
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 */
export function parseTarget(url: string, session: Partial<SessionSettings> = {}): ConnectionTarget {
  const parsed = parseUrl(url);
  const parameter = readParameters(parsed);
  const user =
    parameter("user") ?? decode(parsed.username, "user") ?? process.env.PGUSER ?? userInfo().username;
  const password = parameter("password") ?? decode(parsed.password, "password") ?? process.env.PGPASSWORD;
  const applicationName = parameter("application_name");
  return freezeTarget(
    {
      host: parameter("host") ?? decode(parsed.hostname.replace(/^\[|\]$/g, ""), "host") ?? "localhost",
      port: portOf(parameter("port") ?? parsed.port),
      user,
      database: parameter("dbname") ?? decode(parsed.pathname.slice(1), "database") ?? user,
      tls: tlsOf(parameter("sslmode")),
      session: sessionOf(
        {
          ...(applicationName === undefined ? {} : { applicationName }),
          ...connectTimeoutOf(parameter("connect_timeout")),
        },
        session,
      ),
    },
    password,
  );
}

/** `user@host:port/database`: what messages and logs call a target. */
export function describeTarget(target: ConnectionTarget): string {
  const host = target.host.includes(":") ? `[${target.host}]` : target.host;
  return `${target.user}@${host}:${target.port}/${target.database}`;
}

/**
 * The same server with another database, user or session. Spreading a target would lose its password, which is
 * not enumerable.
 */
export function retarget(
  target: ConnectionTarget,
  changes: {
    readonly database?: string;
    readonly user?: string;
    readonly password?: string | undefined;
    readonly host?: string;
    readonly port?: number;
    readonly session?: Partial<SessionSettings>;
  },
): ConnectionTarget {
  const { password = target.password, session, ...rest } = changes;
  return freezeTarget(
    { ...target, ...rest, session: Object.freeze({ ...target.session, ...session }) },
    password,
  );
}

function parseUrl(url: string): URL {
  if (!/^postgres(?:ql)?:\/\//i.test(url)) {
    throw invalid(
      "the database URL has to start with postgres:// or postgresql://",
      "Example: postgres://app@localhost:5432/app",
    );
  }
  try {
    // libpq takes `user@/db` (the host is a parameter, or the default); the URL standard wants a host after a user.
    return new URL(url.replace(/^([a-z]+:\/\/[^/?#@]*@)(?=[/?]|$)/i, "$1localhost"));
  } catch {
    // The parser's own error repeats its input, password included, so it is not kept as the cause.
    throw invalid(
      "the database URL cannot be read",
      "Percent-encode special characters in the password: @ is %40, / is %2F, # is %23, : is %3A.",
    );
  }
}

function readParameters(url: URL): (name: string) => string | undefined {
  if (url.hash !== "") {
    throw invalid(
      "the database URL holds an unencoded #",
      "Percent-encode special characters in the password: # is %23.",
    );
  }
  for (const name of url.searchParams.keys()) {
    if (name !== "channel_binding" && !PARAMETERS.includes(name)) {
      throw invalid(
        unknownName("parameter of the database URL", name, PARAMETERS),
        "Remove it, or set it in plinth.config.ts.",
      );
    }
  }
  return (name) => url.searchParams.get(name) || undefined;
}

function decode(part: string, what: string): string | undefined {
  if (part === "") return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalid(
      `the ${what} in the database URL holds a % that encodes nothing`,
      "Write a literal % as %25.",
    );
  }
}

function portOf(text: string): number {
  if (text === "") return PORT_DEFAULT;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw invalid(
      `the database URL names port ${JSON.stringify(text)}`,
      "A port is a number from 1 to 65535.",
    );
  }
  return port;
}

function tlsOf(mode: string | undefined): ConnectionTarget["tls"] {
  if (mode === undefined) return "disable";
  const known = TLS_MODES.find((candidate) => candidate === mode);
  if (known === undefined)
    throw invalid(
      unknownName("sslmode", mode, TLS_MODES),
      "`prefer` is not offered: it falls back to no encryption.",
    );
  return known;
}

function connectTimeoutOf(seconds: string | undefined): Partial<SessionSettings> {
  if (seconds === undefined) return {};
  if (!/^\d{1,6}$/.test(seconds))
    throw invalid(
      "connect_timeout in the database URL is not a number of seconds",
      "Example: connect_timeout=5",
    );
  return { connectTimeoutMs: Number(seconds) * 1_000 };
}

function sessionOf(fromUrl: Partial<SessionSettings>, given: Partial<SessionSettings>): SessionSettings {
  return Object.freeze({
    applicationName: APPLICATION_NAME_DEFAULT,
    connectTimeoutMs: CONNECT_TIMEOUT_MS_DEFAULT,
    keepAlive: true,
    keepAliveDelayMs: KEEP_ALIVE_DELAY_MS_DEFAULT,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS_DEFAULT,
    lockTimeoutMs: LOCK_TIMEOUT_MS_DEFAULT,
    idleInTransactionTimeoutMs: IDLE_IN_TRANSACTION_TIMEOUT_MS_DEFAULT,
    wire: WIRE_DEFAULT,
    ...fromUrl,
    ...given,
  });
}

function freezeTarget(
  parts: Omit<ConnectionTarget, "password">,
  password: string | undefined,
): ConnectionTarget {
  const target: ConnectionTarget = { ...parts, password };
  hide(target, "password", password);
  Object.defineProperty(target, inspect.custom, {
    value: () => `ConnectionTarget(${describeTarget(target)})`,
  });
  return Object.freeze(target);
}

function invalid(message: string, hint: string): ConfigError {
  return new ConfigError(message, { path: "database.url", hint });
}
