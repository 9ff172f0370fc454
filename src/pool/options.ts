import { type Connection, type ConnectionTarget, connect } from "../driver/index.ts";
import { ConfigError, type HolderReport } from "../errors/index.ts";

export const POOL_MAX_DEFAULT = 10;
export const POOL_MAX_LIMIT = 1_000;
export const POOL_MIN_DEFAULT = 0;
export const POOL_IDLE_TIMEOUT_MS_DEFAULT = 30_000;
export const POOL_ACQUIRE_TIMEOUT_MS_DEFAULT = 10_000;
export const POOL_PROBE_AFTER_IDLE_MS_DEFAULT = 30_000;
export const POOL_MAX_LIFETIME_MS_DEFAULT = 30 * 60_000;
export const POOL_QUEUE_LIMIT_DEFAULT = 1_000;
export const POOL_LEAK_WARNING_MS_DEFAULT = 30_000;
export const POOL_INSTANCES_DEFAULT = 1;

/** How a pool behaves. Everything but `target` has a default. */
export interface PoolOptions {
  /** Where to connect; asked for every new connection, because an embedded server's port may change. */
  readonly target: () => ConnectionTarget;
  /**
   * The most connections this process opens. At the limit, callers wait in line. All instances together must fit
   * under the server's `max_connections`: `verify` checks it.
   *
   * @default 10 (1 to 1,000)
   */
  readonly max?: number;
  /** Connections kept open even when idle, once the first was needed. @default 0 */
  readonly min?: number;
  /** Idle connections beyond `min` are closed after this many milliseconds; 0 keeps them. @default 30_000 */
  readonly idleTimeoutMs?: number;
  /** How long a caller waits for a connection, in milliseconds. @default 10_000 */
  readonly acquireTimeoutMs?: number;
  /**
   * A connection idle for longer than this is asked `select 1` before it is lent, because a firewall may have
   * dropped it in silence: one round trip, at most two seconds. @default 30_000
   */
  readonly probeAfterIdleMs?: number;
  /**
   * A connection older than this is replaced when it comes back, so that memory of long sessions is freed and a
   * moved server is found; 0 never. Each gets up to a tenth less, so that they do not all end at once.
   *
   * @default 1_800_000 (30 minutes)
   */
  readonly maxLifetimeMs?: number;
  /** Callers in line beyond this are refused at once: a queue without end only hides the trouble. @default 1_000 */
  readonly queueLimit?: number;
  /** A connection held longer is reported once, with the stack that took it; 0 never. @default 30_000 */
  readonly leakWarningMs?: number;
  /** How many processes open a pool like this one; part of the connection budget. @default 1 */
  readonly instances?: number;
  /** Where warnings go. @default `process.emitWarning` */
  readonly onWarning?: (warning: PoolWarning) => void;
  /** Opens a connection. @default the driver's `connect` */
  readonly connect?: (
    target: ConnectionTarget,
    options: { readonly signal: AbortSignal },
  ) => Promise<Connection>;
  /** Milliseconds that only go forward. @default `performance.now` */
  readonly now?: () => number;
  /** From 0 to 1, for the jitter of life times. @default `Math.random` */
  readonly random?: () => number;
}

/** Something an operator ought to know that is nobody's error yet. */
export interface PoolWarning {
  readonly code: "POOL_LEAK" | "POOL_DIRTY_RELEASE" | "POOL_REFUSED" | "POOL_NO_SESSION_SETTINGS";
  readonly message: string;
  /** Whose connection it is about. */
  readonly holder?: HolderReport;
}

export type ParsedPoolOptions = Required<PoolOptions>;

/**
 * Fills in the defaults and checks every number.
 *
 * @throws {CONFIG_INVALID} naming the option, as in `pool.max`.
 */
export function parsePoolOptions(options: PoolOptions): ParsedPoolOptions {
  const max = whole(options, "max", POOL_MAX_DEFAULT, 1, POOL_MAX_LIMIT);
  return Object.freeze({
    target: options.target,
    max,
    min: whole(options, "min", POOL_MIN_DEFAULT, 0, max),
    idleTimeoutMs: whole(options, "idleTimeoutMs", POOL_IDLE_TIMEOUT_MS_DEFAULT, 0),
    acquireTimeoutMs: whole(options, "acquireTimeoutMs", POOL_ACQUIRE_TIMEOUT_MS_DEFAULT, 1),
    probeAfterIdleMs: whole(options, "probeAfterIdleMs", POOL_PROBE_AFTER_IDLE_MS_DEFAULT, 0),
    maxLifetimeMs: whole(options, "maxLifetimeMs", POOL_MAX_LIFETIME_MS_DEFAULT, 0),
    queueLimit: whole(options, "queueLimit", POOL_QUEUE_LIMIT_DEFAULT, 0),
    leakWarningMs: whole(options, "leakWarningMs", POOL_LEAK_WARNING_MS_DEFAULT, 0),
    instances: whole(options, "instances", POOL_INSTANCES_DEFAULT, 1),
    onWarning: safely(options.onWarning ?? emitWarning),
    connect: options.connect ?? connect,
    now: options.now ?? (() => performance.now()),
    random: options.random ?? Math.random,
  });
}

type NumberOption = {
  [Key in keyof PoolOptions]-?: PoolOptions[Key] extends number | undefined ? Key : never;
}[keyof PoolOptions];

/** Node's timers hold 31 bits of milliseconds; more would fire at once. */
const TIMER_LIMIT_MS = 2_147_483_647;

function whole(
  options: PoolOptions,
  name: NumberOption,
  fallback: number,
  least: number,
  most = TIMER_LIMIT_MS,
): number {
  const value = options[name] ?? fallback;
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new ConfigError(
    `pool.${name} is ${String(value)}; it has to be a whole number from ${least} to ${most}`,
    {
      path: `pool.${name}`,
      hint: name === "min" ? "min cannot be more than max." : `Leave it out for the default, ${fallback}.`,
    },
  );
}

/** A listener that throws must not keep a connection from coming back. */
function safely(listener: (warning: PoolWarning) => void): (warning: PoolWarning) => void {
  return (warning) => {
    try {
      listener(warning);
    } catch {
      emitWarning(warning);
    }
  };
}

/** Where warnings go that nobody asked for. */
export function emitWarning(warning: { readonly message: string; readonly code: string }): void {
  process.emitWarning(warning.message, { type: "PlinthWarning", code: warning.code });
}
