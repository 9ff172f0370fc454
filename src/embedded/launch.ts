import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EmbeddedError } from "../errors/index.ts";
import { spawnAs } from "./account.ts";
import type { Cluster } from "./cluster.ts";
import { readTextIfPresent } from "./exclusive-file.ts";
import { logFile, openLog, readFailure } from "./log-file.ts";
import { rememberPort } from "./port.ts";
import { findPostmaster } from "./postmaster.ts";
import { SERVER_ENVIRONMENT } from "./process.ts";
import { serverArguments } from "./settings.ts";

/**
 * How a start ended. `second`: another process was first, its server is the one to use. `port-taken` and
 * `busy` (sessions of a killed server still hold its memory) are worth another attempt.
 */
export type LaunchOutcome = "ready" | "second" | "port-taken" | "busy";

const POLL_MS = 15;

/**
 * Starts the server and waits until it is ready or has given up. It is in a session of its own: it outlives us,
 * and the terminal's Ctrl-C does not reach it.
 *
 * @throws {EMBEDDED_FAILED} when it will not start, with PostgreSQL's reason.
 */
export async function launch(cluster: Cluster, port: number, giveUpAt: number): Promise<LaunchOutcome> {
  const { home, dataDirectory, account } = cluster.place;
  if ((await readTextIfPresent(join(dataDirectory, "PG_VERSION"))) === undefined) {
    throw new EmbeddedError(
      "EMBEDDED_FAILED",
      `the data of the embedded server are gone from ${dataDirectory}`,
      {
        hint: "Restart the process to begin with an empty database.",
      },
    );
  }
  const { handle, offset } = await openLog(home);
  let child: ChildProcess;
  let end: Promise<End>;
  try {
    child = spawn(
      join(cluster.binaries, "bin", "postgres"),
      [...serverArguments(dataDirectory, port, cluster.isDurable)],
      {
        // Ours may be a folder that the server's user cannot enter, or one that is deleted while it runs.
        cwd: dataDirectory,
        env: SERVER_ENVIRONMENT,
        detached: true,
        stdio: ["ignore", handle.fd, handle.fd],
        ...spawnAs(account),
      },
    );
    // At once: a server that finds itself second can be gone before the log is closed.
    end = endOf(child);
  } finally {
    await handle.close();
  }
  child.unref();
  for (;;) {
    const ended = await Promise.race([end, sleep(POLL_MS, undefined, { ref: false })]);
    if (ended !== undefined) return await explain(cluster, child.pid ?? 0, offset, ended);
    const postmaster = await findPostmaster(dataDirectory);
    if (postmaster?.pid === child.pid && postmaster?.state === "ready") {
      await rememberPort(home, port);
      return "ready";
    }
    if (Date.now() > giveUpAt) throw notInTime(cluster);
  }
}

/** The error for a server that is still not ready; it is left alone, as it may be replaying a long log. */
export function notInTime({ place }: Cluster): EmbeddedError {
  return new EmbeddedError(
    "EMBEDDED_FAILED",
    `the embedded server in ${place.dataDirectory} is not ready in time`,
    {
      hint: `Its log, ${logFile(place.home)}, says what it does; after a crash it may need longer: try again.`,
    },
  );
}

interface End {
  readonly error?: Error;
  readonly status: string;
}

function endOf(child: ChildProcess): Promise<End> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ error, status: "could not be run" }));
    child.once("exit", (code, signal) =>
      resolve({ status: code === null ? `${signal}` : `exit code ${code}` }),
    );
  });
}

async function explain(
  { place, binaries }: Cluster,
  pid: number,
  offset: number,
  end: End,
): Promise<LaunchOutcome> {
  if (end.error !== undefined) {
    throw new EmbeddedError("EMBEDDED_FAILED", `${join(binaries, "bin", "postgres")} could not be run`, {
      hint: "Its package may be for another system (it needs glibc on Linux): run npm ci here, or set DATABASE_URL.",
      cause: end.error,
    });
  }
  const reasons = await readFailure(place.home, pid, offset);
  const says = (words: RegExp): boolean => reasons.some((reason) => words.test(reason));
  // PostgreSQL's words are English, as the cluster's lc_messages is C.
  if (says(/lock file ".*" (already exists|is empty)/)) return "second";
  if (says(/could not (bind|create any TCP\/IP sockets)/)) return "port-taken";
  if (says(/pre-existing shared memory block/)) return "busy";
  throw new EmbeddedError(
    "EMBEDDED_FAILED",
    `the embedded server in ${place.dataDirectory} ended with ${end.status}: ${reasons.join("; ") || "no reason given"}`,
    { hint: `Its log is ${logFile(place.home)}.` },
  );
}
