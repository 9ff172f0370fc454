import { FIRST_OID, SPACES } from "./queries.ts";

/** `plpgsql` is in every database. */
export const selectExtensions = `
select e.oid, e.extname as name, quote_ident(e.extname) as quoted, n.nspname as home, e.extversion as version
from pg_extension e
join pg_namespace n on n.oid = e.extnamespace
where e.extname <> 'plpgsql'`;

/**
 * Who needs whom, a line each: class, oid and column of either side, and the tie between them. One cell instead of
 * thousands of rows, and oids instead of names: this is most of what there is to read.
 */
export const selectDependencies = `
select string_agg(
  concat_ws(' ', d.classid, d.objid, d.objsubid, d.refclassid, d.refobjid, d.refobjsubid, d.deptype), E'\\n') as lines
from pg_depend d
where d.objid >= ${FIRST_OID}
  and (d.refobjid >= ${FIRST_OID} or d.deptype = 'e')`;

/** An extension brings a comment of its own, which nobody declared. */
export const selectComments = `
select d.classoid::regclass as class, d.objoid as oid, d.objsubid as part, d.description
from pg_description d
where d.objoid >= ${FIRST_OID}
  and not exists (
    select from pg_extension e
    join pg_available_extensions a on a.name = e.extname
    where d.classoid = 'pg_extension'::regclass and e.oid = d.objoid and a.comment = d.description)
  or d.classoid = 'pg_namespace'::regclass and d.objoid in ${SPACES}`;

/** Rights that were ever granted or revoked; objects nobody touched have none recorded. */
export const selectGrants = `
select s.class, s.oid, s.part, case g.grantee when 0 then 'public' else pg_get_userbyid(g.grantee) end as grantee,
  lower(g.privilege_type) as privilege, g.is_grantable
from (
  select 'pg_class' as class, c.oid, 0 as part, c.relowner as owner, c.relacl as rights
  from pg_class c
  where c.relacl is not null and c.oid >= ${FIRST_OID}
  union all
  select 'pg_class', c.oid, a.attnum, c.relowner, a.attacl
  from pg_attribute a
  join pg_class c on c.oid = a.attrelid
  where a.attacl is not null and a.attrelid >= ${FIRST_OID}
  union all
  select 'pg_proc', p.oid, 0, p.proowner, p.proacl
  from pg_proc p
  where p.proacl is not null and p.oid >= ${FIRST_OID}
  union all
  select 'pg_type', t.oid, 0, t.typowner, t.typacl
  from pg_type t
  where t.typacl is not null and t.oid >= ${FIRST_OID}
  union all
  select 'pg_namespace', n.oid, 0, n.nspowner, n.nspacl
  from pg_namespace n
  where n.nspacl is not null and n.oid in ${SPACES}
  union all
  select 'pg_foreign_server', f.oid, 0, f.srvowner, f.srvacl
  from pg_foreign_server f
  where f.srvacl is not null
) s
cross join lateral aclexplode(s.rights) g
where g.grantee <> s.owner`;
