/** What is read of a server's roles and rights. */

/** `$1` of the queries about roles: their names as a JSON list. */
const ROLE_NAMES = "(select pg_catalog.json_array_elements_text($1::json))";

/** Rights as JSON; objects that nobody touched have the ones PostgreSQL gives at first. */
function rights(acl: string, type: string, owner: string): string {
  return `(select coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
      'grantee', case a.grantee when 0 then '' else pg_catalog.pg_get_userbyid(a.grantee) end,
      'grantor', pg_catalog.pg_get_userbyid(a.grantor),
      'privilege', lower(a.privilege_type), 'isGrantable', a.is_grantable)), '[]')
    from pg_catalog.aclexplode(coalesce(${acl}, pg_catalog.acldefault('${type}', ${owner}))) a)`;
}

/** Objects of an extension come and go with it. */
function isFree(catalog: string, oid: string): string {
  return `not exists (select from pg_catalog.pg_depend d
    where d.classid = 'pg_catalog.${catalog}'::regclass and d.objid = ${oid} and d.deptype = 'e')`;
}

const isOurs = (owner: string): string => `pg_catalog.pg_has_role(current_user, ${owner}, 'USAGE')`;

/** PostgreSQL's own roles that one of ours is a member of. */
export const PREDEFINED = ["pg_read_all_data", "pg_monitor"] as const;

/** `$1` is the owner role. */
export const selectSelf = `select pg_catalog.current_setting('server_version_num'), pg_catalog.current_database(),
  r.rolname, session_user, r.rolsuper, r.rolcreaterole, r.rolbypassrls,
  pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'),
  coalesce((select pg_catalog.pg_has_role(r.oid, o.oid, 'USAGE') and pg_catalog.pg_has_role(r.oid, o.oid,
      case when pg_catalog.current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end)
    from pg_catalog.pg_roles o where o.rolname = $1), false),
  (select coalesce(pg_catalog.json_agg(p.rolname), '[]') from pg_catalog.pg_roles p
    where p.rolname in (${PREDEFINED.map((name) => `'${name}'`).join(", ")})
      and (r.rolsuper or pg_catalog.pg_has_role(r.oid, p.oid, 'USAGE WITH ADMIN OPTION')
        or (r.rolcreaterole and pg_catalog.current_setting('server_version_num')::int < 160000)))
from pg_catalog.pg_roles r
where r.rolname = current_user`;

export const selectRoles = `select rolname, oid = 10, rolsuper, rolcanlogin, rolinherit, rolcreaterole, rolcreatedb,
  rolreplication, rolbypassrls
from pg_catalog.pg_roles
where rolname in ${ROLE_NAMES}
order by rolname`;

/** `to_jsonb`, because inherit and set came with PostgreSQL 16. */
export const selectMemberships = `select g.rolname, m.rolname, pg_catalog.pg_get_userbyid(a.grantor), a.admin_option,
  coalesce(to_jsonb(a) ->> 'inherit_option', 'true')::boolean,
  coalesce(to_jsonb(a) ->> 'set_option', 'true')::boolean
from pg_catalog.pg_auth_members a
join pg_catalog.pg_roles g on g.oid = a.roleid
join pg_catalog.pg_roles m on m.oid = a.member
where (g.rolname in ${ROLE_NAMES} or m.rolname in ${ROLE_NAMES})
order by 1, 2, 3`;

export const selectSettings = `select r.rolname, s.setdatabase <> 0, split_part(c.setting, '=', 1),
  substr(c.setting, strpos(c.setting, '=') + 1)
from pg_catalog.pg_db_role_setting s
join pg_catalog.pg_roles r on r.oid = s.setrole
cross join pg_catalog.unnest(s.setconfig) as c (setting)
where r.rolname in ${ROLE_NAMES}
  and s.setdatabase in (0, (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()))
order by 1, 2, 3`;

export const selectDatabase = `select pg_catalog.pg_get_userbyid(d.datdba), ${isOurs("d.datdba")}, ${rights("d.datacl", "d", "d.datdba")}
from pg_catalog.pg_database d
where d.datname = pg_catalog.current_database()`;

/** What keeps a history from everybody but its trigger, and so tells one. */
const GUARD = `select from pg_catalog.pg_trigger t join pg_catalog.pg_proc g on g.oid = t.tgfoid
    where t.tgrelid = c.oid and g.pronamespace = c.relnamespace and g.proname like '%\\_guard\\_history'`;

/** The application's schema, `$1` as in all that follow, and `public`. */
export const selectSchemas = `select n.nspname, pg_catalog.pg_get_userbyid(n.nspowner), ${isOurs("n.nspowner")},
  ${rights("n.nspacl", "n", "n.nspowner")}
from pg_catalog.pg_namespace n
where n.nspname in ($1, 'public')`;

/**
 * Tables, views and sequences. What a view reads is followed through other views; a materialized view is followed
 * too, because it is a copy that nobody's policy is asked for.
 */
