import type { Connection } from "../driver/index.ts";
import type { CallSite } from "../errors/index.ts";
import type { Holding, Member } from "./member.ts";

/** The places of a pool, and the one way each changes its state. README.md draws the states. */
export class Members {
  readonly #all = new Set<Member>();
  /** Longest idle first. Lent from the end, so that the surplus ages and is closed. */
  readonly #idle: Member[] = [];
  #lent = 0;
  readonly #now: () => number;
  /** Called when the last place was given up. */
  onEmpty: (() => void) | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  get size(): number {
    return this.#all.size;
  }
  get idleCount(): number {
    return this.#idle.length;
  }
  get lentCount(): number {
    return this.#lent;
  }
  get openCount(): number {
    return this.all().filter(({ connection }) => connection !== undefined).length;
  }
  /** Connections on their way to whoever waits: opening, being probed or being reset. */
  get comingCount(): number {
    return this.#all.size - this.#idle.length - this.#lent;
  }

  all(): readonly Member[] {
    return [...this.#all];
  }
  idle(): readonly Member[] {
    return [...this.#idle];
  }
  holdings(): readonly Holding[] {
    return [...this.#all].flatMap(({ holding }) => (holding === undefined ? [] : [holding]));
  }

  /** Takes a place for a connection that is about to be opened. */
  open(): Member {
    const member: Member = {
      state: "opening",
      connection: undefined,
      holding: undefined,
      idleSince: 0,
      expiresAt: Number.POSITIVE_INFINITY,
    };
    this.#all.add(member);
    return member;
  }

  /** The idle member that would be lent next: the one used last. */
  peekIdle(): Member | undefined {
    return this.#idle.at(-1);
  }

  lend(member: Member, connection: Connection, site: CallSite | undefined): Holding {
    this.#leaveState(member);
    const holding: Holding = {
      member,
      connection,
      site,
      ask: undefined,
      since: this.#now(),
      isActive: true,
      wasReported: false,
      isShared: false,
    };
    member.state = "lent";
    member.holding = holding;
    this.#lent++;
    return holding;
  }

  rest(member: Member): void {
    this.#leaveState(member);
    member.state = "idle";
    member.idleSince = this.#now();
    this.#idle.push(member);
  }

  /** Neither idle nor lent while its connection is asked something. */
  check(member: Member, state: "probing" | "resetting"): void {
    this.#leaveState(member);
    member.state = state;
  }

  /** Gives the place up. Idempotent. */
  remove(member: Member): void {
    if (member.state === "gone") return;
    this.#leaveState(member);
    member.state = "gone";
    this.#all.delete(member);
    if (this.#all.size === 0) this.onEmpty?.();
  }

  #leaveState(member: Member): void {
    if (member.state === "lent") {
      this.#lent--;
      member.holding = undefined;
    } else if (member.state === "idle") {
      // Nearly always the last one.
      const position = this.#idle.lastIndexOf(member);
      if (position !== -1) this.#idle.splice(position, 1);
    }
  }
}
