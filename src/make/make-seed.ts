import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "../errors/index.ts";
import { modulePath } from "./module-path.ts";

/** What seed to make, and where. */
export interface MakeSeedOptions {
  /** Absolute path of the seeds' folder. */
  readonly folder: string;
  readonly schemaFile: string;
  /** `roles`, `demo-users`. */
  readonly name: string;
  readonly kind: "reference" | "dev";
}

/**
 * Writes an empty seed, after the others of its kind: `0002-roles.ts` where they are numbered, else `roles.ts`.
 * Gives its path. Never overwrites.
 *
 * @throws {CONFIG_INVALID} for a name that is not letters, digits and dashes, or a file that is there already.
 */
export async function makeSeed({ folder, schemaFile, name, kind }: MakeSeedOptions): Promise<string> {
  const word = name.trim().replaceAll(/[ _]/g, "-");
  if (!/^[a-z][a-z0-9-]{0,100}$/.test(word)) {
    throw new ConfigError(
      `${JSON.stringify(name.slice(0, 80))} is no name for a seed; write lower-case letters, digits and dashes`,
      { path: "name" },
    );
  }
  const directory = join(folder, kind);
  await mkdir(directory, { recursive: true });
  const numbers = (await readdir(directory)).flatMap((file) => /^(\d+)-/.exec(file)?.[1] ?? []);
  const last = numbers.sort().at(-1);
  const prefix = last === undefined ? "" : `${String(Number(last) + 1).padStart(last.length, "0")}-`;
  const path = join(directory, `${prefix}${word}.ts`);
  await writeFile(path, seedSource(word, kind, modulePath(directory, schemaFile)), { flag: "wx" }).catch(
    (error: unknown) => {
      const isThere = error instanceof Error && "code" in error && error.code === "EEXIST";
      if (!isThere) throw error;
      throw new ConfigError(`${path} is there already, and is not overwritten`, { path: "name" });
    },
  );
  return path;
}

function seedSource(name: string, kind: string, schemaImport: string): string {
  return `import { type Database, defineSeed } from "plinth";
import type * as schema from "${schemaImport}";

export default defineSeed({
  name: "${name}",
  kind: "${kind}",
  run: async (_db: Database<typeof schema>) => {
    // Write with upsert, so that a second run finds nothing to do.
  },
});
`;
}
