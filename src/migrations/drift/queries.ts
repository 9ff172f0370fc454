/** Roles that own something in the schemas of a JSON list: a right granted to an owner says nothing. */
export const selectOwners = `select pg_get_userbyid(c.relowner)
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname in (select json_array_elements_text($1::json))
union
select pg_get_userbyid(p.proowner)
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where n.nspname in (select json_array_elements_text($1::json))
union
select pg_get_userbyid(t.typowner)
from pg_catalog.pg_type t
join pg_catalog.pg_namespace n on n.oid = t.typnamespace
where n.nspname in (select json_array_elements_text($1::json))
union
select pg_get_userbyid(n.nspowner)
from pg_catalog.pg_namespace n
where n.nspname in (select json_array_elements_text($1::json))`;
