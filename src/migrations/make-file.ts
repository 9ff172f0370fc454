import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SchemaSql } from "../catalog/index.ts";
import { MigrationError } from "../errors/index.ts";
import { readMigrations } from "./folder.ts";
import { type MigrationFile, parseFileName } from "./migration-file.ts";
import { migrationText } from "./migration-text.ts";

/**
 * Writes a migration with the version after the newest one, in its width, and makes the folder if need be. Gives the
 * file's path. It is empty, and does not run before something is written below `-- migrate:up`; with `schema` it holds
 * that SQL, up and down, and is the first of the folder.
 *
 * @throws {MIGRATION_INVALID} when the name is not letters, digits, `_` and `-`, when the folder is not in order, or
 * when `schema` is given and the folder holds a migration already.
 */
export async function createMigrationFile(folder: string, name: string, schema?: SchemaSql): Promise<string> {
  await mkdir(folder, { recursive: true });
  const files = await readMigrations(folder);
  const fileName = nextFileName(files, name);
  const last = files.at(-1);
  // A whole schema after a first migration would create everything twice.
  if (schema !== undefined && last !== undefined) {
    throw new MigrationError("MIGRATION_INVALID", `${folder} holds a migration already, ${last.fileName}`, {
      hint: `The whole schema can only be the first one. Write the difference: plinth migrate generate ${wordsOf(name)}.`,
    });
  }
  return writeMigrationFile(folder, fileName, migrationText(schema ?? { up: [], down: [] }));
}

/**
 * Writes a data migration, `NNNN_name.ts`, with one statement to be filled in. Gives the file's path.
 *
 * @throws {MIGRATION_INVALID} when the name is not letters, digits, `_` and `-`, or the folder is not in order.
 */
export async function createDataMigrationFile(folder: string, name: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const fileName = nextFileName(await readMigrations(folder), name).replace(/\.sql$/, ".ts");
  return writeMigrationFile(folder, fileName, DATA_TEXT);
}

const DATA_TEXT = `import { dataMigration, updateBatches } from "plinth/migrations";

export default dataMigration({
  up: updateBatches({ table: "", key: "id", set: "", where: "true" }),
  // Batches that undo it, or "nothing" where none is needed.
  down: "nothing",
});
`;

/**
 * The name of the folder's next file: the version after the newest one, in its width.
 *
 * @throws {MIGRATION_INVALID} when `name` is not letters, digits, `_` and `-`.
 */
export function nextFileName(files: readonly MigrationFile[], name: string): string {
  const last = files.at(-1);
  const fileName = `${last === undefined ? "0001" : nextVersion(last.version)}_${wordsOf(name)}.sql`;
  if (parseFileName(fileName) !== undefined) return fileName;
  throw new MigrationError("MIGRATION_INVALID", "a migration's name is letters, digits, _ and -", {
    hint: "Say what it does: plinth make migration add_tags.",
  });
}

/** Writes a new file, never over one another process has just made. Gives its path. */
export async function writeMigrationFile(folder: string, fileName: string, text: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, fileName);
  await writeFile(path, text, { flag: "wx" });
  return path;
}

function wordsOf(name: string): string {
  return name.trim().replaceAll(" ", "_");
}

function nextVersion(version: string): string {
  return String(BigInt(version) + 1n).padStart(version.length, "0");
}
