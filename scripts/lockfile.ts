/**
 * Guards package-lock.json, the repository's and the bench's: each names every platform's optional package and no address of a registry. A registry
 * mirror that lacks a platform makes `npm install` drop its entry, and `npm ci` then fails for everybody with
 * "Missing: … from lock file". Addresses are left out because each reader has a registry of their own.
 * Run `npm run lockfile` after every `npm install`; an entry it adds has no integrity hash, which npm accepts.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/** From the root: what the bench compares Plinth with is installed apart. */
export const LOCKFILES = ["package-lock.json", "bench/package-lock.json"] as const;

/** What this script reads and writes of one entry of the lock file; the rest passes through. */
export interface LockEntry {
  readonly version?: string;
  readonly resolved?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface LockFile {
  readonly packages: Readonly<Record<string, LockEntry>>;
}

interface MissingEntry {
  readonly owner: LockEntry;
  readonly name: string;
  readonly version: string;
}

/** Each thing wrong with a lock file, in words. */
export function checkLockfile(lock: LockFile): string[] {
  const addressed = Object.entries(lock.packages).filter(([, entry]) =>
    /^https?:/.test(entry.resolved ?? ""),
  );
  return [
    ...addressed.map(([path]) => `${path} has the address of a registry`),
    ...missingEntries(lock).map(({ name, version }) => `${name}@${version} is optional and has no entry`),
  ];
}

/** The lock file without addresses and with an entry for every optional platform package. */
export function completeLockfile(lock: LockFile): LockFile {
  const kept = Object.entries(lock.packages).map(([path, { resolved, ...entry }]): [string, LockEntry] => [
    path,
    // Only addresses go: `resolved` is also how npm marks a linked folder.
    resolved === undefined || /^https?:/.test(resolved) ? entry : { ...entry, resolved },
  ]);
  const added = missingEntries(lock).map((missing): [string, LockEntry] => [
    `node_modules/${missing.name}`,
    platformEntry(missing),
  ]);
  const sorted = [...kept, ...added].sort(([a], [b]) => a.localeCompare(b, "en"));
  return { ...lock, packages: Object.fromEntries(sorted) };
}

function missingEntries(lock: LockFile): MissingEntry[] {
  return Object.entries(lock.packages).flatMap(([path, owner]) =>
    Object.entries(owner.optionalDependencies ?? {})
      .filter(
        ([name]) =>
          !(`node_modules/${name}` in lock.packages || `${path}/node_modules/${name}` in lock.packages),
      )
      .map(([name, version]) => ({ owner, name, version })),
  );
}

const PLATFORM = /(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)-([a-z0-9]+)/;

/** What npm writes for a package that exists for one platform; the name says which. */
function platformEntry({ owner, name, version }: MissingEntry): LockEntry {
  const [, os, cpu] = PLATFORM.exec(name) ?? [];
  if (os === undefined || cpu === undefined || !/^\d/.test(version)) {
    throw new Error(
      `${name}@${version} is optional, absent and not for one platform: add it with npm install`,
    );
  }
  const libc =
    os !== "linux" ? undefined : name.includes("musl") ? "musl" : name.includes("gnu") ? "glibc" : undefined;
  return {
    version,
    ...(owner.dev === true && { dev: true }),
    ...(owner.license !== undefined && { license: owner.license }),
    ...{ cpu: [cpu], os: [os], optional: true, ...(libc !== undefined && { libc: [libc] }) },
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  for (const path of LOCKFILES) {
    const lock: LockFile = JSON.parse(readFileSync(path, "utf8"));
    for (const problem of checkLockfile(lock)) process.stderr.write(`${path}, mended: ${problem}\n`);
    writeFileSync(path, `${JSON.stringify(completeLockfile(lock), null, 2)}\n`);
  }
}
