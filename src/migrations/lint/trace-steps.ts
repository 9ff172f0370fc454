import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "../../driver/index.ts";
import { isPlinthError } from "../../errors/index.ts";
import { lockCatalog, selectBlockers } from "./trace-queries.ts";

/**
 * Catalogs that a statement outside a transaction writes to in each of its phases: `vacuum`, `cluster` and `reindex` the
 * first, concurrent builds the second, the end of `drop index concurrently` the third, `detach … concurrently` the last.
 */
const CATALOGS = ["pg_class", "pg_index", "pg_attribute", "pg_inherits"] as const;

const POLL_MS = 1;

/** A statement that gets no further for so long waits for something else, and is let go. */
const STEP_TIMEOUT_MS = 10_000;

/** Who looks at a catalog that the statement keeps for itself gives up, so that it can be let go. */
const LOOK_TIMEOUT = "set statement_timeout to '2s'";

type Look = (watcher: Connection) => Promise<void>;

/** Runs statements step by step, so that somebody can look at what they hold on the way. */
export interface Stepper {
  /**
   * Runs the text on `traced` and calls `look` at each step, while the statement stands still. `freely`: once a
   * millisecond instead, for statements that write the system catalogs themselves anew.
   *
   * @throws what the statement throws.
   */
  run(traced: Connection, text: string, look: Look, freely: boolean): Promise<void>;
  close(): Promise<void>;
}

/**
 * A statement outside a transaction gives its locks back before anybody could ask for them. So other sessions hold the
 * system catalogs it has to write to: it stops at each write, is looked at, and is let go to the next. A relief queues
 * up behind it before the gate opens, which therefore closes again the moment it is through: no step is missed.
 *
 * Where the role may not lock catalogs, the statement runs freely and is looked at once a millisecond.
 */
export async function openStepper(connect: () => Promise<Connection>): Promise<Stepper> {
  const [watcher, ...keepers] = await openAll(connect, CATALOGS.length + 2);
  if (watcher === undefined) throw new Error("a stepper without sessions");
  await watcher.script(LOOK_TIMEOUT);
  return {
    run: async (traced, text, look, freely) => {
      const gates = freely ? undefined : await closeGates(keepers);
      const running = start(traced, text);
      try {
        if (gates === undefined) await lookOften(running, () => look(watcher));
        else await step(watcher, traced, running, gates, () => look(watcher));
      } catch (error) {
        if (!isPlinthError(error) || error.code !== "STATEMENT_TIMEOUT") throw error;
      } finally {
        await Promise.all([running.ended, gates?.open()]);
      }
      running.throwFailure();
    },
    close: async () => {
      for (const session of [watcher, ...keepers]) await session.close();
    },
  };
}

async function openAll(connect: () => Promise<Connection>, count: number): Promise<readonly Connection[]> {
  const opened: Connection[] = [];
  try {
    while (opened.length < count) opened.push(await connect());
    return opened;
  } catch (error) {
    for (const session of opened) await session.close();
    throw error;
  }
}

/** A statement on its way. */
interface Running {
  readonly isDone: () => boolean;
  readonly ended: Promise<void>;
  throwFailure(): void;
}

function start(traced: Connection, text: string): Running {
  let isDone = false;
  let failure: { readonly error: unknown } | undefined;
  const ended = traced.script(text).then(
    () => {
      isDone = true;
    },
    (error: unknown) => {
      isDone = true;
      failure = { error };
    },
  );
  return {
    isDone: () => isDone,
    ended,
    throwFailure: () => {
      if (failure !== undefined) throw failure.error;
    },
  };
}

async function step(
  watcher: Connection,
  traced: Connection,
  running: Running,
  gates: Gates,
  look: () => Promise<void>,
): Promise<void> {
  let movedAt = performance.now();
  while (!running.isDone() && performance.now() - movedAt < STEP_TIMEOUT_MS) {
    const gate = gates.among(await selectBlockers(watcher, traced.processId));
    if (gate === undefined) {
      await sleep(POLL_MS);
      continue;
    }
    await look();
    await gates.letThrough(gate, watcher);
    movedAt = performance.now();
  }
}

async function lookOften(running: Running, look: () => Promise<void>): Promise<void> {
  while (!running.isDone()) {
    await look();
    await sleep(POLL_MS);
  }
}

/** A session that keeps writers of one catalog out. */
interface Gate {
  readonly catalog: string;
  readonly keeper: Connection;
  /** Settles once the keeper has the lock. */
  readonly closed: Promise<unknown>;
}

/** Undefined where the role may not lock catalogs. */
async function closeGates(sessions: readonly Connection[]): Promise<Gates | undefined> {
  const gates = new Gates(sessions);
  try {
    await gates.close();
    return gates;
  } catch (error) {
    await gates.open();
    if (isPlinthError(error) && error.code === "PERMISSION_DENIED") return undefined;
    throw error;
  }
}

class Gates {
  #gates: readonly Gate[] = [];
  /** Keeps nothing at the moment. */
  #relief: Connection;

  constructor([relief, ...keepers]: readonly Connection[]) {
    if (relief === undefined) throw new Error("gates without sessions");
    this.#relief = relief;
    this.#gates = keepers.map((keeper, index) => closeGate(keeper, CATALOGS[index] ?? "pg_class"));
  }

  async close(): Promise<void> {
    for (const { closed } of this.#gates) await closed;
  }

  /** The gate one of these sessions keeps. */
  among(processIds: readonly number[]): Gate | undefined {
    return this.#gates.find(({ keeper }) => processIds.includes(keeper.processId));
  }

  /** Opens a gate for the one that waits, and closes it behind. */
  async letThrough(gate: Gate, watcher: Connection): Promise<void> {
    // A relief that queued up last time may still wait for the traced statement to leave the catalog.
    await gate.closed;
    const next = closeGate(this.#relief, gate.catalog);
    let isClosed = false;
    const settle = (): void => {
      isClosed = true;
    };
    next.closed.then(settle, settle);
    // It has to stand in the queue before the gate opens, or the statement gets through more than once.
    while (!isClosed && (await selectBlockers(watcher, next.keeper.processId)).length === 0)
      await sleep(POLL_MS);
    await gate.keeper.script("rollback");
    this.#relief = gate.keeper;
    this.#gates = this.#gates.map((one) => (one === gate ? next : one));
  }

  /** All at once: a gate that is still closing waits for the statement, which may wait for another gate. */
  async open(): Promise<void> {
    await Promise.all(
      this.#gates.map(async ({ keeper, closed }) => {
        await closed.catch(() => {});
        if (keeper.isOpen) await keeper.script("rollback");
      }),
    );
    this.#gates = [];
  }
}

function closeGate(keeper: Connection, catalog: string): Gate {
  const closed = keeper.script(lockCatalog(catalog));
  // Whoever needs it closed waits for it; that it failed meanwhile must not end the process.
  closed.catch(() => {});
  return { catalog, keeper, closed };
}
