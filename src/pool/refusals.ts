import { type CallSite, PoolError, StatementError } from "../errors/index.ts";
import { describeHolding, describeSite, reportHolding } from "./holding.ts";
import type { Holding } from "./member.ts";

/** More lines than this help nobody; the error's `holders` has them all. */
const HOLDERS_SHOWN = 20;

/** What the pool looked like when it had to refuse. */
export interface PoolSituation {
  readonly holdings: readonly Holding[];
  readonly now: number;
  readonly max: number;
  readonly opening: number;
  readonly waiting: number;
}

/** The wait was over before a connection came. */
export function exhausted(situation: PoolSituation, waitedMs: number, cause: unknown): PoolError {
  const { holdings, max, opening, waiting } = situation;
  const state =
    opening > 0
      ? `${holdings.length} of at most ${max} connections are in use and ${opening} more did not open in time`
      : `all ${holdings.length} connections are in use`;
  return new PoolError(
    "POOL_EXHAUSTED",
    `no connection within ${waitedMs} ms: ${state}, ${waiting === 1 ? "1 caller waits" : `${waiting} callers wait`} in line${listHolders(situation)}`,
    {
      holders: reports(situation),
      hint: "Find the holders that keep a connection too long, or raise pool.max if the server has room.",
      cause,
    },
  );
}

/** The line itself is full. */
export function queueFull(situation: PoolSituation, queueLimit: number): PoolError {
  return new PoolError(
    "POOL_EXHAUSTED",
    `${situation.waiting} callers already wait for a connection (queueLimit ${queueLimit})${listHolders(situation)}`,
    {
      holders: reports(situation),
      hint: "Shed load earlier (answer 503), or find why connections are held so long.",
    },
  );
}

/** Waiting would never end. */
export function deadlock(situation: PoolSituation, site: CallSite | undefined): PoolError {
  return new PoolError(
    "POOL_DEADLOCK",
    `${describeSite(site)} asks for another connection while every connection (max ${situation.max}) is held by work that ` +
      `itself waits for one${listHolders(situation)}`,
    {
      holders: reports(situation),
      hint: "Inside a transaction use its own handle, or finish with the connection before taking another.",
    },
  );
}

export function poolClosed(): PoolError {
  return new PoolError("POOL_CLOSED", "the pool is closed and lends no more connections");
}

export function waitCanceled(signal: AbortSignal): StatementError {
  const { reason } = signal;
  return new StatementError(
    "QUERY_CANCELED",
    "canceled while waiting for a connection",
    { sqlstate: "57014" },
    { cause: reason },
  );
}

function reports({ holdings, now }: PoolSituation) {
  return holdings.map((holding) => reportHolding(holding, now));
}

function listHolders({ holdings, now }: PoolSituation): string {
  const lines = holdings.slice(0, HOLDERS_SHOWN).map((holding) => `\n    ${describeHolding(holding, now)}`);
  const rest = holdings.length - lines.length;
  return lines.join("") + (rest > 0 ? `\n    and ${rest} more (error.holders)` : "");
}
