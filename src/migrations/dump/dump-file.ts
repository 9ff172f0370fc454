import { randomBytes } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** `schema.sql` beside the folder of migrations. */
export function defaultDumpFile(folder: string): string {
  return join(dirname(folder), "schema.sql");
}

/** The first line, counted from 1, in which a dump on disk differs; `undefined` when it is fresh. CRLF counts as LF. */
export async function staleLine(file: string, text: string): Promise<number | undefined> {
  const written = await readFile(file, "utf8").catch(whenMissing);
  if (written === undefined) return 1;
  const [old, fresh] = [written.replaceAll("\r\n", "\n").split("\n"), text.split("\n")];
  const line = fresh.findIndex((content, index) => content !== old[index]);
  if (line >= 0) return line + 1;
  return old.length === fresh.length ? undefined : fresh.length + 1;
}

/**
 * Writes a dump, whole or not at all, and only where it differs.
 *
 * @returns whether it was written
 */
export async function writeDump(file: string, text: string): Promise<boolean> {
  if ((await staleLine(file, text)) === undefined) return false;
  const draft = `${file}.${randomBytes(4).toString("hex")}.tmp`;
  try {
    await writeFile(draft, text);
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  return true;
}

function whenMissing(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
  throw error;
}
