import type { StatementCall } from "../driver/index.ts";
import type { Call } from "../sql/index.ts";
import { askOf } from "./ask.ts";
import type { Scope } from "./context.ts";
import { argument, partOf } from "./given.ts";
import { Handoff } from "./handoff.ts";
import type { Ask, QueryRunner } from "./intent.ts";
import { plainObject, refuse, refuseUnknownOptions } from "./options.ts";
import { placeOrder } from "./order.ts";
import { type Plan, Plans, statementOf } from "./plan.ts";
import { planRows, READ_OPTION_NAMES, selectWhere } from "./selected.ts";
import type { ReadShape } from "./selection.ts";
import { shapeOf } from "./shape.ts";
import { totalOrder } from "./sort.ts";
import { optionalCondition } from "./where.ts";

/** Rows fetched at once: enough that a round trip does not show, few enough that their memory does not either. */
export const STREAM_BATCH_SIZE_DEFAULT = 1_000;
export const STREAM_BATCH_SIZE_LIMIT = 100_000;

type AnyRow = Record<string, unknown>;

export interface StreamShape extends ReadShape {
  readonly where?: object;
  readonly sort?: unknown;
  readonly batchSize?: unknown;
  readonly signal?: AbortSignal;
}

interface StreamSettings {
  readonly batchSize: number;
  readonly signal: AbortSignal | undefined;
}

const STREAM_OPTION_NAMES = [...READ_OPTION_NAMES, "where", "sort"];

/** Streams rows from where a repository's statements run. */
export type Streamer = (runner: QueryRunner, options?: StreamShape) => AsyncIterable<AnyRow>;

/** All rows that a condition finds, one after the other. Nothing is sent before the first one is asked for. */
export function createStreamer(outside: Scope): Streamer {
  const plans = new Plans<readonly AnyRow[]>();
  const { context } = outside;
  return (runner, { batchSize, signal, ...options } = {}) => ({
    async *[Symbol.asyncIterator]() {
      const settings = { batchSize: streamBatchSize(batchSize), signal };
      const call: Call = { input: [options], actor: context.actor() };
      const plan = plans.find(shapeOf(options), () => planStream(outside, call));
      // Row by row in the outermost generator only: each further one that a row passes is three more turns.
      for await (const batch of streamBatches(runner, plan, call, settings)) {
        for (const row of batch) yield row;
      }
    },
  });
}

function planStream(outside: Scope, call: Call): Plan<readonly AnyRow[]> {
  const options = argument(call, 0, "options");
  refuseUnknownOptions(options.value, STREAM_OPTION_NAMES);
  const { sort } = plainObject(options.value, "options");
  const selected = selectWhere(outside, options, "rows", (scope) =>
    optionalCondition(scope, partOf(options, "where", "where")),
  );
  const order = placeOrder(selected.scope, totalOrder(selected.scope, sort), selected.selection.joined);
  return planRows(selected, { ...selected.select, ...order }, { finish: (rows) => rows });
}

/** Cursors of one session need names of their own. */
let lastCursor = 0;

/** A time-out for sessions that wait in a transaction is meant for those who forgot it, not for a slow reader. */
const MAY_WAIT: StatementCall = {
  text: "select set_config('idle_in_transaction_session_timeout', '0', true)",
  values: [],
  leavesNoTrace: true,
};

/**
 * The rows of a plan, as fast as they are used: the next batch is fetched while the last one is worked on, and none
 * beyond it. In a transaction its cursor lives there; outside any, in a read-only one of its own, which holds one
 * connection until the last row, a `break` or an error.
 *
 * @see https://www.postgresql.org/docs/current/sql-declare.html
 */
async function* streamBatches(
  runner: QueryRunner,
  plan: Plan<readonly AnyRow[]>,
  call: Call,
  { batchSize, signal }: StreamSettings,
): AsyncGenerator<readonly AnyRow[], void, undefined> {
  const reading: Reading = { plan, call, statement: statementOf(plan, call) };
  if (runner.here() === undefined) {
    yield* ownTransaction(runner, reading, { batchSize, signal });
    return;
  }
  const ask = askOf(runner, { isRead: true });
  for await (const batch of batches(ask, reading, batchSize, [])) {
    signal?.throwIfAborted();
    yield batch;
  }
}

/** What is streamed, worked out before a connection is asked for. */
interface Reading {
  readonly plan: Plan<readonly AnyRow[]>;
  readonly call: Call;
  readonly statement: StatementCall;
}

async function* ownTransaction(
  runner: QueryRunner,
  reading: Reading,
  { batchSize, signal }: StreamSettings,
): AsyncGenerator<readonly AnyRow[], void, undefined> {
  const handoff = new Handoff<readonly AnyRow[]>();
  const transaction = runner
    .transaction(
      async (scope) => {
        const ask: Ask = (calls) => scope.flight(calls);
        for await (const batch of batches(ask, reading, batchSize, [MAY_WAIT])) {
          if (!(await handoff.offer(batch))) return;
        }
      },
      { readOnly: true, ...(signal === undefined ? {} : { signal }) },
    )
    .then(
      () => handoff.end(),
      (error: unknown) => handoff.fail(error),
    );
  try {
    for (let batch = await handoff.take(); batch !== undefined; batch = await handoff.take()) {
      yield batch.value;
    }
  } finally {
    handoff.stop();
    // The connection is free again before the loop that was left goes on.
    await transaction;
  }
}

async function* batches(
  ask: Ask,
  { plan, call, statement }: Reading,
  batchSize: number,
  before: readonly StatementCall[],
): AsyncGenerator<readonly AnyRow[], void, undefined> {
  const cursor = `plinth_${++lastCursor}`;
  const { text, values, rows, actor } = statement;
  const declare = {
    text: `declare ${cursor} no scroll cursor for ${text}`,
    values,
    actor,
    leavesNoTrace: true,
  };
  // Policies are looked at when rows are fetched, so that is when the actor has to be in force.
  const fetch = { text: `fetch ${batchSize} from ${cursor}`, values: [], rows, actor, leavesNoTrace: true };
  await ask([...before, declare]);
  let isSound = true;
  try {
    for (;;) {
      const [outcome] = await ask([fetch]);
      const count = outcome?.rowCount ?? 0;
      if (outcome !== undefined && count > 0) yield await plan.read([outcome], ask, call);
      if (count < batchSize) return;
    }
  } catch (error) {
    isSound = false;
    throw error;
  } finally {
    // A failed transaction takes no statement any more, and takes its cursors with it.
    if (isSound) await ask([{ text: `close ${cursor}`, values: [], leavesNoTrace: true }]);
  }
}

/** @throws {INVALID_QUERY} */
function streamBatchSize(batchSize: unknown): number {
  if (batchSize === undefined) return STREAM_BATCH_SIZE_DEFAULT;
  const isFit =
    typeof batchSize === "number" &&
    Number.isInteger(batchSize) &&
    batchSize >= 1 &&
    batchSize <= STREAM_BATCH_SIZE_LIMIT;
  return isFit
    ? batchSize
    : refuse("batchSize", `must be a whole number from 1 to ${STREAM_BATCH_SIZE_LIMIT}`);
}
