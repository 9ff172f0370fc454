import type { Connection } from "../../driver/index.ts";
import { isPlinthError } from "../../errors/index.ts";
import { sqlstateOf } from "../sqlstate.ts";
import type { StatementEffects } from "./model.ts";
import {
  effectsBetween,
  type Observation,
  observe,
  type SeenLock,
  seeLocks,
  successorsOf,
} from "./trace-observation.ts";
import { FLUSH_COUNTERS, FORGET_PLANS } from "./trace-queries.ts";
import type { Stepper } from "./trace-steps.ts";

/** What became of one statement: its effects, or what the server said instead. */
export interface StatementOutcome {
  readonly effects: StatementEffects | undefined;
  readonly failure: StatementFailure | undefined;
}

export interface StatementFailure {
  /** Undefined for a statement that was not sent, because the runner refuses it. */
  readonly sqlstate: string | undefined;
  readonly message: string;
}

/** Where statements are traced: a database nobody else uses. */
export interface TraceGround {
  readonly connection: Connection;
  /** The schema whose names are bare. */
  readonly home: string;
  /** Fills tables again that had to be emptied. */
  refill(): Promise<void>;
  /** Opened when the first statement outside a transaction needs it. */
  stepper(): Promise<Stepper>;
  /** OIDs of the relations effects are told about: those from before the file. Successors are added as they appear. */
  readonly known: Set<string>;
}

/** A statement that sets a transaction up for those after it. */
export interface Preparation {
  readonly text: string;
  /** It can fail by now, and then nobody needs it: a cursor on a table that has been dropped. */
  readonly mayFail: boolean;
}

/** The relations of the moment: what a file that begins now will be told about. */
export async function knownRelations(connection: Connection, home: string): Promise<Set<string>> {
  return new Set((await observe(connection, home, "transaction")).keys());
}

/**
 * Runs statements in a transaction of their own, commits, and tells what each of them did: the locks it took in addition
 * to those before it, what it wrote anew, what it read from end to end. `prelude` sets the transaction up and is not told
 * about.
 *
 * @throws {PlinthError} of the statement or the commit that failed; everything is rolled back.
 */
export async function traceTogether(
  ground: TraceGround,
  prelude: readonly Preparation[],
  texts: readonly string[],
): Promise<readonly StatementOutcome[]> {
  const { connection } = ground;
  await connection.script(FORGET_PLANS);
  await connection.script("begin");
  try {
    for (const preparation of prelude) await prepare(connection, preparation);
    const outcomes: StatementOutcome[] = [];
    for (const text of texts) outcomes.push(await traceNext(ground, text));
    await connection.script("commit");
    return outcomes;
  } catch (error) {
    if (connection.isOpen) await connection.script("rollback");
    throw error;
  }
}

/** `set transaction` is refused after a savepoint, so only what may fail gets one. */
async function prepare(connection: Connection, { text, mayFail }: Preparation): Promise<void> {
  if (!mayFail) {
    await connection.script(text);
    return;
  }
  await connection.script("savepoint plinth_preparation");
  try {
    await connection.script(text);
  } catch (error) {
    failedOutcome(error);
    await connection.script("rollback to savepoint plinth_preparation");
  }
}

async function traceNext(ground: TraceGround, text: string): Promise<StatementOutcome> {
  const { connection, home } = ground;
  const before = await observe(connection, home, "transaction");
  const held = new Set((await seeLocks(connection, connection.processId, home)).map(lockKey));
  await connection.script(text);
  const locks = await seeLocks(connection, connection.processId, home);
  const after = await observe(connection, home, "transaction");
  const taken = locks.filter((lock) => !held.has(lockKey(lock)));
  return conclude(ground, before, after, taken);
}

/**
 * Runs a statement that PostgreSQL refuses in a transaction, step by step, and tells what it did in all its phases.
 * `freely`: it cannot be stopped, because it keeps system catalogs for itself; its locks are sampled.
 *
 * @throws {PlinthError} of the statement.
 */
export async function traceOutside(
  ground: TraceGround,
  text: string,
  freely: boolean,
): Promise<StatementOutcome> {
  const { connection, home } = ground;
  const stepper = await ground.stepper();
  await connection.script(FLUSH_COUNTERS);
  const before = await observe(connection, home, "database");
  const seen: SeenLock[] = [];
  const look = async (watcher: Connection): Promise<void> => {
    const locks = await seeLocks(watcher, connection.processId, home);
    // `reindex concurrently` renames the old index, which nobody uses by then, before it locks and drops it.
    seen.push(...locks.filter(({ oid, name }) => before.get(oid)?.name === name));
  };
  await stepper.run(connection, text, look, freely);
  await connection.script(FLUSH_COUNTERS);
  const after = await observe(connection, home, "database");
  return conclude(ground, before, after, seen);
}

function lockKey({ oid, mode }: SeenLock): string {
  return `${oid} ${mode}`;
}

function conclude(
  { known }: TraceGround,
  before: Observation,
  after: Observation,
  locks: readonly SeenLock[],
): StatementOutcome {
  const effects = effectsBetween(before, after, locks, known);
  for (const [gone, successor] of successorsOf(before, after)) if (known.has(gone)) known.add(successor);
  return { effects, failure: undefined };
}

/** What a statement that failed is told as. @throws what is no answer of the server. */
export function failedOutcome(error: unknown): StatementOutcome {
  const sqlstate = sqlstateOf(error);
  if (!isPlinthError(error) || sqlstate === undefined) throw error;
  return { effects: undefined, failure: { sqlstate, message: error.summary } };
}
