import { chmod, mkdir, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { EmbeddedError } from "../errors/index.ts";
import { type Account, canReach, isRoot, systemAccount } from "./account.ts";
import { isFileError } from "./file-error.ts";
import type { EmbeddedSettings } from "./options.ts";
import { claimStorage, readStorage, STORAGE_ROOT } from "./storage.ts";

/** Where one server's things are, and whose they are. */
export interface Place {
  /** The folder in the project: password, port, log. `.plinth`, or `.plinth/server-<name>`. */
  readonly home: string;
  /** PostgreSQL's data directory: in `home`, or below /var/lib/plinth when root's server cannot enter it. */
  readonly dataDirectory: string;
  /** Whom the server runs as; `undefined` for ourselves. */
  readonly account: Account | undefined;
  /** Folders that may hold a copy of the programs, in order of preference. */
  readonly shelves: readonly string[];
}

/** The server's folder in the project, whether it exists or not. */
export function homeOf({ directory, name }: EmbeddedSettings): string {
  return name === undefined ? join(directory, ".plinth") : join(directory, ".plinth", `server-${name}`);
}

/**
 * Finds the place of a server that may have been started before, without creating anything. `undefined` when
 * the project never had one.
 *
 * @throws {EMBEDDED_FAILED} when its data belong to another user, or can no longer be reached.
 */
export async function findPlace(settings: EmbeddedSettings): Promise<Place | undefined> {
  const home = homeOf(settings);
  return await explainRefusal(home, async () => {
    const dataDirectory = join((await readStorage(home)) ?? home, "data");
    const owner = await ownerOf(dataDirectory);
    if (owner === undefined) return undefined;
    const account = accountFor(dataDirectory, owner);
    if (await canReach(dirname(dataDirectory), account, "folder")) {
      return placeOf(home, dataDirectory, account);
    }
    throw new EmbeddedError(
      "EMBEDDED_FAILED",
      `user ${owner.uid}, who owns ${dataDirectory}, may not enter its folder`,
      {
        hint: "Allow it (chmod a+x on the folders above), or delete .plinth to begin with an empty database.",
      },
    );
  });
}

/**
 * Finds the place, and creates it for a project's first start.
 *
 * @throws {EMBEDDED_FAILED} when the project cannot be written, or the data belong to another user.
 */
export async function openPlace(settings: EmbeddedSettings): Promise<Place> {
  if (process.platform === "win32") {
    throw new EmbeddedError("EMBEDDED_FAILED", "the embedded PostgreSQL runs on Linux and macOS only", {
      hint: "Use WSL, or set DATABASE_URL to use a server of your own.",
    });
  }
  const home = homeOf(settings);
  return await explainRefusal(home, async () => {
    await makeHome(settings.directory, home);
    return (await findPlace(settings)) ?? (await choosePlace(home));
  });
}

async function explainRefusal<T>(home: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isFileError(error, "EACCES", "EPERM", "EROFS", "ENOSPC")) throw error;
    throw new EmbeddedError("EMBEDDED_FAILED", `the embedded server may not use ${home}`, {
      hint: "Make the folder yours and writable (if another user left it: delete it), or set DATABASE_URL.",
      cause: error,
    });
  }
}

async function makeHome(directory: string, home: string): Promise<void> {
  const root = join(directory, ".plinth");
  for (const folder of root === home ? [root] : [root, home]) {
    // Not private as such: the server's user walks through it. What is secret in it has a mode of its own.
    if ((await mkdir(folder, { recursive: true })) !== undefined) await chmod(folder, 0o755);
  }
  await writeFile(join(root, ".gitignore"), "*\n", { flag: "wx" }).catch((error: unknown) => {
    if (!isFileError(error, "EEXIST")) throw error;
  });
}

async function choosePlace(home: string): Promise<Place> {
  if (!isRoot()) return placeOf(home, join(home, "data"), undefined);
  const account = await systemAccount();
  if ((await readStorage(home)) === undefined && (await canReach(home, account, "folder"))) {
    return placeOf(home, join(home, "data"), account);
  }
  return placeOf(home, join(await claimStorage(home), "data"), account);
}

function placeOf(home: string, dataDirectory: string, account: Account | undefined): Place {
  return {
    home,
    dataDirectory,
    account,
    shelves: account === undefined ? [userCache(), home] : [STORAGE_ROOT],
  };
}

function userCache(): string {
  const fallback = process.platform === "darwin" ? join("Library", "Caches") : ".cache";
  return join(process.env.XDG_CACHE_HOME || join(homedir(), fallback), "plinth");
}

async function ownerOf(path: string): Promise<Account | undefined> {
  try {
    const { uid, gid } = await stat(path);
    return { uid, gid };
  } catch (error) {
    if (isFileError(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

/** Root serves a cluster as its owner, so `sudo` on a colleague's project, or a new `postgres` user, is no obstacle. */
function accountFor(dataDirectory: string, owner: Account): Account | undefined {
  if (isRoot() && owner.uid !== 0) return owner;
  if (!isRoot() && owner.uid === process.getuid?.()) return undefined;
  if (isRoot()) {
    throw new EmbeddedError(
      "EMBEDDED_FAILED",
      `the embedded data in ${dataDirectory} belong to root, as whom PostgreSQL refuses to run`,
      {
        hint: `A copy made by root, probably. Give it away (chown -R nobody ${dataDirectory}), or delete .plinth to begin with an empty database.`,
      },
    );
  }
  throw new EmbeddedError(
    "EMBEDDED_FAILED",
    `the embedded data in ${dataDirectory} belong to another user (${owner.uid})`,
    {
      hint: "Run as that user or as root, or delete .plinth to begin with an empty database.",
    },
  );
}
