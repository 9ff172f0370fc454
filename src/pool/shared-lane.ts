import { type Connection, PIPELINE_LIMIT, type QueryOptions, wasNeverSent } from "../driver/index.ts";
import type { Holding } from "./member.ts";
import type { Pace } from "./pace.ts";
import type { AcquireOptions } from "./pool.ts";

/** More do not make it faster: a pipelined connection is limited by the server's process behind it. */
const LANE_CONNECTIONS_LIMIT = 2;
/** With so many in flight on one connection another is taken, if there is one. */
const CROWDED = 16;
/**
 * So it is where the server is expected to be busy for longer than this with what a connection has in flight: behind each
 * is one process, and what could run on another core stands in line. Below it a second process costs more than it brings.
 */
const CROWDED_MS = 0.2;

/** What the lane does through its pool. */
export interface LaneOwner {
  readonly now: () => number;
  /** An idle connection, when nobody waits for one. */
  readonly takeIdle: () => Holding | undefined;
  /** Somebody waits in line. */
  readonly hasLine: () => boolean;
  /** Waits in line for one. */
  readonly wait: () => Promise<Holding>;
  readonly giveBack: (holding: Holding) => void;
}

interface Slot {
  readonly holding: Holding;
  inFlight: number;
  /** How long the server is expected to take for what is in flight. */
  expectedMs: number;
  /** When the last answer came: until then the server was not yet at the next statement. */
  answeredAt: number;
  /** Takes nothing more, and goes back when it is empty. */
  isDraining: boolean;
  isReturnDue: boolean;
}

/** One statement, or one flight of them. */
export interface Errand<T> {
  /** Of its statements; undefined for one that never shares. */
  readonly paces: readonly (Pace | undefined)[];
  readonly options: AcquireOptions;
  readonly send: (connection: Connection, how: QueryOptions) => Promise<T>;
}

interface Pending {
  readonly start: (slot: Slot) => void;
  readonly refuse: (error: unknown) => void;
}

/**
 * Runs statements that are known to be short, many at a time on one or two connections. The lane takes a connection
 * when it has work and gives it back when it has none, so it holds its share only under load; it never has more than
 * half of them.
 */
export class SharedLane {
  readonly #owner: LaneOwner;
  readonly #limit: number;
  readonly #slots: Slot[] = [];
  readonly #pending = new Set<Pending>();
  #isTaking = false;

  constructor(owner: LaneOwner, max: number) {
    this.#owner = owner;
    this.#limit = Math.min(LANE_CONNECTIONS_LIMIT, Math.floor(max / 2));
  }

  /** False where the pool is so small that the lane would take from those who need a connection to themselves. */
  get isOpen(): boolean {
    return this.#limit > 0;
  }

