import { membersOf, SPACES } from "./queries.ts";

/** Enums, domains and ranges; composite types are relations. */
export const selectTypes = `
select t.oid, t.typnamespace as space, t.typname as name, quote_ident(t.typname) as quoted, t.typtype as kind,
  t.typacl is null as has_usual_rights,
  case when t.typtype = 'd' then format_type(t.typbasetype, t.typtypmod) end as base,
  case when t.typtype = 'd' and t.typcollation <> b.typcollation then t.typcollation::regcollation::text end as collation,
  coalesce(pg_get_expr(t.typdefaultbin, 0), t.typdefault) as default, t.typnotnull as not_null,
  case when t.typtype = 'e' then (
    select json_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid) end as labels
from pg_type t
left join pg_type b on b.oid = t.typbasetype
where t.typnamespace in ${SPACES}
  and t.typtype in ('e', 'd', 'r')
  and t.oid not in ${membersOf("pg_type")}`;

export const selectRanges = `
select r.rngtypid as oid, format_type(r.rngsubtype, null) as subtype,
  case when not o.opcdefault then
    case when pg_opclass_is_visible(o.oid) then '' else quote_ident(n.nspname) || '.' end || quote_ident(o.opcname)
  end as operator_class,
  case when r.rngcollation <> s.typcollation then r.rngcollation::regcollation::text end as collation,
  nullif(r.rngcanonical::oid, 0)::regproc::text as canonical, nullif(r.rngsubdiff::oid, 0)::regproc::text as difference,
  quote_ident(m.typname) as multirange_name
from pg_range r
join pg_type t on t.oid = r.rngtypid
join pg_type s on s.oid = r.rngsubtype
join pg_type m on m.oid = r.rngmultitypid
join pg_opclass o on o.oid = r.rngsubopc
join pg_namespace n on n.oid = o.opcnamespace
where t.typnamespace in ${SPACES}`;

/** `head` is how the definition names the routine: always with its schema, whatever `search_path` is. */
export const selectRoutines = `
select p.oid, p.pronamespace as space, p.proname as name, quote_ident(p.proname) as quoted, p.prokind as kind,
  oidvectortypes(p.proargtypes) as signature, pg_get_function_result(p.oid) as returns,
  pg_get_function_arguments(p.oid) as arguments, p.proacl is null as has_usual_rights,
  quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '(' as head,
  case when p.prokind <> 'a' then pg_get_functiondef(p.oid) end as definition
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
where p.pronamespace in ${SPACES}
  -- 'i': what makes values of a range comes with its type.
  and not exists (
    select
    from pg_depend d
    where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype in ('e', 'i'))`;

/** What follows an aggregate's name and arguments, option by option as `create aggregate` takes them. */
export const selectAggregates = `
select a.aggfnoid::oid as oid,
  concat_ws(', ',
    'sfunc = ' || a.aggtransfn,
    'stype = ' || format_type(a.aggtranstype, null),
    'sspace = ' || nullif(a.aggtransspace, 0),
    'finalfunc = ' || nullif(a.aggfinalfn::oid, 0)::regproc,
    case when a.aggfinalextra then 'finalfunc_extra' end,
    case when a.aggfinalfn <> 0 and a.aggfinalmodify <> case when a.aggkind = 'n' then 'r' else 'w' end::"char" then
      'finalfunc_modify = ' || case a.aggfinalmodify when 'r' then 'read_only' when 's' then 'shareable' else 'read_write' end
    end,
    'combinefunc = ' || nullif(a.aggcombinefn::oid, 0)::regproc,
    'serialfunc = ' || nullif(a.aggserialfn::oid, 0)::regproc,
    'deserialfunc = ' || nullif(a.aggdeserialfn::oid, 0)::regproc,
    'initcond = ' || quote_literal(a.agginitval),
    'msfunc = ' || nullif(a.aggmtransfn::oid, 0)::regproc,
    'minvfunc = ' || nullif(a.aggminvtransfn::oid, 0)::regproc,
    'mstype = ' || format_type(nullif(a.aggmtranstype, 0), null),
    'msspace = ' || nullif(a.aggmtransspace, 0),
    'mfinalfunc = ' || nullif(a.aggmfinalfn::oid, 0)::regproc,
    case when a.aggmfinalextra then 'mfinalfunc_extra' end,
    case when a.aggmfinalfn <> 0 and a.aggmfinalmodify <> case when a.aggkind = 'n' then 'r' else 'w' end::"char" then
      'mfinalfunc_modify = ' || case a.aggmfinalmodify when 'r' then 'read_only' when 's' then 'shareable' else 'read_write' end
    end,
    'minitcond = ' || quote_literal(a.aggminitval),
    'sortop = ' || (
      select case when pg_operator_is_visible(o.oid) then o.oprname else format('operator(%I.%s)', n.nspname, o.oprname) end
      from pg_operator o
      join pg_namespace n on n.oid = o.oprnamespace
      where o.oid = a.aggsortop),
    'parallel = ' || case p.proparallel when 's' then 'safe' when 'r' then 'restricted' end,
    case when a.aggkind = 'h' then 'hypothetical' end) as options
from pg_aggregate a
join pg_proc p on p.oid = a.aggfnoid
where p.pronamespace in ${SPACES}`;
