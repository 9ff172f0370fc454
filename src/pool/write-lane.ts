import { type StatementCall, wasNeverSent } from "../driver/index.ts";
import { CallSite } from "../errors/index.ts";
import type { Holding } from "./member.ts";
import { isAskedBefore } from "./naming.ts";
import type { Errand } from "./shared-lane.ts";
import type { Waiter } from "./waiting-line.ts";

/** Writes on one connection at once: so many at most stand behind one that waits for a lock. */
const DEPTH = 6;
/** Nothing is sent behind a write that the server has been at for longer: it may be waiting for a lock. */
const YOUNG_MS = 5;

/** Of a write's values: what takes long to travel is short for nobody. */
const SMALL_LENGTH = 16_384;

/** Whether a call is small enough to stand in front of others. */
export function isSmall({ values }: StatementCall): boolean {
  let length = 0;
  for (const value of values) length += value?.length ?? 0;
  return length <= SMALL_LENGTH;
}

/** What the lane does through its pool. */
export interface WriteLaneOwner {
  readonly now: () => number;
  /** An idle connection, when nobody waits for one. */
  readonly takeIdle: () => Holding | undefined;
  /** No further connection can be opened. */
  readonly isFull: () => boolean;
  /** Somebody waits in line. */
  readonly hasLine: () => boolean;
  /** Waits in line as a write: for a connection of its own, or one that has writes on it. */
  readonly wait: () => Promise<Holding>;
  /** Who is first in line, if that is a write. */
  readonly nextWrite: () => Pick<Waiter, "grant"> | undefined;
  /** Somebody without a name holds a connection. */
  readonly onNameless: () => void;
  readonly giveBack: (holding: Holding) => void;
}

/** A connection that has writes on it. */
interface Slot {
  readonly holding: Holding;
  /** In the order of their answers. */
  readonly inFlight: Turn[];
  /** Given out in line, and not yet sent. */
  coming: number;
  /** When the last answer came: until then the server was not yet at the next write. */
  answeredAt: number;
}

interface Turn {
  readonly sentAt: number;
  /** Has it find its own name. */
  ask: (() => void) | undefined;
}

/**
 * Runs single writes that are known to be short. Each has a connection to itself as long as there is one. When there is none,
 * a few travel behind others, a Sync each, so that the server finds the next one when it has answered the last. Nobody is
 * overtaken: while anything else is first in line, nothing is sent behind anything.
 */
export class WriteLane {
  readonly #owner: WriteLaneOwner;
  readonly #slots = new Map<Holding, Slot>();

  constructor(owner: WriteLaneOwner) {
    this.#owner = owner;
  }

  /** `orElse` runs what a connection that broke never took. */
  async run<T>({ send, paces, options: { site } }: Errand<T>, orElse: () => Promise<T>): Promise<T> {
    const slot = this.#find() ?? this.#slotOf(await this.#owner.wait());
    const turn: Turn = { sentAt: this.#owner.now(), ask: undefined };
    slot.inFlight.push(turn);
    this.#owner.onNameless();
    try {
      const reply = send(slot.holding.connection, PIPELINED);
      if (await isAskedBefore(reply, (ask) => (turn.ask = ask)))
        this.#name(slot, turn, site ?? CallSite.here());
      return await reply;
    } catch (error) {
      if (wasNeverSent(error)) return orElse();
      throw error;
    } finally {
      const ms = this.#leave(slot, turn);
      for (const pace of paces) pace?.noteShared(ms, slot.answeredAt);
    }
  }

  #find(): Slot | undefined {
    const idle = this.#owner.takeIdle();
    if (idle !== undefined) return this.#slotOf(idle);
    if (this.#owner.hasLine()) return undefined;
    let best: Slot | undefined;
    for (const slot of this.#slots.values()) {
      const isBetter = best === undefined || slot.inFlight.length < best.inFlight.length;
      if (isBetter && this.#takesMore(slot)) best = slot;
    }
    return best;
  }

  /** Of a connection that was lent to a write alone, or, in line, with others on it. */
  #slotOf(holding: Holding): Slot {
    const known = this.#slots.get(holding);
    if (known !== undefined) {
      known.coming -= 1;
      return known;
    }
    const slot: Slot = { holding, inFlight: [], coming: 0, answeredAt: 0 };
    this.#slots.set(holding, slot);
    holding.ask = () => slot.inFlight[0]?.ask?.();
    return slot;
  }

  #takesMore({ holding, inFlight, coming, answeredAt }: Slot): boolean {
    const now = this.#owner.now();
    const [first] = inFlight;
    if (inFlight.length + coming >= DEPTH || !this.#owner.isFull()) return false;
    if (!holding.connection.isOpen || now >= holding.member.expiresAt) return false;
    return first === undefined || now - Math.max(first.sentAt, answeredAt) < YOUNG_MS;
  }

  /** The connection counts as held by the write that the server is at. */
  #name({ holding, inFlight }: Slot, turn: Turn, site: CallSite): void {
    if (inFlight[0] === turn) holding.site = site;
  }

  /** How long the server was at the write, or whatever went before it. */
  #leave(slot: Slot, turn: Turn): number {
    const { holding, inFlight } = slot;
    const now = this.#owner.now();
    const ms = now - Math.max(turn.sentAt, slot.answeredAt);
    inFlight.splice(inFlight.indexOf(turn), 1);
    slot.answeredAt = now;
    holding.site = undefined;
    holding.since = now;
    holding.wasReported = false;
    while (this.#takesMore(slot)) {
      const next = this.#owner.nextWrite();
      if (next === undefined) break;
      slot.coming += 1;
      next.grant(holding);
    }
    if (inFlight.length + slot.coming === 0) {
      this.#slots.delete(holding);
      this.#owner.giveBack(holding);
    }
    return ms;
  }
}

const PIPELINED = Object.freeze({ pipelined: true });
