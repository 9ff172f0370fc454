import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "../errors/index.ts";
import type { Seed, SeedDatabase, SeedKind } from "./seed.ts";

const SEED_FILE_COUNT_LIMIT = 10_000;

/**
 * The seed modules of one kind, in order of file name: `.ts`, `.mts`, `.js` and `.mjs` in `folder/kind`, without
 * declarations and tests. A folder that does not exist has none.
 */
export async function listSeedFiles(folder: string, kind: SeedKind): Promise<readonly string[]> {
  const directory = join(folder, kind);
  const entries = await readdir(directory).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw new ConfigError(`the seeds folder ${directory} cannot be read`, {
      path: "seeds.folder",
      cause: error,
    });
  });
  const names = entries.filter((name) => /\.m?[jt]s$/.test(name) && !/\.(d|test|spec)\.m?[jt]s$/.test(name));
  if (names.length > SEED_FILE_COUNT_LIMIT) {
    throw new ConfigError(`${directory} holds more than ${SEED_FILE_COUNT_LIMIT} seeds`, {
      path: "seeds.folder",
    });
  }
  return names.sort().map((name) => join(directory, name));
}

/**
 * Checks what a seed module exported.
 *
 * @throws {CONFIG_INVALID} when the default export is no seed, or lies in the folder of the other kind.
 */
export function seedOf(exported: unknown, file: string, kind: SeedKind): Seed {
  if (!isSeed(exported)) {
    throw new ConfigError(`${file} must export default defineSeed({ name, kind: "${kind}", run })`, {
      path: file,
    });
  }
  if (exported.kind !== kind) {
    throw new ConfigError(`${file} is a ${exported.kind} seed in the folder of ${kind} seeds; move it`, {
      path: file,
    });
  }
  return exported;
}

function isSeed(value: unknown): value is Seed<SeedDatabase> {
  return (
    typeof value === "object" &&
    value !== null &&
    "name" in value &&
    typeof value.name === "string" &&
    value.name !== "" &&
    "kind" in value &&
    (value.kind === "reference" || value.kind === "dev") &&
    "run" in value &&
    typeof value.run === "function"
  );
}
