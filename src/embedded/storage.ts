import { createHash, randomBytes } from "node:crypto";
import { chmod, mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { EmbeddedError } from "../errors/index.ts";
import { dropDraft, nameDraft } from "./draft.ts";
import { createExclusively, readTextIfPresent, removeIfUnchanged } from "./exclusive-file.ts";
import { stopPostmaster } from "./postmaster.ts";

/** Where data go that root's server could not reach inside a private project folder. */
export const STORAGE_ROOT = "/var/lib/plinth";

/** How long an abandoned server may take to stop before its folder is left for the next start to remove. */
const STOP_TIMEOUT_MS = 5_000;

/**
 * The folder outside the project that this home's data were put in, as its `location` file says; `undefined`
 * when they are at home. The file names its home too: one that was copied along with a project is not followed,
 * so a copy never writes into the original's database.
 */
export async function readStorage(home: string, root = STORAGE_ROOT): Promise<string | undefined> {
  const text = await readTextIfPresent(locationFile(home));
  const location = text === undefined ? undefined : parseLocation(text, root);
  return location?.home === home ? location.storage : undefined;
}

/**
 * Gives a home its folder below /var/lib/plinth: exactly one, whoever asks at the same time. Its name ends in a
 * nonce, so a project that lost its `.plinth` begins anew instead of meeting a database whose password it does
 * not know; what the lost one left behind is stopped and removed.
 */
export async function claimStorage(home: string, root = STORAGE_ROOT): Promise<string> {
  await mkdir(root, { recursive: true });
  await chmod(root, 0o755);
  const stale = await readTextIfPresent(locationFile(home));
  if (stale !== undefined && (await readStorage(home, root)) === undefined) {
    await followMove(home, root, stale);
  }
  const text = await createExclusively(locationFile(home), formatLocation(home, nameFor(home, root)));
  const storage = parseLocation(text, root)?.storage;
  if (storage === undefined) {
    throw new EmbeddedError("EMBEDDED_FAILED", `${locationFile(home)} cannot be understood`, {
      hint: "Delete .plinth to begin with an empty database.",
    });
  }
  await removeAbandoned(home, root, storage);
  await mkdir(storage, { recursive: true });
  await chmod(storage, 0o755);
  return storage;
}

/** A project folder that was renamed takes its data along; one that was copied starts without. */
async function followMove(home: string, root: string, stale: string): Promise<void> {
  const old = parseLocation(stale, root);
  if (old === undefined || !(await isAbsent(old.home)) || (await isAbsent(old.storage))) {
    return await removeIfUnchanged(locationFile(home), stale);
  }
  const storage = nameFor(home, root);
  await stopPostmaster(join(old.storage, "data"), STOP_TIMEOUT_MS);
  await rename(old.storage, storage);
  const draft = nameDraft(locationFile(home));
  try {
    await writeFile(draft, formatLocation(home, storage), { mode: 0o600 });
    await rename(draft, locationFile(home));
  } finally {
    await dropDraft(draft);
  }
}

async function removeAbandoned(home: string, root: string, current: string): Promise<void> {
  const shape = new RegExp(`^${prefixFor(home)}[0-9a-f]{8}$`);
  for (const entry of await readdir(root)) {
    const folder = join(root, entry);
    if (!shape.test(entry) || folder === current) continue;
    if (await stopPostmaster(join(folder, "data"), STOP_TIMEOUT_MS)) {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

interface Location {
  readonly storage: string;
  readonly home: string;
}

function locationFile(home: string): string {
  return join(home, "location");
}

function formatLocation(home: string, storage: string): string {
  return [
    "# Written by Plinth. The server runs as another user than root, who may not enter this folder,",
    "# so the data are elsewhere. Delete .plinth to begin with an empty database.",
    `data: ${storage}`,
    `for: ${home}`,
    "",
  ].join("\n");
}

function parseLocation(text: string, root: string): Location | undefined {
  const storage = /^data: (.+)$/m.exec(text)?.[1];
  const home = /^for: (.+)$/m.exec(text)?.[1];
  // Only ever below our own root: a forged file must not point the removal of old data elsewhere.
  if (storage === undefined || home === undefined || dirname(storage) !== root) return undefined;
  return { storage, home };
}

function nameFor(home: string, root: string): string {
  return join(root, prefixFor(home) + randomBytes(4).toString("hex"));
}

/** Project name for people, hash of the path for uniqueness; only letters, digits and dashes. */
function prefixFor(home: string): string {
  const project = basename(home.split(`${sep}.plinth`)[0] ?? "");
  const slug = project
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 32);
  return `${slug || "project"}-${createHash("sha256").update(home).digest("hex").slice(0, 12)}-`;
}

async function isAbsent(path: string): Promise<boolean> {
  return await stat(path).then(
    () => false,
    () => true,
  );
}
