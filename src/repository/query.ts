import { CallSite, InputError } from "../errors/index.ts";
import { askOf } from "./ask.ts";
import { type ExplainOptions, type Explanation, explain } from "./explain/explain.ts";
import type { Addition, Ask, Intent, QueryRunner } from "./intent.ts";
import { refuseLockOutside } from "./lock.ts";
import type { ReadMerger } from "./merge.ts";

/** What `toSQL()` shows. */
export interface QuerySql {
  readonly text: string;
  readonly values: readonly (string | Buffer | null)[];
  readonly additions: readonly Addition[];
  /** Statements that follow, in one more round trip: related rows, with the keys that the first answer named. */
  readonly later: readonly string[];
}

const TAKE = Symbol("take");

/**
 * A repository call that has not run yet. It runs when it is first awaited, once; until then it can be looked at
 * with `toSQL()`, given to `db.batch`, or thrown away.
 *
 * @example
 * ```ts
 * const query = repo.tasks.find(id);
 * query.toSQL().text;   // select … from "tracker"."tasks" t0 where t0."id" = $1 and t0."deleted_at" is null
 * const task = await query;
 * ```
 */
export class Query<T> implements PromiseLike<T> {
  readonly #intent: () => Intent<T>;
  readonly #runner: QueryRunner;
  /** Taken where a function of the caller's own waits; behind an `await` it is found when it is needed. */
  #site: CallSite | undefined;
  #signal: AbortSignal | undefined;
  #isTaken = false;
  #result: Promise<T> | undefined;

  /** Where single reads of one tick meet; absent where they should not. */
  readonly #merger: ReadMerger | undefined;

  constructor(intent: () => Intent<T>, runner: QueryRunner, merger?: ReadMerger) {
    this.#intent = intent;
    this.#runner = runner;
    this.#merger = merger;
  }

  /** Aborting `signal` stops the statement on the server and rejects with `QUERY_CANCELED`. */
  withSignal(signal: AbortSignal): this {
    this.#signal = signal;
    return this;
  }

  /**
   * The text, the parameters as they travel, and which behaviour added what. Sends nothing. A call of several
   * statements (rows of different shapes) shows them one after the other.
   */
  toSQL(): QuerySql {
    const { calls, additions, later = [] } = this.#intent();
    return {
      text: calls.map((call) => call.text).join(";\n"),
      values: calls.flatMap((call) => call.values),
      additions,
      later,
    };
  }

  /**
   * How PostgreSQL runs the call's statements with these values, as a typed plan, and its problems in words. With
   * `analyze` it runs them, and rolls back what they write. The query itself can still be awaited afterwards. One round
   * trip a statement, and two more for a write with `analyze`.
   *
   * @example
   * ```ts
   * const { problems } = await repo.tasks.list({ where: { title: { contains: "x" } } }).explain({ analyze: true });
   * // tasks is read whole: 100,000 rows were looked at to find 3 by …; an index could find them
   * ```
   */
  async explain(options: ExplainOptions = {}): Promise<Explanation> {
    const { calls, later = [], isRead = false } = this.#intent();
    return explain(calls, later, isRead, this.#runner, options);
  }

  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    if (!isOfAwait(onFulfilled)) this.#site ??= new CallSite();
    return this.#start().then(onFulfilled, onRejected);
  }

  catch<B = never>(onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<T | B> {
    this.#site ??= new CallSite();
    return this.#start().catch(onRejected);
  }

  finally(onFinally?: (() => void) | null): Promise<T> {
    this.#site ??= new CallSite();
    return this.#start().finally(onFinally);
  }

  /** What `db.batch` runs in its place; see `takeFrom`. */
  [TAKE](): TakenQuery<T> {
    if (this.#result !== undefined) throw refusal("has run already; make a new one for the batch");
    if (this.#isTaken) throw refusal("is in a batch already; a query runs once");
    this.#isTaken = true;
    return { intent: this.#intent(), runner: this.#runner };
  }

  #start(): Promise<T> {
    this.#result ??= this.#run();
    return this.#result;
  }

  /** All in one function: every promise that is awaited on the way costs a call some of its speed. */
  async #run(): Promise<T> {
    let intent: Intent<T> | undefined;
    try {
      if (this.#isTaken) throw refusal("ran in a batch, which gave its result back");
      intent = this.#intent();
      if (intent.isLocking === true && this.#runner.here() === undefined) refuseLockOutside();
      const { keyed } = intent;
      if (keyed !== undefined && this.#merger !== undefined && this.#signal === undefined) {
        const merged = await this.#merger.take(keyed, this.#runner);
        if (merged !== undefined) return keyed.finish(merged.row);
      }
      const options = { signal: this.#signal, site: this.#site, isRead: intent.isRead };
      const ask = askOf(this.#runner, options);
      if (intent.needsTransaction === true) return await this.#inTransaction(intent, ask);
      const { calls } = intent;
      const [only] = calls;
      const isAlone = only !== undefined && calls.length === 1;
      const outcomes = isAlone ? [await this.#runner.run(only, options)] : await ask(calls);
      const result = intent.read(outcomes, ask);
      return result instanceof Promise ? await result : result;
    } catch (reason) {
      const site = this.#site ?? (await CallSite.ofAwaiter());
      const error = intent?.failed === undefined ? reason : intent.failed(reason);
      site.sign(error);
      throw error;
    }
  }

  #inTransaction(intent: Intent<T>, ask: Ask): Promise<T> {
    const options = this.#signal === undefined ? {} : { signal: this.#signal };
    return this.#runner.transaction(async () => intent.read(await ask(intent.calls), ask), options);
  }
}

/**
 * What `await`, `Promise.all` and their like hand to `then` is V8's own: a nameless function without a source. From
 * there it finds the way back to the caller by itself.
 */
function isOfAwait(onFulfilled: unknown): boolean {
  return typeof onFulfilled === "function" && onFulfilled.name === "" && String(onFulfilled) === NATIVE;
}

const NATIVE = "function () { [native code] }";

/** A query that belongs to a batch from now on, and runs there only. */
export interface TakenQuery<T> {
  readonly intent: Intent<T>;
  readonly runner: QueryRunner;
}

/**
 * Takes a query for a batch.
 *
 * @throws {INVALID_QUERY} for what is no query, and for one that has run: nothing runs twice by accident.
 */
export function takeFrom<T>(query: Query<T>): TakenQuery<T> {
  const given: unknown = query;
  if (!(given instanceof Query)) {
    throw refusal("is no query; give the batch repository calls as they are, not awaited");
  }
  return query[TAKE]();
}

function refusal(message: string): InputError {
  return new InputError("INVALID_QUERY", [{ path: "query", message }]);
}
