/** One turn of a runner: calls kept in flight for a while, and what each of them cost. */
import { PerformanceObserver } from "node:perf_hooks";
import { setImmediate as macrotask } from "node:timers/promises";

export interface TurnPlan {
  readonly concurrency: number;
  readonly durationMs: number;
  /** Calls before the clock starts, so that sockets and code are warm again after the others' turns. */
  readonly leadInMs: number;
}

/** What a turn showed. Times of calls are as their caller sees them. */
export interface Turn {
  readonly opsPerSec: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly worstMs: number;
  /** Of the whole process, all threads. */
  readonly cpuUsPerOp: number;
  /** Pauses of the collector. */
  readonly gcUsPerOp: number;
}

/** Calls `run` with `concurrency` calls in flight until the time is over, and waits for the last of them. */
export async function takeTurn(run: () => Promise<unknown>, plan: TurnPlan): Promise<Turn> {
  await keepInFlight(run, plan.concurrency, plan.leadInMs, () => {});
  const collector = watchCollector();
  const cpu = process.cpuUsage();
  const latencies: number[] = [];
  const started = performance.now();
  await keepInFlight(run, plan.concurrency, plan.durationMs, (latency) => latencies.push(latency));
  const elapsedMs = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  const gcMs = await collector.stop();
  latencies.sort((a, b) => a - b);
  const calls = latencies.length;
  return {
    opsPerSec: calls / (elapsedMs / 1_000),
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    worstMs: latencies.at(-1) ?? Number.NaN,
    cpuUsPerOp: (user + system) / calls,
    gcUsPerOp: (gcMs * 1_000) / calls,
  };
}

async function keepInFlight(
  run: () => Promise<unknown>,
  concurrency: number,
  durationMs: number,
  done: (latencyMs: number) => void,
): Promise<void> {
  const end = performance.now() + durationMs;
  const lane = async (): Promise<void> => {
    let now = performance.now();
    while (now < end) {
      await run();
      const after = performance.now();
      done(after - now);
      now = after;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
}

function watchCollector(): { stop(): Promise<number> } {
  let pausedMs = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) pausedMs += duration;
  });
  observer.observe({ entryTypes: ["gc"] });
  return {
    async stop() {
      // Entries are handed over one macrotask late.
      await macrotask();
      await macrotask();
      for (const { duration } of observer.takeRecords()) pausedMs += duration;
      observer.disconnect();
      return pausedMs;
    },
  };
}

export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
