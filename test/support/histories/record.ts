import { setTimeout as pause } from "node:timers/promises";
import { type IsolationLevel, isPlinthError } from "plinth";
import type { FaultProxy } from "../proxy.ts";
import type { Client, Workshop } from "../workshop.ts";
import type { Operation, Recorded } from "./history.ts";

type Db = Workshop["db"];

/** How a history is made. */
export interface Recording {
  readonly isolation: IsolationLevel;
  /** Transactions to record. */
  readonly transactions: number;
  readonly workers: number;
  /** From 0 to 1, for what each transaction does. */
  readonly random: () => number;
  /** Lists in use at a time. */
  readonly keys: number;
  /** What a client of bad manners does with a transaction that failed; see `Manners`. */
  readonly manners?: Manners;
}

/**
 * `again`: runs one whose COMMIT was not answered a second time. `deaf`: takes every end for success. They are there to show
 * that the checker notices.
 */
export type Manners = "good" | "again" | "deaf";

/** Appends after which a list is left alone, so that none grows too long to read. */
const ROTATE_AFTER = 60;
/** One in so many transactions ends in a deferred constraint that refuses its COMMIT. */
const FAILING_COMMIT = 12;

export const TABLES = `
  create table workshop.lists (k int primary key, v int[] not null);
  create table workshop.slots (n int unique deferrable initially deferred)`;

interface Planned {
  readonly id: number;
  readonly steps: readonly {
    readonly kind: Operation["kind"];
    readonly key: number;
    readonly value: number;
  }[];
  readonly failsAtCommit: boolean;
}

/** Runs random transactions through `db.transaction`, and at the end one that reads everything. */
export async function record(db: Db, recording: Recording): Promise<readonly Recorded[]> {
  const { transactions, workers } = recording;
  const history: Recorded[] = [];
  let value = 0;
  let count = 0;
  const plan = (id: number): Planned => planned(id, recording, () => ++value);
  await Promise.all(
    Array.from({ length: workers }, async () => {
      while (count < transactions) history.push(await run(db, plan(++count), recording));
    }),
  );
  history.push(await readEverything(db, transactions + 1));
  return history;
}

function planned(id: number, { random, keys }: Recording, nextValue: () => number): Planned {
  const below = (n: number) => Math.floor(random() * n);
  const steps = Array.from({ length: 1 + below(5) }, () => {
    const isAppend = random() < 0.5;
    const value = isAppend ? nextValue() : 0;
    const generation = Math.floor(id / (ROTATE_AFTER * keys));
    return { kind: isAppend ? "append" : "read", key: generation * keys + below(keys), value } as const;
  });
  return { id, steps, failsAtCommit: below(FAILING_COMMIT) === 0 };
}

async function run(db: Db, planned: Planned, { isolation, manners = "good" }: Recording): Promise<Recorded> {
  const { id } = planned;
  let operations: Operation[] = [];
  const attempt = () =>
    db.transaction(
      async () => {
        // An attempt that was rolled back has not happened: only the last one counts.
        operations = [];
        for (const step of planned.steps) operations.push(await perform(db, step));
        if (planned.failsAtCommit) await db.sql`insert into workshop.slots values (1), (1)`;
      },
      { isolation },
    );
  try {
    await attempt();
    return { id, outcome: "ok", operations };
  } catch (error) {
    if (!isPlinthError(error)) throw error;
    if (manners === "deaf") return { id, outcome: "ok", operations };
    if (error.code !== "COMMIT_OUTCOME_UNKNOWN") return { id, outcome: "fail", operations };
    if (manners === "again") return run(db, planned, { isolation } as Recording);
    return { id, outcome: await toldOutcome(db, error), operations };
  }
}

const OUTCOMES = { committed: "ok", aborted: "fail", unknown: "info" } as const;

/** What Plinth says became of it is held against what is there: a wrong answer is an anomaly. Whoever asks may be cut off too. */
async function toldOutcome(db: Db, error: unknown): Promise<Recorded["outcome"]> {
  for (let tries = 0; tries < 20; tries++) {
    const outcome = await db.outcomeOf(error).catch(() => undefined);
    if (outcome !== undefined) return OUTCOMES[outcome];
  }
  return "info";
}

async function perform(db: Db, { kind, key, value }: Planned["steps"][number]): Promise<Operation> {
  if (kind === "append") {
    await db.sql`insert into workshop.lists values (${key}, array[${value}::int])
      on conflict (k) do update set v = lists.v || ${value}::int`;
    return { kind, key, value };
  }
  const [row] = await db.sql<{
    v: readonly number[];
  }>`select to_json(v) as v from workshop.lists where k = ${key}`;
  return { kind, key, list: row?.v ?? [] };
}

async function readEverything(db: Db, id: number): Promise<Recorded> {
  const rows = await db.sql<{
    k: number;
    v: readonly number[];
  }>`select k, to_json(v) as v from workshop.lists`;
  return { id, outcome: "ok", operations: rows.map(({ k, v }) => ({ kind: "read", key: k, list: v })) };
}

/** Ends backends and drops answers to COMMIT, until the answer is called. */
export function disturb(
  proxy: FaultProxy,
  client: Client,
  application: string,
  random: () => number,
): () => Promise<void> {
  let isOver = false;
  const running = (async () => {
    while (!isOver) {
      await pause(10 + random() * 40);
      if (random() < 0.5) {
        await client.run(`select pg_terminate_backend(pid) from (select pid from pg_stat_activity
          where application_name = '${application}' order by random() limit 1) one`);
      } else {
        proxy.faults.dropReplyAfter = /commit\0/i;
        await pause(3);
        delete proxy.faults.dropReplyAfter;
      }
    }
  })();
  return async () => {
    isOver = true;
    await running;
  };
}
