import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { freePort, ordinaryUser } from "./postgres.ts";

const PROGRAM = "/usr/sbin/pgbouncer";
const START_TIMEOUT_MS = 10_000;

/** Where it is missing CI fails, and a laptop skips what needs it in plain sight. */
export function canPool(): boolean {
  if (existsSync(PROGRAM)) return true;
  const advice = "PgBouncer is not installed: run scripts/setup-system";
  if (process.env.CI !== undefined && process.env.CI !== "") throw new Error(advice);
  process.stderr.write(`\n!! ${advice}\n!! SKIPPED: every test behind PgBouncer\n\n`);
  return false;
}

/** A PgBouncer of its own in front of one server, in transaction mode. */
export interface ThrowAwayPgBouncer {
  /** The URL of a database of the server, by way of the pooler. */
  urlOf(serverUrl: string): string;
  /** Gives up the sessions it has on the server, as it does by itself after an hour. */
  renewSessions(): Promise<void>;
  /** Runs a command of its admin console: `kill`, `pause`, `resume`. */
  command(text: string): Promise<void>;
  stop(): Promise<void>;
}

/** How it pools: few connections of its own, so that a session's state would soon meet somebody else. */
export interface PgBouncerOptions {
  /** @default 2 */
  readonly poolSize?: number;
  /** Lines of `[pgbouncer]`. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

/** Starts Debian's PgBouncer. As root it runs as an ordinary user: it refuses root. */
export async function startPgBouncer(
  serverUrl: string,
  { poolSize = 2, settings = {} }: PgBouncerOptions = {},
): Promise<ThrowAwayPgBouncer> {
  const server = new URL(serverUrl);
  const folder = mkdtempSync(join(tmpdir(), "plinth-pgbouncer-"));
  const port = await freePort();
  const lines = {
    listen_addr: "127.0.0.1",
    listen_port: port,
    unix_socket_dir: "",
    auth_type: "any",
    admin_users: "admin",
    pool_mode: "transaction",
    default_pool_size: poolSize,
    max_client_conn: 500,
    max_db_connections: 50,
    ...settings,
  };
  const own = Object.entries(lines).map(([name, value]) => `${name} = ${value}`);
  const config = [
    "[databases]",
    `* = host=127.0.0.1 port=${server.port} user=${decodeURIComponent(server.username)}`,
    "[pgbouncer]",
    ...own,
  ];
  const file = join(folder, "pgbouncer.ini");
  writeFileSync(file, `${config.join("\n")}\n`);
  const user = process.getuid?.() === 0 ? ordinaryUser() : undefined;
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  chmodSync(folder, 0o755);
  const child = spawn(PROGRAM, [file], { ...user, stdio: ["ignore", "ignore", "pipe"] });
  await listening(child);
  return {
    urlOf(url) {
      const through = new URL(url);
      through.host = `127.0.0.1:${port}`;
      return through.href;
    },
    renewSessions: () => runCommand(port, "reconnect"),
    command: (text) => runCommand(port, text),
    async stop() {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Its console knows the simple protocol only, and none of the settings that Plinth asks for. */
async function runCommand(port: number, text: string): Promise<void> {
  const admin = new Client({ host: "127.0.0.1", port, user: "admin", database: "pgbouncer" });
  await admin.connect();
  await admin.query(text);
  await admin.end();
}

/** It says so on stderr, once it listens. */
async function listening(child: ChildProcess): Promise<void> {
  let said = "";
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`PgBouncer did not start:\n${said}`)), START_TIMEOUT_MS);
    child.stderr?.on("data", (bytes) => {
      said += String(bytes);
      if (!said.includes("process up")) return;
      clearTimeout(timer);
      resolve();
    });
    child.once("exit", () => {
      clearTimeout(timer);
      reject(new Error(`PgBouncer did not start:\n${said}`));
    });
  });
}
