import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const COMMAND = ["--import", "tsx", "examples/tracker/main.ts"];

/** How long a process may take to get ready, seed included, on a busy machine. */
const READY_TIMEOUT_MS = 60_000;

/** A tracker in a process of its own. */
export interface TrackerProcess {
  readonly child: ChildProcess;
  readonly stdout: string;
  readonly stderr: string;
  /** `http://127.0.0.1:PORT`, once it is ready. */
  ready(): Promise<string>;
  /** Its exit code; for a signal that ended it, the signal. Resolves when its output is read, too. */
  exit(): Promise<number | NodeJS.Signals | null>;
}

/** Starts `main.ts`, or a shell that starts it; killed when the test is over. */
export function startTracker(environment: Record<string, string>, shell = false): TrackerProcess {
  const { NODE_ENV: _ours, VITEST: _also, DATABASE_URL: _url, ...inherited } = process.env;
  const env = { ...inherited, PORT: "0", ...environment };
  const child = shell
    ? // With a second command the shell stays, as a parent that can be killed.
      spawn("sh", ["-c", `"${process.execPath}" ${COMMAND.join(" ")}; true`], {
        cwd: ROOT,
        env,
        detached: true,
      })
    : spawn(process.execPath, COMMAND, { cwd: ROOT, env });
  let stdout = "";
  let stderr = "";
  const listeners = new Set<() => void>();
  const told = () => {
    for (const listener of listeners) listener();
  };
  child.stdout?.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    told();
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
    told();
  });
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.once("close", (code, signal) => {
      resolve(code ?? signal);
      told();
    }),
  );
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  const ready = () =>
    new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not ready:\n${stderr}`)), READY_TIMEOUT_MS);
      const look = () => {
        const [, url] = /^tracker ready on (\S+)$/m.exec(stdout) ?? [];
        const isOver = child.exitCode !== null || child.signalCode !== null;
        if (url === undefined && !isOver) return;
        clearTimeout(timer);
        listeners.delete(look);
        if (url === undefined) reject(new Error(`it ended:\n${stderr}`));
        else resolve(url);
      };
      listeners.add(look);
      look();
    });
  return {
    child,
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
    ready,
    exit: () => ended,
  };
}
