import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the package. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The text of a file, by its path in the repository. */
export const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** Paths of all files that would be committed: everything but what `.gitignore` names. */
export function committedFiles(): string[] {
  // Not `git ls-files`: git refuses a folder that belongs to another user, and an unpacked archive has no git.
  const ignored = read(".gitignore").split("\n").filter(Boolean);
  const isIgnored = (name: string): boolean =>
    name === ".git" ||
    ignored.some((rule) =>
      rule.startsWith("*") ? name.endsWith(rule.slice(1)) : name === rule.replace(/\/$/, ""),
    );
  const below = (folder: string): string[] =>
    readdirSync(join(ROOT, folder), { withFileTypes: true })
      .filter((entry) => !isIgnored(entry.name))
      .flatMap((entry) =>
        entry.isDirectory() ? below(`${folder}${entry.name}/`) : [`${folder}${entry.name}`],
      );
  return below("");
}

/** Runs `work` with a folder that holds `files`, and removes the folder. */
export async function withTree<T>(
  files: Readonly<Record<string, string>>,
  work: (folder: string) => T | Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "plinth-contract-"));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
