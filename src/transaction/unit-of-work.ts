import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import { type Connection, countedWithout, type Outcome, type StatementCall } from "../driver/index.ts";
import { type CallSite, isPlinthError, TransactionError } from "../errors/index.ts";
import type { Pool } from "../pool/index.ts";
import type { Actor } from "../sql/index.ts";
import {
  checkLock,
  type LockedWork,
  type LockOptions,
  STAY_IDLE,
  takeLock,
  whileHeld,
} from "./advisory-lock.ts";
import { type CopyOptions, withoutTimeout } from "./copying.ts";
import { timeLimit } from "./deadline.ts";
import { abortedBy, commit, refuseCanceled, rolledBack, settle, undoSavepoint } from "./endings.ts";
import type { Hook, HookMoment } from "./hooks.ts";
import { beginStatement, checkOptions, type TransactionOptions } from "./options.ts";
import { RetryBudget, retrying } from "./retry.ts";
import { eitherSignal, TransactionScope } from "./scope.ts";
import { isOwnQuery, isOwnWrite, namedIn, tellActor } from "./telling.ts";

/** One place for statements: wherever the caller is, or one certain transaction. */
export type Place = Pick<UnitOfWork, "run" | "batch" | "transaction" | "copy" | "here" | "hook" | "withLock">;

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
  /** Outside a transaction: it is one by itself, and runs under its time-outs. @default false */
  readonly isWhole?: boolean | undefined;
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
   * Runs `work` while it alone, of all processes, has the advisory lock of `key`. Outside a transaction the lock is held by a
   * connection of its own until `work` has ended, so it outlives every commit in it; inside one it belongs to that, and is
   * held until it ends.
   */
  withLock<T>(key: string, work: LockedWork<T>, options: LockOptions): Promise<T>;
  /**
   * Registers what runs at the end of the transaction, in the order of asking; see `Hooks`. Outside any, `afterCommit` runs
   * at once.
   *
   * @throws {TRANSACTION_CLOSED} for the others outside any, and once the transaction is over.
   */
  hook(moment: HookMoment, run: Hook): void;
  /**
   * The same calls, bound to one transaction: for its explicit handle, which works where the async context
   * was lost, and throws `TRANSACTION_CLOSED` once the transaction is over.
   */
  bind(scope: TransactionScope): Place;
  /** True for this unit of work itself and for what its `bind` gave. */
  owns(runner: object): runner is Place;
}

/** What a unit of work is told besides its pool. */
export interface UnitOfWorkOptions {
  /** Where the error of a hook goes, whose transaction has ended already. */
  readonly onHookFailure?: (error: unknown, moment: HookMoment) => void;
  /**
   * Who is in force. Given where triggers record it: the database is then told, in the flight of the first write that
   * someone else is to be named for.
   */
  readonly actor?: (() => Actor | undefined) | undefined;
  /** Policies show rows by who is in force, so that is told with an application's own reads too. @default false */
  readonly tellsReads?: boolean | undefined;
}

