import { setTimeout as sleep } from "node:timers/promises";
import { type Connection, connect, parseTarget } from "../driver/index.ts";
import { EmbeddedError, isConnectionError, PlinthError } from "../errors/index.ts";
import { type Cluster, EMBEDDED_USER } from "./cluster.ts";
import { launch, notInTime } from "./launch.ts";
import { findFreePort, rememberedPort } from "./port.ts";
import { findPostmaster, stopPostmaster } from "./postmaster.ts";
import {
  createProjectDatabase,
  isPinned,
  leaveShared,
  stopBeingAlone,
  tryBeAlone,
  tryJoin,
} from "./queries.ts";
import { EMBEDDED_HOST } from "./settings.ts";

/** The database an application finds in every embedded server. */
export const EMBEDDED_DATABASE = "plinth";

/** Locks of the protocol are per database, so everybody takes them in the one that always exists. */
const LOCK_DATABASE = "postgres";

/** Long, because a server that replays its log after a crash is on the way and must not be given up. */
const START_TIMEOUT_MS = 60_000;
/** A fast shutdown waits for nobody, but its checkpoint may have much to write. */
const STOP_TIMEOUT_MS = 5_000;
const POLL_MS = 20;
/** A remembered port may be held for a moment by its last owner; after this many attempts another is taken. */
const MAX_TRIES_OF_PORT = 3;

/** What is needed of a cluster whose server runs. */
export type RunningCluster = Omit<Cluster, "binaries">;

/** Being one of the server's users: as long as `holder` is open, the server is not stopped. */
export interface Membership {
  readonly holder: Connection;
  readonly port: number;
}

/**
 * Becomes a user of the cluster's server, and starts it when none runs. Of several processes that do this at
 * once one starts the server, and all of them use it.
 *
 * @throws {EMBEDDED_FAILED} when the server will not start or is not ready in time.
 */
export async function join(cluster: Cluster, signal?: AbortSignal): Promise<Membership> {
  const giveUpAt = Date.now() + START_TIMEOUT_MS;
  let triesOfPort = 0;
  let isStartedByUs = false;
  // What we started we also join: only a user can stop it again.
  while (isStartedByUs || signal?.aborted !== true) {
    const postmaster = await findPostmaster(cluster.place.dataDirectory);
    if (postmaster?.state === "ready") {
      const membership = await joinRunning(cluster, postmaster.port);
      if (membership !== undefined) return membership;
    } else if (postmaster === undefined) {
      const remembered =
        triesOfPort < MAX_TRIES_OF_PORT ? await rememberedPort(cluster.place.home) : undefined;
      const outcome = await launch(cluster, remembered ?? (await findFreePort()), giveUpAt);
      if (outcome === "port-taken") triesOfPort += 1;
      isStartedByUs = outcome === "ready";
      if (isStartedByUs) continue;
    }
    if (Date.now() > giveUpAt) throw notInTime(cluster);
    await sleep(POLL_MS, undefined, { ref: false });
  }
  throw new EmbeddedError("EMBEDDED_FAILED", "the embedded server was released while it was being started");
}

/** Becomes a user of a server that runs; `undefined` when it is on its way down or up: look again in a moment. */
export async function joinRunning(cluster: RunningCluster, port: number): Promise<Membership | undefined> {
  let holder: Connection | undefined;
  try {
    holder = await connectHolder(cluster, port);
    const { isJoined, hasDatabase, isDurable } = await tryJoin(holder, EMBEDDED_DATABASE);
    if (isJoined && cluster.isDurable && !isDurable) return await replaceServer(cluster, holder);
    if (isJoined) {
      if (!hasDatabase) await createOnce(holder);
      return { holder, port };
    }
  } catch (error) {
    holder?.destroy();
    if (isConnectionError(error)) return undefined;
    throw error;
  }
  holder.destroy();
  return undefined;
}

/**
 * A connection for the protocol: on the lock database, without time-outs, known by its name. It does not keep
 * the process alive.
 */
export async function connectHolder({ place, password }: RunningCluster, port: number): Promise<Connection> {
  const url = `postgres://${EMBEDDED_USER}:${password}@${EMBEDDED_HOST}:${port}/${LOCK_DATABASE}`;
  const target = parseTarget(url, {
    applicationName: "plinth embedded holder",
    statementTimeoutMs: 0,
    lockTimeoutMs: 0,
    idleInTransactionTimeoutMs: 0,
  });
  try {
    const holder = await connect(target);
    holder.unref();
    return holder;
  } catch (error) {
    if (!(error instanceof PlinthError) || error.code !== "AUTHENTICATION_FAILED") throw error;
    throw new EmbeddedError(
      "EMBEDDED_FAILED",
      `the password in ${place.home} does not open ${place.dataDirectory}`,
      {
        hint: "Restore the file `password`, or delete .plinth to begin with an empty database.",
        cause: error,
      },
    );
  }
}

async function createOnce(holder: Connection): Promise<void> {
  try {
    await createProjectDatabase(holder, EMBEDDED_DATABASE);
  } catch (error) {
    // Another first user was faster: 42P04, or 23505 when both were about to insert the row.
    const { hasDatabase } = await tryJoin(holder, EMBEDDED_DATABASE);
    if (!hasDatabase) throw error;
    // The lock is counted: taken a second time by the look above, so given back once.
    await leaveShared(holder);
  }
}

/**
 * The server runs without durability and this user asks for it: if nobody else is there it is stopped, to be
 * started anew; else it is refused, as the others' work must not be cut off.
 */
async function replaceServer(cluster: RunningCluster, holder: Connection): Promise<undefined> {
  if ((await leave(cluster, holder)) === "stopped") return undefined;
  throw new EmbeddedError(
    "EMBEDDED_FAILED",
    `the embedded server in ${cluster.place.dataDirectory} is in use by a process that started it with durable: false`,
    { hint: "Stop that process first, or give one of the two a server of its own with `name`." },
  );
}

/** What became of the server when a user left. */
export type Departure = "stopped" | "pinned" | "in-use";

/**
 * Stops being a user; the last one stops the server. The order makes it safe: first the shared lock goes, then
 * the exclusive one is tried. Of two that leave at once, at most one gets it, and at least one does when nobody
 * else is there. While it is held, a newcomer's shared lock is refused, so it never joins a server that stops.
 */
export async function leave({ place }: RunningCluster, holder: Connection): Promise<Departure> {
  try {
    await leaveShared(holder);
    if (!(await tryBeAlone(holder))) return "in-use";
    if (await isPinned(holder)) {
      await stopBeingAlone(holder);
      return "pinned";
    }
    await stopPostmaster(place.dataDirectory, STOP_TIMEOUT_MS);
    return "stopped";
  } finally {
    holder.destroy();
  }
}
