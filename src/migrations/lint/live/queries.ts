import type { Cell, Connection } from "../../../driver/index.ts";

/** Every relation made from now on has a greater one. */
export async function newestRelation(connection: Connection): Promise<bigint> {
  const { rows } = await connection.query({
    text: "select max(oid) from pg_class",
    values: [],
    name: "plinth_lint_newest",
    leavesNoTrace: true,
  });
  return BigInt(rows[0]?.[0] ?? 0);
}

/** What `readSnapshot` gives. */
export interface Snapshot {
  /** The names that were asked for, each with its OID or null. */
  readonly names: Rows;
  readonly relations: readonly RelationRows[];
  /** Types of columns that were not known yet, and what lies below them. */
  readonly types: Rows;
  /** Where names without a schema are looked for, in order. */
  readonly searchPath: readonly Cell[];
}

/** One relation with everything that belongs to it, catalog by catalog. */
export interface RelationRows {
  readonly relation: readonly Cell[];
  readonly columns: Rows;
  readonly indexes: Rows;
  /** Its own, and foreign keys of others that point to it. */
  readonly constraints: Rows;
  readonly triggers: Rows;
  readonly sequences: Rows;
}

export type Rows = readonly (readonly Cell[])[];

/** What a snapshot is asked for. */
export interface SnapshotRequest {
  /** As SQL writes them. */
  readonly names: readonly string[];
  /** The same, with the tables that foreign keys of these point to or come from. */
  readonly farNames: readonly string[];
  readonly ids: readonly string[];
  /** OIDs of relations that need not be told again. */
  readonly known: readonly string[];
  /** OIDs of types that need not be told again. */
  readonly knownTypes: readonly string[];
}

/**
 * Everything effects ask about relations and their families: the table of an index, what a table is a part of, what is a
 * part of it, and the default partitions that a change to a part locks. One statement, because a chain of migrations asks
 * it for nearly each of its own. What the client can put together (names of an index's columns, say) it does not ask.
 */
export async function readSnapshot(
  connection: Connection,
  serverVersion: number,
  asked: SnapshotRequest,
): Promise<Snapshot> {
  const { rows } = await connection.query({
    text: snapshotText(serverVersion),
    values: [
      JSON.stringify(asked.names),
      `{${asked.ids.join(",")}}`,
      JSON.stringify(asked.farNames),
      `{${asked.knownTypes.join(",")}}`,
      `{${asked.known.join(",")}}`,
    ],
    name: "plinth_lint_snapshot",
    leavesNoTrace: true,
  });
  const [names, relations, types, searchPath] = rows[0] ?? [];
  return {
    names: rowsIn(parsed(names)),
    relations: listIn(parsed(relations)).map((parts) => {
      const [relation, columns, indexes, constraints, triggers, sequences] = listIn(parts);
      return {
        relation: cellsIn(relation),
        columns: rowsIn(columns),
        indexes: rowsIn(indexes),
        constraints: rowsIn(constraints),
        triggers: rowsIn(triggers),
        sequences: rowsIn(sequences),
      };
    }),
    types: rowsIn(parsed(types)),
    searchPath: cellsIn(parsed(searchPath)),
  };
}

function parsed(cell: Cell | undefined): unknown {
  return cell == null ? [] : JSON.parse(cell);
}

function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function rowsIn(value: unknown): Rows {
  return listIn(value).map(cellsIn);
}

function cellsIn(value: unknown): readonly Cell[] {
  return listIn(value).map((item) => (typeof item === "string" ? item : null));
}

/*
 * The parts of a relation are subqueries of it, each of which goes by an index of its catalog: joined, the planner would
 * read whole catalogs, which grow with the schema. Each is left out where a flag of pg_class says that there is nothing.
 */

