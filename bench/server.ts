/** The throw-away servers of the bench: gone with it, also when it is interrupted. */
import { readFile } from "node:fs/promises";
import { type StartOptions, startPostgres, type ThrowAwayPostgres } from "../test/support/postgres.ts";

const running = new Set<ThrowAwayPostgres>();

export interface Server {
  readonly url: string;
  /** Processor time of its processes until now, in microseconds. Those that have ended are not in it. Linux alone tells. */
  cpuUs(): Promise<number>;
  remove(): Promise<void>;
}

export async function startServer(options: Omit<StartOptions, "version"> = {}): Promise<Server> {
  const server = await startPostgres({ ...options, version: 18 });
  running.add(server);
  return {
    url: server.url,
    cpuUs: () => cpuUsOf(server.pid),
    async remove() {
      running.delete(server);
      await server.remove();
    },
  };
}

async function cpuUsOf(postmaster: number): Promise<number> {
  const children = await readFile(`/proc/${postmaster}/task/${postmaster}/children`, "utf8");
  const times = children
    .split(" ")
    .filter((pid) => pid !== "")
    .map(async (pid) => Number((await readFile(`/proc/${pid}/schedstat`, "utf8")).split(" ", 1)[0]) / 1_000);
  const known = await Promise.allSettled(times);
  return known.reduce((sum, time) => sum + (time.status === "fulfilled" ? time.value : 0), 0);
}

/** Ends the process at Ctrl+C, but the servers first: they would outlive it. */
export function endServersOnSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void endAll());
  }
}

async function endAll(): Promise<never> {
  // Whoever was connected fails now, and must not end the process before the folders are gone.
  process.on("uncaughtException", () => {});
  await Promise.allSettled([...running].map((server) => server.remove()));
  process.exit(1);
}
