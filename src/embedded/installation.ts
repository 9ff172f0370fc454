import {
  chmod,
  copyFile,
  link,
  lstat,
  mkdir,
  readdir,
  readlink,
  rename,
  stat,
  symlink,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { dropDraft, nameDraft } from "./draft.ts";
import { readTextIfPresent } from "./exclusive-file.ts";
import { isFileError } from "./file-error.ts";

/**
 * Sets what the package's install script would have set: symbolic links beside the libraries, executable bits
 * on the programs. Does nothing where all is well, so a read-only installation that is complete passes.
 */
export async function hydrate(folder: string): Promise<void> {
  for (const { source, target } of await readLinks(folder)) {
    // Follows the link: one that dangles counts as missing.
    if (!(await isPresent(join(folder, target)))) await placeLink(basename(source), join(folder, target));
  }
  for (const program of await readdir(join(folder, "bin"))) {
    const path = join(folder, "bin", program);
    if (((await stat(path)).mode & 0o111) !== 0o111) await chmod(path, 0o755);
  }
}

/** Renamed into place, so that two processes doing it at once both end with a whole link. */
async function placeLink(text: string, path: string): Promise<void> {
  const draft = nameDraft(path);
  try {
    await symlink(text, draft);
    await rename(draft, path);
  } finally {
    await dropDraft(draft);
  }
}

interface LibraryLink {
  readonly source: string;
  readonly target: string;
}

/** `pg-symlinks.json`: pairs of paths that begin with `native/`; both ends are in one folder. */
async function readLinks(folder: string): Promise<readonly LibraryLink[]> {
  const listed: unknown = JSON.parse((await readTextIfPresent(join(folder, "pg-symlinks.json"))) ?? "[]");
  if (!Array.isArray(listed)) return [];
  return listed.filter(isLibraryLink).map(({ source, target }) => ({
    source: source.replace(/^native\//, ""),
    target: target.replace(/^native\//, ""),
  }));
}

function isLibraryLink(entry: unknown): entry is LibraryLink {
  return (
    typeof entry === "object" &&
    entry !== null &&
    "source" in entry &&
    "target" in entry &&
    typeof entry.source === "string" &&
    typeof entry.target === "string" &&
    !entry.target.split("/").includes("..")
  );
}

/** Fills an empty folder with a complete installation that every user may read and run. */
export async function copyInstallation(from: string, to: string): Promise<void> {
  await copyFolder(from, to);
  await hydrate(to);
}

async function copyFolder(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  // Said again: mkdir's mode is cut by the umask, and the draft was made private.
  await chmod(to, 0o755);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyFolder(source, target);
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
    else await linkOrCopy(source, target);
  }
}

/**
 * A hard link costs no space, but shares mode and owner with the original: only where the mode is right already,
 * and the file is ours, as others use the copy who must not get programs that its owner can still change.
 */
async function linkOrCopy(source: string, target: string): Promise<void> {
  const wanted = basename(dirname(source)) === "bin" ? 0o755 : 0o644;
  const { mode, uid } = await lstat(source);
  if (uid === process.getuid?.() && (mode & wanted & 0o555) === (wanted & 0o555)) {
    try {
      return await link(source, target);
    } catch (error) {
      // Another file system, somebody else's file (fs.protected_hardlinks), or none of these here.
      if (!isFileError(error, "EXDEV", "EPERM", "EACCES", "ENOTSUP", "EMLINK")) throw error;
    }
  }
  await copyFile(source, target);
  await chmod(target, wanted | (mode & 0o111 ? 0o111 : 0));
}

async function isPresent(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
