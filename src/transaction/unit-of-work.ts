import { AsyncLocalStorage } from "node:async_hooks";
import type { Connection, Outcome, StatementCall } from "../driver/index.ts";
import { type CallSite, isPlinthError, TransactionError } from "../errors/index.ts";
import type { Pool } from "../pool/index.ts";
import { type CopyOptions, withoutTimeout } from "./copying.ts";
import { abortedBy, commit, refuseCanceled, rolledBack, settle, undoSavepoint } from "./endings.ts";
import { beginStatement, checkOptions, type TransactionOptions } from "./options.ts";
import { eitherSignal, TransactionScope } from "./scope.ts";

/** One place for statements: wherever the caller is, or one certain transaction. */
export type Place = Pick<UnitOfWork, "run" | "batch" | "transaction" | "copy" | "here">;

/** How one statement, or one flight of them, runs. */
export interface RunOptions {
  /** Stops the statement on the server. */
  readonly signal?: AbortSignal | undefined;
  /** Whom to name as the holder of the connection. @default the caller */
  readonly site?: CallSite | undefined;
}

/** How a flight of statements runs. */
export interface BatchOptions extends Pick<RunOptions, "site"> {
  /** None of them changes anything. @default false */
  readonly isRead?: boolean | undefined;
}

/** Where statements run: in the ambient transaction when there is one, else on any connection of the pool. */
export interface UnitOfWork {
  /** One statement. One round trip. */
  run(call: StatementCall, options?: RunOptions): Promise<Outcome>;
  /**
   * All statements or none. One round trip outside a transaction; inside one, two more for a savepoint, unless they are
   * reads only: of those there is nothing to undo.
   */
  batch(calls: readonly StatementCall[], options?: BatchOptions): Promise<readonly Outcome[]>;
  /** The transaction or savepoint that a statement would run in now; undefined outside any. */
  here(): object | undefined;
  /**
   * Runs `work` in a transaction on one connection, ambient for everything inside. A call inside another is a
   * savepoint. Commits when `work` resolves, rolls back when it rejects, and always gives the connection back.
   */
  transaction<T>(work: (scope: TransactionScope) => PromiseLike<T>, options?: TransactionOptions): Promise<T>;
  /**
   * Runs `work`, which moves rows by COPY, on a connection that nothing else uses meanwhile: under a savepoint of the
   * ambient transaction, whose other statements are refused with `TRANSACTION_CONTROL` until it has ended, else in a
   * transaction of its own. Not ambient inside: what `work` calls of its caller's runs where the caller is.
   */
  copy<T>(work: (connection: Connection) => Promise<T>, options?: CopyOptions): Promise<T>;
  /**
   * The same calls, bound to one transaction: for its explicit handle, which works where the async context
   * was lost, and throws `TRANSACTION_CLOSED` once the transaction is over.
   */
  bind(scope: TransactionScope): Place;
  /** True for this unit of work itself and for what its `bind` gave. */
  owns(runner: object): runner is Place;
}