export const selectRelations = `with recursive reads (view, relation) as (
  select r.ev_class, d.refobjid
  from pg_catalog.pg_rewrite r
  join pg_catalog.pg_class v on v.oid = r.ev_class and v.relkind in ('v', 'm')
  join pg_catalog.pg_namespace n on n.oid = v.relnamespace and n.nspname = $1
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid
    and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid <> r.ev_class
  union
  select reads.view, d.refobjid
  from reads
  join pg_catalog.pg_rewrite r on r.ev_class = reads.relation
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid
    and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid <> r.ev_class
)
select c.relname, pg_catalog.format('%I.%I', n.nspname, c.relname), c.relkind, pg_catalog.pg_get_userbyid(c.relowner),
  ${isOurs("c.relowner")},
  case when c.relkind = 'S' then ${rights("c.relacl", "s", "c.relowner")} else ${rights("c.relacl", "r", "c.relowner")} end,
  c.relispartition or (not c.relrowsecurity and (exists (
      select from pg_catalog.pg_inherits i join pg_catalog.pg_class p on p.oid = i.inhparent
      where i.inhrelid = c.oid and p.relrowsecurity)
    or (exists (${GUARD}) and exists (
      select from pg_catalog.pg_class p
      where p.relnamespace = c.relnamespace and p.relrowsecurity
        and p.relname = regexp_replace(c.relname, '_history$', ''))))),
  c.relrowsecurity, c.relforcerowsecurity,
  exists (select from pg_catalog.unnest(c.reloptions) as o (option)
    where o.option in ('security_invoker=true', 'security_invoker=on', 'security_invoker=1', 'security_invoker=yes')),
  exists (${GUARD}),
  (select coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
      'table', pg_catalog.format('%I.%I', sn.nspname, s.relname), 'isForced', s.relforcerowsecurity)
      order by sn.nspname, s.relname), '[]')
    from (select distinct reads.relation from reads where reads.view = c.oid) as seen
    join pg_catalog.pg_class s on s.oid = seen.relation and s.relrowsecurity
    join pg_catalog.pg_namespace sn on sn.oid = s.relnamespace),
  exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid
    and c.relkind = 'S' and d.deptype in ('a', 'i') and d.refclassid = 'pg_catalog.pg_class'::regclass),
  (select coalesce(pg_catalog.json_agg(pg_catalog.json_build_object('name', a.attname, 'rights',
      ${rights("a.attacl", "c", "c.relowner")}) order by a.attnum), '[]')
    from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attacl is not null and not a.attisdropped)
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1 and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and ${isFree("pg_class", "c.oid")}
order by c.relname`;

export const selectRoutines = `select p.proname,
  pg_catalog.format('%I.%I(%s)', n.nspname, p.proname, (
    select pg_catalog.string_agg(pg_catalog.format_type(t.type, null), ', ' order by t.position)
    from pg_catalog.unnest(p.proargtypes::oid[]) with ordinality as t (type, position))),
  pg_catalog.pg_get_userbyid(p.proowner), ${isOurs("p.proowner")}, ${rights("p.proacl", "f", "p.proowner")},
  p.prosecdef,
  exists (select from pg_catalog.unnest(p.proconfig) as c (setting) where c.setting like 'search\\_path=%'),
  p.prorettype in ('pg_catalog.trigger'::regtype, 'pg_catalog.event_trigger'::regtype)
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where n.nspname = $1 and ${isFree("pg_proc", "p.oid")}
order by 2`;

function other(catalog: string, space: string, owner: string, condition = "true"): string {
  return `select '${catalog}'::regclass as class, o.oid, o.${owner} as owner
  from ${catalog} o where o.${space} = (select oid from pg_catalog.pg_namespace where nspname = $1)
    and ${condition} and ${isFree(catalog.replace("pg_catalog.", ""), "o.oid")}`;
}

/** What else has an owner. A table's row type and what makes an array come with the table, or the type. */
export const selectOthers = `select i.type, i.identity, pg_catalog.pg_get_userbyid(x.owner), ${isOurs("x.owner")}
from (
  ${[
    other(
      "pg_catalog.pg_type",
      "typnamespace",
      "typowner",
      `o.typtype in ('c', 'd', 'e', 'r', 'b') and o.typelem = 0
    and not exists (select from pg_catalog.pg_class c where c.oid = o.typrelid and c.relkind <> 'c')`,
    ),
    other("pg_catalog.pg_collation", "collnamespace", "collowner"),
    other("pg_catalog.pg_conversion", "connamespace", "conowner"),
    other("pg_catalog.pg_operator", "oprnamespace", "oprowner"),
    other("pg_catalog.pg_opclass", "opcnamespace", "opcowner"),
    other("pg_catalog.pg_opfamily", "opfnamespace", "opfowner"),
    other("pg_catalog.pg_ts_dict", "dictnamespace", "dictowner"),
    other("pg_catalog.pg_ts_config", "cfgnamespace", "cfgowner"),
    other("pg_catalog.pg_statistic_ext", "stxnamespace", "stxowner"),
  ].join("\n  union all\n  ")}
) x
cross join pg_catalog.pg_identify_object(x.class, x.oid, 0) i
order by 1, 2`;

/** Default rights of all who make something in the schema, or anywhere. */
export const selectDefaults = `select pg_catalog.pg_get_userbyid(d.defaclrole), d.defaclnamespace <> 0, d.defaclobjtype,
  ${isOurs("d.defaclrole")}, ${rights("d.defaclacl", "r", "d.defaclrole")}
from pg_catalog.pg_default_acl d
where d.defaclobjtype in ('r', 'S', 'f')
  and d.defaclnamespace in (0, (select oid from pg_catalog.pg_namespace where nspname = $1))
order by 1, 2, 3`;

/** Only a superuser may look. Null: none is set. */
export const selectPasswords = `select rolname, rolpassword
from pg_catalog.pg_authid
where rolname in (select pg_catalog.json_array_elements_text($1::json))`;

/** One sync of a database at a time; freed with the transaction. "plin" as a number, and a 3. */
export const lockSync = "select pg_catalog.pg_advisory_xact_lock(1886153070, 3)";
