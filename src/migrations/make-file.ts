import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MigrationError } from "../errors/index.ts";
import { readMigrations } from "./folder.ts";
import { parseFileName } from "./migration-file.ts";

const TEMPLATE = `-- migrate:up


-- migrate:down

`;

/**
 * Writes an empty migration with the version after the newest one, in its width, and makes the folder if need be.
 * Gives the file's path. It does not run before something is written below `-- migrate:up`.
 *
 * @throws {MIGRATION_INVALID} when the name is not letters, digits, `_` and `-`, or the folder is not in order.
 */
export async function createMigrationFile(folder: string, name: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const last = (await readMigrations(folder)).at(-1);
  const version = last === undefined ? "0001" : nextVersion(last.version);
  const fileName = `${version}_${name.trim().replaceAll(" ", "_")}.sql`;
  if (parseFileName(fileName) === undefined) {
    throw new MigrationError("MIGRATION_INVALID", "a migration's name is letters, digits, _ and -", {
      hint: "Say what it does: plinth make migration add_tags.",
    });
  }
  const path = join(folder, fileName);
  // Never over a file another process has just made.
  await writeFile(path, TEMPLATE, { flag: "wx" });
  return path;
}

function nextVersion(version: string): string {
  return String(BigInt(version) + 1n).padStart(version.length, "0");
}
