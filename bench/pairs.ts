/** Small differences, on a machine that others may use: turns so short that a pair of them meets the same minute. */
import { type Contest, figuresOf, type Result, takeWarmUp, type Workload } from "./rounds.ts";
import { type Turn, takeTurn } from "./turn.ts";

/** What a runner costs, to what the first one does; above 1 is dearer. */
export interface Ratio {
  readonly median: number;
  /** Where the median lies with 95 % confidence, by bootstrap. */
  readonly low: number;
  readonly high: number;
}

/** Of one runner, over all pairs. */
export interface PairedRatios {
  readonly pairs: number;
  readonly time: Ratio;
  /** Of all the server's processes. */
  readonly serverCpu: Ratio;
}

const TURN_MS = 100;
const RESAMPLES = 2_000;

interface PairedTurn extends Turn {
  readonly serverUsPerOp: number;
}

export async function measurePairs(
  workload: Workload & { readonly contest: Contest },
  concurrency: number,
  pairs: number,
): Promise<Result> {
  const { contest, runners } = workload;
  await takeWarmUp(workload, concurrency);
  const turns = new Map<string, PairedTurn[]>(runners.map(({ name }) => [name, []]));
  for (let pair = 0; pair < pairs; pair++) {
    for (const { name, run } of shuffled(runners)) {
      let calls = 0;
      const counted = (): Promise<unknown> => {
        calls++;
        return run();
      };
      const before = await contest.serverCpuUs();
      const turn = await takeTurn(counted, { concurrency, durationMs: TURN_MS, leadInMs: 0 });
      const serverUs = (await contest.serverCpuUs()) - before;
      turns.get(name)?.push({ ...turn, serverUsPerOp: serverUs / calls });
    }
    await workload.reset?.();
  }
  const [unit = [], ...others] = turns.values();
  const names = [...turns.keys()].slice(1);
  const inPairs = others.map((own, i): [string, PairedRatios] => {
    const ratios = (cost: (turn: PairedTurn) => number): Ratio =>
      ratioOf(own.map((turn, at) => cost(turn) / cost(unit[at] ?? turn)));
    const time = ratios(({ opsPerSec }) => 1 / opsPerSec);
    return [names[i] ?? "", { pairs, time, serverCpu: ratios(({ serverUsPerOp }) => serverUsPerOp) }];
  });
  return {
    name: workload.name,
    concurrency,
    subjects: figuresOf(turns, runners[0]?.name ?? ""),
    inPairs: Object.fromEntries(inPairs),
  };
}

function ratioOf(values: readonly number[]): Ratio {
  const medians = Array.from({ length: RESAMPLES }, () =>
    middle(values.map(() => values[Math.floor(Math.random() * values.length)] ?? Number.NaN)),
  ).sort((a, b) => a - b);
  const at = (share: number): number => medians[Math.floor(RESAMPLES * share)] ?? Number.NaN;
  return { median: middle(values), low: at(0.025), high: at(0.975) };
}

function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

function shuffled<T>(items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
