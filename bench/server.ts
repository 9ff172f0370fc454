/** The throw-away servers of the bench: gone with it, also when it is interrupted. */
import { type StartOptions, startPostgres, type ThrowAwayPostgres } from "../test/support/postgres.ts";

const running = new Set<ThrowAwayPostgres>();

export interface Server {
  readonly url: string;
  remove(): Promise<void>;
}

export async function startServer(options: Omit<StartOptions, "version"> = {}): Promise<Server> {
  const server = await startPostgres({ ...options, version: 18 });
  running.add(server);
  return {
    url: server.url,
    async remove() {
      running.delete(server);
      await server.remove();
    },
  };
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
