import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { ConfigError } from "../errors/index.ts";
import type { Environment } from "./settings.ts";

/** What `loadEnvironment` did. */
export interface LoadedEnvironment {
  /** The given variables and those of the files, which never replace a given one. Frozen. */
  readonly environment: Environment;
  /** The names that came from a file, for a program that wants them in `process.env`. */
  readonly added: readonly string[];
  /** The `.env` files that were read. */
  readonly files: readonly string[];
}

/** A `.env` file holds settings, not data. */
const ENV_FILE_BYTES_LIMIT = 1_048_576;

/**
 * Adds the variables of `.env` in each directory (the first one that names a variable wins) to the given
 * ones. In production (`NODE_ENV=production`) no file is read: there the environment is the deployment's.
 *
 * @throws {CONFIG_INVALID} when a file exists and cannot be read.
 */
export function loadEnvironment(options: {
  readonly directories: readonly string[];
  readonly environment: Environment;
}): LoadedEnvironment {
  const merged: Record<string, string | undefined> = { ...options.environment };
  const added: string[] = [];
  const files: string[] = [];
  if (merged.NODE_ENV === "production") return { environment: Object.freeze(merged), added, files };
  for (const file of new Set(options.directories.map((directory) => join(directory, ".env")))) {
    const text = readEnvFile(file);
    if (text === undefined) continue;
    files.push(file);
    // Beside a URL that was there before, the file's server is another one.
    const passesOver = merged.DATABASE_URL ? ["NODE_ENV", "DATABASE_DIRECT_URL"] : ["NODE_ENV"];
    for (const [name, value] of Object.entries(parseEnv(text))) {
      // NODE_ENV decides whether this file is read at all, so the file cannot answer.
      if (name in merged || passesOver.includes(name)) continue;
      merged[name] = value;
      added.push(name);
    }
  }
  return { environment: Object.freeze(merged), added, files };
}

function readEnvFile(file: string): string | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    // A folder named .env (a Python virtual environment) is no settings file.
    if (reason === "ENOENT" || reason === "EISDIR" || reason === "ENOTDIR") return undefined;
    throw new ConfigError(`${file} cannot be read (${reason}); make it readable or remove it`, {
      path: file,
    });
  }
  if (bytes.length > ENV_FILE_BYTES_LIMIT) {
    throw new ConfigError(`${file} is larger than 1 MB, so it is no settings file`, { path: file });
  }
  const text = bytes.toString("utf8");
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}
