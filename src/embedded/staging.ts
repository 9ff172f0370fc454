import { mkdir, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { dropDraft, nameDraft, sweepDrafts } from "./draft.ts";
import { syncFolder } from "./exclusive-file.ts";
import { isFileError } from "./file-error.ts";

/**
 * How long to wait for another process that builds the same thing. Only saves work: after it we build our own,
 * and the rename decides. A dead builder whose pid now belongs to somebody else costs this long, once.
 */
const WAIT_FOR_OTHERS_MS = 3_000;
const POLL_MS = 20;

/**
 * Builds a folder under a temporary name beside `target`, then renames it: `target` is there completely or not
 * at all, whatever dies in between. Left-overs of dead processes are removed. When another process is first,
 * its folder is used and ours is thrown away.
 */
export async function buildAside(
  target: string,
  build: (draft: string) => Promise<void>,
  waitForOthersMs = WAIT_FOR_OTHERS_MS,
): Promise<void> {
  const giveUpAt = Date.now() + waitForOthersMs;
  while (!(await exists(target))) {
    const others = await sweepDrafts(target);
    if (others.length > 0 && Date.now() < giveUpAt) {
      await sleep(POLL_MS, undefined, { ref: false });
      continue;
    }
    const draft = nameDraft(target);
    try {
      await mkdir(draft, { mode: 0o700 });
      // Everybody who began at the same moment sees everybody else now; the first by name goes on.
      const rivals = (await sweepDrafts(target)).filter((other) => !others.includes(other));
      if (rivals.some((rival) => rival < draft) && Date.now() < giveUpAt) continue;
      // Who is not a rival any more may have published between our first look and our draft.
      if (await exists(target)) continue;
      await build(draft);
      await publish(draft, target);
    } finally {
      await dropDraft(draft);
    }
  }
}

async function publish(draft: string, target: string): Promise<void> {
  try {
    await rename(draft, target);
  } catch (error) {
    if (isFileError(error, "ENOTEMPTY", "EEXIST")) return;
    throw error;
  }
  // Without this a power cut could forget the rename although everything inside has been synced.
  await syncFolder(dirname(target));
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
