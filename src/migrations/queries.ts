import { qualifiedName, quoteIdentifier, quoteLiteral } from "../sql/index.ts";

/** The ledger's table, in the application's schema: each schema of a database has its own history. */
export const LEDGER_TABLE = "plinth_migrations";

export const ledgerColumns = [
  "version",
  "name",
  "checksum",
  "direction",
  "statements_total",
  "statements_applied",
  "applied_checksum",
  "in_flight",
  "started_at",
  "applied_at",
  "duration_ms",
  "applied_by",
] as const;

/** Not `if not exists`: that asks for the right to create before it looks, and a deploy role may lack it. */
export const selectSchemaExists = "select 1 from pg_catalog.pg_namespace where nspname = $1";

/** A table of Plinth's own in a schema: the ledger, say. */
export const selectTableExists = `select 1
from pg_catalog.pg_class
join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
where nspname = $1 and relname = $2`;

export function createSchema(schemaName: string): string {
  return `create schema ${quoteIdentifier(schemaName)}`;
}

export function createLedger(schemaName: string): string {
  return `create table ${qualifiedName(schemaName, LEDGER_TABLE)} (
  version text primary key,
  name text not null,
  checksum text not null,
  direction text not null default 'up' check (direction in ('up', 'down')),
  statements_total integer not null,
  statements_applied integer not null check (statements_applied between 0 and statements_total),
  applied_checksum text not null,
  in_flight integer,
  started_at timestamptz not null default now(),
  applied_at timestamptz,
  duration_ms bigint,
  applied_by text not null default session_user
)`;
}

export function selectLedger(schemaName: string): string {
  const utc = (column: string): string =>
    `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
  const columns = ledgerColumns.map((column) =>
    column === "started_at" || column === "applied_at" ? utc(column) : column,
  );
  return `select ${columns.join(", ")}\nfrom ${qualifiedName(schemaName, LEDGER_TABLE)}`;
}

/** What a run writes about a migration. */
export interface LedgerEntry {
  readonly version: string;
  readonly name: string;
  readonly checksum: string;
  readonly direction: "up" | "down";
  readonly statementsTotal: number;
  readonly statementsApplied: number;
  readonly appliedChecksum: string;
  readonly inFlight: number | undefined;
}

/**
 * Records how far a migration is. It is a text without parameters because it is sent, and shown by a dry run,
 * together with the migration's own statements; all values are names, numbers and hashes from the folder.
 */
export function recordProgress(schemaName: string, entry: LedgerEntry): string {
  const ledger = qualifiedName(schemaName, LEDGER_TABLE);
  const isDone = entry.direction === "up" && entry.statementsApplied === entry.statementsTotal;
  const values = [
    quoteLiteral(entry.version),
    quoteLiteral(entry.name),
    quoteLiteral(entry.checksum),
    quoteLiteral(entry.direction),
    String(entry.statementsTotal),
    String(entry.statementsApplied),
    quoteLiteral(entry.appliedChecksum),
    entry.inFlight === undefined ? "null" : String(entry.inFlight),
    isDone ? "clock_timestamp()" : "null",
    isDone ? duration("now()") : "null",
  ];
  // While `down` is under way the row keeps when and how `up` was applied.
  const finish =
    entry.direction === "down"
      ? ""
      : `,
  applied_at = excluded.applied_at,
  duration_ms = ${isDone ? duration("applied.started_at") : "null"}`;
  return `insert into ${ledger} as applied
  (version, name, checksum, direction, statements_total, statements_applied, applied_checksum, in_flight, applied_at, duration_ms)
values (${values.join(", ")})
on conflict (version) do update set
  name = excluded.name,
  checksum = excluded.checksum,
  direction = excluded.direction,
  statements_total = excluded.statements_total,
  statements_applied = excluded.statements_applied,
  applied_checksum = excluded.applied_checksum,
  in_flight = excluded.in_flight${finish}`;
}

/** Forgets a migration whose `down` is done. */
export function forgetMigration(schemaName: string, version: string): string {
  return `delete from ${qualifiedName(schemaName, LEDGER_TABLE)}\nwhere version = ${quoteLiteral(version)}`;
}

/** Lets the row of a squashed migration stand for the rows of those it replaced. */
export function foldProgress(
  schemaName: string,
  replaced: readonly string[],
  entry: Pick<LedgerEntry, "version" | "name" | "checksum" | "appliedChecksum">,
): string {
  const ledger = qualifiedName(schemaName, LEDGER_TABLE);
  const { version, name, checksum, appliedChecksum } = entry;
  return `with replaced as (
  delete from ${ledger}
  where version in (${replaced.map(quoteLiteral).join(", ")})
  returning *
)
insert into ${ledger}
  (version, name, checksum, statements_total, statements_applied, applied_checksum, started_at, applied_at, duration_ms, applied_by)
select ${[version, name, checksum].map(quoteLiteral).join(", ")}, sum(statements_total), sum(statements_applied),
  ${quoteLiteral(appliedChecksum)}, min(started_at), max(applied_at), sum(duration_ms),
  (array_agg(applied_by order by applied_at desc))[1]
from replaced`;
}

function duration(start: string): string {
  return `(extract(epoch from clock_timestamp() - ${start}) * 1000)::bigint`;
}

// ---- The lock between runners -------------------------------------------------------------------------

/**
 * Never the waiting form: a session that waits for an advisory lock holds a snapshot, which a concurrent index
 * build of the holder waits for, and both wait for ever.
 */
export const tryRunnerLock = "select pg_catalog.pg_try_advisory_lock($1::int4, $2::int4)";

export const releaseRunnerLock = "select pg_catalog.pg_advisory_unlock($1::int4, $2::int4)";

/** Whether this session holds it. An advisory lock of two integers has them in `classid` and `objid`. */
export const selectOwnLock = `select 1
from pg_catalog.pg_locks
where locktype = 'advisory'
  and classid = $1::int4::oid
  and objid = $2::int4::oid
  and objsubid = 2
  and granted
  and database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
  and pid = pg_catalog.pg_backend_pid()`;

/** Who holds it, and for how many seconds it has been connected; empty for a role that may not see activity. */
export const selectLockHolder = `select held.pid, activity.usename, activity.application_name,
  pg_catalog.host(activity.client_addr),
  extract(epoch from pg_catalog.clock_timestamp() - activity.backend_start)::int8
from pg_catalog.pg_locks as held
left join pg_catalog.pg_stat_activity as activity on activity.pid = held.pid
where held.locktype = 'advisory'
  and held.classid = $1::int4::oid
  and held.objid = $2::int4::oid
  and held.objsubid = 2
  and held.granted
  and held.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())`;

/**
 * Who keeps a session from the lock it waits for, the oldest transaction first. What another role runs is hidden from
 * a role without pg_read_all_stats, and reads `<insufficient privilege>`.
 */
export const selectBlockers = `select distinct blocker.pid, activity.usename, activity.application_name,
  activity.backend_type, activity.state,
  extract(epoch from pg_catalog.clock_timestamp() - activity.xact_start)::int8,
  nullif(activity.query, '<insufficient privilege>'),
  activity.xact_start
