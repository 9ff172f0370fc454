/** How long past its statement time-out a silent server is given before somebody goes and looks. */
export const SILENCE_GRACE_MS = 5_000;
/** The same for sessions without a statement time-out. */
export const SILENCE_MS_WITHOUT_TIMEOUT = 60_000;
/** A reply that is on its way when the server says "idle" gets this long to arrive. */
const LAST_CHANCE_MS = 1_000;

export interface SilenceWatchParts {
  readonly limitMs: number;
  /** What runs now, and since when; undefined when nothing does. */
  readonly running: () => { readonly what: object; readonly since: number } | undefined;
  /** Asks the server by another way whether the session still works on it. False means certainly not. */
  readonly isServerWorking: () => Promise<boolean>;
  /** Ends the session. */
  readonly cut: () => void;
}

/**
 * Finds statements whose answer can never come: the route was dropped in silence, and the operating system would
 * retransmit for a quarter of an hour. TCP keepalive does not help while unacknowledged data is under way.
 *
 * A statement may be slow for good reasons, so the watch never ends one on time alone: it asks the server on a
 * second connection first. One timer per connection, re-armed at most once per `limitMs`: nothing per statement.
 */
export class SilenceWatch {
  readonly #parts: SilenceWatchParts;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: SilenceWatchParts) {
    this.#parts = parts;
  }

  /** To be called when a statement is sent. */
  arm(): void {
    if (this.#timer === undefined) this.#sleep(this.#parts.limitMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #sleep(ms: number): void {
    this.#timer = setTimeout(() => this.#look(), ms).unref();
  }

  #look(): void {
    this.#timer = undefined;
    const running = this.#parts.running();
    if (running === undefined) return;
    const silentMs = performance.now() - running.since;
    if (silentMs < this.#parts.limitMs) this.#sleep(this.#parts.limitMs - silentMs);
    else void this.#ask(running.what);
  }

  async #ask(what: object): Promise<void> {
    if (await this.#parts.isServerWorking()) {
      if (this.#parts.running() !== undefined) this.#sleep(this.#parts.limitMs);
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#parts.running()?.what === what) this.#parts.cut();
    }, LAST_CHANCE_MS);
  }
}
