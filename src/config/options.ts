/** The longest time-out both `setTimeout` and PostgreSQL's integer settings can hold: 24.8 days. */
export const MILLISECONDS_LIMIT = 2_147_483_647;

export const POOL_MAX_DEFAULT = 10;
export const POOL_MAX_LIMIT = 1_000;
export const POOL_INSTANCES_LIMIT = 100_000;

/** How one option is read, checked and explained. `variable` is its environment variable. */
export interface OptionRule {
  readonly variable: string;
  /** What it should hold, for the message: "the largest number of connections of one process". */
  readonly meaning: string;
}

export interface IntegerRule extends OptionRule {
  readonly default: number;
  readonly minimum: number;
  readonly maximum: number;
}

export interface BooleanRule extends OptionRule {
  readonly default: boolean;
}

export interface TextRule extends OptionRule {
  readonly default: string;
}

/**
 * A time in milliseconds. `minimum` is 0 where PostgreSQL and the pool read 0 as "off", and 1 where waiting
 * no time at all could never succeed.
 */
function milliseconds(variable: string, initial: number, meaning: string, minimum = 0): IntegerRule {
  return { variable, meaning, default: initial, minimum, maximum: MILLISECONDS_LIMIT };
}

/** Options of the pool. One process has one pool. */
export const POOL_RULES = {
  max: {
    variable: "DATABASE_POOL_MAX",
    meaning: "the most connections one process opens",
    default: POOL_MAX_DEFAULT,
    minimum: 1,
    maximum: POOL_MAX_LIMIT,
  },
  min: {
    variable: "DATABASE_POOL_MIN",
    meaning: "connections kept open when idle",
    default: 0,
    minimum: 0,
    maximum: POOL_MAX_LIMIT,
  },
  idleTimeoutMs: milliseconds("DATABASE_POOL_IDLE_TIMEOUT_MS", 30_000, "when an idle connection is closed"),
  acquireTimeoutMs: milliseconds(
    "DATABASE_POOL_ACQUIRE_TIMEOUT_MS",
    10_000,
    "the longest wait for a connection",
    1,
  ),
  probeAfterIdleMs: milliseconds(
    "DATABASE_POOL_PROBE_AFTER_IDLE_MS",
    30_000,
    "idle time after which a connection is probed before use",
  ),
  maxLifetimeMs: milliseconds(
    "DATABASE_POOL_MAX_LIFETIME_MS",
    1_800_000,
    "age at which a connection is replaced",
  ),
  leakWarningMs: milliseconds(
    "DATABASE_POOL_LEAK_WARNING_MS",
    30_000,
    "how long a connection may be held before it is reported",
  ),
  instances: {
    variable: "DATABASE_INSTANCES",
    meaning: "processes that share the server",
    default: 1,
    minimum: 1,
    maximum: POOL_INSTANCES_LIMIT,
  },
} as const satisfies Readonly<Record<string, IntegerRule>>;

/** Options of every session that are numbers. */
export const SESSION_INTEGER_RULES = {
  connectTimeoutMs: milliseconds(
    "DATABASE_CONNECT_TIMEOUT_MS",
    5_000,
    "the longest wait for a new session",
    1,
  ),
  keepAliveDelayMs: milliseconds(
    "DATABASE_KEEP_ALIVE_DELAY_MS",
    10_000,
    "silence before the first TCP keepalive probe",
  ),
  statementTimeoutMs: milliseconds(
    "DATABASE_STATEMENT_TIMEOUT_MS",
    30_000,
    "the longest a statement may run",
  ),
  lockTimeoutMs: milliseconds(
    "DATABASE_LOCK_TIMEOUT_MS",
    10_000,
    "the longest a statement may wait for a lock",
  ),
  idleInTransactionTimeoutMs: milliseconds(
    "DATABASE_IDLE_IN_TRANSACTION_TIMEOUT_MS",
    60_000,
    "the longest an open transaction may do nothing",
  ),
} as const satisfies Readonly<Record<string, IntegerRule>>;

export const APPLICATION_NAME_RULE = {
  variable: "DATABASE_APPLICATION_NAME",
  meaning: "the name shown in pg_stat_activity",
  default: "plinth",
} as const satisfies TextRule;

