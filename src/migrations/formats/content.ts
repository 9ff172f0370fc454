import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { MigrationError } from "../../errors/index.ts";
import { decodeText } from "../migration-file.ts";
import type { FolderContent, FolderText } from "./model.ts";

/** Changes to a schema are text; a file this large holds data. */
const FILE_BYTES_LIMIT = 16_777_216;
const FILE_COUNT_LIMIT = 100_000;

const SCRIPT = /\.(?:[cm]?[jt]s|py|go)$/;

/** Folders that hold other people's files. */
const PASSED_OVER = /^(?:\..*|node_modules|__pycache__)$/;

/**
 * Reads what may belong to migrations from a folder and the folders directly in it: SQL, what says which tool it
 * is, and programs in the places where tools keep migrations.
 *
 * @throws {MIGRATION_INVALID} when the folder is missing, cannot be read, or a file of it is too large or no UTF-8.
 */
export async function readContent(folder: string): Promise<FolderText> {
  const paths: string[] = [];
  for (const entry of await list(folder)) {
    if (entry.isFile) paths.push(entry.name);
    else if (!PASSED_OVER.test(entry.name)) {
      for (const inner of await list(join(folder, entry.name))) {
        if (inner.isFile) paths.push(`${entry.name}/${inner.name}`);
      }
    }
    if (paths.length > FILE_COUNT_LIMIT) {
      throw new MigrationError("MIGRATION_INVALID", `${folder} holds more than ${FILE_COUNT_LIMIT} files`);
    }
  }
  const content = new Map<string, string>();
  for (const path of paths.filter(mayMatter)) {
    // Its presence is what matters; it can be large.
    const isMarker = path.endsWith("snapshot.json");
    content.set(path, isMarker ? "" : await readText(folder, path));
  }
  return content;
}

/** Decodes files that are in memory already. @throws {MIGRATION_INVALID} */
export function decodeContent(content: FolderContent): FolderText {
  const entries = Object.entries(content).sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(
    entries.map(([path, text]) => [
      path,
      decodeText(path, typeof text === "string" ? Buffer.from(text) : text),
    ]),
  );
}

function mayMatter(path: string): boolean {
  const [top = "", inner] = path.split("/");
  if (/\.sql(?:\.conf)?$/i.test(path)) return true;
  if (inner === undefined) return SCRIPT.test(top) || top === "migration_lock.toml";
  if (top === "versions") return SCRIPT.test(inner);
  return path === "meta/_journal.json" || inner === "snapshot.json";
}

interface Entry {
  readonly name: string;
  readonly isFile: boolean;
}

/** A link counts as what it leads to; one that leads nowhere, and a socket, are nothing. */
async function look(folder: string, name: string): Promise<Entry | undefined> {
  const found = await stat(join(folder, name)).catch(() => undefined);
  return found?.isFile() || found?.isDirectory() ? { name, isFile: found.isFile() } : undefined;
}

async function list(folder: string): Promise<readonly Entry[]> {
  try {
    const entries = await readdir(folder);
    const found = await Promise.all(entries.map((name) => look(folder, name)));
    return found.filter((entry) => entry !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    const problem = code === "ENOENT" ? "does not exist" : `cannot be read (${code})`;
    throw new MigrationError("MIGRATION_INVALID", `the migrations folder ${folder} ${problem}`, {
      hint: "Name the folder that holds the migrations themselves.",
    });
  }
}

async function readText(folder: string, path: string): Promise<string> {
  const { size } = await stat(join(folder, path));
  if (size <= FILE_BYTES_LIMIT) return decodeText(path, await readFile(join(folder, path)));
  throw new MigrationError("MIGRATION_INVALID", `${path} is larger than 16 MB`, {
    file: path,
    hint: "Load data with a seed; a migration holds the change of the schema.",
  });
}
