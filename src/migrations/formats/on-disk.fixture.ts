import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { FolderContent } from "./model.ts";

const folders: string[] = [];

/** Deletes every folder `onDisk` made. */
export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** The files on disk, away from any Plinth project. */
export function onDisk(files: FolderContent): string {
  const folder = mkdtempSync(join(tmpdir(), "plinth-formats-"));
  folders.push(folder);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}
