import type { Connection } from "../../../driver/index.ts";
import type { DropSeed } from "../catalog-view.ts";
import type { Rows } from "./queries.ts";

/**
 * Relations that a drop locks, with the mode: everything that depends on the seeds, as `findDependentObjects` walks
 * `pg_depend`, and the tables that what is dropped with them belongs to.
 *
 * @see https://github.com/postgres/postgres/blob/REL_18_STABLE/src/backend/catalog/dependency.c
 */
export async function readDropLocks(connection: Connection, seeds: readonly DropSeed[]): Promise<Rows> {
  const addresses = seeds.map((seed) => `(${addressOf(seed)})`);
  const { rows } = await connection.query({
    text: `with recursive seed (classid, objid, objsubid) as (
  ${addresses.join("\n  union all\n  ")}
),
gone as (
  select classid, objid, objsubid from seed where objid is not null
  union
  select n.classid, n.objid, n.objsubid
  from gone g
  cross join lateral (
    select d.classid, d.objid, d.objsubid
    from pg_depend d
    where d.refclassid = g.classid and d.refobjid = g.objid and (g.objsubid = 0 or d.refobjsubid = g.objsubid)
      and d.deptype in ('n', 'a', 'i', 'P', 'S', 'e')
    union all
    -- What is a part of another object takes that one along.
    select d.refclassid, d.refobjid, d.refobjsubid
    from pg_depend d
    where d.classid = g.classid and d.objid = g.objid and (g.objsubid = 0 or d.objsubid = g.objsubid)
      and d.deptype = 'i' and d.refclassid <> 'pg_extension'::regclass
      and not exists (select from pg_class s where s.oid = g.objid and g.classid = 'pg_class'::regclass and s.relkind = 'S')
  ) n
),
locked (oid, mode, is_gone) as (
  select g.objid, 'AccessExclusiveLock', g.objsubid = 0 from gone g where g.classid = 'pg_class'::regclass
  union all
  select i.indrelid, 'AccessExclusiveLock', false
  from gone g join pg_index i on i.indexrelid = g.objid
  where g.classid = 'pg_class'::regclass and g.objsubid = 0
  union all
  -- Dropping a partition changes its parent, and the default partition's constraint.
  select unnest(array[h.inhparent, p.partdefid]), 'AccessExclusiveLock', false
  from gone g
  join pg_class c on c.oid = g.objid and c.relispartition and c.relkind in ('r', 'p')
  join pg_inherits h on h.inhrelid = c.oid
  join pg_partitioned_table p on p.partrelid = h.inhparent
  where g.classid = 'pg_class'::regclass and g.objsubid = 0
  union all
  select k.conrelid, 'AccessExclusiveLock', false
  from gone g join pg_constraint k on k.oid = g.objid
  where g.classid = 'pg_constraint'::regclass
  union all
  select t.tgrelid, 'AccessExclusiveLock', false
  from gone g join pg_trigger t on t.oid = g.objid
  where g.classid = 'pg_trigger'::regclass
  union all
  select a.adrelid, 'AccessExclusiveLock', false
  from gone g join pg_attrdef a on a.oid = g.objid
  where g.classid = 'pg_attrdef'::regclass
  union all
  select r.ev_class, 'AccessExclusiveLock', false
  from gone g join pg_rewrite r on r.oid = g.objid
  where g.classid = 'pg_rewrite'::regclass
  union all
  select p.polrelid, 'AccessExclusiveLock', false
  from gone g join pg_policy p on p.oid = g.objid
  where g.classid = 'pg_policy'::regclass
  union all
  select s.stxrelid, 'ShareUpdateExclusiveLock', false
  from gone g join pg_statistic_ext s on s.oid = g.objid
  where g.classid = 'pg_statistic_ext'::regclass
)
select l.oid, min(l.mode), bool_or(l.is_gone)
from locked l
join pg_class c on c.oid = l.oid
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'i', 'I', 'S') and n.nspname <> 'pg_toast'
group by l.oid`,
    values: seeds.flatMap((seed) => valuesOf(seed)),
    leavesNoTrace: true,
  });
  return rows;

  function addressOf(seed: DropSeed): string {
    const first = seeds.slice(0, seeds.indexOf(seed)).flatMap((one) => valuesOf(one)).length + 1;
    const [one, two, three] = [`$${first}`, `$${first + 1}`, `$${first + 2}`];
    switch (seed.kind) {
      case "relation":
        return `select 'pg_class'::regclass::oid, ${one}::oid, 0`;
      case "column":
        return `select 'pg_class'::regclass::oid, attrelid, attnum::integer from pg_attribute
   where attrelid = ${one}::oid and attname = ${two} and not attisdropped`;
      case "constraint":
        return `select 'pg_constraint'::regclass::oid, oid, 0 from pg_constraint
   where conrelid = ${one}::oid and conname = ${two}`;
      case "default":
        return `select 'pg_attrdef'::regclass::oid, d.oid, 0
   from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
   where d.adrelid = ${one}::oid and a.attname = ${two}`;
      case "type":
        return `select 'pg_type'::regclass::oid, to_regtype(${one})::oid, 0`;
      case "schema":
        return `select 'pg_namespace'::regclass::oid, to_regnamespace(${one})::oid, 0`;
      case "statistics":
        return `select 'pg_statistic_ext'::regclass::oid, s.oid, 0
   from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace
   where s.stxname = ${two} and case when ${one}::text is null then n.nspname = any (current_schemas(true)) else n.nspname = ${one} end`;
      case "function":
        return `select 'pg_proc'::regclass::oid, p.oid, 0
   from pg_proc p join pg_namespace n on n.oid = p.pronamespace
   where p.proname = ${two} and (${three}::integer is null or p.pronargs = ${three}::integer)
     and case when ${one}::text is null then n.nspname = any (current_schemas(true)) else n.nspname = ${one} end`;
      case "extension":
        return `select 'pg_extension'::regclass::oid, oid, 0 from pg_extension where extname = ${one}`;
      case "operator":
        return `select 'pg_operator'::regclass::oid, oid, 0 from pg_operator where oprname = ${one}`;
      case "owned":
        return `select 'pg_class'::regclass::oid, c.oid, 0 from pg_class c where pg_get_userbyid(c.relowner) = ${one}`;
    }
  }
}

function valuesOf(seed: DropSeed): readonly (string | null)[] {
  switch (seed.kind) {
    case "relation":
      return [seed.id];
    case "column":
    case "default":
      return [seed.id, seed.column];
    case "constraint":
      return [seed.id, seed.name];
    case "type":
    case "schema":
      return [nameAsSql(seed.name)];
    case "statistics":
      return [seed.name.schema ?? null, seed.name.name];
    case "function":
      return [seed.name.schema ?? null, seed.name.name, seed.arity === undefined ? null : String(seed.arity)];
    case "extension":
    case "operator":
    case "owned":
      return [seed.name];
  }
}

function nameAsSql({ schema, name }: { readonly schema: string | undefined; readonly name: string }): string {
  return [schema, name]
    .flatMap((part) => (part === undefined ? [] : [`"${part.replaceAll('"', '""')}"`]))
    .join(".");
}
