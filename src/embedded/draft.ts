import { randomBytes } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isFileError } from "./file-error.ts";
import { isAlive } from "./process.ts";

/** Drafts this very process has: a left-over may carry our own pid, as pids repeat in containers. */
const ours = new Set<string>();

/** A temporary name beside `path` that tells whose it is. Nothing is created. */
export function nameDraft(path: string): string {
  const draft = `${path}.tmp-${process.pid}-${randomBytes(4).toString("hex")}`;
  ours.add(draft);
  return draft;
}

/** A file beside a draft that lives no longer than it. */
export function passwordFileOf(draft: string): string {
  return `${draft}.password`;
}

/** Removes a draft with everything in it, if it is still there. */
export async function dropDraft(draft: string): Promise<void> {
  await rm(draft, { recursive: true, force: true });
  await rm(passwordFileOf(draft), { force: true });
  ours.delete(draft);
}

/** Removes what dead processes left of `path`, and returns the drafts of the living. */
export async function sweepDrafts(path: string): Promise<readonly string[]> {
  const prefix = `${basename(path)}.tmp-`;
  const living: string[] = [];
  for (const entry of await readdir(dirname(path))) {
    if (!entry.startsWith(prefix)) continue;
    const [, pid, nonce] = /^(\d+)-([0-9a-f]{8})(?:\.password)?$/.exec(entry.slice(prefix.length)) ?? [];
    if (pid === undefined || nonce === undefined) continue;
    const draft = `${path}.tmp-${pid}-${nonce}`;
    if (Number(pid) === process.pid ? ours.has(draft) : isAlive(Number(pid))) {
      if (entry === basename(draft)) living.push(draft);
      continue;
    }
    // The program of a killed builder may still write into it for a moment: then the next start removes it.
    await rm(join(dirname(path), entry), { recursive: true, force: true }).catch((error: unknown) => {
      if (!isFileError(error, "ENOTEMPTY")) throw error;
    });
  }
  return living;
}
