import { runSeeds } from "plinth";
import { describeHolder, type MigrationProgress } from "plinth/migrations";
import type { Log } from "./app.ts";
import { migratorOn, type TrackerDatabase } from "./db.ts";
import demo from "./seeds/dev/tracker.ts";

/** Applies what is pending and, outside production, writes the rows to develop with. A second time it finds nothing to do. */
export async function prepare(db: TrackerDatabase, signal: AbortSignal, log: Log): Promise<void> {
  await migratorOn(db, (progress) => describe(progress, log)).up({ signal });
  if (process.env.NODE_ENV === "production") return;
  const [ran] = await runSeeds({
    database: db,
    seeds: [demo],
    kind: "dev",
    signal,
    onProgress: ({ kind, seed }) => kind === "waiting" && log(`seed ${seed}: waiting for another process`),
  });
  if (ran !== undefined) log(`seed ${ran.name}: done (${ran.durationMs} ms)`);
}

function describe(progress: MigrationProgress, log: Log): void {
  if (progress.kind === "finished")
    log(`migration ${progress.fileName}: applied (${progress.durationMs} ms)`);
  if (progress.kind === "waiting") log(`migrations: waiting for ${describeHolder(progress.holder)}`);
}
