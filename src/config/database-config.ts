import { hide } from "../errors/index.ts";
import {
  APPLICATION_NAME_RULE,
  DIRECT_URL_RULE,
  EMBEDDED_RULE,
  KEEP_ALIVE_RULE,
  POOL_RULES,
  SCHEMA_RULE,
  SESSION_INTEGER_RULES,
  URL_RULE,
  WIRE_RULE,
} from "./options.ts";
import { type Environment, invalidOption, openSettings, type Settings } from "./settings.ts";

/** Options of the pool; see `docs/reference/config.md` for limits and defaults. */
export interface PoolSettings {
  /** The most connections one process opens. @default 10 */
  readonly max: number;
  /** Connections kept open when idle. @default 0 */
  readonly min: number;
  /** When an idle connection is closed; 0 never. @default 30_000 */
  readonly idleTimeoutMs: number;
  /** The longest wait for a connection before `POOL_EXHAUSTED`. @default 10_000 */
  readonly acquireTimeoutMs: number;
  /** A connection idle for longer is probed with one round trip before it is handed out. @default 30_000 */
  readonly probeAfterIdleMs: number;
  /** Age at which a connection is replaced; 0 never. @default 1_800_000 */
  readonly maxLifetimeMs: number;
  /** A connection held for longer is reported with the line that took it; 0 never. @default 30_000 */
  readonly leakWarningMs: number;
  /** Processes that share the server: `instances × max` must fit under its limit. @default 1 */
  readonly instances: number;
}

/** How every session is set up. A zero switches a time-out off, as in PostgreSQL. */
export interface SessionConfig {
  /** Shown in `pg_stat_activity`; at most 63 bytes. @default "plinth" */
  readonly applicationName: string;
  /** The longest wait for a new session. @default 5_000 */
  readonly connectTimeoutMs: number;
  /** @default true */
  readonly keepAlive: boolean;
  /** @default 10_000 */
  readonly keepAliveDelayMs: number;
  /** `statement_timeout`. @default 30_000 */
  readonly statementTimeoutMs: number;
  /** `lock_timeout`. @default 10_000 */
  readonly lockTimeoutMs: number;
  /** `idle_in_transaction_session_timeout`. @default 60_000 */
  readonly idleInTransactionTimeoutMs: number;
  /** Who speaks the protocol once a session is open; `pg` is slower, and the way out in trouble. @default "plinth" */
  readonly wire: "plinth" | "pg";
}

/** Each key may be left out, or be undefined, to take the next source's value. */
export type Optional<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** What code or a config file may say about the database. */
export interface DatabaseOptions {
  /** `postgres://user:password@host:port/database`. Absent: the embedded server of the project. */
  readonly url?: string | undefined;
  /**
   * The server itself, where `url` names a pooler: what needs a session of its own (migrations, locks) connects there.
   * Counts beside a `url` of the same source or a weaker one. @default `url`
   */
  readonly directUrl?: string | undefined;
  /** Renames the PostgreSQL schema of the application's tables. */
  readonly schema?: string | undefined;
  /** Whether the embedded server may stand in for a missing `url`. @default true unless NODE_ENV is production */
  readonly embedded?: boolean | undefined;
  readonly pool?: Optional<PoolSettings> | undefined;
  readonly session?: Optional<SessionConfig> | undefined;
}

/** Everything about the database, checked and filled. Frozen. */
export interface DatabaseConfig {
  /** Not enumerable, as it holds the password. Undefined: use the embedded server. */
  readonly url: string | undefined;
  /** Not enumerable either. Undefined: `url` is the server itself. */
  readonly directUrl: string | undefined;
  /** Undefined: the name in `appSchema(…)`. */
  readonly schema: string | undefined;
  readonly pool: PoolSettings;
  readonly session: SessionConfig;
}

/** Where `readDatabaseConfig` looks, first to last: code, environment, config file, defaults. */
export interface DatabaseConfigSources {
  readonly explicit?: DatabaseOptions | undefined;
  readonly environment?: Environment | undefined;
  readonly file?: DatabaseOptions | undefined;
}

