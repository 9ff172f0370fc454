import { type FileHandle, open, rename, stat } from "node:fs/promises";
import { join } from "node:path";

/** A log that has grown past this is set aside at the next start; one older file is kept. */
const ROTATE_AT_BYTES = 5_000_000;
/** The most that is read back to explain a failed start. */
const EXCERPT_BYTES = 65_536;

export function logFile(home: string): string {
  return join(home, "postgres.log");
}

/** Opens the log for a server that is about to start. Close the handle once the server has its own copy. */
export async function openLog(
  home: string,
): Promise<{ readonly handle: FileHandle; readonly offset: number }> {
  const path = logFile(home);
  const sizeBytes = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (sizeBytes > ROTATE_AT_BYTES) {
    // Two processes may both do this; the second then sets aside a short log, which is no loss worth a lock.
    await rename(path, `${path}.1`).catch(() => undefined);
  }
  const handle = await open(path, "a", 0o600);
  return { handle, offset: (await handle.stat()).size };
}

/**
 * What one server process logged since `offset` as the reason of its end: its FATAL and PANIC lines, and those
 * on addresses. Other lines are left alone, as they may quote statements.
 */
export async function readFailure(home: string, pid: number, offset: number): Promise<readonly string[]> {
  const handle = await open(logFile(home), "r");
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(EXCERPT_BYTES), 0, EXCERPT_BYTES, offset);
    return buffer
      .toString("utf8", 0, bytesRead)
      .split("\n")
      .filter((line) => line.includes(` [${pid}] `) || !/^\d{4}-\d\d-\d\d /.test(line))
      .map(
        (line) =>
          /(?:(?:FATAL|PANIC): .*|LOG: {2}could not bind .*)$/.exec(line)?.[0] ?? loaderComplaint(line),
      )
      .filter((reason) => reason !== undefined);
  } finally {
    await handle.close();
  }
}

/** The dynamic loader speaks before PostgreSQL does: `…/postgres: error while loading shared libraries: …`. */
function loaderComplaint(line: string): string | undefined {
  return /error while loading shared libraries: .*|dyld.*: Library not loaded: .*/.exec(line)?.[0];
}
