/**
 * A yardstick in C: pgbench with prepared statements on libpq reads one row by key, where PostgreSQL's own client
 * programs are installed. npm's server binaries have none.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { quantile, type Turn } from "../turn.ts";
import type { Arena } from "./arena.ts";

const PROGRAMS = [18, 17, 16, 15].map((version) => `/usr/lib/postgresql/${version}/bin/pgbench`);

export const PGBENCH = "pgbench";
/** The workload that it takes part in. */
export const PGBENCH_OPERATION = "oneRow";

export function hasPgbench(): boolean {
  return PROGRAMS.some((path) => existsSync(path));
}

/** Two seconds of it: it knows no fractions, and one may pass with connecting. The client's CPU and a collector are not known, or not there. */
export async function pgbenchTurn({ url, size }: Arena, concurrency: number): Promise<Turn> {
  const program = PROGRAMS.find((path) => existsSync(path));
  if (program === undefined) throw new Error("pgbench is not installed");
  const folder = mkdtempSync(join(tmpdir(), "plinth-pgbench-"));
  try {
    const script = join(folder, "script.sql");
    writeFileSync(
      script,
      `\\set id random(1, ${size.worlds})\nselect id, random_number from world where id = :id;\n`,
    );
    const threads = concurrency > 10 ? 2 : 1;
    const { stdout } = await promisify(execFile)(
      program,
      [
        "-n",
        "-M",
        "prepared",
        "-f",
        script,
        "-c",
        `${concurrency}`,
        "-j",
        `${threads}`,
        "-T",
        "1",
        "-l",
        url,
      ],
      { cwd: folder, env: { ...process.env, LC_ALL: "C" } },
    );
    const [, perSecond] = /^tps = ([\d.]+)/m.exec(stdout) ?? [];
    if (perSecond === undefined) throw new Error(`pgbench says no tps:\n${stdout}`);
    return { opsPerSec: Number(perSecond), ...latencies(folder), cpuUsPerOp: Number.NaN, gcUsPerOp: 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** https://www.postgresql.org/docs/current/pgbench.html: the third field of its log is the time in microseconds. */
function latencies(folder: string): Pick<Turn, "p50Ms" | "p99Ms" | "worstMs"> {
  const sorted = readdirSync(folder)
    .filter((name) => name.startsWith("pgbench_log."))
    .flatMap((name) => readFileSync(join(folder, name), "utf8").trimEnd().split("\n"))
    .map((line) => Number(line.split(" ")[2]) / 1_000)
    .sort((a, b) => a - b);
  return {
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    worstMs: sorted.at(-1) ?? Number.NaN,
  };
}
