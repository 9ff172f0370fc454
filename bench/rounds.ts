/** Runs contenders in turn, round after round, so that a slow minute of the machine hits them all. */

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
}

export interface Plan {
  readonly rounds: number;
  readonly turnMs: number;
}

/** Calls per second of one runner: the median of its rounds. */
export interface Figure {
  readonly workload: string;
  readonly concurrency: number;
  readonly runner: string;
  readonly perSecond: number;
  /** To the workload's first runner; above 1 is faster. */
  readonly ratio: number;
}

export async function measure(
  workload: Workload,
  concurrency: number,
  plan: Plan,
): Promise<readonly Figure[]> {
  const speeds = new Map<string, number[]>(workload.runners.map(({ name }) => [name, []]));
  // The first round warms up: connections, prepared statements, compiled code.
  for (let round = -1; round < plan.rounds; round++) {
    for (const runner of rotated(workload.runners, round + 1)) {
      const speed = await turn(runner, concurrency, plan.turnMs);
      if (round >= 0) speeds.get(runner.name)?.push(speed);
      await workload.reset?.();
    }
  }
  const [first] = workload.runners;
  const base = median(speeds.get(first?.name ?? "") ?? []);
  return workload.runners.map(({ name }) => {
    const perSecond = median(speeds.get(name) ?? []);
    return { workload: workload.name, concurrency, runner: name, perSecond, ratio: perSecond / base };
  });
}

/** Nobody always goes first. */
function rotated(runners: readonly Runner[], by: number): readonly Runner[] {
  const start = by % runners.length;
  return [...runners.slice(start), ...runners.slice(0, start)];
}

async function turn(runner: Runner, concurrency: number, turnMs: number): Promise<number> {
  let done = 0;
  const started = performance.now();
  const end = started + turnMs;
  const lane = async () => {
    while (performance.now() < end) {
      await runner.run();
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  return done / ((performance.now() - started) / 1_000);
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
