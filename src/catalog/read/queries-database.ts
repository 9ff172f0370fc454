import { membersOf, SPACES } from "./queries.ts";

/** An event trigger lives in no schema: it is read with its function. */
export const selectEventTriggers = `
select 'pg_event_trigger' as class, 'event trigger' as kind, t.oid, null as space, t.evtname as name,
  quote_ident(t.evtname) as quoted, '' as suffix,
  format('CREATE EVENT TRIGGER %I ON %s%s EXECUTE FUNCTION %s()%s', t.evtname, t.evtevent,
    ' WHEN TAG IN (' || (select string_agg(quote_literal(g.tag), ', ' order by g.tag) from unnest(t.evttags) g (tag)) || ')',
    t.evtfoid::regproc,
    case t.evtenabled when 'O' then '' else format(E';\\nALTER EVENT TRIGGER %I %s', t.evtname,
      case t.evtenabled when 'D' then 'DISABLE' when 'R' then 'ENABLE REPLICA' else 'ENABLE ALWAYS' end) end) as definition
from pg_event_trigger t
join pg_proc p on p.oid = t.evtfoid
where p.pronamespace in ${SPACES}
  and t.oid not in ${membersOf("pg_event_trigger")}`;

/** Read when it publishes something that is read; one for all tables only with all schemas. */
export const selectPublications = `
select 'pg_publication' as class, 'publication' as kind, p.oid, null as space, p.pubname as name,
  quote_ident(p.pubname) as quoted, '' as suffix,
  format('CREATE PUBLICATION %I%s WITH (publish = %L%s)', p.pubname,
    case when p.puballtables then ' FOR ALL TABLES' else ' FOR ' || (
      select string_agg(i.item, ', ' order by i.item)
      from (
        select concat_ws(' ', 'TABLE ONLY ' || r.prrelid::regclass,
          '(' || (
            select string_agg(quote_ident(a.attname), ', ' order by a.attnum)
            from pg_attribute a
            where a.attrelid = r.prrelid and a.attnum = any(r.prattrs)) || ')',
          'WHERE (' || pg_get_expr(r.prqual, r.prrelid) || ')') as item
        from pg_publication_rel r
        where r.prpubid = p.oid
        union all
        select 'TABLES IN SCHEMA ' || s.pnnspid::regnamespace
        from pg_publication_namespace s
        where s.pnpubid = p.oid
      ) i) end,
    concat_ws(', ', case when p.pubinsert then 'insert' end, case when p.pubupdate then 'update' end,
      case when p.pubdelete then 'delete' end, case when p.pubtruncate then 'truncate' end),
    case when p.pubviaroot then ', publish_via_partition_root = true' else '' end) as definition
from pg_publication p
where case when p.puballtables then $1::json is null else exists (
    select
    from pg_publication_rel r
    join pg_class c on c.oid = r.prrelid
    where r.prpubid = p.oid and c.relnamespace in ${SPACES}
    union all
    select
    from pg_publication_namespace s
    where s.pnpubid = p.oid and s.pnnspid in ${SPACES}) end`;

/** Read when a foreign table that is read uses it; all of them with all schemas. */
export const selectForeignServers = `
select 'pg_foreign_server' as class, 'foreign server' as kind, f.oid, null as space, f.srvname as name,
  quote_ident(f.srvname) as quoted, '' as suffix,
  format('CREATE SERVER %I%s%s FOREIGN DATA WRAPPER %I%s', f.srvname, ' TYPE ' || quote_literal(f.srvtype),
    ' VERSION ' || quote_literal(f.srvversion), w.fdwname,
    ' OPTIONS (' || (
      select string_agg(format('%I %L', o.option_name, o.option_value), ', ')
      from pg_options_to_table(f.srvoptions) o) || ')') as definition
from pg_foreign_server f
join pg_foreign_data_wrapper w on w.oid = f.srvfdw
where $1::json is null or exists (
    select
    from pg_foreign_table t
    join pg_class c on c.oid = t.ftrelid
    where t.ftserver = f.oid and c.relnamespace in ${SPACES})`;

export const selectForeignTables = `
select 'pg_class' as class, 'foreign table' as kind, c.oid, c.relnamespace as space, c.relname as name,
  quote_ident(c.relname) as quoted, '' as suffix,
  format('CREATE FOREIGN TABLE %s (%s) SERVER %I%s', c.oid::regclass,
    (select string_agg(concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
        'OPTIONS (' || (
          select string_agg(format('%I %L', o.option_name, o.option_value), ', ')
          from pg_options_to_table(a.attfdwoptions) o) || ')',
        case when a.attcollation <> y.typcollation then 'COLLATE ' || a.attcollation::regcollation end,
        case when a.attnotnull then 'NOT NULL' end,
        'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid)), ', ' order by a.attnum)
      from pg_attribute a
      join pg_type y on y.oid = a.atttypid
      left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
    f.srvname,
    ' OPTIONS (' || (
      select string_agg(format('%I %L', o.option_name, o.option_value), ', ')
      from pg_options_to_table(t.ftoptions) o) || ')') as definition
from pg_foreign_table t
join pg_class c on c.oid = t.ftrelid
join pg_foreign_server f on f.oid = t.ftserver
where c.relnamespace in ${SPACES}
  and c.oid not in ${membersOf("pg_class")}`;