export const WIRE_RULE = {
  variable: "DATABASE_WIRE",
  meaning: "who speaks the protocol once a session is open, plinth or pg",
  default: "plinth",
} as const satisfies TextRule;

export const KEEP_ALIVE_RULE = {
  variable: "DATABASE_KEEP_ALIVE",
  meaning: "whether TCP keepalive is on",
  default: true,
} as const satisfies BooleanRule;

export const URL_RULE = {
  variable: "DATABASE_URL",
  meaning: "where the database is",
} as const satisfies OptionRule;

export const DIRECT_URL_RULE = {
  variable: "DATABASE_DIRECT_URL",
  meaning: "where the server itself is, when DATABASE_URL names a pooler",
} as const satisfies OptionRule;

export const SCHEMA_RULE = {
  variable: "DATABASE_SCHEMA",
  meaning: "the PostgreSQL schema of the application's tables",
} as const satisfies OptionRule;

export const EMBEDDED_RULE = {
  variable: "DATABASE_EMBEDDED",
  meaning: "whether the embedded server is used when there is no DATABASE_URL",
} as const satisfies OptionRule;

/** Options of the migration runner that are numbers. */
export const MIGRATION_INTEGER_RULES = {
  lockTimeoutMs: milliseconds(
    "DATABASE_MIGRATIONS_LOCK_TIMEOUT_MS",
    5_000,
    "the longest one statement of a migration waits for a table lock before it is tried again",
    1,
  ),
  lockAttempts: {
    variable: "DATABASE_MIGRATIONS_LOCK_ATTEMPTS",
    meaning: "how often a migration that did not get its table lock is tried",
    default: 10,
    minimum: 1,
    maximum: 1_000,
  },
  runnerWaitMs: milliseconds(
    "DATABASE_MIGRATIONS_RUNNER_WAIT_MS",
    300_000,
    "the longest a runner waits for another runner to finish",
  ),
  statementTimeoutMs: milliseconds(
    "DATABASE_MIGRATIONS_STATEMENT_TIMEOUT_MS",
    0,
    "the longest a statement of a migration may run",
  ),
} as const satisfies Readonly<Record<string, IntegerRule>>;

export const MIGRATIONS_FOLDER_RULE = {
  variable: "DATABASE_MIGRATIONS_FOLDER",
  meaning: "the folder of migration files",
  default: "./migrations",
} as const satisfies TextRule;

export const MIGRATIONS_OUT_OF_ORDER_RULE = {
  variable: "DATABASE_MIGRATIONS_OUT_OF_ORDER",
  meaning: "what happens to a pending migration older than the last applied one",
  default: "apply",
} as const satisfies TextRule;

export const MIGRATIONS_DUMP_RULE = {
  variable: "DATABASE_MIGRATIONS_DUMP",
  meaning: "the file that is kept equal to the whole schema",
} as const satisfies OptionRule;

export const SEEDS_FOLDER_RULE = {
  variable: "DATABASE_SEEDS_FOLDER",
  meaning: "the folder with reference/ and dev/",
  default: "./seeds",
} as const satisfies TextRule;

export const SCHEMA_FILE_RULE = {
  variable: "DATABASE_SCHEMA_FILE",
  meaning: "the module that declares the tables",
  default: "./schema.ts",
} as const satisfies TextRule;

/** What the roles of the application's schema are called. */
export const ROLE_RULES = {
  prefix: { variable: "DATABASE_ROLES_PREFIX", meaning: "what the names of the roles begin with" },
  owner: { variable: "DATABASE_ROLES_OWNER", meaning: "the role that owns the tables" },
  migrator: { variable: "DATABASE_ROLES_MIGRATOR", meaning: "the role that migrations run as" },
  app: { variable: "DATABASE_ROLES_APP", meaning: "the role of the application" },
  readOnly: { variable: "DATABASE_ROLES_READ_ONLY", meaning: "the role that only reads" },
  backup: { variable: "DATABASE_ROLES_BACKUP", meaning: "the role that dumps" },
  monitor: { variable: "DATABASE_ROLES_MONITOR", meaning: "the role that watches the server" },
} as const satisfies Readonly<Record<string, OptionRule>>;