export function createUnitOfWork(
  pool: Pool,
  { onHookFailure = () => {}, actor, tellsReads = false }: UnitOfWorkOptions = {},
): UnitOfWork {
  const ambient: Ambient = new AsyncLocalStorage();
  const world: World = { pool, budget: new RetryBudget(), onHookFailure, actor };
  const places = new WeakSet<object>();
  const isTold = tellsReads ? isOwnQuery : isOwnWrite;
  /** Whom to name for a statement outside a transaction; undefined where nobody would look. */
  const actorOf = (call: StatementCall): Actor | undefined =>
    call.actor ?? (actor !== undefined && isTold(call) ? actor() : undefined);
  const actorAmong = (calls: readonly StatementCall[]): Actor | undefined =>
    namedIn(calls) ?? (actor !== undefined && calls.some(isTold) ? actor() : undefined);

  /** An outer handle used inside a savepoint means the savepoint: waiting for its end would be waiting for itself. */
  const innermost = (scope: TransactionScope): TransactionScope => {
    const here = ambient.getStore();
    return here?.isOpen === true && here.isInside(scope) ? here : scope;
  };

  const bind: UnitOfWork["bind"] = (scope) => {
    const place: Place = {
      run: (call, options) => innermost(scope).run(call, options),
      here: () => innermost(scope),
      hook(moment, run) {
        const here = innermost(scope);
        here.refuseEnded();
        here.hooks.add(moment, inContext(ambient, here.outermost, moment, run));
      },
      batch: (calls, options) =>
        options?.isRead === true
          ? innermost(scope).flight(calls)
          : onceMoreIfStale(() => savepoint(ambient, innermost(scope), (inner) => inner.flight(calls))),
      async transaction(work, options = {}) {
        refuseOptionsOfNested(options);
        const limit = timeLimit(options);
        try {
          return await savepoint(ambient, innermost(scope), work, limit.signal);
        } catch (error) {
          throw limit.explain(error);
        } finally {
          limit.clear();
        }
      },
      async withLock(key, work, options) {
        checkLock(key, options);
        const here = innermost(scope);
        await here.whenFree();
        await takeLock(here, key, options);
        return whileHeld(here.connection, work);
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
      if (scope !== undefined) return scope.run(call, options);
      const named = actorOf(call);
      return named === undefined ? pool.run(call, options) : runNamed(world, named, call, options);
    },
    batch(calls, options) {
      const scope = ambient.getStore();
      if (scope !== undefined) return bind(scope).batch(calls, options);
      const named = actorAmong(calls);
      return named === undefined ? pool.batch(calls, options) : batchNamed(pool, named, calls, options ?? {});
    },
    async transaction(work, options = {}) {
      const scope = ambient.getStore();
      return scope === undefined
        ? outermost(world, ambient, work, options)
        : bind(scope).transaction(work, options);
    },
    hook(moment, run) {
      const scope = ambient.getStore();
      if (scope !== undefined) bind(scope).hook(moment, run);
      else if (moment === "afterCommit") void runAtOnce(run, onHookFailure);
      else throw noTransaction(moment);
    },
    async withLock(key, work, options) {
      checkLock(key, options);
      const scope = ambient.getStore();
      if (scope !== undefined) return bind(scope).withLock(key, work, options);
      const holding = async (own: TransactionScope) => {
        await own.send(STAY_IDLE);
        await takeLock(own, key, options);
        return whileHeld(own.connection, work);
      };
      return outermost(world, undefined, holding, {});
    },
    async copy(work, options = {}) {
      const scope = ambient.getStore();
      return scope === undefined
        ? outermost(world, undefined, (own) => withoutTimeout(own, work), options)
        : bind(scope).copy(work, options);
    },
  };
  places.add(unit);
  return unit;
}

type Ambient = AsyncLocalStorage<TransactionScope | undefined>;
type Work<T> = (scope: TransactionScope) => PromiseLike<T>;

/** What every transaction of a database shares. */
interface World extends Required<Pick<UnitOfWorkOptions, "onHookFailure">> {
  readonly actor: UnitOfWorkOptions["actor"];
  readonly pool: Pool;
  readonly budget: RetryBudget;
}

/** One Sync is one transaction, so what is told holds for the statement behind it, and no longer. */
async function batchNamed(
  pool: Pool,
  actor: Actor,
  calls: readonly StatementCall[],
  options: BatchOptions,
): Promise<readonly Outcome[]> {
  try {
    return (await pool.batch([tellActor(actor), ...calls], options)).slice(1);
  } catch (error) {
    throw countedWithout(1, error);
  }
}

async function runNamed(
  world: World,
  actor: Actor,
  call: StatementCall,
  { site, signal }: RunOptions = {},
): Promise<Outcome> {
  const [outcome] =
    signal === undefined
      ? await batchNamed(world.pool, actor, [call], { site })
      : // A flight cannot be stopped midway; a statement of a transaction can.
        [await outermost(world, undefined, (scope) => scope.run(call, { signal }), { signal, retry: false })];
  if (outcome === undefined) throw new TypeError("a statement was not answered");
  return outcome;
}

/** Without `ambient` the scope is the work's alone: what that calls does not join it by itself. */
async function inside<T>(ambient: Ambient | undefined, scope: TransactionScope, work: Work<T>): Promise<T> {
  return ambient === undefined ? work(scope) : ambient.run(scope, async () => await work(scope));
}

async function outermost<T>(
  world: World,
  ambient: Ambient | undefined,
  work: Work<T>,
  options: TransactionOptions,
): Promise<T> {
  checkOptions(options);
  const begin = beginStatement(options);
  const limit = timeLimit(options);
  const { signal } = limit;
  const run = (attempt: number) => attemptOnce(world, ambient, work, { begin, signal, attempt });
  try {
    return await retrying(run, { retry: options.retry, budget: world.budget, signal });
  } catch (error) {
    throw limit.explain(error);
  } finally {
    limit.clear();
  }
}

interface Attempt {
  readonly begin: string;
  readonly signal: AbortSignal | undefined;
  /** From 1. */
  readonly attempt: number;
}

async function attemptOnce<T>(
  { pool, onHookFailure, actor }: World,
  ambient: Ambient | undefined,
  work: Work<T>,
  { begin, signal, attempt }: Attempt,
): Promise<T> {
  const lease = await pool.acquire({ signal });
  const { connection } = lease;
  const scope = new TransactionScope(connection, undefined, signal, begin, attempt, actor);
  const whole: Work<T> = async (own) => {
    const result = await work(own);
    if (own.hasHooks) await own.hooks.beforeCommit();
    return result;
  };
  let isClean = false;
  let end: "commit" | "rollback" | "unknown" = "rollback";
  try {
    // As the holder: work that asks the pool for a second connection must not wait for its own end.
    const result = await settle(scope, () => lease.run(() => inside(ambient, scope, whole)));
    await commit(scope);
    isClean = true;
    end = "commit";
    return result;
  } catch (error) {
    if (isPlinthError(error) && error.code === "COMMIT_OUTCOME_UNKNOWN") end = "unknown";
    isClean = await rolledBack(connection, error);
    throw error;
  } finally {
    scope.end();
    lease.release({ discard: !isClean });
    // Without the connection: a hook that asks for one must find it.
    if (scope.hasHooks) await scope.hooks.after(end, onHookFailure);
  }
}

/**
 * A hook runs on behalf of whoever gave it, so with that one's actor; and in the transaction that is still open, or in none:
 * the savepoint it was given in is over by then.
 */
function inContext(ambient: Ambient, outermost: TransactionScope, moment: HookMoment, run: Hook): Hook {
  const scope = moment === "beforeCommit" ? outermost : undefined;
  return AsyncResource.bind(() => ambient.run(scope, async () => await run()));
}

/** Nothing is open: what is to follow a commit follows at once, on a turn of its own. */
async function runAtOnce(run: Hook, onFailure: World["onHookFailure"]): Promise<void> {
  try {
    await Promise.resolve();
    await run();
  } catch (error) {
    onFailure(error, "afterCommit");
  }
}

function noTransaction(moment: HookMoment): TransactionError {
  return new TransactionError("TRANSACTION_CLOSED", `${moment} was called outside a transaction`, {
    hint: "Call it inside db.transaction; only afterCommit also runs where nothing is open.",
  });
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
      outer.adoptTold(inner);
      if (inner.hasHooks) outer.hooks.adopt(inner.hooks);
      return result;
    } catch (error) {
      await undoSavepoint(outer, name);
      if (inner.hasHooks) outer.hooks.adoptUndone(inner.hooks);
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
  const { isolation, readOnly, deferrable } = options;
  if (isolation === undefined && readOnly === undefined && deferrable === undefined) return;
  throw new TransactionError(
    "TRANSACTION_CONTROL",
    "isolation, readOnly and deferrable belong to the outermost transaction; a nested one is a savepoint of it",
    { hint: "Set them where the first db.transaction begins." },
  );
}
