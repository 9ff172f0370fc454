import { FIRST_OID, membersOf, SPACES } from "./queries.ts";

/** `colllocale` is called `colliculocale` before PostgreSQL 17, and there are no rules before 16. */
export const selectCollations = `
select 'pg_collation' as class, 'collation' as kind, c.oid, c.collnamespace as space, c.collname as name,
  quote_ident(c.collname) as quoted, '' as suffix,
  format('CREATE COLLATION %s (%s)',
    case when pg_collation_is_visible(c.oid) then '' else quote_ident(n.nspname) || '.' end || quote_ident(c.collname),
    concat_ws(', ',
      'provider = ' || case c.collprovider when 'i' then 'icu' when 'b' then 'builtin' else 'libc' end,
      'locale = ' || quote_literal(coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale',
        case when c.collcollate = c.collctype then c.collcollate end)),
      case when c.collcollate <> c.collctype then
        format('lc_collate = %L, lc_ctype = %L', c.collcollate, c.collctype) end,
      case when not c.collisdeterministic then 'deterministic = false' end,
      'rules = ' || quote_literal(to_jsonb(c) ->> 'collicurules'))) as definition
from pg_collation c
join pg_namespace n on n.oid = c.collnamespace
where c.oid >= ${FIRST_OID} and c.collnamespace in ${SPACES}
  and c.oid not in ${membersOf("pg_collation")}`;

/** An operator with only a name was never made: something else merely spoke of it. */
export const selectOperators = `
select 'pg_operator' as class, 'operator' as kind, o.oid, o.oprnamespace as space, o.oprname as name,
  o.oprname as quoted,
  format('(%s, %s)', coalesce(format_type(nullif(o.oprleft, 0), null), 'NONE'), format_type(o.oprright, null)) as suffix,
  format('CREATE OPERATOR %s (%s)',
    case when pg_operator_is_visible(o.oid) then '' else quote_ident(n.nspname) || '.' end || o.oprname,
    concat_ws(', ',
      'function = ' || o.oprcode,
      'leftarg = ' || format_type(nullif(o.oprleft, 0), null),
      'rightarg = ' || format_type(o.oprright, null),
      'commutator = ' || (
        select case when pg_operator_is_visible(r.oid) then r.oprname else format('operator(%I.%s)', s.nspname, r.oprname) end
        from pg_operator r join pg_namespace s on s.oid = r.oprnamespace where r.oid = o.oprcom),
      'negator = ' || (
        select case when pg_operator_is_visible(r.oid) then r.oprname else format('operator(%I.%s)', s.nspname, r.oprname) end
        from pg_operator r join pg_namespace s on s.oid = r.oprnamespace where r.oid = o.oprnegate),
      'restrict = ' || nullif(o.oprrest::oid, 0)::regproc,
      'join = ' || nullif(o.oprjoin::oid, 0)::regproc,
      case when o.oprcanhash then 'hashes' end,
      case when o.oprcanmerge then 'merges' end)) as definition
from pg_operator o
join pg_namespace n on n.oid = o.oprnamespace
where o.oid >= ${FIRST_OID} and o.oprnamespace in ${SPACES}
  and o.oprcode <> 0
  and o.oid not in ${membersOf("pg_operator")}`;

export const selectOperatorClasses = `
select 'pg_opclass' as class, 'operator class' as kind, c.oid, c.opcnamespace as space, c.opcname as name,
  quote_ident(c.opcname) as quoted, ' using ' || m.amname as suffix,
  format('CREATE OPERATOR CLASS %s%s FOR TYPE %s USING %I AS %s',
    case when pg_opclass_is_visible(c.oid) then '' else quote_ident(n.nspname) || '.' end || quote_ident(c.opcname),
    case when c.opcdefault then ' DEFAULT' else '' end, format_type(c.opcintype, null), m.amname,
    concat_ws(', ',
      (select string_agg(format('OPERATOR %s %s%s', a.amopstrategy, a.amopopr::regoperator,
          case when a.amoppurpose = 'o' then ' FOR ORDER BY ' || (
            select format('%I.%I', s.nspname, f.opfname)
            from pg_opfamily f join pg_namespace s on s.oid = f.opfnamespace where f.oid = a.amopsortfamily)
          else '' end), ', ' order by a.amopstrategy)
        from pg_amop a
        where a.amopfamily = c.opcfamily and a.amoplefttype = c.opcintype),
      (select string_agg(format('FUNCTION %s (%s, %s) %s', p.amprocnum, format_type(p.amproclefttype, null),
          format_type(p.amprocrighttype, null), p.amproc::regprocedure), ', ' order by p.amprocnum)
        from pg_amproc p
        where p.amprocfamily = c.opcfamily and p.amproclefttype = c.opcintype),
      'STORAGE ' || format_type(nullif(c.opckeytype, 0), null))) as definition
from pg_opclass c
join pg_am m on m.oid = c.opcmethod
join pg_namespace n on n.oid = c.opcnamespace
where c.oid >= ${FIRST_OID} and c.opcnamespace in ${SPACES}
  and c.oid not in ${membersOf("pg_opclass")}`;