const RELATION = `array[c.oid::text, c.relnamespace::regnamespace::text, c.relname::text, quote_ident(c.relname),
    c.relkind::text, c.relpersistence::text, c.relowner::regrole::text,
    case when c.relkind in ('i', 'I') then (select indrelid::text from pg_index where indexrelid = c.oid) end,
    c.reltablespace::text, c.relrowsecurity::text,
    case when c.relkind = 'p' then pg_get_partkeydef(c.oid) end,
    case when c.relispartition then pg_get_expr(c.relpartbound, c.oid) end,
    case when c.relkind = 'p' then (select partdefid::text from pg_partitioned_table where partrelid = c.oid) end,
    case when c.relkind in ('r', 'p') then (
      select string_agg(inhparent::text, ',' order by inhseqno) from pg_inherits where inhrelid = c.oid) end,
    case when c.relhassubclass then (
      select string_agg(inhrelid::text, ',' order by inhrelid) from pg_inherits where inhparent = c.oid) end]`;

const COLUMNS = `select json_agg(array[a.attnum::text, a.attname::text, quote_ident(a.attname), a.atttypid::text,
      a.atttypmod::text, a.attnotnull::text,
      case when a.atthasdef then (
        select pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = a.attrelid and adnum = a.attnum) end,
      a.attgenerated::text, a.attidentity::text,
      case when a.attcollation <> 0 then a.attcollation::regcollation::text end]
      order by a.attnum)
    from pg_attribute a
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped`;

const INDEXES = `select json_agg(array[i.indexrelid::text, x.relname::text, x.relnamespace::regnamespace::text,
      quote_ident(x.relname), x.relam::text, i.indisunique::text, i.indisprimary::text, i.indisvalid::text,
      i.indnullsnotdistinct::text, i.indisexclusion::text, i.indisclustered::text, i.indisreplident::text,
      pg_get_expr(i.indpred, i.indrelid), x.reltablespace::text,
      case when x.relispartition then (select inhparent::text from pg_inherits where inhrelid = i.indexrelid) end,
      i.indnkeyatts::text, i.indkey::text, i.indclass::text, i.indoption::text,
      (select string_agg(collation_id::regcollation::text, ' ') from unnest(i.indcollation) collation_id),
      case when i.indexprs is not null then (
        select json_agg(pg_get_indexdef(i.indexrelid, at, false) order by at)::text
        from generate_series(1, i.indnkeyatts::integer) at) end,
      case when i.indexprs is not null or i.indpred is not null then (
        select json_agg(distinct refobjsubid::text)::text
        from pg_depend
        where classid = 'pg_class'::regclass and objid = i.indexrelid
          and refclassid = 'pg_class'::regclass and refobjid = i.indrelid and refobjsubid > 0) end]
      order by x.relname)
    from pg_index i
    cross join lateral (select * from pg_class where oid = i.indexrelid offset 0) x
    where i.indrelid = c.oid`;

/** Before 18 there is no index for what points to a table, but each foreign key has triggers there. */
function constraintsText(serverVersion: number): string {
  const isEnforced = serverVersion >= 18 ? "k.conenforced::text" : "'true'";
  return `select json_agg(array[k.oid::text, k.conname::text, k.contype::text, k.conrelid::text,
      k.confrelid::text, k.convalidated::text, ${isEnforced}, k.connoinherit::text,
      (k.coninhcount > 0)::text, pg_get_expr(k.conbin, k.conrelid), k.conindid::text, k.conparentid::text,
      k.condeferrable::text, k.confdeltype::text, k.confupdtype::text,
      case when k.conrelid = c.oid then array_to_json(k.conkey)::text else (
        select json_agg((select attname from pg_attribute where attrelid = k.conrelid and attnum = n.number) order by n.at)::text
        from unnest(k.conkey) with ordinality n(number, at)) end,
      case when k.contype = 'f' then (
        select json_agg((select attname from pg_attribute where attrelid = k.confrelid and attnum = n.number) order by n.at)::text
        from unnest(k.confkey) with ordinality n(number, at)) end] order by k.conname, k.oid)
    from (
      select * from pg_constraint where conrelid = c.oid
      union all
      -- There is no index on confrelid, but a foreign key depends on the columns it points to.
      select f.*
      from (
        select distinct on (objid) objid from pg_depend
        where refclassid = 'pg_class'::regclass and refobjid = c.oid and refobjsubid > 0
          and classid = 'pg_constraint'::regclass
        order by objid
      ) d
      cross join lateral (select * from pg_constraint where oid = d.objid offset 0) f
      where f.contype = 'f' and f.confrelid = c.oid and f.conrelid <> c.oid
    ) k`;
}

