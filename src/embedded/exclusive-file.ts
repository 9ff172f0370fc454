import { link, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { dropDraft, nameDraft } from "./draft.ts";
import { isFileError } from "./file-error.ts";

/**
 * Creates a private file unless there is one, and returns what it holds then: of several processes one wins,
 * and all of them read the winner's text.
 *
 * Opening with `wx` would not do: the loser could read the file before the winner has written into it, and a
 * crash in between would leave it empty for good. A hard link appears complete or not at all.
 */
export async function createExclusively(path: string, text: string): Promise<string> {
  const draft = nameDraft(path);
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
    await link(draft, path);
    await syncFolder(dirname(path));
  } catch (error) {
    if (!isFileError(error, "EEXIST")) throw error;
  } finally {
    await file.close();
    await dropDraft(draft);
  }
  return await readFile(path, "utf8");
}

/** Makes names in a folder survive a power cut: a file's own sync does not cover its name. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** The text of a file, or `undefined` when there is none. */
export async function readTextIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isFileError(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

/**
 * Removes a file that was judged stale by its text. When somebody has written a new one in the meantime, that
 * one is put back.
 */
export async function removeIfUnchanged(path: string, judged: string): Promise<void> {
  const aside = nameDraft(path);
  try {
    await rename(path, aside);
    if ((await readFile(aside, "utf8")) !== judged) await link(aside, path);
  } catch (error) {
    if (!isFileError(error, "ENOENT", "EEXIST")) throw error;
  } finally {
    await dropDraft(aside);
  }
}
