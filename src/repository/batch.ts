import { batchIndexOf, mayHaveHappened, type Outcome, type StatementCall } from "../driver/index.ts";
import { type CallSite, CommitOutcomeUnknownError, InputError, isRetryable } from "../errors/index.ts";
import type { Place, UnitOfWork } from "../transaction/index.ts";
import { foundNoRow } from "./guard.ts";
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
  const batch: Batch = { taken, calls, place, site };
  const outcomes = await answersAtOnce(batch);
  const ask: Ask = (asked) => place.batch(asked, { site });
  const results =
    outcomes === undefined
      ? await place.transaction(async (scope) => readBatch(taken, await scope.flight(calls), ask))
      : await readBatch(taken, outcomes, ask);
  // One result per query, in order: what the mapped type says and the compiler cannot follow through a loop.
  return results as BatchResults<Q>;
}

interface Batch {
  readonly taken: readonly TakenQuery<unknown>[];
  readonly calls: readonly StatementCall[];
  readonly place: Place;
  readonly site: CallSite;
}

/** The answers of one flight that commits by itself; undefined where COMMIT must wait until they were looked at. */
async function answersAtOnce(batch: Batch): Promise<readonly Outcome[] | undefined> {
  const { taken, calls, place, site } = batch;
  if (calls.length === 0) return [];
  if (place.here() === undefined) return fly(batch);
  return isFinalAtSync(taken) ? place.batch(calls, { site }) : undefined;
}

/**
 * Outside a transaction the flight is one. Where a row that it needs is missing, the server undoes all of it, and the batch
 * runs once more, statement by statement the same, in a transaction that looks at each answer: that finds the right error.
 */
async function fly({ taken, calls, place, site }: Batch): Promise<readonly Outcome[] | undefined> {
  if (taken.every(({ intent }) => intent.isRead === true)) return place.batch(calls, { site });
  const flight = isFinalAtSync(taken) ? calls : guardedOf(taken);
  if (flight === undefined) return undefined;
  try {
    return await place.batch(flight, { site, isWhole: true });
  } catch (error) {
    const at = batchIndexOf(error);
    if (at !== undefined && flight[at] !== calls[at] && foundNoRow(error, flight[at])) return undefined;
    // Undone too, because others were in the way: the transaction tries again, as any does.
    if (flight !== calls && isRetryable(error)) return undefined;
    if (!mayHaveHappened(error)) throw error;
    throw new CommitOutcomeUnknownError("the connection was lost while the batch was on its way", {
      hint: "It may or may not have happened, all of it or nothing: look before trying again.",
      cause: error,
    });
  }
}

/** The statements, each that must find a row with the guard that says so; undefined where one cannot have it. */
function guardedOf(taken: readonly TakenQuery<unknown>[]): readonly StatementCall[] | undefined {
  const flight: StatementCall[] = [];
  for (const { intent } of taken) {
    const calls = intent.mayRefuse === true ? intent.guarded : intent.calls;
    if (calls === undefined || intent.needsTransaction === true) return undefined;
    flight.push(...calls);
  }
  return flight;
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
