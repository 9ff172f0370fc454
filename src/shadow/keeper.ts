import { type Connection, type ConnectionTarget, connect, retarget } from "../driver/index.ts";
import { isPlinthError } from "../errors/index.ts";
import type { OwnedName } from "./names.ts";
import { dropDatabase, freeLock, selectOrphans, takeLock } from "./queries.ts";

/** The longest wait for another process that builds the same template. */
const BUILD_WAIT_MS = 300_000;

/** Left-overs dropped per call: a run that was killed with hundreds of clones is cleaned up by the next few. */
const ORPHANS_PER_CALL_LIMIT = 25;

/** Opens the session that holds the locks of what a process owns; they end with it, also by `kill -9`. */
export function openKeeper(server: ConnectionTarget): Promise<Connection> {
  return connect(
    retarget(server, {
      session: {
        applicationName: "plinth shadow",
        statementTimeoutMs: 0,
        lockTimeoutMs: BUILD_WAIT_MS,
        idleInTransactionTimeoutMs: 0,
      },
    }),
  );
}

/** Runs `work` under an advisory lock of the keeper. */
export async function withLock<T>(keeper: Connection, key: string, work: () => Promise<T>): Promise<T> {
  await takeLock(keeper, key);
  try {
    return await work();
  } finally {
    // A session that is gone has freed its locks, and must not hide why `work` failed.
    if (keeper.isOpen) await freeLock(keeper, key);
  }
}

/** Drops what the keeper owns, with whoever is connected to it, and then gives up the ownership. */
export async function dropOwned(keeper: Connection, { name, lockKey }: OwnedName): Promise<void> {
  await dropDatabase(keeper, name, true);
  await freeLock(keeper, lockKey);
}

/** Drops clones and half-built templates whose owners were killed. */
export async function dropOrphans(keeper: Connection): Promise<void> {
  for (const name of await selectOrphans(keeper, ORPHANS_PER_CALL_LIMIT)) await dropUnlessUsed(keeper, name);
}

/** Several processes clean up at once: losing the race, or finding the database in use, is no failure. */
export async function dropUnlessUsed(keeper: Connection, name: string): Promise<void> {
  try {
    await dropDatabase(keeper, name, false);
  } catch (error) {
    if (isPlinthError(error) && (error.code === "DATABASE_MISSING" || error.code === "OBJECT_STATE")) return;
    throw error;
  }
}