from pg_catalog.unnest(pg_catalog.pg_blocking_pids($1::int4)) as blocker (pid)
left join pg_catalog.pg_stat_activity as activity on activity.pid = blocker.pid
order by activity.xact_start
limit 5`;

// ---- What an interrupted statement left behind --------------------------------------------------------

/** An index by name, the table it is on, whether it can be used, and whether somebody is building it now. */
export const selectIndex = `select i.indisvalid, n.nspname, t.relname, tn.nspname,
  exists (select from pg_catalog.pg_stat_progress_create_index as p where p.index_relid = c.oid)
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
join pg_catalog.pg_index as i on i.indexrelid = c.oid
join pg_catalog.pg_class as t on t.oid = i.indrelid
join pg_catalog.pg_namespace as tn on tn.oid = t.relnamespace
where c.relname = $1 and n.nspname = $2`;

/** Copies a concurrent reindex left behind: `_ccnew` was never finished, `_ccold` was already replaced. */
export const selectReindexLeftovers = `select n.nspname, c.relname
from pg_catalog.pg_index as i
join pg_catalog.pg_class as c on c.oid = i.indexrelid
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where not i.indisvalid
  and c.relname ~ '_cc(new|old)[0-9]*$'
  and i.indrelid in (
    select coalesce(x.indrelid, r.oid)
    from pg_catalog.pg_class as r
    join pg_catalog.pg_namespace as rn on rn.oid = r.relnamespace
    left join pg_catalog.pg_index as x on x.indexrelid = r.oid
    where r.relname = $1 and rn.nspname = $2
  )`;

/** How a partition hangs on its parent: no row when it does not any more. */
export const selectPartition = `select h.inhdetachpending
from pg_catalog.pg_inherits as h
join pg_catalog.pg_class as c on c.oid = h.inhrelid
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where c.relname = $1 and n.nspname = $2`;

/** A database by name. */
export const selectDatabase = "select 1 from pg_catalog.pg_database where datname = $1";

export function dropIndexConcurrently(schema: string, name: string): string {
  return `drop index concurrently if exists ${qualifiedName(schema, name)}`;
}

export function finalizeDetach(parent: string, partition: string): string {
  return `alter table ${parent} detach partition ${partition} finalize`;
}
