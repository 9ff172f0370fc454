import { join } from "node:path";
import { createDatabase, type Database } from "plinth";
import { createMigrator, type Migrator } from "plinth/migrations";
import * as schema from "./schema.ts";

export type ShopDatabase = Database<typeof schema>;

export const MIGRATIONS = join(import.meta.dirname, "migrations");

/** Opens the database of `DATABASE_URL`, or the embedded one of this folder. */
export function openDatabase(): Promise<ShopDatabase> {
  return createDatabase({ schema, directory: import.meta.dirname });
}

/** What `npm run migrate up` does, for a program that brings its database up to date by itself. */
export function migratorOn(db: ShopDatabase): Migrator {
  return createMigrator({
    target: db.connectionTarget(),
    schemaName: schema.app.schemaName,
    folder: MIGRATIONS,
  });
}
