import type { StatementCall } from "../driver/index.ts";

/** Runs of a statement before one that is short is believed. */
const RUNS_NEEDED = 5;
/** A statement that runs within this shares connections… */
const SHORT_MS = 3;
/** …until its typical run there is over this. */
const SLOW_MS = 5;
/** A single run counts no more than this, so that it takes two to leave… */
const OUTLIER_MS = 32;
/** …unless it held its neighbours up for so long that nobody wants to see a second one. */
const INTOLERABLE_MS = 250;
/** How much longer a statement that was taken for short by mistake has to wait for its next chance, each time. */
const DOUBT_FACTOR = 4;
const RUNS_NEEDED_LIMIT = 5_000;
/** After so many runs in the lane a mistake is forgotten. */
const RUNS_TO_FORGET = 1_000;

/** Statements remembered; past the limit the oldest is forgotten and starts anew. */
const PACES_LIMIT = 2_000;

/**
 * Whether one statement is short.
 *
 * Outside the lane a run says little when it is long: the process or the machine may be busy with something else. So
 * one short run is enough to get in, and the lane, where such waiting does not count, finds out how long the statement
 * typically takes. Its typical time follows downwards faster than upwards: one outlier (garbage is collected, the
 * machine was away) says nothing.
 */
export class Pace {
  /** Of a write: it shares a connection with its own kind, when there is no other left. */
  readonly isWrite: boolean;
  #typicalMs = 0;
  #runs = 0;
  #runsNeeded = RUNS_NEEDED;
  #isShort = false;
  /** When the last run that took longer than usual was over. */
  #delayedUntil = Number.NEGATIVE_INFINITY;

  constructor(isWrite = false) {
    this.isWrite = isWrite;
  }

  get isShort(): boolean {
    return this.#isShort;
  }

  /** How long it usually takes in the lane, in milliseconds. */
  get typicalMs(): number {
    return this.#typicalMs;
  }

  /** Notes one run on a connection of its own. */
  noteAlone(ms: number): void {
    this.#runs += 1;
    if (this.#isShort || this.#runs < this.#runsNeeded || ms >= SHORT_MS) return;
    this.#isShort = true;
    this.#typicalMs = ms;
    this.#runs = 0;
  }

  /** Notes one run in the lane: from the answer before it to its own, which came at `endedAt`. */
  noteShared(ms: number, endedAt: number): void {
    if (!this.#isShort) return;
    this.#runs += 1;
    const counted = ms < INTOLERABLE_MS ? Math.min(ms, OUTLIER_MS) : ms;
    if (counted < this.#typicalMs) this.#typicalMs += (counted - this.#typicalMs) / 4;
    else if (!this.#isOneDelay(ms, endedAt)) this.#typicalMs += (counted - this.#typicalMs) / 8;
    if (this.#typicalMs > SLOW_MS) {
      this.#isShort = false;
      this.#runs = 0;
      this.#runsNeeded = Math.min(this.#runsNeeded * DOUBT_FACTOR, RUNS_NEEDED_LIMIT);
    } else if (this.#runs === RUNS_TO_FORGET) {
      this.#runsNeeded = RUNS_NEEDED;
    }
  }

  /**
   * Whether the run waited for the same thing as one that was noted before. Writes side by side wait for one flush of the disk:
   * ten that end together say once, not ten times, that it was slow.
   */
  #isOneDelay(ms: number, endedAt: number): boolean {
    if (this.isWrite && ms < INTOLERABLE_MS && endedAt - ms < this.#delayedUntil) return true;
    this.#delayedUntil = endedAt;
    return false;
  }
}

/** What may hold a connection up for long although it is short by itself: a lock, or the disk at its commit. */
const WAITS =
  /\b(?:insert|update|delete|merge|call|lock)\b|\bfor\s+(?:no\s+key\s+|key\s+)?(?:update|share)\b|\bpg_(?:try_)?advisory/i;

/** The pace of every statement that could share a connection. */
export class Paces {
  readonly #known = new Map<string, Pace | undefined>();

  /** Undefined for what may never share: anything that locks, and texts without a name or a promise. */
  of({ name, text, leavesNoTrace }: StatementCall): Pace | undefined {
    if (name === undefined || leavesNoTrace !== true) return undefined;
    const known = this.#known.get(name);
    if (known !== undefined || this.#known.has(name)) return known;
    const pace = paceOf(text);
    if (this.#known.size >= PACES_LIMIT) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    this.#known.set(name, pace);
    return pace;
  }
}

function paceOf(text: string): Pace | undefined {
  if (/^\s*(?:insert|update|delete)\b/i.test(text)) return new Pace(true);
  return /^\s*select\b/i.test(text) && !WAITS.test(text) ? new Pace() : undefined;
}
