import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SchemaSql } from "../catalog/index.ts";
import { MigrationError } from "../errors/index.ts";
import { readMigrations } from "./folder.ts";
import { parseFileName } from "./migration-file.ts";

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
  const last = (await readMigrations(folder)).at(-1);
  const version = last === undefined ? "0001" : nextVersion(last.version);
  const words = name.trim().replaceAll(" ", "_");
  const fileName = `${version}_${words}.sql`;
  if (parseFileName(fileName) === undefined) {
    throw new MigrationError("MIGRATION_INVALID", "a migration's name is letters, digits, _ and -", {
      hint: "Say what it does: plinth make migration add_tags.",
    });
  }
  // A whole schema after a first migration would create everything twice.
  if (schema !== undefined && last !== undefined) {
    throw new MigrationError("MIGRATION_INVALID", `${folder} holds a migration already, ${last.fileName}`, {
      hint: `The whole schema can only be the first one. Write the change by hand: plinth make migration ${words}.`,
    });
  }
  const path = join(folder, fileName);
  // Never over a file another process has just made.
  await writeFile(path, textOf(schema ?? { up: [], down: [] }), { flag: "wx" });
  return path;
}

function textOf({ up, down }: SchemaSql): string {
  return `-- migrate:up\n${script(up)}\n-- migrate:down\n${script(down)}`;
}

/** Without a statement, a blank line to write on. */
function script(statements: readonly string[]): string {
  return `\n${statements.map((statement) => `${statement};\n`).join("\n")}`;
}

function nextVersion(version: string): string {
  return String(BigInt(version) + 1n).padStart(version.length, "0");
}
