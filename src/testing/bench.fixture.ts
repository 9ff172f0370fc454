import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chosenPostgres } from "../../test/support/chosen-postgres.ts";
import { startPostgres } from "../../test/support/postgres.ts";
import { type Connection, connect, parseTarget } from "../driver/index.ts";

/** A server of a test file's own: what the kit keeps on it, nobody else changes. */
export interface Bench {
  readonly url: string;
  readonly admin: Connection;
  /** Names of the databases that match, in the order they were made. */
  databases(pattern: RegExp): Promise<readonly string[]>;
  /** The first cell of a statement's answer. */
  ask(text: string): Promise<string | null | undefined>;
  /** A migrations folder that makes the shop's tables and then runs `sql`. */
  migrations(sql?: string): MigrationsFolder;
  /** Another process that opens a test database. */
  start(migrations?: string): TestProcess;
  close(): Promise<void>;
}

export interface MigrationsFolder {
  readonly folder: string;
  write(sql: string): void;
}

export interface TestProcess {
  /** The URL of its database. */
  readonly url: Promise<string>;
  /** Lets it close its database; the exit code. */
  finish(): Promise<number | null>;
  kill(): Promise<void>;
}

const TABLES = `create table users (id text primary key, email text not null unique, full_name text not null,
  created_at timestamptz not null default now(), updated_at timestamptz not null default now());`;

export async function openBench(): Promise<Bench> {
  const server = await startPostgres({ version: chosenPostgres() });
  const admin = await connect(parseTarget(server.url));
  const folders: string[] = [];
  const children: TestProcess[] = [];
  return {
    url: server.url,
    admin,
    databases: async (pattern) => {
      const { rows } = await admin.query({
        text: "select datname from pg_database order by oid",
        values: [],
      });
      return rows.map(([name]) => String(name)).filter((name) => pattern.test(name));
    },
    ask: async (text) => (await admin.query({ text, values: [] })).rows[0]?.[0],
    migrations: (sql = "") => {
      const folder = mkdtempSync(join(tmpdir(), "plinth-testing-"));
      folders.push(folder);
      const write = (more: string): void =>
        writeFileSync(
          join(folder, "0001_create_users.sql"),
          `-- migrate:up\n${TABLES}\n${more}\n-- migrate:down\ndrop table users;\n`,
        );
      write(sql);
      return { folder, write };
    },
    start: (migrations) => {
      const child = startTestProcess(server.url, migrations);
      children.push(child);
      return child;
    },
    close: async () => {
      await Promise.all(children.map((child) => child.kill()));
      await admin.close();
      await server.remove();
      for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A name no other test uses, for what is shared by the whole server. */
export function uniqueName(): string {
  return `only_${randomBytes(6).toString("hex")}`;
}

function startTestProcess(url: string, migrations: string | undefined): TestProcess {
  const script = fileURLToPath(new URL("test-process.fixture.ts", import.meta.url));
  const child: ChildProcess = spawn(
    process.execPath,
    ["--import", "tsx", script, JSON.stringify({ url, migrations })],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const ended = once(child, "exit").then(() => child.exitCode);
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error("a child with pipes has them");
  const opened = Promise.race([
    once(createInterface(stdout), "line").then(([line]) => String(line)),
    ended.then((code) =>
      Promise.reject(new Error(`the process ended with ${code} before it had a database`)),
    ),
  ]);
  // Who kills it while it builds does not wait for a database.
  opened.catch(() => undefined);
  return {
    url: opened,
    finish: async () => {
      stdin.end();
      return await ended;
    },
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Polls until `condition` holds; the deadline is far above what any of them takes. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 25_000;
  while (!(await condition())) {
    if (Date.now() > giveUpAt) throw new Error("the condition did not come true");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
