import { qualifiedName, quoteIdentifier, quoteLiteral } from "../../sql/index.ts";
import type { TablePlace } from "./tool.ts";

/** Tables of a name in any schema but the server's own, with their columns. */
export const selectTablesNamed = `select n.nspname, c.relname,
  array_to_json(array(
    select a.attname
    from pg_catalog.pg_attribute as a
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    order by a.attnum))::text
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where c.relname = $1 and c.relkind in ('r', 'p')
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by n.nspname`;

/** Milliseconds since 1970 in the journal's word for a migration; 1.0 adds its name and when it was applied. */
export function selectDrizzle(table: TablePlace, hasNames: boolean): string {
  const names = hasNames ? `name, ${utc("applied_at")}` : "null, null";
  return `select hash, created_at::text, ${names}\nfrom ${from(table)}\norder by created_at, id`;
}

export function selectPrisma(table: TablePlace): string {
  return `select migration_name, checksum, ${utc("finished_at")}, (rolled_back_at is not null)::text
from ${from(table)}
order by started_at, migration_name`;
}

export function selectKnex(table: TablePlace): string {
  return `select name, ${utc("migration_time")}\nfrom ${from(table)}\norder by id`;
}

export function selectKnexLock(table: TablePlace): string {
  return `select 1\nfrom ${from(table)}\nwhere is_locked = 1`;
}

export function selectNodePgMigrate(table: TablePlace): string {
  return `select name, ${local("run_on")}\nfrom ${from(table)}\norder by run_on, id`;
}

export function selectVersions(table: TablePlace): string {
  return `select version::text\nfrom ${from(table)}\norder by version`;
}

export function selectGolangMigrate(table: TablePlace): string {
  return `select version::text, dirty::text\nfrom ${from(table)}`;
}

export function selectFlyway(table: TablePlace): string {
  return `select version, description, type, script, ${local("installed_on")}, success::text
from ${from(table)}
order by installed_rank`;
}

export function selectAlembic(table: TablePlace): string {
  return `select version_num\nfrom ${from(table)}\norder by version_num`;
}

/** The ledger says where it began, for who meets it in psql. */
export function commentOnLedger(schemaName: string, ledger: string, text: string): string {
  return `comment on table ${qualifiedName(schemaName, ledger)} is ${quoteLiteral(text)}`;
}

function from(table: TablePlace): string {
  return qualifiedName(table.schema, table.name);
}

/** A `timestamptz` in UTC. */
function utc(column: string): string {
  return `to_char(${quoteIdentifier(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/** A `timestamp`, whose zone nobody recorded. */
function local(column: string): string {
  return `to_char(${quoteIdentifier(column)}, 'YYYY-MM-DD"T"HH24:MI:SS.MS')`;
}
