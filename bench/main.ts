/**
 * Compares Plinth with other libraries on the same rows, and measures what only Plinth does:
 * `npm run bench -- [--quick] [--json] [--only TEXT] [--peers a,b] [--shared]`. README.md says how to read the figures.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CONTESTANTS } from "./comparison/contestants.ts";
import { FULL_SIZE, QUICK_SIZE } from "./comparison/data.ts";
import { describeMachine, table, versionsOf } from "./report.ts";
import type { Plan, Result } from "./rounds.ts";
import { endServersOnSignals } from "./server.ts";

const QUICK: Plan = { rounds: 2, turnMs: 90, leadInMs: 15, warmUpMs: 150 };
const FULL: Plan = { rounds: 5, turnMs: 500, leadInMs: 100, warmUpMs: 1_500 };
/** What only Plinth does has few runners, and calls that take a second. */
const OWN_QUICK: Plan = { rounds: 3, turnMs: 250, leadInMs: 0, warmUpMs: 250 };
const OWN_FULL: Plan = { rounds: 7, turnMs: 1_000, leadInMs: 0, warmUpMs: 1_000 };

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    peers: { type: "string", default: "" },
    shared: { type: "boolean", default: false },
  },
});

endServersOnSignals();
const started = performance.now();
const machine = describeMachine();
const results: Result[] = [];
const failures: string[] = [];
const server = await runPeers();
// With --peers, what has none is not asked for.
if (values.peers === "") await runOwnWorkloads();
report();

/** Those of bench/package.json; they are no part of the repository's own installation. */
function installPeers(): void {
  const folder = fileURLToPath(new URL(".", import.meta.url));
  if (existsSync(`${folder}node_modules/.package-lock.json`)) return;
  process.stderr.write("installing what Plinth is compared with: npm ci --prefix bench\n");
  // Nothing of it needs to be built; Prisma would download an engine that is not used.
  execFileSync("npm", ["ci", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund"], {
    stdio: ["ignore", 2, 2],
  });
}

async function runPeers(): Promise<string | undefined> {
  installPeers();
  const { comparisonsWith, contestantsOf, runComparison } = await import("./comparison/run.ts");
  const contestants = contestantsOf(values.peers.split(",").filter((name) => name !== ""));
  const workloads = comparisonsWith(values.only);
  if (workloads.length === 0) return undefined;
  return runComparison({
    size: values.quick ? QUICK_SIZE : FULL_SIZE,
    plan: values.quick ? QUICK : FULL,
    workloads,
    contestants,
    isShared: values.shared,
    onResult: show,
    failed: (problem) => {
      failures.push(problem);
      process.stderr.write(`\nFAILED ${problem}\n`);
    },
  });
}

async function runOwnWorkloads(): Promise<void> {
  const { runOwn } = await import("./own.ts");
  await runOwn({ plan: values.quick ? OWN_QUICK : OWN_FULL, only: values.only, onResult: show });
}

function show(result: Result): void {
  results.push(result);
  // With --json, stdout is the document's alone.
  (values.json ? process.stderr : process.stdout).write(table(result));
}

function report(): void {
  const seconds = Math.round((performance.now() - started) / 1_000);
  process.stderr.write(`\n${seconds} s, load average ${machine.loadAverage.toFixed(1)} at the start\n`);
  for (const problem of failures) process.stderr.write(`FAILED ${problem.split("\n", 1)[0]}\n`);
  if (failures.length > 0) process.exitCode = 1;
  if (!values.json) return;
  const packages = CONTESTANTS.flatMap((contestant) => contestant.packages);
  const versions = { node: process.versions.node, postgresql: server, ...versionsOf(packages) };
  const document = { quick: values.quick, machine, versions, seconds, failures, workloads: results };
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}