const TRIGGERS = `case when c.relhastriggers then (
    select json_agg(array[t.tgname::text,
      (select pronamespace::regnamespace::text from pg_proc where oid = t.tgfoid),
      (select proname::text from pg_proc where oid = t.tgfoid), t.tgtype::text, (t.tgenabled <> 'D')::text]
      order by t.tgname)
    from pg_trigger t
    where t.tgrelid = c.oid and not t.tgisinternal) end`;

const SEQUENCES = `case when c.relkind in ('r', 'p') then (
    select json_agg(array[d.objid::text, d.refobjsubid::text, (d.deptype = 'i')::text] order by d.objid)
    from pg_depend d
    where d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid and d.refobjsubid > 0 and d.deptype in ('a', 'i')
      and d.classid = 'pg_class'::regclass and (select relkind from pg_class where oid = d.objid) = 'S') end`;

const TYPE = `array[t.oid::text, t.typnamespace::regnamespace::text, t.typname::text, t.typtype::text,
    t.typbasetype::text, t.typtypmod::text, (case when t.typcategory = 'A' then t.typelem else 0 end)::text,
    (t.typnotnull or t.typtype = 'd' and exists (
      select from pg_constraint k where k.contypid = t.oid and k.contype = 'c'))::text, t.typdefault]`;

const texts = new Map<number, string>();

function snapshotText(serverVersion: number): string {
  const known = texts.get(serverVersion) ?? makeSnapshotText(serverVersion);
  texts.set(serverVersion, known);
  return known;
}

/*
 * Families are followed level by level, all of a level as one array. As rows of a `union`, which takes the double ones
 * out, they would cost more than everything else: PostgreSQL makes its hash tables as large as it believes the answer to
 * be, and it knows nothing about the few rows of a recursive query. The same goes for `distinct on` instead of `distinct`.
 */
function makeSnapshotText(serverVersion: number): string {
  return `with recursive
asked as (
  select name, to_regclass(name)::oid as oid, false as is_far from json_array_elements_text($1::json) names(name)
  union all
  select name, to_regclass(name)::oid, true from json_array_elements_text($3::json) names(name)
),
given as (
  select oid, is_far from asked where oid is not null
  union all
  select unnest($2::oid[]), false
),
seed as (
  select coalesce((select indrelid from pg_index where indexrelid = given.oid), given.oid) as oid, given.oid as own, is_far
  from given
),
down as (
  select array(
    select oid from seed
    union all
    select k.other
    from seed
    cross join lateral (
      select confrelid as other from pg_constraint where seed.is_far and conrelid = seed.oid and contype = 'f'
      union all
      select (select conrelid from pg_constraint where oid = d.objid and contype = 'f' and confrelid = seed.oid)
      from pg_depend d
      where seed.is_far and d.refclassid = 'pg_class'::regclass and d.refobjid = seed.oid and d.refobjsubid > 0
        and d.classid = 'pg_constraint'::regclass
    ) k
    where k.other is not null
  ) as level
  union all
  select below.level
  from down
  cross join lateral (
    select array_agg(distinct inhrelid) as level from pg_inherits where inhparent = any (down.level)
  ) below
  where below.level is not null
),
up as (
  select array(select unnest(level) from down) as level
  union all
  select above.level
  from up
  cross join lateral (
    select array_agg(distinct inhparent) as level from pg_inherits where inhrelid = any (up.level)
  ) above
  where above.level is not null
),
family as (
  select distinct on (oid) oid
  from (
    select unnest(level) as oid from up
    union all
    select own from seed
    union all
    select partdefid from pg_partitioned_table
    where partrelid = any (array(select unnest(level) from up)) and partdefid <> 0
  ) several
  where oid <> all ($5::oid[])
  order by oid
),
needed as (
  select array_agg(distinct a.atttypid) as level
  from family
  cross join lateral (
    select atttypid from pg_attribute
    where attrelid = family.oid and attnum > 0 and atttypid <> all ($4::oid[])
    offset 0
  ) a
  union all
  select below.level
  from needed
  cross join lateral (
    select array_agg(distinct part.oid) as level
    from pg_type t
    cross join lateral unnest(array[t.typbasetype, case when t.typcategory = 'A' then t.typelem end]) part(oid)
    where t.oid = any (needed.level) and part.oid <> 0
  ) below
  where below.level is not null
)
select (select json_agg(array[name, oid::text]) from asked),
  (select json_agg(json_build_array(
    ${RELATION},
    (${COLUMNS}), (${INDEXES}), (${constraintsText(serverVersion)}), ${TRIGGERS}, ${SEQUENCES}))
   from family
   cross join lateral (select * from pg_class where oid = family.oid offset 0) c),
  (select json_agg(${TYPE})
   from pg_type t
   where t.oid = any (array(select unnest(level) from needed))),
  to_json(current_schemas(true))`;
}

