import { closeSync, type Dirent, openSync, readFileSync, readSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { MigrationError } from "../errors/index.ts";
import { parseDataFile } from "./data/data-file.ts";
import { badName, compareVersions, type MigrationFile, parseMigrationFile } from "./migration-file.ts";
import { isSquash } from "./squash/replaces.ts";

/** Changes to a schema are text; a file this large holds data. */
const FILE_BYTES_LIMIT = 16_777_216;
const FILE_COUNT_LIMIT = 100_000;
/** Most migrations are smaller. */
const BUFFER_BYTES = 65_536;

/**
 * Reads every migration of a folder, in order of version: `.sql`, and `.ts` for data migrations, which are not loaded.
 * Files that do not start with a digit and do not end in `.sql` are left alone (a README, say).
 *
 * @throws {MIGRATION_INVALID} for a missing folder, a bad name, two files of one version, a malformed file.
 */
export async function readMigrations(folder: string): Promise<readonly MigrationFile[]> {
  const files = await readFiles(folder);
  if (files === undefined) throw unreadable(folder, "does not exist");
  refuseDuplicates(files);
  return files;
}

/** The same, and none for a folder that is not there yet: the first migration makes it. */
export async function readMigrationsIfAny(folder: string): Promise<readonly MigrationFile[]> {
  const files = (await readFiles(folder)) ?? [];
  refuseDuplicates(files);
  return files;
}

/** As they are, also several of one version. Undefined where there is no folder. */
export async function readFiles(folder: string): Promise<readonly MigrationFile[] | undefined> {
  const entries = (await listEntries(folder))?.filter(({ name }) => /^\d|\.sql$/i.test(name));
  if (entries === undefined) return undefined;
  if (entries.length > FILE_COUNT_LIMIT) {
    throw new MigrationError("MIGRATION_INVALID", `${folder} holds more than ${FILE_COUNT_LIMIT} files`);
  }
  const files: MigrationFile[] = [];
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  for (const entry of entries) {
    const { name } = entry;
    const bytes = readSmall(folder, entry, buffer) ?? readBytes(folder, name);
    files.push(
      name.endsWith(".ts") ? parseDataFile(join(folder, name), bytes) : parseMigrationFile(name, bytes),
    );
  }
  return files.sort((a, b) => compareVersions(a.version, b.version));
}

/** Undefined where there is no folder. */
async function listEntries(folder: string): Promise<readonly Dirent[] | undefined> {
  try {
    return (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    if (code === "ENOENT") return undefined;
    throw unreadable(folder, `cannot be read (${code})`);
  }
}

function unreadable(folder: string, problem: string): MigrationError {
  return new MigrationError("MIGRATION_INVALID", `the migrations folder ${folder} ${problem}`, {
    hint: "Write the first one with `plinth make migration NAME`, or set migrations.folder in plinth.config.ts.",
  });
}

/**
 * What fits into `buffer`, and only an ordinary file. Synchronous: 500 files take 5 ms; asked for their size first 10,
 * through promises 100.
 */
function readSmall(folder: string, entry: Dirent, buffer: Buffer): Uint8Array | undefined {
  if (!entry.isFile()) return undefined;
  const file = openSync(join(folder, entry.name), "r");
  try {
    let length = 0;
    for (;;) {
      const count = readSync(file, buffer, length, buffer.length - length, null);
      if (count === 0) return Buffer.from(buffer.subarray(0, length));
      length += count;
      if (length === buffer.length) return undefined;
    }
  } finally {
    closeSync(file);
  }
}

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
    if (isSquash(previous) || isSquash(file)) throw halfSquashed(previous, file);
    throw new MigrationError(
      "MIGRATION_INVALID",
      `${previous.fileName} and ${file.fileName} have the same version ${file.version}`,
      { file: file.fileName, hint: "Give the one that is applied nowhere yet a new number." },
    );
  }
}

/** The last of the replaced is moved away last, so that a folder is refused until all of them are. */
function halfSquashed(one: MigrationFile, other: MigrationFile): MigrationError {
  const [squash, left] = isSquash(other) ? [other, one] : [one, other];
  return new MigrationError(
    "MIGRATION_INVALID",
    `${squash.fileName} is a squash of everything up to its version, and ${left.fileName} is still here`,
    {
      file: left.fileName,
      hint: `Finish a squash that was interrupted: plinth migrate squash --to ${squash.version}. Give a migration that came after it a new number.`,
    },
  );
}
