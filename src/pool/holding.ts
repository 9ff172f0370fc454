import { AsyncLocalStorage } from "node:async_hooks";
import type { CallSite, HolderReport } from "../errors/index.ts";
import type { Holding } from "./member.ts";

/** Whom the lane of short statements is called. */
const SHARED = "short statements that share it";
/** Whom nobody has asked yet. */
const NAMELESS = "a statement that has just begun";

/** The report behind error messages, warnings and `pool.holders()`. */
export function reportHolding(holding: Holding, now: number): HolderReport {
  return {
    connectionId: holding.connection.id,
    processId: holding.connection.processId,
    heldMs: Math.max(0, Math.round(now - holding.since)),
    callSite: holding.isShared ? SHARED : placeOf(holding.site),
    stack: holding.isShared ? "" : (holding.site?.trace ?? ""),
  };
}

/** `#3 held 12.4 s by createOrder (src/orders.ts:14:9)` */
export function describeHolding(holding: Holding, now: number): string {
  const seconds = (Math.max(0, now - holding.since) / 1_000).toFixed(1);
  const holder = holding.isShared ? SHARED : describeSite(holding.site);
  return `#${holding.connection.id} held ${seconds} s by ${holder}`;
}

function placeOf(site: CallSite | undefined): string {
  return site === undefined ? NAMELESS : (site.caller?.place ?? "unknown");
}

/** `createOrder (src/orders.ts:14:9)` */
export function describeSite(site: CallSite | undefined): string {
  if (site === undefined) return NAMELESS;
  const caller = site.caller;
  if (caller === undefined) return "unknown";
  return caller.name === "" ? caller.place : `${caller.name} (${caller.place})`;
}

interface Scope {
  readonly holding: Holding;
  readonly outer: Scope | undefined;
}

/**
 * Knows which connections the running code holds, through every `await` inside `run`.
 *
 * Only work that runs *inside* a holding counts: a caller that took a lease by hand may give it back from
 * anywhere, so its waiting proves nothing.
 *
 * The first scope of a process has Node watch every promise from then on (an `AsyncLocalStorage` in use, before Node 24): a read
 * by key then costs a fifth more. So what Plinth does by itself, for every application, opens none.
 */
export class HoldingScopes {
  readonly #storage = new AsyncLocalStorage<Scope>();

  run<T>(holding: Holding, work: () => T): T {
    // Ended scopes are left out, or a job that schedules its own successor would grow a chain without end.
    return this.#storage.run({ holding, outer: this.#active() }, work);
  }

  /** The holdings around the running code, innermost first. */
  current(): readonly Holding[] {
    const found: Holding[] = [];
    for (let scope = this.#active(); scope !== undefined; scope = scope.outer) {
      if (scope.holding.isActive) found.push(scope.holding);
    }
    return found;
  }

  /** Whether the running code holds no connection. */
  get isFree(): boolean {
    return this.#active() === undefined;
  }

  #active(): Scope | undefined {
    let scope = this.#storage.getStore();
    while (scope !== undefined && !scope.holding.isActive) scope = scope.outer;
    return scope;
  }
}
