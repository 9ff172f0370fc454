import type { BatchOptions, Connection, Outcome, StatementCall } from "../driver/index.ts";
import type { CallSite, HolderReport } from "../errors/index.ts";

/** Lends connections. One per process and database. */
export interface Pool {
  /**
   * Takes a connection: an idle one (probed with `select 1` when it was idle for more than 30 s), else a new
   * one while fewer than `max` exist, else waits in line, first come first served, for `acquireTimeoutMs`.
   *
   * @throws {POOL_EXHAUSTED} after the wait, with who holds each connection, since when, from which line.
   * @throws {POOL_DEADLOCK} at once, when every connection is held by work that itself waits for a connection.
   * @throws {POOL_CLOSED} once `close` was called.
   * @throws {CONNECTION_FAILED} and the driver's other errors, when the connection opened for this caller fails.
   * @throws {QUERY_CANCELED} when `signal` is aborted first.
   */
  acquire(options?: AcquireOptions): Promise<Lease>;

  /** Takes a connection, runs `work` with it, and gives it back whatever happens. */
  use<T>(work: (connection: Connection) => Promise<T>, options?: AcquireOptions): Promise<T>;

  /**
   * Runs one statement. One that is known to be short (a read that a few runs have shown to take under some 3 ms)
   * may travel together with others on a connection that such statements share; any other has a connection to
   * itself, as with `use`. Errors are those of `use` and of the statement. When the shared connection is lost, what
   * had not been sent runs on another one.
   */
  run(call: StatementCall, options?: AcquireOptions): Promise<Outcome>;

  /**
   * Runs several statements in one flight, all or nothing. One of reads that are all known to be short may share a
   * connection, as a single one with `run`. Whether the rest was committed when its connection is lost, `mayHaveHappened`
   * tells.
   */
  batch(
    calls: readonly StatementCall[],
    options?: AcquireOptions & Pick<BatchOptions, "isWhole">,
  ): Promise<readonly Outcome[]>;

  /**
   * Connects once and checks the connection budget; called on boot. One round trip, in which `question` travels along.
   *
   * @throws {POOL_BUDGET_EXCEEDED} when `instances × max` is more than the server can take.
   */
  verify(question?: StatementCall): Promise<PoolVerification>;

  readonly stats: PoolStats;

  /** Who holds which connection now. */
  holders(): readonly HolderReport[];

  /**
   * Stops lending, waits for leases to come back until `deadlineMs`, then cancels what still runs and closes.
   * Idempotent: a second call returns the first one's promise.
   */
  close(options?: { readonly deadlineMs?: number }): Promise<void>;
}

export interface AcquireOptions {
  readonly signal?: AbortSignal | undefined;
  /** Whom to name as the holder, when the caller acts for somebody else. @default the caller itself */
  readonly site?: CallSite | undefined;
}

/**
 * A borrowed connection. Give it back exactly once.
 *
 * A lease that is lost (collected as garbage without `release`) is reported, and its connection destroyed.
 */
export interface Lease {
  /** Ends with the lease: a call after `release` rejects with `POOL_MISUSE`. */
  readonly connection: Connection;
  /**
   * Runs `work` as the holder of this connection: if it, or anything it awaits, asks for another connection and
   * none can ever come back, that fails at once with `POOL_DEADLOCK`. `pool.use` does this by itself.
   */
  run<T>(work: () => T): T;
  /**
   * Gives the connection back. One that is broken, busy or still in a transaction is rolled back or destroyed,
   * never handed on. Settings, temporary tables, LISTENs and advisory locks that raw texts left are cleared
   * before the next borrower (one round trip, not waited for). `discard` destroys it in any case.
   *
   * @throws {POOL_MISUSE} on a second call.
   */
  release(options?: { readonly discard?: boolean }): void;
}

export interface PoolStats {
  readonly total: number;
  readonly idle: number;
  readonly inUse: number;
  readonly waiting: number;
  readonly max: number;
}

/** What boot found: the server's limits and whether the whole fleet fits under them. */
export interface PoolVerification {
  readonly serverVersion: number;
  readonly maxConnections: number;
  readonly reservedConnections: number;
  /** `instances × max`, the most connections the fleet can open. */
  readonly budget: number;
  /** What the server answered to the question, where one was asked. */
  readonly answer?: Outcome;
}
