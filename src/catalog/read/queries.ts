import type { StatementCall } from "../../driver/index.ts";

/**
 * The oids of the schemas that are read: those of the JSON list in `$1`, or all but the server's own where it is null.
 * The one text that statements share: a view for it would have to be made on the server that is only read.
 */
export const SPACES = `(
    select n.oid
    from pg_namespace n
    where case when $1::json is null then n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      else n.nspname in (select json_array_elements_text($1::json)) end
  )`;

/** The first oid that is not the server's own. */
export const FIRST_OID = 16_384;

/** Members of extensions come and go with the extension. */
export function membersOf(catalogTable: string): string {
  return `(
    select d.objid
    from pg_depend d
    where d.refclassid = 'pg_extension'::regclass and d.deptype = 'e' and d.classid = '${catalogTable}'::regclass
  )`;
}

/** Plinth's own bookkeeping is not part of an application's schema. */
export const OWN_RELATIONS = String.raw`like 'plinth\_%'`;

/**
 * What decides how the server writes names and constants. `pg_temp` stands last, so that nobody's temporary table
 * hides one of the catalog.
 */
export function settleSession(home: string): StatementCall {
  return {
    values: [home],
    leavesNoTrace: true,
    text: `
select current_setting('server_version_num') as version,
  set_config('search_path', quote_ident($1) || ', pg_temp', true),
  set_config('quote_all_identifiers', 'off', true),
  set_config('datestyle', 'ISO, MDY', true),
  set_config('intervalstyle', 'postgres', true),
  set_config('timezone', 'UTC', true),
  set_config('extra_float_digits', '1', true),
  set_config('bytea_output', 'hex', true)`,
  };
}

export const selectSpaces = `
select n.oid, n.nspname as name, quote_ident(n.nspname) as quoted, n.nspacl is null as has_usual_rights
from pg_namespace n
where n.oid in ${SPACES}`;

/** Tables, views, sequences and composite types. */
export const selectRelations = `
select c.oid, c.relnamespace as space, c.relname as name, quote_ident(c.relname) as quoted, c.relkind as kind,
  c.relpersistence as persistence, array_to_json(c.reloptions) as options, array_to_json(o.reloptions) as toast_options,
  c.relrowsecurity as row_security, c.relforcerowsecurity as forced, c.relreplident as replica_identity,
  (select quote_ident(i.relname)
    from pg_index x
    join pg_class i on i.oid = x.indexrelid
    where c.relreplident = 'i' and x.indrelid = c.oid and x.indisreplident) as identity_index,
  case when c.relkind = 'p' then pg_get_partkeydef(c.oid) end as partition_key,
  case when c.relispartition then pg_get_expr(c.relpartbound, c.oid) end as bound,
  case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end as query, c.reltype as type, t.typacl is null as has_usual_rights
from pg_class c
left join pg_class o on o.oid = c.reltoastrelid and o.reloptions is not null
left join pg_type t on t.oid = c.reltype and c.relkind = 'c'
where c.relnamespace in ${SPACES}
  and c.relkind in ('r', 'p', 'v', 'm', 'S', 'c', 'f')
  and c.relpersistence <> 't'
  and c.relname not ${OWN_RELATIONS}
  and c.oid not in ${membersOf("pg_class")}`;

export const selectAttributes = `
select a.attrelid as relation, a.attnum as number, a.attname as name, quote_ident(a.attname) as quoted,
  format_type(a.atttypid, a.atttypmod) as type,
  case when a.attcollation <> t.typcollation then a.attcollation::regcollation::text end as collation,
  a.attnotnull as not_null, a.attidentity as identity, a.attgenerated as generated, d.oid as default_oid,
  pg_get_expr(d.adbin, d.adrelid) as expression,
  case when a.attstorage <> t.typstorage then a.attstorage end as storage,
  a.attcompression as compression, nullif(a.attstattarget, -1) as statistics,
  a.attinhcount > 0 and not a.attislocal as is_inherited
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where c.relnamespace in ${SPACES}
  and c.relkind in ('r', 'p', 'v', 'm', 'c', 'f')
  and c.relpersistence <> 't'
  and c.relname not ${OWN_RELATIONS}
order by a.attrelid, a.attnum`;

/** With the column a sequence belongs to: `i` where it is that column's identity, `a` where it only ends with it. */
export const selectSequences = `
select s.seqrelid as oid, format_type(s.seqtypid, null) as type, s.seqstart as start, s.seqincrement as increment,
  s.seqmin as minimum, s.seqmax as maximum, s.seqcache as cache, s.seqcycle as cycles,
  d.refobjid as owner, d.refobjsubid as owner_column, d.deptype as tie
from pg_class c
join pg_sequence s on s.seqrelid = c.oid
left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid and d.objsubid = 0
  and d.refclassid = 'pg_class'::regclass and d.refobjsubid > 0 and d.deptype in ('a', 'i')
where c.relnamespace in ${SPACES}`;

/** Parents of tables and of indexes. */
export const selectParents = `
select h.inhrelid as child, h.inhparent as parent, h.inhparent::regclass as parent_name
from pg_inherits h
join pg_class c on c.oid = h.inhrelid
where c.relnamespace in ${SPACES}
order by h.inhrelid, h.inhseqno`;
