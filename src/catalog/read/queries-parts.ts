import { OWN_RELATIONS, SPACES } from "./queries.ts";

/**
 * Constraints of tables and domains. PostgreSQL 18 records NOT NULL as one too (`n`), which the column says as well
 * unless it does not hold for every row yet. A foreign key to a partitioned
 * table has a copy for each partition on the same table, which is the server's own affair.
 */
export const selectConstraints = `
select k.oid, k.conname as name, quote_ident(k.conname) as quoted, k.contype as type, k.conrelid as relation,
  k.contypid as domain, pg_get_constraintdef(k.oid) as definition, k.convalidated as is_valid,
  array_to_json(k.conkey) as columns, k.confrelid as referenced, nullif(k.confrelid, 0)::regclass as referenced_name,
  nullif(k.conindid, 0) as index,
  exists (select from pg_trigger t where t.tgconstraint = k.oid and t.tgenabled = 'D') as is_suspended,
  k.conparentid <> 0 or (k.coninhcount > 0 and not k.conislocal) as is_inherited
from pg_constraint k
left join pg_class c on c.oid = k.conrelid
left join pg_constraint p on p.oid = k.conparentid
where k.connamespace in ${SPACES}
  and k.contype <> 't' and (k.contype <> 'n' or not k.convalidated)
  and (c.oid is null or c.relname not ${OWN_RELATIONS})
  and p.conrelid is distinct from k.conrelid`;

/** Of tables and materialized views. A constraint's own index is written nowhere: it follows from the constraint. */
export const selectIndexes = `
select x.indexrelid as oid, x.indrelid as relation, i.relname as name, quote_ident(i.relname) as quoted,
  x.indisunique as is_unique, x.indisvalid as is_valid, m.amname as method,
  case when k.oid is null then pg_get_indexdef(x.indexrelid, 0, true) end as definition,
  array_to_json(string_to_array(x.indkey::text, ' ')) as columns, x.indnkeyatts as key_columns, k.oid as owner
from pg_class c
join pg_index x on x.indrelid = c.oid
join pg_class i on i.oid = x.indexrelid
join pg_am m on m.oid = i.relam
left join pg_constraint k on k.conindid = x.indexrelid and k.contype in ('p', 'u', 'x')
where c.relnamespace in ${SPACES}
  and c.relkind in ('r', 'p', 'm')
  and c.relname not ${OWN_RELATIONS}`;

export const selectTriggers = `
select t.oid, t.tgrelid as relation, t.tgname as name, quote_ident(t.tgname) as quoted,
  pg_get_triggerdef(t.oid, true) as definition, t.tgenabled as enabled, t.tgparentid <> 0 as is_inherited
from pg_class c
join pg_trigger t on t.tgrelid = c.oid and not t.tgisinternal
where c.relnamespace in ${SPACES}
  and c.relname not ${OWN_RELATIONS}`;

export const selectPolicies = `
select p.oid, p.polrelid as relation, p.polname as name, quote_ident(p.polname) as quoted, p.polcmd as command,
  p.polpermissive as is_permissive,
  (select json_agg(case r.role when 0 then 'public' else pg_get_userbyid(r.role) end)
    from unnest(p.polroles) r (role)) as roles,
  pg_get_expr(p.polqual, p.polrelid) as using, pg_get_expr(p.polwithcheck, p.polrelid) as check
from pg_class c
join pg_policy p on p.polrelid = c.oid
where c.relnamespace in ${SPACES}
  and c.relname not ${OWN_RELATIONS}`;

/** But a view's own, which is its query. */
export const selectRules = `
select r.oid, r.ev_class as relation, r.rulename as name, quote_ident(r.rulename) as quoted,
  pg_get_ruledef(r.oid, true) as definition
from pg_class c
join pg_rewrite r on r.ev_class = c.oid and not (r.ev_type = '1' and r.rulename = '_RETURN')
where c.relnamespace in ${SPACES}
  and c.relname not ${OWN_RELATIONS}`;

export const selectStatistics = `
select s.oid, s.stxrelid as relation, s.stxnamespace as space, s.stxname as name, quote_ident(s.stxname) as quoted,
  'CREATE STATISTICS ' || s.stxnamespace::regnamespace || '.' || quote_ident(s.stxname) as head,
  pg_get_statisticsobjdef(s.oid) as definition
from pg_statistic_ext s
join pg_class c on c.oid = s.stxrelid
where s.stxnamespace in ${SPACES}
  and c.relname not ${OWN_RELATIONS}`;
