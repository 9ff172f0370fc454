/**
 * Passes items from one who makes them to one who uses them, one at a time: the maker works on the next item while the
 * user is busy with the last, and never further ahead.
 *
 * | mode    | entered by                  | offer            | take                        |
 * | ------- | --------------------------- | ---------------- | --------------------------- |
 * | open    | construction                | waits for a take | waits for an offer          |
 * | ended   | `end`, `fail`, by the maker |                  | what is left, then the end  |
 * | stopped | `stop`, by the user         | false at once    |                             |
 */
export class Handoff<T> {
  #item: { readonly value: T } | undefined;
  #outcome: { readonly error?: unknown } | undefined;
  #isStopped = false;
  #wakeMaker: (() => void) | undefined;
  #wakeUser: (() => void) | undefined;

  /** True once the item was taken; false when no more are wanted. */
  async offer(value: T): Promise<boolean> {
    if (this.#isStopped) return false;
    this.#item = { value };
    this.#wakeUser?.();
    while (this.#item !== undefined && !this.#isStopped) {
      await new Promise<void>((wake) => {
        this.#wakeMaker = wake;
      });
    }
    return !this.#isStopped;
  }

  end(): void {
    this.#outcome ??= {};
    this.#wakeUser?.();
  }

  fail(error: unknown): void {
    this.#outcome ??= { error };
    this.#wakeUser?.();
  }

  /** The next item; `undefined` after the last one. Rejects with what the maker failed with. */
  async take(): Promise<{ readonly value: T } | undefined> {
    while (this.#item === undefined && this.#outcome === undefined) {
      await new Promise<void>((wake) => {
        this.#wakeUser = wake;
      });
    }
    const item = this.#item;
    if (item !== undefined) {
      this.#item = undefined;
      this.#wakeMaker?.();
      return item;
    }
    if (this.#outcome !== undefined && "error" in this.#outcome) throw this.#outcome.error;
    return undefined;
  }

  stop(): void {
    this.#isStopped = true;
    this.#wakeMaker?.();
  }
}