export const DATABASE_OPTION_NAMES = ["url", "directUrl", "schema", "embedded", "pool", "session"] as const;

/**
 * Reads what is known about the database into one checked, frozen object. Pure: it reads nothing but its
 * arguments and connects to nothing.
 *
 * @throws {CONFIG_INVALID} with one line that names the option or variable, what it may be, and the fix; a
 * URL or password is never repeated.
 * @example
 * ```ts
 * readDatabaseConfig({ explicit: { pool: { max: 5 } }, environment: process.env }).pool.max; // 5
 * ```
 */
export function readDatabaseConfig(sources: DatabaseConfigSources = {}): DatabaseConfig {
  const { explicit = {}, environment = {}, file = {} } = sources;
  const top = openSettings({ group: "", explicit, environment, file }, DATABASE_OPTION_NAMES);
  const pool = readPool(
    openSettings(
      { group: "pool", explicit: explicit.pool, environment, file: file.pool },
      Object.keys(POOL_RULES),
    ),
  );
  const url = readUrl(top, environment);
  const session = readSession(
    openSettings({ group: "session", explicit: explicit.session, environment, file: file.session }, [
      "applicationName",
      "keepAlive",
      "wire",
      ...Object.keys(SESSION_INTEGER_RULES),
    ]),
    sessionInUrl(url),
  );
  const config = { url: undefined, directUrl: undefined, schema: readSchemaName(top), pool, session };
  hide(config, "url", url);
  hide(config, "directUrl", readDirectUrl(sources, url));
  return Object.freeze(config);
}

function readPool(settings: Settings): PoolSettings {
  const pool: PoolSettings = {
    max: settings.integer("max", POOL_RULES.max),
    min: settings.integer("min", POOL_RULES.min),
    idleTimeoutMs: settings.integer("idleTimeoutMs", POOL_RULES.idleTimeoutMs),
    acquireTimeoutMs: settings.integer("acquireTimeoutMs", POOL_RULES.acquireTimeoutMs),
    probeAfterIdleMs: settings.integer("probeAfterIdleMs", POOL_RULES.probeAfterIdleMs),
    maxLifetimeMs: settings.integer("maxLifetimeMs", POOL_RULES.maxLifetimeMs),
    leakWarningMs: settings.integer("leakWarningMs", POOL_RULES.leakWarningMs),
    instances: settings.integer("instances", POOL_RULES.instances),
  };
  if (pool.min > pool.max) {
    throw invalidOption(
      "pool.min",
      `is ${pool.min}, more than pool.max, which is ${pool.max}; lower it or raise pool.max`,
    );
  }
  return Object.freeze(pool);
}

function readSession(settings: Settings, url: SessionInUrl): SessionConfig {
  const applicationName = settings.text("applicationName", {
    ...APPLICATION_NAME_RULE,
    default: url.applicationName ?? APPLICATION_NAME_RULE.default,
  });
  // PostgreSQL cuts it at NAMEDATALEN - 1 bytes and turns anything but printable ASCII into question marks.
  if (!/^[\x20-\x7e]{1,63}$/.test(applicationName)) {
    throw invalidOption("session.applicationName", "must be 1 to 63 printable ASCII characters");
  }
  return Object.freeze({
    applicationName,
    connectTimeoutMs: settings.integer("connectTimeoutMs", {
      ...SESSION_INTEGER_RULES.connectTimeoutMs,
      default: url.connectTimeoutMs ?? SESSION_INTEGER_RULES.connectTimeoutMs.default,
    }),
    keepAlive: settings.boolean("keepAlive", KEEP_ALIVE_RULE),
    keepAliveDelayMs: settings.integer("keepAliveDelayMs", SESSION_INTEGER_RULES.keepAliveDelayMs),
    statementTimeoutMs: settings.integer("statementTimeoutMs", SESSION_INTEGER_RULES.statementTimeoutMs),
    lockTimeoutMs: settings.integer("lockTimeoutMs", SESSION_INTEGER_RULES.lockTimeoutMs),
    idleInTransactionTimeoutMs: settings.integer(
      "idleInTransactionTimeoutMs",
      SESSION_INTEGER_RULES.idleInTransactionTimeoutMs,
    ),
    wire: readWire(settings),
  });
}

