import type { Connection, Outcome, StatementCall } from "../driver/index.ts";

/** Everything in one schema, a row each: kind, name within the schema, definition as the server writes it. */
export async function readObjects(connection: Connection, schema: string): Promise<Outcome> {
  return connection.query(objectsOf(schema));
}

/**
 * Objects that belong to an extension, and those the server makes for others (a constraint's index, an identity's
 * sequence), are left out: they follow from what is in. Columns go by name, as position is an accident of history.
 */
function objectsOf(schema: string): StatementCall {
  return {
    values: [schema],
    text: `
with space as (select oid from pg_namespace where nspname = $1),
relation as (
  select c.oid, c.relname, c.relkind, c.relpersistence, c.reloptions, c.relrowsecurity, c.relforcerowsecurity
  from pg_class c
  where c.relnamespace = (select oid from space)
    and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
)
select 'table' as kind, relname::text as name,
  concat_ws(' ', case relkind when 'p' then 'partitioned' else 'table' end,
    case relpersistence when 'u' then 'unlogged' end, reloptions::text,
    case when relrowsecurity then 'row security' end, case when relforcerowsecurity then 'forced' end) as definition
from relation where relkind in ('r', 'p')
union all
select 'column', r.relname || '.' || a.attname,
  concat_ws(' ', format_type(a.atttypid, a.atttypmod),
    case when a.attcollation <> t.typcollation then 'collate ' || quote_ident(l.collname) end,
    case when a.attnotnull then 'not null' end,
    case a.attidentity when 'a' then 'identity always' when 'd' then 'identity by default' end,
    case when a.attgenerated = 's' then 'generated' when a.attgenerated = 'v' then 'virtual'
      when d.adbin is not null then 'default' end,
    pg_get_expr(d.adbin, d.adrelid))
from relation r
join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
left join pg_collation l on l.oid = a.attcollation
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where r.relkind in ('r', 'p')
union all
-- PostgreSQL 18 records NOT NULL as a constraint too (contype n); the column says it already, as it does in 15.
select 'constraint', r.relname || '.' || c.conname,
  pg_get_constraintdef(c.oid) || case when c.convalidated then '' else ' not validated' end
from relation r
join pg_constraint c on c.conrelid = r.oid and c.contype <> 'n'
union all
select 'index', i.relname, pg_get_indexdef(x.indexrelid) || case when x.indisvalid then '' else ' invalid' end
from relation r
join pg_index x on x.indrelid = r.oid
join pg_class i on i.oid = x.indexrelid
where not exists (select from pg_constraint c where c.conindid = x.indexrelid and c.contype in ('p', 'u', 'x'))
union all
select 'trigger', r.relname || '.' || t.tgname,
  pg_get_triggerdef(t.oid) || case t.tgenabled when 'O' then '' else ' disabled' end
from relation r
join pg_trigger t on t.tgrelid = r.oid and not t.tgisinternal
union all
select case relkind when 'm' then 'materialized view' else 'view' end, relname, concat_ws(' ', reloptions::text, pg_get_viewdef(oid))
from relation where relkind in ('v', 'm')
union all
select 'sequence', r.relname, format_type(s.seqtypid, null) || ' increment ' || s.seqincrement
from relation r
join pg_sequence s on s.seqrelid = r.oid
where not exists (select from pg_depend d where d.objid = r.oid and d.deptype = 'i')
union all
select 'function', p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', pg_get_functiondef(p.oid)
from pg_proc p
where p.pronamespace = (select oid from space) and p.prokind in ('f', 'p')
  and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
union all
select 'enum', t.typname, string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder)
from pg_type t
join pg_enum e on e.enumtypid = t.oid
where t.typnamespace = (select oid from space)
group by t.typname
union all
select 'policy', r.relname || '.' || p.polname,
  concat_ws(' ', p.polcmd::text, p.polpermissive::text,
    (select string_agg(coalesce(o.rolname, 'public'), ', ' order by o.rolname)
     from unnest(p.polroles) role left join pg_roles o on o.oid = role),
    pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
from relation r
join pg_policy p on p.polrelid = r.oid
order by 1, 2`,
  };
}
