/**
 * Writes the figures of a run into docs/benchmarks.md, between its markers:
 * `npm run -s bench -- --json > run.json && node --import tsx bench/write-figures.ts run.json`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Ratio } from "./pairs.ts";
import type { Machine } from "./report.ts";
import type { Figures, Result } from "./rounds.ts";

/** What `--json` gives. */
interface Run {
  readonly quick: boolean;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly seconds: number;
  readonly failures: readonly string[];
  readonly workloads: readonly Result[];
}

const PAGE = fileURLToPath(new URL("../docs/benchmarks.md", import.meta.url));
const MARKED = /(<!-- figures -->\n)[\s\S]*(<!-- end of figures -->)/;

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error("which run? Give the file that `npm run bench -- --json` wrote");
const run: Run = JSON.parse(readFileSync(file, "utf8"));
const page = readFileSync(PAGE, "utf8");
if (!MARKED.test(page)) throw new Error(`${PAGE} has lost its markers`);
writeFileSync(
  PAGE,
  page.replace(MARKED, (_, begin: string, end: string) => `${begin}${figures(run)}${end}`),
);

function figures({ quick, machine, versions, seconds, failures, workloads }: Run): string {
  const compared = workloads.filter(({ subjects }) => "pg-named" in subjects);
  const own = workloads.filter(({ subjects }) => !("pg-named" in subjects));
  const memory = Math.round(machine.memoryBytes / 2 ** 30);
  const names = [...new Set(compared.flatMap(({ subjects }) => Object.keys(subjects)))];
  const others = names.filter((name) => name !== "pg-named");
  return `
${machine.cpu}, ${machine.cores} cores, ${memory} GiB, ${machine.system}. Load average when it began: ${machine.loadAverage.toFixed(1)}.
${quick ? "A `--quick` run" : "A full run"} of ${Math.round(seconds / 60)} minutes.
${Object.entries(versions)
  .map(([name, version]) => `${name} ${version}`)
  .join(", ")}.
${failures.map((failure) => `\n**Failed**: ${failure.split("\n", 1)[0]}\n`).join("")}
### Calls per second, as a ratio to pg-named (1 / 10 / 64 in flight)

| Workload | pg-named, calls/s | ${others.join(" | ")} |
|---|---|${others.map(() => "---|").join("")}
${lines(compared, (results) => [
  results.map(({ subjects }) => whole(subjects["pg-named"]?.opsPerSec)).join(" / "),
  ...others.map((name) => ratios(results, name)),
])}

### Plinth and pg-named in full

| Workload | In flight | | calls/s | p50 ms | p99 ms | worst ms | CPU µs | GC µs |
|---|---|---|---|---|---|---|---|---|
${compared.flatMap((result) => ["plinth", "pg-named"].flatMap((name) => full(result, name))).join("\n")}

### Plinth alone, or beside a line or two of others

In pairs: what it costs to what the first one does, median and its 95 % interval.

| Workload | In flight | | calls/s | p50 ms | ratio | in pairs, time | in pairs, server's CPU |
|---|---|---|---|---|---|---|---|
${own
  .flatMap(({ name, concurrency, subjects, inPairs = {} }) =>
    Object.entries(subjects).map(
      ([subject, { opsPerSec, p50Ms, ratio }]) =>
        `| ${name} | ${concurrency} | ${subject} | ${three(opsPerSec)} | ${three(p50Ms)} | ${ratio.toFixed(2)} | ${cost(inPairs[subject]?.time)} | ${cost(inPairs[subject]?.serverCpu)} |`,
    ),
  )
  .join("\n")}

`;
}

/** A line a workload, its concurrencies together. */
function lines(results: readonly Result[], cells: (results: readonly Result[]) => readonly string[]): string {
  const names = [...new Set(results.map(({ name }) => name))];
  const line = (name: string): string =>
    `| ${name} | ${cells(results.filter((result) => result.name === name)).join(" | ")} |`;
  return names.map(line).join("\n");
}

function ratios(results: readonly Result[], name: string): string {
  const each = results.map(({ subjects }) => subjects[name]?.ratio.toFixed(2) ?? "–");
  return each.every((ratio) => ratio === "–") ? "–" : each.join(" / ");
}

function full({ name, concurrency, subjects }: Result, subject: string): readonly string[] {
  const figures: Figures | undefined = subjects[subject];
  if (figures === undefined) return [];
  const { opsPerSec, p50Ms, p99Ms, worstMs, cpuUsPerOp, gcUsPerOp } = figures;
  const cells = [opsPerSec, p50Ms, p99Ms, worstMs, cpuUsPerOp, gcUsPerOp].map(three);
  return [`| ${name} | ${concurrency} | ${subject} | ${cells.join(" | ")} |`];
}

function cost(ratio: Ratio | undefined): string {
  if (ratio === undefined) return "";
  const { median, low, high } = ratio;
  return `×${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
}

function whole(value = Number.NaN): string {
  return Math.round(value).toLocaleString("en");
}

/** JSON says null for what is not known. */
function three(value: number | null): string {
  return value === null ? "" : value.toLocaleString("en", { maximumSignificantDigits: 3 });
}
