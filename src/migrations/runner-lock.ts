import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "../driver/index.ts";
import { ConnectionError, MigrationError } from "../errors/index.ts";
import { interrupted } from "./interruption.ts";
import { releaseRunnerLock, selectLockHolder, selectOwnLock, tryRunnerLock } from "./queries.ts";

/** `pg_locks.classid` of every lock between Plinth's runners: "plin" as a number. */
const LOCK_CLASS = 1_886_153_070;

const POLL_MS = 100;
/** Between two reports that a runner waits. */
const REPORT_EVERY_MS = 2_000;

/** The session that keeps this runner waiting. Fields are absent where the role may not see them. */
export interface LockHolder {
  readonly processId: number;
  readonly user: string | undefined;
  readonly applicationName: string | undefined;
  readonly address: string | undefined;
  readonly connectedSeconds: number | undefined;
}

/** How to wait, and whom to tell. */
export interface LockWait {
  readonly waitMs: number;
  readonly signal: AbortSignal | undefined;
  readonly onWait: (holder: LockHolder | undefined, waitedMs: number) => void;
}

/**
 * Holds the lock that lets one runner at a time work on a schema, and runs `work`. The lock belongs to the
 * session, so it ends with it, whatever becomes of the process.
 *
 * @throws {MIGRATION_LOCKED} when another runner holds it for longer than `waitMs`; names the holder.
 * @throws {POOLER_ERROR} behind a pooler, which would give the lock to a session that others use.
 */
export async function withRunnerLock<T>(
  connection: Connection,
  schemaName: string,
  wait: LockWait,
  work: (lock: RunnerLock) => Promise<T>,
): Promise<T> {
  await refusePooler(connection);
  const key = [String(LOCK_CLASS), String(lockNumber(schemaName))] as const;
  await takeLock(connection, schemaName, key, wait);
  try {
    return await work({ verify: () => verifyLock(connection, key) });
  } finally {
    // Closing the session frees it as well; this only spares the next runner the wait for that.
    if (connection.isOpen)
      await connection.query({ text: releaseRunnerLock, values: key }).catch(() => undefined);
  }
}

export interface RunnerLock {
  /** Makes sure the lock is still held: something may have unlocked it in this session. One round trip. */
  verify(): Promise<void>;
}

/** 31 bits, so that it stays positive as an `oid`. Advisory locks are per database already. */
function lockNumber(schemaName: string): number {
  return createHash("sha256").update(schemaName).digest().readUInt32BE() & 0x7fff_ffff;
}

async function takeLock(
  connection: Connection,
  schemaName: string,
  key: readonly [string, string],
  wait: LockWait,
): Promise<void> {
  const start = performance.now();
  let reportedAt = Number.NEGATIVE_INFINITY;
  for (;;) {
    const outcome = await connection.query({ text: tryRunnerLock, values: key });
    if (outcome.rows[0]?.[0] === "t") return;
    const waitedMs = Math.round(performance.now() - start);
    if (waitedMs >= wait.waitMs) throw stillLocked(schemaName, await findHolder(connection, key), waitedMs);
    if (waitedMs - reportedAt >= REPORT_EVERY_MS) {
      reportedAt = waitedMs;
      wait.onWait(await findHolder(connection, key), waitedMs);
    }
    // Without the jitter a fleet that starts together would ask together.
    const pause = Math.min(POLL_MS * (0.5 + Math.random()), wait.waitMs - waitedMs);
    await sleep(pause, undefined, { signal: wait.signal }).catch(() => {
      throw interrupted("waiting for another runner");
    });
  }
}

async function findHolder(
  connection: Connection,
  key: readonly [string, string],
): Promise<LockHolder | undefined> {
  const { rows } = await connection.query({ text: selectLockHolder, values: key });
  const [row] = rows;
  if (row === undefined) return undefined;
  const [processId, user, applicationName, address, connectedSeconds] = row;
  return {
    processId: Number(processId),
    user: user ?? undefined,
    applicationName: applicationName ?? undefined,
    address: address ?? undefined,
    connectedSeconds: connectedSeconds == null ? undefined : Number(connectedSeconds),
  };
}

/** `app (plinth migrate) on 10.0.0.7, server process 4711`, as far as it is known. */
export function describeHolder(holder: LockHolder | undefined): string {
  if (holder === undefined) return "a session that has just ended";
  const who = holder.user === undefined ? "another role" : holder.user;
  const program =
    holder.applicationName === undefined || holder.applicationName === ""
      ? ""
      : ` (${holder.applicationName})`;
  const where = holder.address === undefined ? "" : ` on ${holder.address}`;
  return `${who}${program}${where}, server process ${holder.processId}`;
}

function stillLocked(schemaName: string, holder: LockHolder | undefined, waitedMs: number): MigrationError {
  return new MigrationError(
    "MIGRATION_LOCKED",
    `another runner works on schema ${schemaName}: ${describeHolder(holder)}; gave up after ${Math.round(waitedMs / 1_000)} s`,
    {
      hint:
        "Wait for it and run the command again. If its client is gone, end the session with " +
        `select pg_terminate_backend(${holder?.processId ?? "PID"}); what it had begun is resumed by the next run.`,
    },
  );
}

async function verifyLock(connection: Connection, key: readonly [string, string]): Promise<void> {
  const { rows } = await connection.query({ text: selectOwnLock, values: key });
  if (rows.length > 0) return;
  throw new MigrationError("MIGRATION_LOCKED", "the lock that keeps other runners out is gone", {
    hint: "A migration called pg_advisory_unlock_all() or a pooler changed the session. Remove the call and run again.",
  });
}

/** Behind a pooler the process id the server reports is not the one the connection was given. */
async function refusePooler(connection: Connection): Promise<void> {
  const { rows } = await connection.query({ text: "select pg_catalog.pg_backend_pid()", values: [] });
  if (Number(rows[0]?.[0]) === connection.processId) return;
  throw new ConnectionError(
    "POOLER_ERROR",
    "this connection goes through a pooler, and migrations need the server itself",
    {
      hint: "Name the server's own host and port in DATABASE_DIRECT_URL.",
    },
  );
}
