import type { Holding, Member } from "./member.ts";
import type { Members } from "./members.ts";
import type { ParsedPoolOptions } from "./options.ts";

const TICK_MS_MIN = 10;
const TICK_MS_MAX = 1_000;

/** What upkeep asks the pool to do. */
export interface UpkeepActions {
  readonly retire: (member: Member) => void;
  readonly open: () => void;
  readonly reportLeak: (holding: Holding) => void;
}

/**
 * Looks after the pool at intervals: closes what is idle or old, keeps `min` open, reports leaks. One timer for
 * the whole pool, so that lending a connection sets none; it sleeps while the pool is empty.
 */
export class Upkeep {
  readonly #options: ParsedPoolOptions;
  readonly #members: Members;
  readonly #actions: UpkeepActions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  constructor(options: ParsedPoolOptions, members: Members, actions: UpkeepActions) {
    this.#options = options;
    this.#members = members;
    this.#actions = actions;
  }

  arm(): void {
    if (this.#timer !== undefined || this.#isStopped) return;
    const { idleTimeoutMs, leakWarningMs, maxLifetimeMs } = this.#options;
    const shortest = Math.min(...[idleTimeoutMs, leakWarningMs, maxLifetimeMs].filter((ms) => ms > 0));
    const waitMs = Math.min(Math.max(shortest / 4, TICK_MS_MIN), TICK_MS_MAX);
    // Housekeeping alone must not keep a process alive.
    this.#timer = setTimeout(() => this.#tick(), waitMs).unref();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #tick(): void {
    this.#timer = undefined;
    const now = this.#options.now();
    this.#retireOld(now);
    this.#reportLeaks(now);
    for (let missing = this.#options.min - this.#members.size; missing > 0; missing--) this.#actions.open();
    if (this.#members.size > 0) this.arm();
  }

  #retireOld(now: number): void {
    const { idleTimeoutMs, min } = this.#options;
    for (const member of this.#members.idle()) {
      const isSurplus =
        idleTimeoutMs > 0 && now - member.idleSince >= idleTimeoutMs && this.#members.size > min;
      if (isSurplus || now >= member.expiresAt) this.#actions.retire(member);
    }
  }

  #reportLeaks(now: number): void {
    const { leakWarningMs } = this.#options;
    if (leakWarningMs === 0) return;
    for (const holding of this.#members.holdings()) {
      // The lane keeps its connections for as long as there is work: no leak.
      if (holding.isShared || holding.wasReported || now - holding.since < leakWarningMs) continue;
      holding.wasReported = true;
      this.#actions.reportLeak(holding);
    }
  }
}
