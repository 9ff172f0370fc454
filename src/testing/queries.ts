import type { Connection } from "../driver/index.ts";
import { quoteIdentifier } from "../sql/index.ts";

/** What a template's content depends on besides the schema. One round trip. */
export async function selectServer(connection: Connection): Promise<readonly string[]> {
  const { rows } = await connection.query({
    // A clone's tables belong to the role that built the template, so each role has templates of its own.
    text: "select current_setting('server_version_num'), current_user",
    values: [],
  });
  return (rows[0] ?? []).map(String);
}

/** One round trip. */
export async function selectDatabaseExists(connection: Connection, name: string): Promise<boolean> {
  const { rows } = await connection.query({
    text: "select from pg_database where datname = $1",
    values: [name],
  });
  return rows.length > 0;
}

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

/** A built database becomes a template: in one step, so that there is never half a template of that name. */
export async function publishTemplate(connection: Connection, built: string, name: string): Promise<void> {
  // Nobody may connect: a session on a template makes cloning it fail.
  await connection.script(`alter database ${quoteIdentifier(built)} with allow_connections false`);
  await connection.script(`alter database ${quoteIdentifier(built)} rename to ${quoteIdentifier(name)}`);
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
where d.datname ~ '^plinth_(test|building)_[0-9a-f]{16}$'
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

/** This role's templates beyond the newest `keep`. One round trip. */
export async function selectOldTemplates(connection: Connection, keep: number): Promise<readonly string[]> {
  const { rows } = await connection.query({
    text: `select datname
from pg_database
where datname ~ '^plinth_template_[0-9a-f]{24}$' and pg_has_role(datdba, 'usage')
order by oid desc
offset $1`,
    values: [String(keep)],
  });
  return rows.map(([name]) => String(name));
}
