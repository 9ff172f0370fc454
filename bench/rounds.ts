/** Runs contenders in turn, round after round, so that a slow minute of the machine hits them all. */
import type { PairedRatios } from "./pairs.ts";
import { type Turn, type TurnPlan, takeTurn } from "./turn.ts";

/** Connections of everybody's pool. */
export const POOL_SIZE = 10;

/** One way to do a workload's job. It is called again and again. */
export interface Runner {
  readonly name: string;
  run(): Promise<unknown>;
}

/** The same job for several runners; ratios are to the first one. */
export interface Workload {
  readonly name: string;
  readonly runners: readonly Runner[];
  /** Calls in flight at once. */
  readonly concurrencies: readonly number[];
  /** Puts things back as they were, after each runner's turn. */
  reset?(): Promise<void>;
  /** Takes away what it made outside the server. */
  close?(): Promise<void>;
  /** Where differences are small, it is measured in pairs. */
  readonly contest?: Contest;
}

/** How a workload is measured in pairs; see pairs.ts. */
export interface Contest {
  /** For each round of the plan whose turns take a second, and as much fewer as they take less. */
  readonly pairsPerRound: number;
  /** Of all processes of the server that it runs on, until now. */
  serverCpuUs(): Promise<number>;
}

export interface Plan {
  readonly rounds: number;
  readonly turnMs: number;
  /** Before each turn, uncounted. */
  readonly leadInMs: number;
  /** Before the first round of a workload: connections, prepared statements, compiled code. */
  readonly warmUpMs: number;
}

/** Medians of a runner's rounds; `worstMs` is the worst of all. */
export interface Figures extends Turn {
  /** Calls per second to those of the unit; above 1 is faster. */
  readonly ratio: number;
}

/** What one table line, or one entry of `--json`, is made of. */
export interface Result {
  readonly name: string;
  readonly concurrency: number;
  readonly subjects: Readonly<Record<string, Figures>>;
  /** Of every runner but the first, where it was measured in pairs. */
  readonly inPairs?: Readonly<Record<string, PairedRatios>>;
}

export async function measure(workload: Workload, concurrency: number, plan: Plan): Promise<Result> {
  const runners = new Map(workload.runners.map((runner) => [runner.name, runner]));
  const { turnMs: durationMs, leadInMs, warmUpMs } = plan;
  const take = async (name: string, times: Omit<TurnPlan, "concurrency">): Promise<Turn> => {
    const turn = await takeTurn(async () => runners.get(name)?.run(), { concurrency, ...times });
    await workload.reset?.();
    return turn;
  };
  for (const name of runners.keys()) await take(name, { durationMs: warmUpMs, leadInMs: 0 });
  const turns = await interleave([...runners.keys()], plan.rounds, {
    turn: (name) => take(name, { durationMs, leadInMs }),
  });
  const [unit = ""] = runners.keys();
  return { name: workload.name, concurrency, subjects: figuresOf(turns, unit) };
}

/** Every runner for a while: connections, prepared statements, compiled code. */
export async function takeWarmUp(
  { runners, reset }: Workload,
  concurrency: number,
  durationMs = 1_000,
): Promise<void> {
  for (const { run } of runners) await takeTurn(run, { concurrency, durationMs, leadInMs: 0 });
  await reset?.();
}

export interface Turns {
  turn(name: string): Promise<Turn | undefined>;
  afterRound?(): Promise<void>;
}

/** Every runner's turns. One that has none any more drops out. */
export async function interleave(
  names: readonly string[],
  rounds: number,
  { turn, afterRound }: Turns,
): Promise<ReadonlyMap<string, readonly Turn[]>> {
  const turns = new Map<string, Turn[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of rotated([...turns.keys()], round)) {
      const taken = await turn(name);
      if (taken === undefined) turns.delete(name);
      else turns.get(name)?.push(taken);
    }
    await afterRound?.();
  }
  return turns;
}

/** Nobody always goes first. */
function rotated(names: readonly string[], by: number): readonly string[] {
  const start = by % Math.max(1, names.length);
  return [...names.slice(start), ...names.slice(0, start)];
}

export function figuresOf(
  turns: ReadonlyMap<string, readonly Turn[]>,
  unit: string,
): Readonly<Record<string, Figures>> {
  const base = median((turns.get(unit) ?? []).map((turn) => turn.opsPerSec));
  const entries = [...turns].map(([name, own]): [string, Figures] => {
    const middle = (figure: keyof Turn): number => median(own.map((turn) => turn[figure]));
    const opsPerSec = middle("opsPerSec");
    return [
      name,
      {
        opsPerSec,
        p50Ms: middle("p50Ms"),
        p99Ms: middle("p99Ms"),
        worstMs: Math.max(...own.map(({ worstMs }) => worstMs)),
        cpuUsPerOp: middle("cpuUsPerOp"),
        gcUsPerOp: middle("gcUsPerOp"),
        ratio: opsPerSec / base,
      },
    ];
  });
  return Object.fromEntries(entries);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = low] = [
    sorted[sorted.length % 2 === 0 ? middle - 1 : middle],
    sorted[middle],
  ];
  return (low + high) / 2;
}
