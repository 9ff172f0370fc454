/**
 * Compares Plinth with hand-written `pg` and with Drizzle on the same rows: `npm run bench -- [--quick] [--json]
 * [--only TEXT]`. README.md says how to read the figures.
 */
import { parseArgs } from "node:util";
import { openContenders } from "./contenders.ts";
import { prepareGround } from "./ground.ts";
import { type Figure, measure, type Plan, type Workload } from "./rounds.ts";
import { connections } from "./workloads/connections.ts";
import { createMany } from "./workloads/create-many.ts";
import { find } from "./workloads/find.ts";
import { generate } from "./workloads/generate.ts";
import { lint } from "./workloads/lint.ts";
import { migrateUp } from "./workloads/migrate-up.ts";
import { page } from "./workloads/page.ts";

const QUICK: Plan = { rounds: 3, turnMs: 250 };
const FULL: Plan = { rounds: 7, turnMs: 1_000 };

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    only: { type: "string", default: "" },
  },
});

const figures: Figure[] = [];
const ground = await prepareGround();
try {
  const contenders = await openContenders(ground);
  try {
    const workloads = [connections, find, page, createMany, migrateUp, generate, lint].map((make) =>
      make(contenders),
    );
    for (const workload of workloads) {
      if (workload.name.includes(values.only)) await compare(workload).finally(() => workload.close?.());
    }
  } finally {
    await contenders.close();
  }
} finally {
  await ground.close();
}
if (values.json) process.stdout.write(`${JSON.stringify({ quick: values.quick, figures }, null, 2)}\n`);

async function compare(workload: Workload): Promise<void> {
  const concurrencies = values.quick ? workload.concurrencies.slice(0, 2) : workload.concurrencies;
  const columns: (readonly Figure[])[] = [];
  for (const concurrency of concurrencies) {
    columns.push(await measure(workload, concurrency, values.quick ? QUICK : FULL));
  }
  figures.push(...columns.flat());
  // With --json, stdout is the document's alone.
  const out = values.json ? process.stderr : process.stdout;
  out.write(`\n${workload.name}\n${table(columns)}`);
}

/** A line a runner, a column a concurrency: calls per second and the ratio to the first line. */
function table(columns: readonly (readonly Figure[])[]): string {
  const [first = []] = columns;
  const width = Math.max(...first.map(({ runner }) => runner.length));
  const head = columns.map(([figure]) => `${figure?.concurrency} in flight`.padStart(18)).join("");
  const lines = first.map(({ runner }, line) => {
    const cells = columns.map((column) => cell(column[line]).padStart(18));
    return `  ${runner.padEnd(width)}${cells.join("")}`;
  });
  return `  ${" ".repeat(width)}${head}\n${lines.join("\n")}\n`;
}

function cell(figure: Figure | undefined): string {
  if (figure === undefined) return "";
  const { perSecond, ratio } = figure;
  // What takes a second or so would round to 1/s or 0/s.
  const speed =
    perSecond < 10
      ? `${Math.round(1_000 / perSecond).toLocaleString("en")} ms`
      : `${Math.round(perSecond).toLocaleString("en")}/s`;
  return `${speed} ×${ratio.toFixed(2)}`;
}
