import { execFile, type SpawnOptions, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { EmbeddedError } from "../errors/index.ts";
import { isFileError } from "./file-error.ts";

/** Programs get nothing of our environment: a PGDATA, LD_PRELOAD or LC_ALL of the user would change the server. */
export const SERVER_ENVIRONMENT = Object.freeze({
  PATH: "/usr/local/bin:/usr/bin:/bin",
  LC_ALL: "C",
  TZ: "UTC",
});

/** How much of a failed program's words an error repeats. */
const REPORT_LENGTH = 600;

/** Whether some process has this pid, be it ours or not. A zombie counts. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isFileError(error, "EPERM");
  }
}

/**
 * The words of a process's command line; empty for a zombie, `undefined` when it cannot be told. Linux answers
 * from /proc, which also works in images without `ps`; elsewhere `ps` does.
 */
export async function commandLine(pid: number): Promise<string | undefined> {
  if (process.platform === "linux") {
    try {
      return (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ");
    } catch (error) {
      return isFileError(error, "ENOENT", "ESRCH") ? "" : undefined;
    }
  }
  try {
    return (await promisify(execFile)("ps", ["-o", "command=", "-p", String(pid)])).stdout;
  } catch (error) {
    // `ps` exits with 1 when there is no such process; anything else means that we do not know.
    return error instanceof Error && "code" in error && error.code === 1 ? "" : undefined;
  }
}

/**
 * Runs a program to its end.
 *
 * @throws {EMBEDDED_FAILED} when it cannot be started or does not exit with 0, with the end of what it said.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: SpawnOptions,
): Promise<void> {
  const child = spawn(program, [...args], { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const listen = (chunk: Buffer): void => {
    said = (said + chunk.toString()).slice(-REPORT_LENGTH);
  };
  child.stdout?.on("data", listen);
  child.stderr?.on("data", listen);
  await new Promise<void>((resolve, reject) => {
    child.once("error", (cause) => {
      reject(new EmbeddedError("EMBEDDED_FAILED", `${program} could not be run`, { cause }));
    });
    child.once("close", (code, signal) => {
      if (code === 0) return resolve();
      const end = code === null ? `was ended by ${signal}` : `failed with exit code ${code}`;
      reject(new EmbeddedError("EMBEDDED_FAILED", `${program} ${end}: ${said.trim()}`));
    });
  });
}
