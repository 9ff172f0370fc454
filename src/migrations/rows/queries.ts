import type { StatementCall } from "../../driver/index.ts";
import { qualifiedName, quoteIdentifier } from "../../sql/index.ts";

const NOT_SYSTEM = "n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_toast'";

/** Every table and partition, with what a row must be to lie in the partition. */
export const selectTables: StatementCall = {
  values: [],
  text: `select c.oid, n.nspname, c.relname, c.relkind,
  case when c.relispartition then (select i.inhparent from pg_catalog.pg_inherits i where i.inhrelid = c.oid) end,
  case when c.relispartition then pg_catalog.pg_get_partition_constraintdef(c.oid) end
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and c.relpersistence <> 't' and ${NOT_SYSTEM}
order by c.oid`,
};

/** Columns of tables, and attributes of composite types and row types. */
export const selectColumns: StatementCall = {
  values: [],
  text: `select a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod,
  pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
  pg_catalog.pg_get_expr(d.adbin, d.adrelid)
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'c') and ${NOT_SYSTEM}
order by a.attrelid, a.attnum`,
};

/** Checks and foreign keys. NOT VALID ones hold for new rows; NOT ENFORCED ones do not. */
export const selectConstraints: StatementCall = {
  values: [],
  text: `select k.conrelid, k.conname, k.contype, k.conkey, k.confrelid, k.confkey, k.confmatchtype,
  case k.contype when 'c' then pg_catalog.pg_get_expr(k.conbin, k.conrelid) end
from pg_catalog.pg_constraint k
join pg_catalog.pg_namespace n on n.oid = k.connamespace
where k.contype in ('c', 'f') and k.conrelid <> 0 and ${NOT_SYSTEM}
  and pg_catalog.pg_get_constraintdef(k.oid) not like '% NOT ENFORCED'
order by k.conrelid, k.conname`,
};

/** Columns whose values have to differ from row to row, in some combination. */
export const selectKeys: StatementCall = {
  values: [],
  text: `select i.indrelid, i.indkey::text
from pg_catalog.pg_index i
join pg_catalog.pg_class c on c.oid = i.indrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where (i.indisunique or i.indisexclusion) and ${NOT_SYSTEM}
order by i.indexrelid`,
};

/** Types that columns have, and those they are made of: arrays, domains, ranges and composites all the way down. */
export const selectTypes: StatementCall = {
  values: [],
  text: `with recursive used as (
  select a.atttypid as id
  from pg_catalog.pg_attribute a
  join pg_catalog.pg_class c on c.oid = a.attrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p') and ${NOT_SYSTEM}
  union
  select part.id
  from used
  join pg_catalog.pg_type t on t.oid = used.id
  cross join lateral (
    select t.typbasetype as id where t.typtype = 'd'
    union all
    select t.typelem where t.typcategory = 'A'
    union all
    select r.rngsubtype from pg_catalog.pg_range r where t.typtype = 'r' and r.rngtypid = t.oid
    union all
    select r.rngtypid from pg_catalog.pg_range r where t.typtype = 'm' and r.rngmultitypid = t.oid
    union all
    select a.atttypid from pg_catalog.pg_attribute a
    where t.typtype = 'c' and a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
  ) as part
)
select t.oid, t.typname, pg_catalog.format_type(t.oid, null), t.typtype, t.typcategory,
  t.typbasetype, t.typtypmod, pg_catalog.format_type(nullif(t.typbasetype, 0), t.typtypmod),
  case when t.typcategory = 'A' then t.typelem else 0 end,
  t.typrelid,
  coalesce(
    (select r.rngsubtype from pg_catalog.pg_range r where r.rngtypid = t.oid),
    (select r.rngtypid from pg_catalog.pg_range r where r.rngmultitypid = t.oid)),
  (select pg_catalog.array_agg(e.enumlabel order by e.enumsortorder) from pg_catalog.pg_enum e where e.enumtypid = t.oid),
  (select pg_catalog.array_agg(pg_catalog.pg_get_expr(k.conbin, 0) order by k.conname)
   from pg_catalog.pg_constraint k where k.contypid = t.oid and k.contype = 'c'),
  (select pg_catalog.array_agg(k.conname::text order by k.conname)
   from pg_catalog.pg_constraint k where k.contypid = t.oid and k.contype = 'c'),
  t.typnotnull
from pg_catalog.pg_type t
where t.oid in (select id from used)
order by t.oid`,
};

/** The texts as values of the type, as the server writes them; smallest first if asked. Fails when one is none. */
export function castValues(type: string, isSorted: boolean): string {
  return `select v::${type}::text
from unnest($1::text[]) with ordinality as u(v, place)
order by ${isSorted ? `v::${type}` : "place"}`;
}

/** Conditions on one column, and what they call it. */
export interface ValueTest {
  readonly table: string;
  readonly column: string;
  readonly type: string;
  readonly conditions: readonly string[];
}

/** Places, from 1, of the values that meet the conditions. A domain's conditions call the value `value`. */
export function testValues({ table, column, type, conditions }: ValueTest): string {
  const place = placeBeside([column]);
  return `select ${place} from (
  select ${place}, v::${type} as ${quoteIdentifier(column)}
  from unnest($1::text[]) with ordinality as u(v, ${place})
) as ${quoteIdentifier(table)}
where ${conditions.map(holds).join(" and ")}
order by ${place}`;
}

