import type { Outcome, StatementCall } from "../driver/index.ts";
import { CallSite, InputError } from "../errors/index.ts";
import type { Place } from "../transaction/index.ts";

/** The statements of a call and how their answers become its result. */
export interface Intent<T> {
  /** Nearly always one. Several travel as one flight, all or nothing; none when there is nothing to ask. */
  readonly calls: readonly StatementCall[];
  readonly additions: readonly Addition[];
  /** Its answer can turn out to be a failure ("no such row"), which has to undo what else is in a batch. */
  readonly mayRefuse?: boolean;
  /** It changes nothing, so there is nothing of it to undo. */
  readonly isRead?: boolean;
  /** May ask again for what the first answer could not tell; `again` runs where the first one ran. */
  read(outcomes: readonly Outcome[], again: (call: StatementCall) => Promise<Outcome>): T | Promise<T>;
}

/** What a behaviour added to a call, as SQL. */
export interface Addition {
  readonly behaviour: string;
  readonly sql: string;
}

/** What `toSQL()` shows. */
export interface QuerySql {
  readonly text: string;
  readonly values: readonly (string | Buffer | null)[];
  readonly additions: readonly Addition[];
}

/** How a query's statements reach the server: the unit of work. */
export type QueryRunner = Pick<Place, "run" | "batch">;

const TAKE = Symbol("take");

/** Three are the repository's own, and the rest say who called. */
const FRAMES = 8;

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
  /** Taken here: by the time it runs, in a microtask of the `await`, nobody can tell any more who asked. */
  readonly #site: CallSite;
  #signal: AbortSignal | undefined;
  #isTaken = false;
  #result: Promise<T> | undefined;

  constructor(intent: () => Intent<T>, runner: QueryRunner) {
    this.#intent = intent;
    this.#runner = runner;
    this.#site = new CallSite(FRAMES);
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
    const { calls, additions } = this.#intent();
    return {
      text: calls.map((call) => call.text).join(";\n"),
      values: calls.flatMap((call) => call.values),
      additions,
    };
  }

  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#start().then(onFulfilled, onRejected);
  }

  catch<B = never>(onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.#start().catch(onRejected);
  }

  finally(onFinally?: (() => void) | null): Promise<T> {
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

  async #run(): Promise<T> {
    try {
      if (this.#isTaken) throw refusal("ran in a batch, which gave its result back");
      return await this.#execute();
    } catch (error) {
      this.#site.sign(error);
      throw error;
    }
  }

  async #execute(): Promise<T> {
    const intent = this.#intent();
    const options = { signal: this.#signal, site: this.#site };
    const again = (call: StatementCall): Promise<Outcome> => this.#runner.run(call, options);
    const [only, ...others] = intent.calls;
    if (only === undefined) return intent.read([], again);
    const outcomes =
      others.length === 0
        ? [await again(only)]
        : await this.#runner.batch(intent.calls, { site: this.#site });
    return intent.read(outcomes, again);
  }
}

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
