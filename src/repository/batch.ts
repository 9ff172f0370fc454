import type { Outcome } from "../driver/index.ts";
import { type CallSite, InputError } from "../errors/index.ts";
import type { Place, UnitOfWork } from "../transaction/index.ts";
import type { Ask } from "./intent.ts";
import { type Query, type TakenQuery, takeFrom } from "./query.ts";
import { signed } from "./signed.ts";

/** The results of a batch, in the order of its queries. */
export type BatchResults<Q extends readonly Query<unknown>[]> = { -readonly [K in keyof Q]: Awaited<Q[K]> };

/** Runs queries all or nothing, each once, where they would run one by one. */
export async function runBatch<const Q extends readonly Query<unknown>[]>(
  unit: UnitOfWork,
  queries: Q,
): Promise<BatchResults<Q>> {
  return signed((site) => runTaken(unit, queries, site));
}

async function runTaken<const Q extends readonly Query<unknown>[]>(
  unit: UnitOfWork,
  queries: Q,
  site: CallSite,
): Promise<BatchResults<Q>> {
  const taken = queries.map((query) => takeFrom(query));
  const place = placeOf(taken, unit);
  const calls = taken.flatMap(({ intent }) => intent.calls);
  const ask: Ask = (asked) => place.batch(asked, { site });
  const results = isFinalAtSync(taken)
    ? await readBatch(taken, calls.length === 0 ? [] : await place.batch(calls, { site }), ask)
    : await place.transaction(async (scope) => readBatch(taken, await scope.flight(calls), ask));
  // One result per query, in order: what the mapped type says and the compiler cannot follow through a loop.
  return results as BatchResults<Q>;
}

/** Where a batch runs: where its queries would run one by one. */
function placeOf(taken: readonly TakenQuery<unknown>[], unit: UnitOfWork): Place {
  const [runner, ...others] = new Set(taken.map((query) => query.runner));
  if (runner === undefined) return unit;
  if (others.length === 0 && unit.owns(runner)) return runner;
  throw new InputError("INVALID_QUERY", [
    {
      path: "batch",
      message: "takes queries of this database, all made with the same handle (db or one tx)",
    },
  ]);
}

/**
 * False when a query's answer may still refuse (no such row) after another one has written, and when a query goes on
 * writing after its answer: then COMMIT must wait.
 */
function isFinalAtSync(taken: readonly TakenQuery<unknown>[]): boolean {
  if (taken.some(({ intent }) => intent.needsTransaction === true)) return false;
  const writing = taken.filter(({ intent }) => intent.isRead !== true);
  return !taken.some((query) => query.intent.mayRefuse === true && writing.some((other) => other !== query));
}

async function readBatch(
  taken: readonly TakenQuery<unknown>[],
  outcomes: readonly Outcome[],
  ask: Ask,
): Promise<unknown[]> {
  const results: unknown[] = [];
  let read = 0;
  for (const { intent } of taken) {
    results.push(await intent.read(outcomes.slice(read, read + intent.calls.length), ask));
    read += intent.calls.length;
  }
  return results;
}
