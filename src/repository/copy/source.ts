import { InputError, StatementError } from "../../errors/index.ts";

type Answer = IteratorResult<unknown>;

/**
 * What somebody gives to copy, one item at a time, from a list, a generator or a stream.
 *
 * | state   | entered by                    | leave                                       |
 * | ------- | ----------------------------- | ------------------------------------------- |
 * | unasked | construction                  | tells it to return, and waits for that; a stream is destroyed, as it has not begun and hears nothing |
 * | resting | an answer                     | tells it to return, and waits for that      |
 * | asked   | next                          | tells it, without waiting, as it may be silent; a stream is destroyed |
 * | over    | its last item, what it throws, leave | nothing                              |
 */
export class CopySource {
  /** A promise only where the source gives one: what is there already is not waited for. */
  readonly next: () => Answer | Promise<Answer>;
  readonly #return: () => unknown;
  readonly #cut: () => void;
  #state: "unasked" | "resting" | "asked" | "over" = "unasked";

  constructor(source: AsyncIterable<unknown> | Iterable<unknown>) {
    const given: unknown = source;
    if (typeof given !== "object" || given === null) throw noSource();
    // A stream of Node's that is waited for hears of `return` with its next piece only.
    this.#cut = () => {
      if ("destroy" in given && typeof given.destroy === "function") given.destroy();
    };
    if (Symbol.asyncIterator in source) {
      const iterator = source[Symbol.asyncIterator]();
      this.next = () => this.#ask(iterator);
      this.#return = () => iterator.return?.();
    } else if (Symbol.iterator in source) {
      const iterator = source[Symbol.iterator]();
      this.next = () => this.#take(iterator);
      this.#return = () => iterator.return?.();
    } else {
      throw noSource();
    }
  }

  /** The first item, which is waited for before there is a copy that a signal could end. */
  first(signal: AbortSignal | undefined): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const stop = () =>
        reject(
          new StatementError(
            "QUERY_CANCELED",
            "the copy was canceled before its first row",
            { sqlstate: "57014" },
            { cause: signal?.reason },
          ),
        );
      if (signal?.aborted === true) return stop();
      signal?.addEventListener("abort", stop, { once: true });
      (async () => this.next())()
        .then(resolve, reject)
        .finally(() => signal?.removeEventListener("abort", stop));
    });
  }

  async leave(): Promise<void> {
    const state = this.#state;
    this.#state = "over";
    if (state === "over") return;
    const left = (async () => this.#return())().catch(() => {});
    if (state !== "resting") this.#cut();
    if (state !== "asked") await left;
  }

  async #ask(iterator: AsyncIterator<unknown>): Promise<Answer> {
    this.#state = "asked";
    try {
      return this.#note(await iterator.next());
    } catch (error) {
      this.#state = "over";
      throw error;
    }
  }

  #take(iterator: Iterator<unknown>): Answer {
    this.#state = "over";
    return this.#note(iterator.next());
  }

  #note(answer: Answer): Answer {
    this.#state = answer.done === true ? "over" : "resting";
    return answer;
  }
}

function noSource(): InputError {
  return new InputError("INVALID_VALUE", [
    { path: "source", message: "must be a list, a generator or a stream (anything that can be iterated)" },
  ]);
}
