/** How results are shown: a table for people, a document for programs. */
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Ratio } from "./pairs.ts";
import type { Figures, Result } from "./rounds.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  /** Of the last minute when the run began. Above 0 or so, others were at work: read ratios with care. */
  readonly loadAverage: number;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${process.platform} ${release()} ${process.arch}`,
    loadAverage: loadavg()[0] ?? Number.NaN,
  };
}

/** The versions that were loaded: the bench's own packages go before the repository's. */
export function versionsOf(packages: readonly string[]): Readonly<Record<string, string>> {
  const folders = [join(ROOT, "bench/node_modules"), join(ROOT, "node_modules")];
  const versionAt = (path: string): string => JSON.parse(readFileSync(path, "utf8")).version;
  const entries = [...new Set(packages)].flatMap((name) => {
    const path = folders.map((folder) => join(folder, name, "package.json")).find(existsSync);
    return path === undefined ? [] : [[name, versionAt(path)]];
  });
  return Object.fromEntries([["plinth", versionAt(join(ROOT, "package.json"))], ...entries]);
}

const COLUMNS: readonly (readonly [string, (figures: Figures) => string])[] = [
  ["calls/s", ({ opsPerSec }) => digits(opsPerSec)],
  ["ratio", ({ ratio }) => `×${ratio.toFixed(2)}`],
  ["p50 ms", ({ p50Ms }) => digits(p50Ms)],
  ["p99 ms", ({ p99Ms }) => digits(p99Ms)],
  ["worst ms", ({ worstMs }) => digits(worstMs)],
  ["CPU µs", ({ cpuUsPerOp }) => digits(cpuUsPerOp)],
  ["GC µs", ({ gcUsPerOp }) => digits(gcUsPerOp)],
];

/** A line a subject. CPU and GC are the client's, per call. */
export function table({ name, concurrency, subjects, inPairs = {} }: Result): string {
  const entries = Object.entries(subjects);
  const width = Math.max(...entries.map(([subject]) => subject.length), 20);
  const head = COLUMNS.map(([title]) => title.padStart(10)).join("");
  const lines = entries.map(([subject, figures]) => {
    const cells = COLUMNS.map(([, cell]) => cell(figures).padStart(10));
    return `  ${subject.padEnd(width)}${cells.join("")}`;
  });
  const ratios = Object.entries(inPairs).map(
    ([subject, { pairs, time, serverCpu }]) =>
      `  ${subject.padEnd(width)} in ${pairs} pairs: time ${interval(time)}, the server's CPU ${interval(serverCpu)}`,
  );
  const all = [...lines, ...ratios].join("\n");
  return `\n${name}, ${concurrency} in flight\n  ${" ".repeat(width)}${head}\n${all}\n`;
}

function interval({ median, low, high }: Ratio): string {
  return `×${median.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
}

/** Three that matter; nothing for what is not known. */
function digits(value: number): string {
  if (Number.isNaN(value)) return "";
  const decimals = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}
