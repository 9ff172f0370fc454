import { readFileSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { MigrationError } from "../errors/index.ts";
import { parseDataFile } from "./data/data-file.ts";
import { badName, compareVersions, type MigrationFile, parseMigrationFile } from "./migration-file.ts";

/** Changes to a schema are text; a file this large holds data. */
const FILE_BYTES_LIMIT = 16_777_216;
const FILE_COUNT_LIMIT = 100_000;

/**
 * Reads every migration of a folder, in order of version: `.sql`, and `.ts` for data migrations, which are not loaded.
 * Files that do not start with a digit and do not end in `.sql` are left alone (a README, say).
 *
 * @throws {MIGRATION_INVALID} for a missing folder, a bad name, two files of one version, a malformed file.
 */
export async function readMigrations(folder: string): Promise<readonly MigrationFile[]> {
  const names = (await listNames(folder)).filter((name) => /^\d|\.sql$/i.test(name));
  if (names.length > FILE_COUNT_LIMIT) {
    throw new MigrationError("MIGRATION_INVALID", `${folder} holds more than ${FILE_COUNT_LIMIT} files`);
  }
  const files: MigrationFile[] = [];
  for (const name of names) {
    const bytes = readBytes(folder, name);
    files.push(
      name.endsWith(".ts") ? parseDataFile(join(folder, name), bytes) : parseMigrationFile(name, bytes),
    );
  }
  files.sort((a, b) => compareVersions(a.version, b.version));
  refuseDuplicates(files);
  return files;
}

async function listNames(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    const problem = code === "ENOENT" ? "does not exist" : `cannot be read (${code})`;
    throw new MigrationError("MIGRATION_INVALID", `the migrations folder ${folder} ${problem}`, {
      hint: "Write the first one with `plinth make migration NAME`, or set migrations.folder in plinth.config.ts.",
    });
  }
}

/** Synchronous: 500 files take 10 ms; through promises 100. */
function readBytes(folder: string, name: string): Uint8Array {
  const path = join(folder, name);
  const found = statSync(path);
  if (!found.isFile()) throw badName(name);
  if (found.size > FILE_BYTES_LIMIT) {
    throw new MigrationError("MIGRATION_INVALID", `${name} is larger than 16 MB`, {
      file: name,
      hint: "Load data with a seed; a migration holds the change of the schema.",
    });
  }
  return readFileSync(path);
}

function refuseDuplicates(files: readonly MigrationFile[]): void {
  for (const [index, file] of files.entries()) {
    const previous = files[index - 1];
    if (previous === undefined || compareVersions(previous.version, file.version) !== 0) continue;
    throw new MigrationError(
      "MIGRATION_INVALID",
      `${previous.fileName} and ${file.fileName} have the same version ${file.version}`,
      { file: file.fileName, hint: "Give the one that is applied nowhere yet a new number." },
    );
  }
}
