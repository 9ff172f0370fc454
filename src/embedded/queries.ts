import type { Connection } from "../driver/index.ts";

/** The advisory lock of the protocol in README.md. Any fixed number; these are the letters "plinth". */
const LOCK_KEY = String(Buffer.from("plinth").readUIntBE(0, 6));

/** Tries to become one of the server's users, and looks at what a new user has to know: one round trip. */
export async function tryJoin(
  connection: Connection,
  database: string,
): Promise<{ readonly isJoined: boolean; readonly hasDatabase: boolean; readonly isDurable: boolean }> {
  const { rows } = await connection.query({
    text: `select pg_try_advisory_lock_shared($1),
                  exists (select from pg_database where datname = $2),
                  current_setting('fsync')`,
    values: [LOCK_KEY, database],
  });
  const [isJoined, hasDatabase, fsync] = rows[0] ?? [];
  return { isJoined: isJoined === "t", hasDatabase: hasDatabase === "t", isDurable: fsync === "on" };
}

/** Stops being a user. */
export async function leaveShared(connection: Connection): Promise<void> {
  await connection.query({ text: "select pg_advisory_unlock_shared($1)", values: [LOCK_KEY] });
}

/** Tries to be alone: succeeds when nobody uses the server, and then keeps newcomers out while it is held. */
export async function tryBeAlone(connection: Connection): Promise<boolean> {
  const { rows } = await connection.query({ text: "select pg_try_advisory_lock($1)", values: [LOCK_KEY] });
  return rows[0]?.[0] === "t";
}

/** Gives up being alone. */
export async function stopBeingAlone(connection: Connection): Promise<void> {
  await connection.query({ text: "select pg_advisory_unlock($1)", values: [LOCK_KEY] });
}

/** How many processes use the server now. */
export async function countUsers(connection: Connection): Promise<number> {
  const { rows } = await connection.query({
    text: `select count(*)
             from pg_locks
            where locktype = 'advisory'
              and mode = 'ShareLock'
              and granted
              and objsubid = 1
              and (classid::bigint << 32) | objid::bigint = $1::bigint`,
    values: [LOCK_KEY],
  });
  return Number(rows[0]?.[0] ?? 0);
}

/**
 * Whether the server stays when its last user leaves. A setting of the database keeps the pin: it lives in the
 * cluster, survives a restart, and is changed in one transaction.
 */
export async function isPinned(connection: Connection): Promise<boolean> {
  const { rows } = await connection.query({
    text: `select exists (select
                            from pg_db_role_setting
                           where setdatabase = (select oid from pg_database where datname = current_database())
                             and setrole = 0
                             and 'plinth.pinned=on' = any (setconfig))`,
    values: [],
  });
  return rows[0]?.[0] === "t";
}

/** Makes the server stay. */
export async function pin(connection: Connection): Promise<void> {
  await connection.query({ text: "alter database postgres set plinth.pinned = 'on'", values: [] });
}

/** Lets the server go with its last user again. */
export async function unpin(connection: Connection): Promise<void> {
  await connection.query({ text: "alter database postgres reset plinth.pinned", values: [] });
}

/** Creates the project's database. `template1` is the cluster's own, so this copies a few megabytes. */
export async function createProjectDatabase(connection: Connection, database: "plinth"): Promise<void> {
  await connection.query({ text: `create database ${database}`, values: [] });
}