/** A cast lives in no schema: it is read with the types it is between, or with its function. */
export const selectCasts = `
select 'pg_cast' as class, 'cast' as kind, c.oid, null as space,
  format('(%s as %s)', format_type(c.castsource, null), format_type(c.casttarget, null)) as name,
  format('(%s as %s)', format_type(c.castsource, null), format_type(c.casttarget, null)) as quoted, '' as suffix,
  format('CREATE CAST (%s AS %s) %s%s', format_type(c.castsource, null), format_type(c.casttarget, null),
    case c.castmethod when 'f' then 'WITH FUNCTION ' || c.castfunc::regprocedure when 'i' then 'WITH INOUT'
      else 'WITHOUT FUNCTION' end,
    case c.castcontext when 'a' then ' AS ASSIGNMENT' when 'i' then ' AS IMPLICIT' else '' end) as definition
from pg_cast c
join pg_type s on s.oid = c.castsource
join pg_type t on t.oid = c.casttarget
left join pg_proc p on p.oid = c.castfunc
where c.oid >= ${FIRST_OID}
  and (s.typnamespace in ${SPACES} or t.typnamespace in ${SPACES} or p.pronamespace in ${SPACES})
  -- 'i': from a range to its multirange, made along with the type.
  and not exists (
    select
    from pg_depend d
    where d.classid = 'pg_cast'::regclass and d.objid = c.oid and d.deptype in ('e', 'i'))`;

export const selectDictionaries = `
select 'pg_ts_dict' as class, 'text search dictionary' as kind, d.oid, d.dictnamespace as space, d.dictname as name,
  quote_ident(d.dictname) as quoted, '' as suffix,
  format('CREATE TEXT SEARCH DICTIONARY %s (template = %I.%I%s)',
    case when pg_ts_dict_is_visible(d.oid) then '' else quote_ident(n.nspname) || '.' end || quote_ident(d.dictname),
    s.nspname, t.tmplname, ', ' || d.dictinitoption) as definition
from pg_ts_dict d
join pg_namespace n on n.oid = d.dictnamespace
join pg_ts_template t on t.oid = d.dicttemplate
join pg_namespace s on s.oid = t.tmplnamespace
where d.oid >= ${FIRST_OID} and d.dictnamespace in ${SPACES}
  and d.oid not in ${membersOf("pg_ts_dict")}`;

/** The mappings are statements of their own. */
export const selectConfigurations = `
select 'pg_ts_config' as class, 'text search configuration' as kind, c.oid, c.cfgnamespace as space, c.cfgname as name,
  quote_ident(c.cfgname) as quoted, '' as suffix,
  format('CREATE TEXT SEARCH CONFIGURATION %s (parser = %I.%I)', i.path, s.nspname, p.prsname) || coalesce((
    select string_agg(
      format(E';\\nALTER TEXT SEARCH CONFIGURATION %s ADD MAPPING FOR %s WITH %s', i.path, g.tokens, g.dictionaries),
      '' order by g.tokens)
    from (
      select string_agg(k.alias, ', ' order by k.alias) as tokens, k.dictionaries
      from (
        select t.alias, string_agg(m.mapdict::regdictionary::text, ', ' order by m.mapseqno) as dictionaries
        from pg_ts_config_map m
        join ts_token_type(c.cfgparser) t on t.tokid = m.maptokentype
        where m.mapcfg = c.oid
        group by t.alias
      ) k
      group by k.dictionaries
    ) g), '') as definition
from pg_ts_config c
join pg_namespace n on n.oid = c.cfgnamespace
join pg_ts_parser p on p.oid = c.cfgparser
join pg_namespace s on s.oid = p.prsnamespace
cross join lateral (
  select case when pg_ts_config_is_visible(c.oid) then '' else quote_ident(n.nspname) || '.' end || quote_ident(c.cfgname)
) i (path)
where c.oid >= ${FIRST_OID} and c.cfgnamespace in ${SPACES}
  and c.oid not in ${membersOf("pg_ts_config")}`;
