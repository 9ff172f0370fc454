import { busyCopying, type Connection, type Outcome, type StatementCall } from "../driver/index.ts";
import { isConnectionError, isPlinthError, TransactionError } from "../errors/index.ts";
import type { Actor } from "../sql/index.ts";
import { Hooks } from "./hooks.ts";
import { mayWrite, READ_TRANSACTION_ID } from "./outcome.ts";
import { identityOf, mayBeRecorded, NOBODY, namedIn, tellActor } from "./telling.ts";

/**
 * One transaction, or one savepoint inside it.
 *
 * | state     | entered                       | statements                                  |
 * |-----------|-------------------------------|---------------------------------------------|
 * | open      | at once; after SAVEPOINT      | run in order on the one connection; the first brings BEGIN along |
 * | nested    | while a savepoint in it lives | wait until that has ended                   |
 * | copying   | while a COPY in it runs       | throw TRANSACTION_CONTROL                   |
 * | ended     | when its callback settles, or that of a transaction around it | throw TRANSACTION_CLOSED |
 *
 * `nested` is why two savepoints started side by side (`Promise.all`) do not interleave, and why a statement of
 * the outer callback cannot slip into, and be rolled back with, an inner one. `copying` is a nested one that cannot be
 * waited for: it ends when its source or its reader does, and that may be who asks.
 */
export class TransactionScope {
  readonly connection: Connection;
  /** The transaction or savepoint this one is inside of. */
  readonly outer: TransactionScope | undefined;
  readonly depth: number;
  readonly signal: AbortSignal | undefined;
  /** The first failure inside, for the error that says why COMMIT rolled back. */
  firstError: unknown;
  /** Which run of the callback this is, from 1; of a savepoint, that of the transaction around it. */
  readonly attempt: number;
  /** Of the outermost transaction. Set once it has written something. */
  #transactionId: string | undefined;
  /** Of the outermost transaction: a serialization failure that a savepoint has seen, and that none can undo. */
  #doom: unknown;
  #hooks: Hooks | undefined;
  /** Who is in force, where the database is to know; undefined where nothing records it. */
  readonly #actor: (() => Actor | undefined) | undefined;
  /**
   * What the database was told last, by what is on its way; undefined where that is not known. A rollback to a savepoint takes
   * back what was told since.
   */
  #told: string | undefined;
  /** The BEGIN that will travel with the first statement; undefined once it is under way, and for a savepoint. */
  #begin: string | undefined;
  #isOpen = true;
  #nested: Promise<void> | undefined;
  #isCopying = false;

  constructor(
    connection: Connection,
    outer: TransactionScope | undefined,
    signal: AbortSignal | undefined,
    begin?: string,
    attempt = 1,
    actor?: () => Actor | undefined,
  ) {
    this.#actor = outer === undefined ? actor : outer.#actor;
    this.#told = outer === undefined ? NOBODY : outer.#told;
    this.connection = connection;
    this.attempt = outer?.attempt ?? attempt;
    this.outer = outer;
    this.#begin = begin;
    this.depth = outer === undefined ? 0 : outer.depth + 1;
    this.signal = signal;
  }

  get outermost(): TransactionScope {
    return this.outer?.outermost ?? this;
  }

  /** PostgreSQL's number of the transaction, once it has one and Plinth has seen it write. */
  get transactionId(): string | undefined {
    return this.outermost.#transactionId;
  }

  /**
   * Why the transaction cannot be committed although a savepoint has swallowed the failure: what it has read is no longer
   * so, and rolling back to the savepoint does not read it again.
   */
  get doom(): unknown {
    return this.outermost.#doom;
  }

  /** What runs at its end; made when it is first asked for. */
  get hooks(): Hooks {
    this.#hooks ??= new Hooks();
    return this.#hooks;
  }

  get hasHooks(): boolean {
    return this.#hooks !== undefined;
  }

  isInside(scope: TransactionScope): boolean {
    return this === scope || (this.outer?.isInside(scope) ?? false);
  }