export function createUnitOfWork(pool: Pool): UnitOfWork {
  const ambient = new AsyncLocalStorage<TransactionScope>();
  const places = new WeakSet<object>();

  /** An outer handle used inside a savepoint means the savepoint: waiting for its end would be waiting for itself. */
  const innermost = (scope: TransactionScope): TransactionScope => {
    const here = ambient.getStore();
    return here?.isOpen === true && here.isInside(scope) ? here : scope;
  };

  const bind: UnitOfWork["bind"] = (scope) => {
    const place: Place = {
      run: (call, options) => innermost(scope).run(call, options),
      here: () => innermost(scope),
      batch: (calls, options) =>
        options?.isRead === true
          ? innermost(scope).flight(calls)
          : onceMoreIfStale(() => savepoint(ambient, innermost(scope), (inner) => inner.flight(calls))),
      async transaction(work, options = {}) {
        refuseOptionsOfNested(options);
        return savepoint(ambient, innermost(scope), work, options.signal);
      },
      copy: (work, { signal } = {}) => {
        const outer = innermost(scope);
        return outer.copying(() =>
          savepoint(undefined, outer, (inner) => withoutTimeout(inner, work), signal),
        );
      },
    };
    places.add(place);
    return place;
  };

  // An ended scope stays ambient for work that was left behind in its callback, so that its use is noticed.
  const unit: UnitOfWork = {
    bind,
    here: () => ambient.getStore(),
    owns: (runner): runner is Place => places.has(runner),
    // Without a promise of its own: a promise costs about as much as all else that is done here.
    run(call, options) {
      const scope = ambient.getStore();
      return scope === undefined ? pool.run(call, options) : scope.run(call, options);
    },
    batch(calls, options) {
      const scope = ambient.getStore();
      return scope === undefined
        ? pool.batch(calls, { site: options?.site })
        : bind(scope).batch(calls, options);
    },
    async transaction(work, options = {}) {
      const scope = ambient.getStore();
      return scope === undefined
        ? outermost(pool, ambient, work, options)
        : bind(scope).transaction(work, options);
    },
    async copy(work, options = {}) {
      const scope = ambient.getStore();
      return scope === undefined
        ? outermost(pool, undefined, (own) => withoutTimeout(own, work), options)
        : bind(scope).copy(work, options);
    },
  };
  places.add(unit);
  return unit;
}

type Ambient = AsyncLocalStorage<TransactionScope>;
type Work<T> = (scope: TransactionScope) => PromiseLike<T>;

/** Without `ambient` the scope is the work's alone: what that calls does not join it by itself. */
async function inside<T>(ambient: Ambient | undefined, scope: TransactionScope, work: Work<T>): Promise<T> {
  return ambient === undefined ? work(scope) : ambient.run(scope, async () => await work(scope));
}

async function outermost<T>(
  pool: Pool,
  ambient: Ambient | undefined,
  work: Work<T>,
  options: TransactionOptions,
): Promise<T> {
  const begin = beginStatement(options);
  const lease = await pool.acquire({ signal: options.signal });
  const { connection } = lease;
  const scope = new TransactionScope(connection, undefined, options.signal, begin);
  let isClean = false;
  try {
    // As the holder: work that asks the pool for a second connection must not wait for its own end.
    const result = await settle(scope, () => lease.run(() => inside(ambient, scope, work)));
    await commit(scope);
    isClean = true;
    return result;
  } catch (error) {
    isClean = await rolledBack(connection, error);
    throw error;
  } finally {
    scope.end();
    lease.release({ discard: !isClean });
  }
}

async function savepoint<T>(
  ambient: Ambient | undefined,
  outer: TransactionScope,
  work: Work<T>,
  signal?: AbortSignal,
): Promise<T> {
  return outer.holdFor(async () => {
    const inner = new TransactionScope(outer.connection, outer, eitherSignal(outer.signal, signal));
    const name = `plinth_${inner.depth}`;
    await outer.send({ text: `savepoint ${name}`, values: [] });
    try {
      const result = await settle(inner, () => inside(ambient, inner, work));
      refuseCanceled(inner);
      outer.refuseEnded();
      if (outer.connection.transactionStatus === "failed") throw abortedBy(inner.firstError);
      await outer.send({ text: `release savepoint ${name}`, values: [] });
      return result;
    } catch (error) {
      await undoSavepoint(outer, name);
      throw error;
    } finally {
      inner.end();
    }
  });
}

/**
 * A table changed since a statement of the flight was prepared: its savepoint is rolled back, the session has forgotten
 * the name, and the second run prepares it anew.
 */
async function onceMoreIfStale<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (isPlinthError(error) && error.code === "STALE_STATEMENT") return run();
    throw error;
  }
}

function refuseOptionsOfNested(options: TransactionOptions): void {
  checkOptions(options);
  if (options.isolation === undefined && options.readOnly === undefined) return;
  throw new TransactionError(
    "TRANSACTION_CONTROL",
    "isolation and readOnly belong to the outermost transaction; a nested one is a savepoint of it",
    { hint: "Set them where the first db.transaction begins." },
  );
}
