/** Roles that own something in the schemas of a JSON list: a right granted to an owner says nothing. */
export const selectOwners = `with spaces as (
  select n.oid, n.nspowner
  from pg_catalog.pg_namespace n
  where n.nspname in (select json_array_elements_text($1::json))
)
select pg_get_userbyid(c.relowner)
from spaces
join pg_catalog.pg_class c on c.relnamespace = spaces.oid
union
select pg_get_userbyid(p.proowner)
from spaces
join pg_catalog.pg_proc p on p.pronamespace = spaces.oid
union
select pg_get_userbyid(t.typowner)
from spaces
join pg_catalog.pg_type t on t.typnamespace = spaces.oid
union
select pg_get_userbyid(nspowner)
from spaces`;
