import type { Connection } from "../driver/index.ts";
import { quoteIdentifier } from "../sql/index.ts";

/** Takes a session's advisory lock; waits for `lock_timeout`. @throws {LOCK_TIMEOUT} */
export async function takeLock(connection: Connection, key: string): Promise<void> {
  await connection.query({ text: "select pg_advisory_lock($1)", values: [key] });
}

export async function freeLock(connection: Connection, key: string): Promise<void> {
  await connection.query({ text: "select pg_advisory_unlock($1)", values: [key] });
}

/** An empty database. From `template0`: nobody can be connected to it, which would make this fail. */
export async function createEmptyDatabase(connection: Connection, name: string): Promise<void> {
  await connection.script(`create database ${quoteIdentifier(name)} template template0`);
}

/**
 * A copy of a template.
 *
 * `file_copy` instead of the server's default, `wal_log`: the template is flushed and nobody writes to it, so its
 * files are copied as they are instead of page by page through the WAL. Measured: `docs/reference/testing.md`.
 * @see https://www.postgresql.org/docs/current/sql-createdatabase.html#CREATE-DATABASE-STRATEGY
 */
export async function createClone(connection: Connection, name: string, template: string): Promise<void> {
  await connection.script(
    `create database ${quoteIdentifier(name)} template ${quoteIdentifier(template)} strategy file_copy`,
  );
}

/**
 * For sessions that begin afterwards: queries of the catalogs have many joins over few rows, and compiling one takes
 * seconds where running it takes milliseconds (measured on Debian's PostgreSQL 15: 8 s and 85 ms).
 *
 * @see https://www.postgresql.org/docs/current/jit-decision.html
 */
export async function switchOffJit(connection: Connection, name: string): Promise<void> {
  await connection.script(`alter database ${quoteIdentifier(name)} set jit to off`);
}

/** Drops a database that others may be dropping as well. `force` ends the sessions on it. */
export async function dropDatabase(connection: Connection, name: string, force: boolean): Promise<void> {
  await connection.script(`drop database if exists ${quoteIdentifier(name)}${force ? " with (force)" : ""}`);
}

/** This role's clones and half-built templates that nobody holds any more, oldest first. One round trip. */
export async function selectOrphans(connection: Connection, limit: number): Promise<readonly string[]> {
  const { rows } = await connection.query({
    // An owner takes the lock before it creates the database, and frees it after the drop. The statement's snapshot
    // of pg_database is older than its look at pg_locks, so a database in it without a lock has lost its owner.
    // pg_locks shows the locks of every database: owners need not share the one they are connected to.
    text: `select d.datname
from pg_database d
where d.datname ~ '^plinth_(test|building|shadow)_[0-9a-f]{16}$'
  and pg_has_role(d.datdba, 'usage')
  and not exists (
    select from pg_locks l
    where l.locktype = 'advisory' and l.objsubid = 1
      and (l.classid::bigint << 32 | l.objid::bigint) = ('x' || right(d.datname, 16))::bit(64)::bigint)
  and not exists (select from pg_stat_activity a where a.datid = d.oid)
order by d.oid
limit $1`,
    values: [String(limit)],
  });
  return rows.map(([name]) => String(name));
}
