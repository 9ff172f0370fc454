import { readCatalog } from "../../catalog/index.ts";
import type { Shadow } from "../../shadow/index.ts";
import { readMigrations } from "../folder.ts";
import { replayMigrations } from "../replay.ts";
import { renderDump } from "./render-dump.ts";

/** What is dumped, and where it is built. */
export interface DumpOptions {
  /** Absolute path of the folder. */
  readonly folder: string;
  readonly schemaName: string;
  readonly shadow: Shadow;
}

/**
 * Writes what a folder of migrations makes as one SQL text, in every schema it makes something in: to be read in a
 * review, where a migration shows only its change, and to make an empty database in one go. The same migrations give
 * the same text on the same version of PostgreSQL. It ends with a line end.
 *
 * Costs a replay of the folder on empty tables. {@link renderDump} does the same for a catalog that is read already.
 *
 * @throws {MIGRATION_FAILED} when a migration does not run on the shadow server.
 * @throws {MIGRATION_INVALID} for a folder or file that cannot be read.
 *
 * @example
 * ```ts
 * const shadow = await openShadow({ directory: process.cwd() });
 * const text = await dumpSchema({ folder: "/app/migrations", schemaName: "tracker", shadow });
 * // create schema if not exists "tracker"; … create table tasks ( … ); …
 * await shadow.release();
 * ```
 */
export async function dumpSchema({ folder, schemaName, shadow }: DumpOptions): Promise<string> {
  const database = await replayMigrations(shadow, await readMigrations(folder), schemaName);
  try {
    return renderDump(
      await database.use((connection) => readCatalog(connection, schemaName, { schemas: "all" })),
    );
  } finally {
    await database.drop();
  }
}
