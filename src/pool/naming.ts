import type { Members } from "./members.ts";

/** Who holds a connection for longer has a name in every report. */
const ASK_EVERY_MS = 20;

/**
 * Asks statements that hold a connection who waits for them. Only they themselves can find out, in a turn of their own, and it
 * costs more than all else that the pool does for them; nearly all are over before anybody is asked.
 */
export class Naming {
  readonly #members: Members;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(members: Members) {
    this.#members = members;
  }

  /** Somebody without a name holds a connection. */
  arm(): void {
    this.#timer ??= setTimeout(() => this.#ask(), ASK_EVERY_MS).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #ask(): void {
    this.#timer = undefined;
    for (const holding of this.#members.holdings()) {
      if (holding.site !== undefined) continue;
      holding.ask?.();
      this.arm();
    }
  }
}

/** Waits for the end of `reply`, however it ends, or until the holder is asked for its name: then true. */
export function isAskedBefore(reply: Promise<unknown>, onAsk: (ask: () => void) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (): void => resolve(false);
    reply.then(settle, settle);
    onAsk(() => resolve(true));
  });
}