/** Names of what index rows give by OID: access methods and operator classes. */
export async function readIndexKinds(
  connection: Connection,
): Promise<{ readonly methods: Rows; readonly operatorClasses: Rows }> {
  const [methods, operatorClasses] = await connection.batch([
    { text: "select oid, amname from pg_am", values: [], leavesNoTrace: true },
    { text: "select oid, opcname from pg_opclass", values: [], leavesNoTrace: true },
  ]);
  return { methods: methods?.rows ?? [], operatorClasses: operatorClasses?.rows ?? [] };
}

/** A type by its name as SQL writes it, with the types below it. */
export async function readType(connection: Connection, name: string): Promise<Rows> {
  const { rows } = await connection.query({
    text: `with recursive needed as (
  select to_regtype($1)::oid as oid
  union
  select unnest(array[t.typbasetype, case when t.typcategory = 'A' then t.typelem else 0 end])
  from needed
  join pg_type t on t.oid = needed.oid
)
select t.oid, n.nspname, t.typname, t.typtype, t.typbasetype, t.typtypmod,
  case when t.typcategory = 'A' then t.typelem else 0 end,
  t.typnotnull or exists (select from pg_constraint k where k.contypid = t.oid and k.contype = 'c'), t.typdefault,
  t.oid = to_regtype($1)
from needed
join pg_type t on t.oid = needed.oid
join pg_namespace n on n.oid = t.typnamespace`,
    values: [name],
    name: "plinth_lint_type",
    leavesNoTrace: true,
  });
  return rows;
}

/** `pg_cast.castmethod` from one type to another: `b` when nothing has to be done. */
export async function readCastMethod(
  connection: Connection,
  from: string,
  to: string,
): Promise<string | undefined> {
  const { rows } = await connection.query({
    text: "select castmethod from pg_cast where castsource = to_regtype($1) and casttarget = to_regtype($2)",
    values: [from, to],
    name: "plinth_lint_cast",
    leavesNoTrace: true,
  });
  return rows[0]?.[0] ?? undefined;
}

/**
 * The default operator class of a type: its own, or that of a type it is the same as without a conversion, or of its kind.
 *
 * @see https://github.com/postgres/postgres/blob/REL_18_STABLE/src/backend/commands/indexcmds.c GetDefaultOpClass
 */
export async function readOperatorClass(
  connection: Connection,
  method: string,
  type: string,
): Promise<string | undefined> {
  const { rows } = await connection.query({
    text: `select o.opcname
from pg_opclass o
join pg_am m on m.oid = o.opcmethod
join pg_type t on t.oid = to_regtype($2)
join pg_type i on i.oid = o.opcintype
left join pg_cast c on c.castsource = t.oid and c.casttarget = o.opcintype and c.castmethod = 'b' and c.castcontext = 'i'
where m.amname = $1 and o.opcdefault
  and (i.oid = t.oid or c.oid is not null
    or i.typname = 'anyarray' and t.typcategory = 'A'
    or i.typname = 'anyenum' and t.typtype = 'e'
    or i.typname = 'anyrange' and t.typtype = 'r'
    or i.typname = 'anymultirange' and t.typtype = 'm'
    or i.typname = 'record' and t.typtype = 'c')
order by i.oid = t.oid desc, i.typispreferred desc
limit 1`,
    values: [method, type],
    name: "plinth_lint_opclass",
    leavesNoTrace: true,
  });
  return rows[0]?.[0] ?? undefined;
}