function readWire(settings: Settings): SessionConfig["wire"] {
  const wire = settings.text("wire", WIRE_RULE);
  if (wire === "plinth" || wire === "pg") return wire;
  throw invalidOption("session.wire", `must be "plinth" or "pg" (${WIRE_RULE.meaning})`);
}

/** What libpq reads from a URL besides where to connect. Weaker than an option, stronger than a default. */
interface SessionInUrl {
  readonly applicationName: string | undefined;
  readonly connectTimeoutMs: number | undefined;
}

function sessionInUrl(url: string | undefined): SessionInUrl {
  // A URL that cannot be read is refused by the driver, which says why.
  const parameters =
    url !== undefined && URL.canParse(url) ? new URL(url).searchParams : new URLSearchParams();
  const seconds = parameters.get("connect_timeout") ?? "";
  return {
    applicationName: parameters.get("application_name") || undefined,
    connectTimeoutMs: /^[1-9]\d{0,5}$/.test(seconds) ? Number(seconds) * 1_000 : undefined,
  };
}

/** Checks the scheme only: the driver takes the URL apart, and names what is wrong inside it. */
function readUrl(settings: Settings, environment: Environment): string | undefined {
  const url = settings.optional("url", URL_RULE);
  if (url === undefined) {
    requireEmbedded(settings, environment);
    return undefined;
  }
  requireScheme(url);
  return url.text;
}

/**
 * The server behind the pooler of `url`, from the source of `url` or one that wins over it: what a weaker source says
 * belongs to the URL it was written beside, and migrations would go to another database.
 */
function readDirectUrl(sources: DatabaseConfigSources, url: string | undefined): string | undefined {
  const { explicit = {}, environment = {}, file = {} } = sources;
  const isGiven = explicit.url !== undefined;
  const isInEnvironment = (environment[URL_RULE.variable] ?? "") !== "";
  const settings = openSettings(
    {
      group: "",
      explicit,
      environment: isGiven ? {} : environment,
      file: isGiven || isInEnvironment ? {} : file,
    },
    DATABASE_OPTION_NAMES,
  );
  const direct = settings.optional("directUrl", DIRECT_URL_RULE);
  if (direct === undefined) return undefined;
  requireScheme(direct);
  if (url === undefined) {
    throw invalidOption(direct.name, "stands beside a URL of a pooler, and there is none: set DATABASE_URL");
  }
  return direct.text;
}

function requireScheme({ name, text }: { readonly name: string; readonly text: string }): void {
  if (/^postgres(ql)?:\/\//.test(text)) return;
  throw invalidOption(name, "must start with postgres://, as in postgres://user:password@host:5432/database");
}

/** A production process that forgot its variable must not come up healthy on an empty database. */
function requireEmbedded(settings: Settings, environment: Environment): void {
  const allowed =
    settings.optionalBoolean("embedded", EMBEDDED_RULE) ?? environment.NODE_ENV !== "production";
  if (allowed) return;
  throw invalidOption(
    "DATABASE_URL",
    "is not set: set it to postgres://user:password@host:5432/database " +
      "(in development the embedded server is used; DATABASE_EMBEDDED=true allows it here too)",
  );
}

function readSchemaName(settings: Settings): string | undefined {
  const schema = settings.optional("schema", SCHEMA_RULE);
  if (schema === undefined) return undefined;
  const { text, name } = schema;
  if (text.length > 63)
    throw invalidOption(name, "is longer than 63 characters, and PostgreSQL would cut it");
  // The same rule as `appSchema`, which reads the variable while the schema module is imported; but for `public`, which
  // only the module can allow.
  if (!/^[a-z_][a-z0-9_$]*$/.test(text)) {
    throw invalidOption(
      name,
      "must be lower-case letters, digits and _: other names must be quoted in every tool",
    );
  }
  if (["information_schema", "plinth"].includes(text) || text.startsWith("pg_")) {
    throw invalidOption(
      name,
      `is ${JSON.stringify(text)}, which is not the application's own; choose another name`,
    );
  }
  return text;
}
