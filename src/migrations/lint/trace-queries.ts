import type { Cell, Connection } from "../../driver/index.ts";
import { quoteIdentifier } from "../../sql/index.ts";

/**
 * Every relation a lock, a rewrite or a scan can be about. The counters with `xact` count what this session has not
 * handed to the others yet, those without what it has.
 *
 * @see https://www.postgresql.org/docs/current/monitoring-stats.html
 */
export async function selectRelations(
  connection: Connection,
  home: string,
): Promise<readonly (readonly Cell[])[]> {
  const { rows } = await connection.query({
    text: `select c.oid, c.relkind, c.relfilenode,
  case when n.nspname = $1 then '' else quote_ident(n.nspname) || '.' end || quote_ident(c.relname),
  pg_stat_get_xact_numscans(c.oid), pg_stat_get_xact_tuples_returned(c.oid),
  pg_stat_get_numscans(c.oid), pg_stat_get_tuples_returned(c.oid),
  c.relkind in ('r', 'm') and pg_relation_size(c.oid) = 0
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'm', 'v', 'i', 'I', 'S')
  and c.relpersistence <> 't'
  and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
order by c.oid`,
    values: [home],
  });
  return rows;
}

/** OID, mode and name of the relations a session has locked. The name is null where no catalog has it any more. */
export async function selectLocks(
  connection: Connection,
  processId: number,
  home: string,
): Promise<readonly (readonly Cell[])[]> {
  const { rows } = await connection.query({
    text: `select l.relation, l.mode,
  (select case when n.nspname = $2 then '' else quote_ident(n.nspname) || '.' end || quote_ident(c.relname)
   from pg_class c
   join pg_namespace n on n.oid = c.relnamespace
   where c.oid = l.relation)
from pg_locks l
where l.locktype = 'relation' and l.pid = $1 and l.granted
  and l.database = (select oid from pg_database where datname = current_database())`,
    values: [String(processId), home],
  });
  return rows;
}

/** Sessions a session waits for. Empty when it does not wait. */
export async function selectBlockers(connection: Connection, processId: number): Promise<readonly number[]> {
  const { rows } = await connection.query({
    text: "select unnest(pg_blocking_pids($1))",
    values: [String(processId)],
  });
  return rows.map(([pid]) => Number(pid));
}

/**
 * Writers of a system catalog wait; readers, which every statement is, do not.
 *
 * @see https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
 */
export function lockCatalog(name: string): string {
  return `begin;\nlock table pg_catalog.${quoteIdentifier(name)} in share mode`;
}

/** The session's counters become visible to itself and others once it is idle. */
export const FLUSH_COUNTERS = "select pg_stat_force_next_flush()";

/**
 * Makes the planner choose on small tables as it would on large ones: an index for one row, a scan for many. Parallel
 * workers would take locks and read in sessions of their own. Settings of the database outlive a file's `reset all`.
 */
export function planLikeLargeTables(database: string): string {
  return [
    "random_page_cost = 0.5",
    "enable_mergejoin = off",
    "enable_indexonlyscan = off",
    "max_parallel_workers_per_gather = 0",
    "max_parallel_maintenance_workers = 0",
  ]
    .map((setting) => `alter database ${quoteIdentifier(database)} set ${setting}`)
    .join(";\n");
}

/** Plans that are kept take only the locks of their own relations, not those of the indexes a planner looks at. */
export const FORGET_PLANS = "discard plans";

/**
 * Brings what the planner knows, and materialized views, up to the rows there are. A view that cannot be refreshed is left
 * as it is. Without a list `analyze` would read the system catalogs as well, which takes longer than all of the rest.
 */
export const CATCH_UP = `do $$
declare
  relation record;
begin
  for relation in
    select c.oid::regclass::text as name, c.relkind as kind
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'm')
      and c.relpersistence <> 't'
      and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
    order by c.oid
  loop
    begin
      if relation.kind = 'm' then
        execute 'refresh materialized view ' || relation.name;
      end if;
      execute 'analyze ' || relation.name;
    exception when others then
      raise debug '%: %', relation.name, sqlerrm;
    end;
  end loop;
end $$`;

/** Quoted columns of a foreign key, the table it refers to, and the columns there. */
export async function selectForeignKey(
  connection: Connection,
  table: string,
  constraint: string,
): Promise<readonly { columns: readonly string[]; parent: string; parentColumns: readonly string[] }[]> {
  const { rows } = await connection.query({
    text: `select k.confrelid::regclass, quote_ident(a.attname), quote_ident(b.attname)
from pg_constraint k
cross join unnest(k.conkey, k.confkey) with ordinality as pair (own, other, place)
join pg_attribute a on a.attrelid = k.conrelid and a.attnum = pair.own
join pg_attribute b on b.attrelid = k.confrelid and b.attnum = pair.other
where k.contype = 'f' and k.conrelid = to_regclass($1) and k.conname = $2
order by pair.place`,
    values: [table, constraint],
  });
  const [first] = rows;
  if (first === undefined) return [];
  const columns = rows.map((row) => String(row[1]));
  return [{ columns, parent: String(first[0]), parentColumns: rows.map((row) => String(row[2])) }];
}

/** Quoted columns of a table's primary key, in its order. */
export async function selectPrimaryKey(connection: Connection, table: string): Promise<readonly string[]> {
  const { rows } = await connection.query({
    text: `select quote_ident(a.attname)
from pg_index i
cross join unnest(i.indkey::int2[]) with ordinality as key (number, place)
join pg_attribute a on a.attrelid = i.indrelid and a.attnum = key.number
where i.indrelid = to_regclass($1) and i.indisprimary
order by key.place`,
    values: [table],
  });
  return rows.map(([name]) => String(name));
}

/**
 * Gives the n-th row of a table the key of the n-th row of another one; rows without such a one go, for good in
 * soft-deleted tables too.
 */
export function linkRows(
  child: string,
  columns: readonly string[],
  parent: string,
  parentColumns: readonly string[],
): string {
  const keys = parentColumns.map((column, index) => `${column} as key_${index + 1}`).join(", ");
  const set = columns.map((column, index) => `${column} = pair.key_${index + 1}`).join(", ");
  return `begin;
set local plinth.purging = 'on';
create temporary table plinth_pairs on commit drop as
  select own.tableoid as own_table, own.ctid as own_ctid, other.*
  from (select tableoid, ctid, row_number() over () as place from ${child}) own
  join (select ${keys}, row_number() over () as place from ${parent}) other using (place);
delete from ${child} own
  where not exists (select from plinth_pairs pair where pair.own_table = own.tableoid and pair.own_ctid = own.ctid);
update ${child} own set ${set}
  from plinth_pairs pair
  where pair.own_table = own.tableoid and pair.own_ctid = own.ctid;
commit`;
}

/** OID and name of indexes that a failed concurrent build has left behind, or that have been there before as such. */
export async function selectInvalidIndexes(
  connection: Connection,
): Promise<readonly { readonly oid: string; readonly name: string }[]> {
  const { rows } = await connection.query({
    text: `select c.oid, c.oid::regclass
from pg_index i
join pg_class c on c.oid = i.indexrelid
where not i.indisvalid and c.relkind = 'i'`,
    values: [],
  });
  return rows.map(([oid, name]) => ({ oid: String(oid), name: String(name) }));
}