/** Overloads of a name that take so many arguments; any number with null. */
export async function readFunctions(
  connection: Connection,
  schema: string | undefined,
  name: string,
  arity: number | undefined,
): Promise<Rows> {
  const { rows } = await connection.query({
    text: `select p.provolatile, n.nspname = 'pg_catalog', l.lanname,
  case when n.nspname <> 'pg_catalog' and p.prokind in ('f', 'p') then pg_get_functiondef(p.oid) end
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
join pg_language l on l.oid = p.prolang
where p.proname = $2
  and case when $1::text is null then n.nspname = any (current_schemas(true)) else n.nspname = $1 end
  and ($3::integer is null or $3::integer between p.pronargs - p.pronargdefaults and p.pronargs
    or p.provariadic <> 0 and $3::integer >= p.pronargs - 1)`,
    values: [schema ?? null, name, arity === undefined ? null : String(arity)],
    name: "plinth_lint_functions",
    leavesNoTrace: true,
  });
  return rows;
}

/** Tables with a column of the type, of a domain over it, or of an array of one of them. */
export async function readTablesOfType(connection: Connection, type: string): Promise<readonly string[]> {
  const { rows } = await connection.query({
    text: `with recursive like_it as (
  select to_regtype($1)::oid as oid
  union
  select t.oid from like_it join pg_type t on t.typbasetype = like_it.oid or t.typelem = like_it.oid and t.typcategory = 'A'
)
select distinct c.oid
from like_it
join pg_attribute a on a.atttypid = like_it.oid and not a.attisdropped
join pg_class c on c.oid = a.attrelid
where c.relkind in ('r', 'm', 'p')
order by c.oid`,
    values: [type],
    name: "plinth_lint_of_type",
    leavesNoTrace: true,
  });
  return rows.map(([oid]) => String(oid));
}

/** Relations the query of a view reads. */
export async function readBehind(connection: Connection, id: string): Promise<readonly string[]> {
  const { rows } = await connection.query({
    text: `select distinct d.refobjid
from pg_rewrite r
join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
join pg_class c on c.oid = d.refobjid
where r.ev_class = $1 and r.rulename = '_RETURN' and d.refclassid = 'pg_class'::regclass and d.refobjid <> $1
  and d.deptype = 'n' and c.relkind in ('r', 'p', 'v', 'm', 'f')`,
    values: [id],
    name: "plinth_lint_behind",
    leavesNoTrace: true,
  });
  return rows.map(([oid]) => String(oid));
}

export async function readPart(
  connection: Connection,
  id: string,
  kind: "policy" | "rule",
  name: string | undefined,
): Promise<boolean> {
  const { rows } = await connection.query({
    text: `select exists (select from pg_policy where $2 = 'policy' and polrelid = $1 and polname = coalesce($3, polname))
  or exists (select from pg_rewrite where $2 = 'rule' and ev_class = $1 and rulename = coalesce($3, rulename))`,
    values: [id, kind, name ?? null],
    name: "plinth_lint_part",
    leavesNoTrace: true,
  });
  return rows[0]?.[0] === "t";
}

export async function readViewQuery(connection: Connection, id: string): Promise<string | undefined> {
  const { rows } = await connection.query({
    text: "select pg_get_viewdef($1::oid)",
    values: [id],
    name: "plinth_lint_viewdef",
    leavesNoTrace: true,
  });
  return rows[0]?.[0] ?? undefined;
}

export async function readSchemaRelations(
  connection: Connection,
  schema: string,
): Promise<readonly string[]> {
  const { rows } = await connection.query({
    text: `select c.oid
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1 and c.relkind in ('r', 'p', 'm', 'v', 'S', 'f')
order by c.oid`,
    values: [schema],
    name: "plinth_lint_schema",
    leavesNoTrace: true,
  });
  return rows.map(([oid]) => String(oid));
}
