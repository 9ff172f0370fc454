import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readTextIfPresent, removeIfUnchanged } from "./exclusive-file.ts";
import { isFileError } from "./file-error.ts";
import { commandLine, isAlive } from "./process.ts";

/** A server process that lives, as its own `postmaster.pid` describes it. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** `starting` covers crash recovery. */
  readonly state: "starting" | "ready" | "stopping";
}

const POLL_MS = 15;
const FILE_NAME = "postmaster.pid";

/**
 * The server on a data directory, or `undefined` when none lives. PostgreSQL's own lock file is the only record:
 * it is written before the server touches data, and names pid, port and state.
 *
 * @see https://www.postgresql.org/docs/18/storage-file-layout.html
 */
export async function findPostmaster(dataDirectory: string): Promise<Postmaster | undefined> {
  const text = await readTextIfPresent(join(dataDirectory, FILE_NAME));
  const [pidText = "", folder = "", , port = "", , , , state = ""] = (text ?? "").split("\n");
  const pid = Number.parseInt(pidText, 10);
  if (text === undefined || !Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return undefined;
  if (await isForeign(pid, folder, dataDirectory, text)) {
    await removeIfUnchanged(join(dataDirectory, FILE_NAME), text);
    return undefined;
  }
  return { pid, port: Number.parseInt(port, 10) || 0, state: stateOf(state.trim()) };
}

function stateOf(word: string): Postmaster["state"] {
  if (word === "ready" || word === "standby") return "ready";
  return word === "stopping" ? "stopping" : "starting";
}

/**
 * Whether the living process of a lock file is not this directory's server. PostgreSQL itself cannot tell, and
 * refuses to start as long as the pid lives: after a crash in a container, where pids repeat, that is for ever.
 * When it cannot be told, the process is taken for the server: waiting is safe, discarding is not.
 */
async function isForeign(pid: number, folder: string, dataDirectory: string, text: string): Promise<boolean> {
  if (folder === "") return false;
  if (folder !== dataDirectory) {
    // Either the project was moved while its server runs, which is then still ours; or it was copied, lock file
    // and all, and the server belongs to the original, where the same file still lies.
    const original = await readTextIfPresent(join(folder, FILE_NAME)).catch(() => undefined);
    if (original === text) return true;
  }
  const words = await commandLine(pid);
  return words !== undefined && !(words.includes("postgres") && words.includes(folder));
}

/**
 * Stops the server on a data directory and waits until it has gone: a fast shutdown, which ends every session,
 * rolls back what was open and writes a checkpoint. False when it is still at it after `timeoutMs`; it ends by
 * itself then.
 *
 * @see https://www.postgresql.org/docs/18/server-shutdown.html
 */
export async function stopPostmaster(dataDirectory: string, timeoutMs: number): Promise<boolean> {
  const giveUpAt = Date.now() + timeoutMs;
  let signalled: number | undefined;
  for (;;) {
    const postmaster = await findPostmaster(dataDirectory);
    if (postmaster === undefined) return true;
    // Once per process. The lock file vanishes at the very end, also when nobody reaps the process.
    if (signalled === undefined) {
      signalled = postmaster.pid;
      signalFastShutdown(postmaster.pid);
    }
    if (postmaster.pid !== signalled) return true;
    if (Date.now() > giveUpAt) return false;
    await sleep(POLL_MS, undefined, { ref: false });
  }
}

function signalFastShutdown(pid: number): void {
  try {
    process.kill(pid, "SIGINT");
  } catch (error) {
    if (!isFileError(error, "ESRCH")) throw error;
  }
}