  /** A savepoint is over when the transaction around it is, whatever its own callback still does. */
  get isOpen(): boolean {
    return this.#isOpen && (this.outer?.isOpen ?? true);
  }

  /** BEGIN was sent: only then is there something to commit. */
  get hasBegun(): boolean {
    return this.#begin === undefined;
  }

  /** A savepoint in this scope has begun and not ended. */
  get hasNested(): boolean {
    return this.#nested !== undefined;
  }

  end(): void {
    this.#isOpen = false;
  }

  /** @throws {TRANSACTION_CLOSED} once the callback has ended. */
  refuseEnded(): void {
    if (this.isOpen) return;
    throw new TransactionError(
      "TRANSACTION_CLOSED",
      "this transaction is over, so nothing can run in it any more",
      {
        hint: "Something that was started inside its callback ran on after it. Await it inside, or start it outside.",
      },
    );
  }

  /** Resolves when no savepoint is open in this scope. */
  async whenFree(): Promise<void> {
    this.#refuseCopying();
    while (this.#nested !== undefined) await this.#nested;
    this.refuseEnded();
  }

  /** One statement, when no savepoint is open in this scope. Either signal stops it. */
  async run(call: StatementCall, options?: { readonly signal?: AbortSignal | undefined }): Promise<Outcome> {
    this.#refuseCopying();
    // Checked in line, not in a method: nothing may come between the last check and the use of its answer.
    while (this.#nested !== undefined) await this.#nested;
    this.refuseEnded();
    const signal = options?.signal;
    const telling = this.#telling([call]);
    if (telling !== undefined && signal === undefined && this.signal === undefined) {
      const [outcome] = await this.#tellAnd(telling, [call]);
      if (outcome === undefined) throw new TypeError("a statement was not answered");
      return outcome;
    }
    if (telling !== undefined) {
      // Both at once: whoever comes between would be taken for who was told of.
      const [, outcome] = await Promise.all([this.#tellAnd(telling, []), this.send(call, signal)]);
      return outcome;
    }
    if (signal !== undefined || this.signal !== undefined || !this.#wantsId(call))
      return this.send(call, signal);
    // In front, as `pg_stat_activity` shows what came last.
    const [id, outcome] = await this.#fly([READ_TRANSACTION_ID, call]);
    this.#noteId(id);
    if (outcome === undefined) throw new TypeError("a statement was not answered");
    return outcome;
  }

  /** Several statements under one Sync: one round trip, and the first failure skips the rest. */
  async flight(calls: readonly StatementCall[]): Promise<readonly Outcome[]> {
    this.#refuseCopying();
    while (this.#nested !== undefined) await this.#nested;
    this.refuseEnded();
    if (calls.length === 0) return [];
    const telling = this.#telling(calls);
    if (telling !== undefined) return this.#tellAnd(telling, calls);
    if (!calls.some((call) => this.#wantsId(call))) return this.#fly(calls);
    // Behind, as an error says by its place which statement failed.
    const outcomes = await this.#fly([...calls, READ_TRANSACTION_ID]);
    this.#noteId(outcomes[calls.length]);
    return outcomes.slice(0, calls.length);
  }

  /** Tells the database on whose behalf the next writes are, where it does not know yet. */
  async tellActor(): Promise<void> {
    const telling = this.#telling(undefined);
    if (telling !== undefined) await this.#tellAnd(telling, []);
  }

  /** After RELEASE: what was told inside holds on. */
  adoptTold(inner: TransactionScope): void {
    this.#told = inner.#told;
  }

  #telling(calls: readonly StatementCall[] | undefined): Telling | undefined {
    const named = calls === undefined ? undefined : namedIn(calls);
    if (named === undefined && (this.#actor === undefined || calls?.some(mayBeRecorded) === false))
      return undefined;
    const actor = named ?? this.#actor?.();
    const identity = identityOf(actor);
    return identity === this.#told ? undefined : { call: tellActor(actor), identity };
  }

  /** In front, in the same flight, and the transaction's number with it. */
  async #tellAnd({ call, identity }: Telling, calls: readonly StatementCall[]): Promise<readonly Outcome[]> {
    const wantsId = calls.some((one) => this.#wantsId(one));
    const front = wantsId ? [call, READ_TRANSACTION_ID] : [call];
    this.#told = identity;
    try {
      const outcomes = await this.#fly([...front, ...calls]);
      if (wantsId) this.#noteId(outcomes[1]);
      return outcomes.slice(front.length);
    } catch (error) {
      this.#told = undefined;
      throw error;
    }
  }

  #fly(calls: readonly StatementCall[]): Promise<readonly Outcome[]> {
    return this.#beginning((begin) => this.connection.batch(calls, { begin }));
  }

  #wantsId(call: StatementCall): boolean {
    return this.transactionId === undefined && mayWrite(call);
  }

  #noteId(outcome: Outcome | undefined): void {
    this.outermost.#transactionId ??= outcome?.rows[0]?.[0] ?? undefined;
  }

  /**
   * Sends without waiting for savepoints: for the statements that make and end them. The first one brings BEGIN along,
   * in one flight; what is called before its answer is held back by the connection, and not sent if BEGIN fails.
   */
  send(call: StatementCall, signal?: AbortSignal): Promise<Outcome> {
    const either = eitherSignal(this.signal, signal);
    return this.#beginning((begin) => this.connection.query(call, { signal: either, begin }));
  }

  #beginning<T>(send: (begin: string | undefined) => Promise<T>): Promise<T> {
    const begin = this.#begin;
    this.#begin = undefined;
    if (begin === undefined) return this.#noting(() => send(undefined));
    return this.#noting(async () => {
      try {
        return await send(begin);
      } catch (error) {
        // Nothing has begun (it was canceled before it was sent): the next statement brings BEGIN along.
        if (this.connection.isOpen && this.connection.transactionStatus === "idle") this.#begin = begin;
        throw error;
      }
    });
  }

  /** Refuses everything else in this scope until `work` has ended, which holds the scope for itself. */
  async copying<T>(work: () => Promise<T>): Promise<T> {
    this.#refuseCopying();
    while (this.#nested !== undefined) await this.#nested;
    const running = work();
    this.#isCopying = true;
    try {
      return await running;
    } finally {
      this.#isCopying = false;
    }
  }

  #refuseCopying(): void {
    if (this.#isCopying) throw busyCopying();
  }

  /** Holds this scope's own statements back until `work` has ended. */
  async holdFor<T>(work: () => Promise<T>): Promise<T> {
    this.#refuseCopying();
    while (this.#nested !== undefined) await this.#nested;
    this.refuseEnded();
    let release = (): void => {};
    this.#nested = new Promise((resolve) => {
      release = resolve;
    });
    try {
      return await work();
    } finally {
      this.#nested = undefined;
      release();
    }
  }

  async #noting<T>(send: () => Promise<T>): Promise<T> {
    try {
      const answer = await send();
      this.#refuseEndedBehindOurBack();
      return answer;
    } catch (error) {
      this.firstError ??= error;
      if (isPlinthError(error) && error.code === "SERIALIZATION_FAILURE") this.outermost.#doom ??= error;
      throw error;
    }
  }

  #refuseEndedBehindOurBack(): void {
    if (this.connection.transactionStatus !== "idle") return;
    this.#isOpen = false;
    throw new TransactionError("TRANSACTION_CLOSED", "a statement ended the transaction it ran in", {
      hint: "A procedure that commits must be called outside db.transaction.",
    });
  }
}

/** What the database is to be told, and what it then knows. */
interface Telling {
  readonly call: StatementCall;
  readonly identity: string;
}

/** A signal that is aborted as soon as one of the two is. */
export function eitherSignal(
  one: AbortSignal | undefined,
  other: AbortSignal | undefined,
): AbortSignal | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return AbortSignal.any([one, other]);
}

/** True when the session is gone, so that neither ROLLBACK nor anything else can reach it. */
export function isSessionLost(connection: Connection, error: unknown): boolean {
  return !connection.isOpen || isConnectionError(error);
}