  /** Statements that no connection was found for yet. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Statements that are not on the wire: those, and what waits behind a connection that is full. */
  get queuedCount(): number {
    let count = this.#pending.size;
    for (const { inFlight } of this.#slots) count += Math.max(0, inFlight - PIPELINE_LIMIT);
    return count;
  }

  /** `orElse` runs what a connection that broke never took. */
  run<T>(errand: Errand<T>, orElse: () => Promise<T>): Promise<T> {
    const at = this.#owner.now();
    const slot = this.#find(at);
    if (slot !== undefined) return this.#send(slot, errand, orElse, at);
    return new Promise((resolve, reject) => {
      const pending: Pending = {
        start: (found) => {
          this.#pending.delete(pending);
          this.#send(found, errand, orElse, this.#owner.now()).then(resolve, reject);
        },
        refuse: (error) => {
          this.#pending.delete(pending);
          reject(error);
        },
      };
      this.#pending.add(pending);
    });
  }

  /** Gives its connections back as soon as they are empty, because somebody else can only go on with one of them. */
  yield(): void {
    for (const slot of [...this.#slots]) this.#drain(slot);
  }

  async #send<T>(
    slot: Slot,
    { send, paces }: Errand<T>,
    orElse: () => Promise<T>,
    sentAt: number,
  ): Promise<T> {
    const expectedMs = expectedMsOf(paces);
    slot.inFlight += 1;
    slot.expectedMs += expectedMs;
    try {
      return await send(slot.holding.connection, PIPELINED);
    } catch (error) {
      if (wasNeverSent(error)) return orElse();
      throw error;
    } finally {
      const answeredAt = this.#owner.now();
      const ms = answeredAt - Math.max(sentAt, slot.answeredAt);
      for (const pace of paces) pace?.noteShared(ms, answeredAt);
      slot.answeredAt = answeredAt;
      slot.inFlight -= 1;
      slot.expectedMs = slot.inFlight === 0 ? 0 : slot.expectedMs - expectedMs;
      if (slot.inFlight === 0) this.#onEmpty(slot);
    }
  }

  /** What fits on one connection stays on it: the fullest that is not crowded, so that the other one empties. */
  #find(at: number): Slot | undefined {
    let [fullest, emptiest]: (Slot | undefined)[] = [];
    // From the end, because one may leave.
    for (let i = this.#slots.length - 1; i >= 0; i--) {
      const slot = this.#slots[i];
      if (slot === undefined) continue;
      const { connection, member } = slot.holding;
      if (!connection.isOpen || at >= member.expiresAt) this.#drain(slot);
      if (slot.isDraining || !connection.isOpen) continue;
      if (emptiest === undefined || slot.inFlight < emptiest.inFlight) emptiest = slot;
      const isCrowded = slot.inFlight >= CROWDED || slot.expectedMs >= CROWDED_MS;
      if (!isCrowded && (fullest === undefined || slot.inFlight > fullest.inFlight)) fullest = slot;
    }
    if (fullest !== undefined) return fullest;
    if (this.#slots.length >= this.#limit || this.#isTaking) return emptiest;
    const idle = this.#owner.takeIdle();
    if (idle !== undefined) return this.#add(idle);
    this.#takeSoon();
    return emptiest;
  }

  #takeSoon(): void {
    this.#isTaking = true;
    this.#owner.wait().then(
      (holding) => {
        this.#isTaking = false;
        const slot = this.#add(holding);
        for (const pending of this.#pending) pending.start(slot);
        if (slot.inFlight === 0) this.#onEmpty(slot);
      },
      (error: unknown) => {
        this.#isTaking = false;
        for (const pending of this.#pending) pending.refuse(error);
      },
    );
  }

  #add(holding: Holding): Slot {
    holding.isShared = true;
    const slot: Slot = {
      holding,
      inFlight: 0,
      expectedMs: 0,
      answeredAt: 0,
      isDraining: false,
      isReturnDue: false,
    };
    this.#slots.push(slot);
    return slot;
  }

  /**
   * Whoever got the last answer most likely asks again at once: while others wait for a connection, it is kept for that long.
   * With nobody in line it is had again for less than the turn of the event loop that the keeping takes.
   */
  #onEmpty(slot: Slot): void {
    if (slot.isDraining || !slot.holding.connection.isOpen || !this.#owner.hasLine()) {
      this.#return(slot);
    } else if (!slot.isReturnDue) {
      slot.isReturnDue = true;
      setImmediate(() => {
        slot.isReturnDue = false;
        if (slot.inFlight === 0) this.#return(slot);
      });
    }
  }

  #drain(slot: Slot): void {
    slot.isDraining = true;
    if (slot.inFlight === 0) this.#return(slot);
  }

  #return(slot: Slot): void {
    const position = this.#slots.indexOf(slot);
    if (position === -1) return;
    this.#slots.splice(position, 1);
    this.#owner.giveBack(slot.holding);
    // What came while it drained had nowhere to go.
    const isStranded = this.#pending.size > 0 && this.#slots.every(({ isDraining }) => isDraining);
    if (isStranded && !this.#isTaking) this.#takeSoon();
  }
}

/** Each pace of a flight has noted the time of the whole flight. */
function expectedMsOf(paces: readonly (Pace | undefined)[]): number {
  let longest = 0;
  for (const pace of paces) if (pace !== undefined && pace.typicalMs > longest) longest = pace.typicalMs;
  return longest;
}

const PIPELINED = Object.freeze({ pipelined: true });
