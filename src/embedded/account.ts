import { access, constants, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { EmbeddedError } from "../errors/index.ts";

/** The system user a server runs as when we are root: PostgreSQL refuses to run as root. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** In this order: the one meant for it, then the one every system has. No user is ever created. */
const ACCOUNT_NAMES = ["postgres", "_postgres", "nobody"] as const;

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * The account for a new cluster.
 *
 * @throws {EMBEDDED_FAILED} when the system has none of the known accounts.
 */
export async function systemAccount(): Promise<Account> {
  const lines = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  for (const name of ACCOUNT_NAMES) {
    const [, , uid, gid] = lines.find(([entry]) => entry === name) ?? [];
    // macOS writes nobody's ids as -2, and stat reports them unsigned.
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 };
  }
  throw new EmbeddedError(
    "EMBEDDED_FAILED",
    "PostgreSQL refuses to run as root, and there is no other user",
    {
      hint: `Add a user named ${ACCOUNT_NAMES.join(" or ")}, run as an ordinary user, or set DATABASE_URL.`,
    },
  );
}

/** What `spawn` needs to run as the account: nothing when it is ourselves. */
export function spawnAs(account: Account | undefined): { uid?: number; gid?: number } {
  // `spawn` takes signed ids; nobody on macOS is 4294967294, that is -2.
  return account === undefined ? {} : { uid: account.uid | 0, gid: account.gid | 0 };
}

/**
 * Whether the account may walk down to this real path and open it: `folder` for entering and listing,
 * `file` for reading, `program` for running. Judged by mode bits, as `access` only ever answers for ourselves.
 */
export async function canReach(
  path: string,
  account: Account | undefined,
  kind: "folder" | "file" | "program",
): Promise<boolean> {
  const wanted = kind === "file" ? constants.R_OK : constants.R_OK | constants.X_OK;
  try {
    if (account === undefined) {
      await access(path, wanted);
      return true;
    }
    if (!(await permits(path, account, wanted))) return false;
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      if (!(await permits(folder, account, constants.X_OK))) return false;
      if (folder === dirname(folder)) return true;
    }
  } catch {
    return false;
  }
}

async function permits(path: string, account: Account, wanted: number): Promise<boolean> {
  const { uid, gid, mode } = await stat(path);
  const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0;
  return ((mode >> shift) & wanted) === wanted;
}
