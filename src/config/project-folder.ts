import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** What a project's config file may be called. */
export const CONFIG_FILES = [
  "plinth.config.ts",
  "plinth.config.mts",
  "plinth.config.js",
  "plinth.config.mjs",
];

/** `start` and every folder above it. */
export function foldersUpFrom(start: string): readonly string[] {
  const folders = [resolve(start)];
  for (;;) {
    const last = folders.at(-1) ?? "/";
    const parent = dirname(last);
    if (parent === last) return folders;
    folders.push(parent);
  }
}

/** The nearest folder with a config file, upwards from `start`. */
export function folderWithConfig(start: string): string | undefined {
  return foldersUpFrom(start).find((folder) => CONFIG_FILES.some((name) => existsSync(join(folder, name))));
}

/**
 * The folder a program belongs to: the nearest with a `plinth.config.ts`, else the nearest with a `package.json`;
 * `undefined` in the middle of nowhere, where nobody wants a database made.
 */
export function nearestProjectFolder(start: string): string | undefined {
  return (
    folderWithConfig(start) ?? foldersUpFrom(start).find((folder) => existsSync(join(folder, "package.json")))
  );
}
