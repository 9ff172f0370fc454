import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { MigrationError } from "../../errors/index.ts";
import { readFiles } from "../folder.ts";
import { compareVersions, type MigrationFile } from "../migration-file.ts";
import { replacesFor, replacesOf } from "./replaces.ts";

/** A squash that takes the place of what it replaces. */
export interface Swap {
  /** Absolute path of the folder. */
  readonly folder: string;
  readonly fileName: string;
  readonly text: string;
  /** Names of the files it replaces, in order of version. */
  readonly replaced: readonly string[];
}

/** No migration's name, and always the same: what an interrupted squash leaves, the next one overwrites. */
const DRAFT = ".plinth-squash.draft";

/** Where the replaced files go: beside the folder, so that a database that is behind can still be brought up. */
export function replacedFolder({ folder, fileName }: Pick<Swap, "folder" | "fileName">): string {
  return join(`${folder}-replaced`, basename(fileName, ".sql"));
}

/**
 * The swap in steps, each of which happens whole or not at all. Wherever it stops, the folder is as it was, or as it shall
 * be, or refused by everybody who reads it: from the second step on two files have the version of the squash, until the
 * last step moves the older one away. `finishSwap` goes on from there.
 */
export function swapSteps({ folder, fileName, text, replaced }: Swap): readonly (() => Promise<void>)[] {
  const movedTo = replacedFolder({ folder, fileName });
  const draft = join(folder, DRAFT);
  return [
    async () => {
      await mkdir(movedTo, { recursive: true });
      await writeFile(draft, text);
    },
    () => rename(draft, join(folder, fileName)),
    ...replaced.map((name) => () => rename(join(folder, name), join(movedTo, name))),
  ];
}

/**
 * Finds a squash to this version whose swap was interrupted, and what is left to do. Undefined where there is none.
 *
 * @throws {MIGRATION_INVALID} when the files that are left and those that were moved are not what it replaces.
 */
export async function findHalfSwap(
  folder: string,
  version: string,
): Promise<{ readonly swap: Swap; readonly steps: readonly (() => Promise<void>)[] } | undefined> {
  const files = (await readFiles(folder)) ?? [];
  const rivals = files.filter((file) => compareVersions(file.version, version) === 0);
  if (rivals.length < 2) return undefined;
  for (const squash of rivals) {
    const [own] = replacesOf(squash);
    if (own === undefined) continue;
    const { fileName } = squash;
    const movedTo = replacedFolder({ folder, fileName });
    const left = files.filter((file) => file !== squash && compareVersions(file.version, version) <= 0);
    // A file that is there twice comes from an earlier squash, which was taken back, and is overwritten.
    const isLeft = new Set(left.map((file) => file.fileName));
    const moved = ((await readFiles(movedTo)) ?? []).filter((file) => !isLeft.has(file.fileName));
    const all = [...moved, ...left].sort(byVersion);
    if (replacesFor(all)[0]?.digest !== own.digest) throw otherFiles(squash, movedTo);
    const text = await readFile(join(folder, fileName), "utf8");
    const moves = swapSteps({ folder, fileName, text, replaced: left.map((file) => file.fileName) }).slice(2);
    return { swap: { folder, fileName, text, replaced: all.map((file) => file.fileName) }, steps: moves };
  }
  return undefined;
}

function byVersion(a: MigrationFile, b: MigrationFile): number {
  return compareVersions(a.version, b.version);
}

function otherFiles({ fileName }: MigrationFile, movedTo: string): MigrationError {
  return new MigrationError(
    "MIGRATION_INVALID",
    `${fileName} is not made from the migrations that are left beside it and in ${movedTo}`,
    {
      file: fileName,
      hint: `Give a migration that came after it a new number. Or restore them all from version control, delete ${fileName}, and squash again.`,
    },
  );
}
