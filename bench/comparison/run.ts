/** The comparison as a whole: server, processes, workloads, end. */
import { execFile } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Plan, POOL_SIZE, type Result } from "../rounds.ts";
import { openArena } from "./arena.ts";
import { compare, type Player } from "./compare.ts";
import { CONTESTANTS, type Contestant, UNIT } from "./contestants.ts";
import type { Size } from "./data.ts";
import type { HostOptions } from "./host.ts";
import { OUTPUT, type Process, startProcess } from "./team.ts";
import { COMPARISONS, type Comparison } from "./workloads.ts";

export interface RunOptions {
  readonly size: Size;
  readonly plan: Plan;
  readonly workloads: readonly Comparison[];
  readonly contestants: readonly Contestant[];
  /** All subjects in one process, to see what sharing it does to them. */
  readonly isShared: boolean;
  onResult(result: Result): void;
  /** Somebody gave other rows, failed, or did not start. */
  failed(problem: string): void;
}

/** Workloads whose name holds the text. */
export function comparisonsWith(text: string): readonly Comparison[] {
  return COMPARISONS.filter(({ name }) => name.includes(text));
}

/** Those of these names, or all; the unit always takes part. @throws for a name that nobody has */
export function contestantsOf(names: readonly string[]): readonly Contestant[] {
  const unknown = names.filter((name) => CONTESTANTS.every((contestant) => contestant.name !== name));
  if (unknown.length > 0) {
    const known = CONTESTANTS.map(({ name }) => name).join(", ");
    throw new RangeError(`--peers knows no ${unknown.join(", ")}; there are ${known}`);
  }
  return names.length === 0
    ? CONTESTANTS
    : CONTESTANTS.filter(({ name }) => name === UNIT || names.includes(name));
}

/** Gives the server's version. */
export async function runComparison(options: RunOptions): Promise<string> {
  const arena = await openArena(options.size);
  try {
    const host = { url: arena.url, poolSize: POOL_SIZE, size: arena.size };
    const players = await start(options, host);
    try {
      for (const workload of options.workloads) {
        for (const result of await compare(workload, { arena, players, ...options })) {
          options.onResult(result);
        }
      }
    } finally {
      for (const own of new Set(players.map(({ process }) => process))) await own.end();
    }
    return arena.serverVersion;
  } finally {
    await arena.close();
  }
}

async function start(options: RunOptions, host: HostOptions): Promise<readonly Player[]> {
  const groups = options.isShared
    ? [options.contestants]
    : options.contestants.map((contestant) => [contestant]);
  const players: Player[] = [];
  for (const group of groups) {
    const names = group.map(({ name }) => name);
    try {
      if (names.includes("prisma")) await generatePrisma();
      const process = await startProcess(group, host);
      for (const name of names) players.push(await playerIn(process, name));
    } catch (error) {
      options.failed(`${names.join(", ")} did not start: ${String(error)}`);
    }
  }
  return players;
}

async function playerIn(process: Process, name: string): Promise<Player> {
  const workloads = await process.ask<readonly string[]>({ kind: "workloads", subject: name });
  return { name, process, workloads: new Set(workloads) };
}

const BENCH = fileURLToPath(new URL("..", import.meta.url));

/** Prisma's client is made of its schema. */
async function generatePrisma(): Promise<void> {
  const schema = join(BENCH, "peers/prisma/schema.prisma");
  const client = join(OUTPUT, "prisma/client.ts");
  if (existsSync(client) && statSync(client).mtimeMs > statSync(schema).mtimeMs) return;
  const script = join(BENCH, "node_modules/prisma/build/index.js");
  await promisify(execFile)(process.execPath, [script, "generate", "--schema", schema], {
    cwd: BENCH,
    env: {
      ...process.env,
      // Otherwise it downloads an engine that migrations need and `generate` does not: any program will do.
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      CHECKPOINT_DISABLE: "1",
    },
  });
}
