import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { connect, parseTarget } from "../driver/index.ts";
import { parseOptions } from "./options.ts";
import { findPlace } from "./place.ts";
import { stopPostmaster } from "./postmaster.ts";
import { STORAGE_ROOT } from "./storage.ts";

const REPOSITORY = join(import.meta.dirname, "..", "..");

/** A project in a temporary folder; `remove` takes its server and all its data with it. */
export interface TemporaryProject {
  readonly directory: string;
  remove(): Promise<void>;
}

export async function makeProject(mode = 0o755): Promise<TemporaryProject> {
  const directory = await mkdtemp(join(tmpdir(), "plinth-embedded-"));
  await chmod(directory, mode);
  return { directory, remove: () => removeProject(directory) };
}

async function removeProject(directory: string): Promise<void> {
  const place = await findPlace(await parseOptions({ directory }));
  if (place !== undefined) {
    await stopPostmaster(place.dataDirectory, 20_000);
    const storage = dirname(place.dataDirectory);
    if (dirname(storage) === STORAGE_ROOT)
      await rm(storage, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
  await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}

/** Another process that uses a project's server. */
export interface UserProcess {
  readonly process: ChildProcess;
  /** What it said first: where its server is. */
  readonly server: Promise<{ readonly port: number; readonly dataDirectory: string }>;
  /** Releases, and resolves with the exit code once the process has ended. */
  release(): Promise<number | null>;
  kill(): Promise<void>;
}

export function startUser(
  directory: string,
  options: {
    readonly uid?: number;
    readonly leaves?: boolean;
    readonly environment?: NodeJS.ProcessEnv;
  } = {},
): UserProcess {
  const { environment, ...settings } = options;
  const child = spawn(
    process.execPath,
    [
      "--import",
      "tsx",
      join(import.meta.dirname, "user-process.fixture.ts"),
      JSON.stringify({ directory, ...settings }),
    ],
    { cwd: REPOSITORY, stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, ...environment } },
  );
  const ended = once(child, "exit").then(() => child.exitCode);
  const firstLine = once(createInterface(child.stdout), "line").then(([line]) => JSON.parse(String(line)));
  const server = Promise.race([
    firstLine,
    ended.then((code) =>
      Promise.reject(new Error(`the user process ended with ${code} before it had a server`)),
    ),
  ]);
  server.catch(() => undefined);
  return {
    process: child,
    server,
    release: async () => {
      child.stdin.end();
      return await ended;
    },
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** The one value that a statement returns, over a connection of its own. */
export async function ask(url: string, text: string): Promise<string | null | undefined> {
  const connection = await connect(parseTarget(url));
  try {
    return (await connection.query({ text, values: [] })).rows[0]?.[0];
  } finally {
    await connection.close();
  }
}

/** Polls until a condition holds; the deadline is far above what any of them takes. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 30_000;
  while (!(await condition())) {
    if (Date.now() > giveUpAt) throw new Error("the condition did not come true");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
