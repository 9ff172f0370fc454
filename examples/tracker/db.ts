import { join } from "node:path";
import { createDatabase, type Database } from "plinth";
import { createMigrator, type Migrator, type ProgressListener } from "plinth/migrations";
import type { Log } from "./app.ts";
import * as schema from "./schema.ts";

export type TrackerDatabase = Database<typeof schema>;

/** What the application works with: the database, and a door to each entity. */
export type Tracker = ReturnType<typeof trackerOn>;

export const MIGRATIONS = join(import.meta.dirname, "migrations");

/** Opens the database of `DATABASE_URL`, or the embedded one of `TRACKER_DIRECTORY`, which is this folder unless set. */
export async function openDatabase(log: Log): Promise<TrackerDatabase> {
  const db: TrackerDatabase = await createDatabase({
    schema,
    directory: process.env.TRACKER_DIRECTORY ?? import.meta.dirname,
    onWarning: ({ message }) => log(message),
    pendingMigrations: async () => pendingNames(migratorOn(db)),
  });
  return db;
}

/** The doors of a database, whoever opened it: `npm start` or a test. */
export function trackerOn(db: TrackerDatabase) {
  return Object.freeze({
    db,
    users: db.repository(schema.users),
    profiles: db.repository(schema.profiles),
    projects: db.repository(schema.projects),
    members: db.repository(schema.members),
    tasks: db.repository(schema.tasks),
  });
}

export function migratorOn(db: TrackerDatabase, onProgress?: ProgressListener): Migrator {
  return createMigrator({
    target: db.connectionTarget(),
    schemaName: schema.app.schemaName,
    folder: MIGRATIONS,
    onProgress,
  });
}

async function pendingNames(migrator: Migrator): Promise<readonly string[]> {
  const { migrations } = await migrator.status();
  return migrations.filter(({ state }) => state !== "applied").map(({ fileName }) => fileName);
}