/** A condition on rows that nobody has inserted yet. */
export interface RowTest {
  readonly table: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly generated: readonly { readonly name: string; readonly expression: string }[];
  readonly conditions: readonly string[];
}

/** Place of each row, from 1, and whether it meets each condition. A parameter per column: its values as an array. */
export function testRows({ table, columns, generated, conditions }: RowTest): string {
  const place = placeBeside([...columns, ...generated].map(({ name }) => name));
  const cast = columns.map(({ name, type }, index) => `v${index}::${type} as ${quoteIdentifier(name)}`);
  const arrays = columns.map((_, index) => `$${index + 1}::text[]`);
  const names = columns.map((_, index) => `v${index}`);
  const made = generated.map(({ name, expression }) => `(${expression}) as ${quoteIdentifier(name)}`);
  return `select ${[place, ...conditions.map(holds)].join(", ")} from (
  select ${[`*`, ...made].join(", ")} from (
    select ${[place, ...cast].join(", ")}
    from unnest(${arrays.join(", ")}) with ordinality as u(${[...names, place].join(", ")})
  ) as ${quoteIdentifier(table)}
) as ${quoteIdentifier(table)}
order by ${place}`;
}

/** A check that gives null holds. */
function holds(condition: string): string {
  return `coalesce((${condition}), true)`;
}

/** A name none of the columns has. */
function placeBeside(columns: readonly string[]): string {
  let name = "place";
  while (columns.includes(name)) name = `${name}_`;
  return quoteIdentifier(name);
}

/** What a default gives, as text. */
export function evaluateDefault(expression: string, type: string): string {
  return `select (${expression})::${type}::text`;
}

/** The next number of the sequence behind a column, and so what the column would get by itself. */
export function nextOfSequence(schema: string, table: string): string {
  return `select nextval(pg_get_serial_sequence('${qualifiedName(schema, table).replaceAll("'", "''")}', $1))`;
}

/** A table's own rows, without those of tables that inherit from it. */
export function countRows(schema: string, table: string, isPartitioned: boolean): string {
  return `select count(*) from ${isPartitioned ? "" : "only "}${qualifiedName(schema, table)}`;
}

/** Key values a foreign key can refer to. */
export function selectTuples(
  schema: string,
  table: string,
  isPartitioned: boolean,
  columns: readonly string[],
): string {
  const list = columns.map((column) => `${quoteIdentifier(column)}::text`).join(", ");
  const present = columns.map((column) => `${quoteIdentifier(column)} is not null`).join(" and ");
  return `select ${list}
from ${isPartitioned ? "" : "only "}${qualifiedName(schema, table)}
where ${present}
order by ${columns.map((_, index) => index + 1).join(", ")}
limit 200`;
}

/** One row per line of placeholders. Identity columns take what they are given. */
export function insertRows(schema: string, table: string, columns: readonly string[], rows: number): string {
  const name = qualifiedName(schema, table);
  if (columns.length === 0) return `insert into ${name} default values`;
  const lines = Array.from({ length: rows }, (_, row) => placeholders(columns.length, row * columns.length));
  return `insert into ${name} (${columns.map(quoteIdentifier).join(", ")})
overriding system value
values ${lines.join(", ")}`;
}

/** What one statement inserts into several tables, which may refer to each other in a circle. */
export interface JointInsert {
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
}

/**
 * A row for each table in one statement: foreign keys are looked at when it ends, the ones that cannot be deferred too.
 * @see https://www.postgresql.org/docs/current/queries-with.html#QUERIES-WITH-MODIFYING
 */
export function insertTogether(inserts: readonly JointInsert[]): string {
  let first = 0;
  const parts = inserts.map(({ schema, table, columns }, index) => {
    const insert = `insert into ${qualifiedName(schema, table)} (${columns.map(quoteIdentifier).join(", ")})
overriding system value values ${placeholders(columns.length, first)}`;
    first += columns.length;
    return `i${index} as (${insert})`;
  });
  return `with ${parts.join(",\n")}\nselect 1`;
}

/** Points rows at others, which were not there yet when they were inserted. `$1` is the row's `ctid`. */
export function updateRow(schema: string, table: string, columns: readonly string[]): string {
  const sets = columns.map((column, index) => `${quoteIdentifier(column)} = $${index + 2}`);
  return `update ${qualifiedName(schema, table)} set ${sets.join(", ")} where ctid = $1::tid`;
}

/** Rows whose foreign key is empty, at least in part, with what it holds. */
export function selectUnlinked(
  schema: string,
  table: string,
  columns: readonly string[],
  limit: number,
): string {
  const empty = columns.map((column) => `${quoteIdentifier(column)} is null`).join(" or ");
  const held = columns.map((column) => `${quoteIdentifier(column)}::text`);
  return `select ${["ctid", ...held].join(", ")}
from only ${qualifiedName(schema, table)}
where ${empty}
order by ctid
limit ${limit}`;
}

function placeholders(count: number, first: number): string {
  return `(${Array.from({ length: count }, (_, index) => `$${first + index + 1}`).join(", ")})`;
}
