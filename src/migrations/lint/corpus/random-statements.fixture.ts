import fc from "fast-check";
import { COLUMNS, CONSTRAINTS, INDEXES } from "./random-ground.fixture.ts";

type Text = fc.Arbitrary<string>;

const TYPES =
  "integer|bigint|smallint|text|varchar|varchar(5)|varchar(50)|varchar(200)|char(10)|numeric|numeric(10, 2)|numeric(12, 2)|numeric(12, 3)|boolean|timestamptz|timestamp|timestamp(3)|timestamptz(6)|date|uuid|json|jsonb|text[]|varchar(20)[]|positive|label|short_label|mood|wrapped|filled|public.citext|double precision|point_2d|interval|inet|bytea".split(
    "|",
  );

const DEFAULTS =
  "1|'x'|null|now()|random()|gen_random_uuid()|clock_timestamp()|'2026-01-01'|true|current_date|nextval('counter')|shade()|shade(2)|wild()|'{}'|array['a']|'mid'|upper('x')|1 + 1|current_user|(random() * 5)::integer|coalesce(null, 'a')|interval '1 day'|lower(wild())|now() + interval '1 day'|jsonb_build_object('a', 1)|md5('x')|localtimestamp|case when true then 1 else 2 end".split(
    "|",
  );

const oneOf = (...texts: readonly string[]): Text => fc.constantFrom(...texts);
const table: Text = oneOf(...Object.keys(COLUMNS));
const columnOf = (name: string): Text => oneOf(...(COLUMNS[name] ?? ["id"]));
const constraintOf = (name: string): Text => oneOf(...(CONSTRAINTS[name] ?? ["absent"]));
const index: Text = oneOf(...INDEXES);

/** Joins texts that are drawn one by one. */
function sql(strings: TemplateStringsArray, ...parts: readonly Text[]): Text {
  return fc
    .tuple(...parts)
    .map((drawn) => strings.map((text, place) => text + (drawn[place] ?? "")).join(""));
}

const addColumn = (name: string): Text =>
  sql`add column ${oneOf("", "if not exists ")}${oneOf("n_1", "n_2", "body")} ${oneOf(...TYPES, "serial")}${fc.oneof(
    oneOf(""),
    sql` default ${oneOf(...DEFAULTS)}`,
  )}${oneOf("", "", " not null", " unique", " primary key", " check (id > 0)", ` references ${name}`, " references projects", " generated always as identity", " generated always as (id + 1) stored", ' collate "C"')}`;

const alterType = (name: string): Text =>
  fc.oneof(
    sql`alter column ${columnOf(name)} type ${oneOf(...TYPES)}`,
    columnOf(name).chain(
      (column) =>
        sql`alter ${oneOf(column)} set data type ${oneOf(...TYPES)} using ${oneOf(column, `${column}::text`, "null", `upper(${column}::text)`)}`,
    ),
  );

const checkOf = (name: string): Text =>
  columnOf(name).chain((column) =>
    oneOf(
      `${column} is not null`,
      `length(${column}::text) < 1000`,
      "id > 0",
      `${column} is not null and id > 0`,
    ),
  );

const addConstraint = (name: string): Text =>
  fc.oneof(
    sql`add constraint c_1 check (${checkOf(name)})${oneOf("", " not valid", " no inherit")}`,
    sql`add constraint c_1 foreign key (${columnOf(name)}) references ${table}${oneOf("", " (id)", " (id) not valid")}`,
    sql`add constraint c_1 unique (${columnOf(name)}, ${columnOf(name)})`,
    sql`add primary key (${columnOf(name)})`,
    sql`add exclude using btree (${columnOf(name)} with =)`,
    sql`add constraint c_1 unique using index ${index}`,
  );

const clause = (name: string): Text =>
  fc.oneof(
    addColumn(name),
    alterType(name),
    addConstraint(name),
    sql`alter ${columnOf(name)} ${oneOf("set not null", "drop not null", "drop default", "set statistics 100", "set storage external", "set compression pglz", "set (n_distinct = 5)", "add generated always as identity", "drop identity if exists", "drop expression if exists")}`,
    sql`alter ${columnOf(name)} set default ${oneOf(...DEFAULTS)}`,
    sql`drop column ${columnOf(name)}${oneOf("", " cascade")}`,
    sql`drop constraint ${oneOf("", "if exists ")}${constraintOf(name)}${oneOf("", " cascade")}`,
    sql`validate constraint ${constraintOf(name)}`,
    sql`alter constraint ${constraintOf(name)} ${oneOf("deferrable", "not deferrable")}`,
    oneOf(
      "set (fillfactor = 70)",
      "set (user_catalog_table = true)",
      "reset (fillfactor)",
      "set logged",
      "set unlogged",
      "enable row level security",
      "force row level security",
      "owner to plinth_corpus",
      "replica identity full",
      "set without cluster",
      "disable trigger all",
      "set tablespace pg_default",
    ),
  );

const alterTable: Text = fc
  .tuple(table, fc.integer({ min: 1, max: 3 }))
  .chain(([name, count]) =>
    fc
      .array(clause(name), { minLength: count, maxLength: count })
      .map((clauses) => `alter table ${name} ${clauses.join(", ")}`),
  );

const definition: Text = fc.oneof(
  sql`create ${oneOf("", "unique ")}index on ${table} ${oneOf("", "using btree ", "using hash ", "using brin ")}(${oneOf("id", "name", "body", "kind", "lower(body)", "id, name", "title")})${oneOf("", " where id > 5")}`,
  sql`create table t_x (id bigint primary key, a bigint references ${table}, foreign key (id) references ${table})`,
  sql`create table t_x (like ${table} including all)`,
  sql`create table t_x partition of events for values ${oneOf("from ('2027-01-01') to ('2027-02-01')", "from ('2026-02-01') to ('2026-03-01')")}`,
  sql`create ${oneOf("", "or replace ")}trigger t_x ${oneOf("before insert", "after delete")} on ${table} for each row execute function touch()`,
  sql`create policy p_x on ${table} using (${oneOf("true", "id in (select id from projects)")})`,
  sql`create ${oneOf("view", "table", "materialized view")} t_x as select * from ${table}`,
);

const removal: Text = fc.oneof(
  sql`drop table ${table}${oneOf("", " cascade")}`,
  sql`truncate ${table}${oneOf("", " cascade", " restart identity cascade")}`,
  sql`drop index ${index}`,
  oneOf(
    "drop view page_list",
    "drop materialized view page_stats",
    "drop sequence counter",
    "drop sequence tickets_id_seq cascade",
    "drop type mood cascade",
    "drop domain positive cascade",
    "drop domain label cascade",
    "drop function touch() cascade",
    "drop function shade(integer)",
    "drop schema corpus cascade",
    "drop owned by plinth_corpus",
  ),
);

const other: Text = fc.oneof(
  sql`alter table events attach partition march ${oneOf("for values from ('2026-03-01') to ('2026-04-01')", "default")}`,
  sql`alter table events detach partition ${oneOf("events_1", "events_rest")}`,
  table.chain(
    (name) =>
      sql`alter table ${oneOf(name)} rename ${fc.oneof(oneOf("to r_x"), sql`column ${columnOf(name)} to r_c`)}`,
  ),
  sql`alter index ${index} ${oneOf("rename to r_i", "set (fillfactor = 60)")}`,
  sql`alter domain ${oneOf("positive", "label", "wrapped", "filled")} ${oneOf("add constraint d_x check (value is not null)", "add check (value is not null) not valid", "set not null", "drop not null", "set default '1'", "rename to d_r")}`,
  sql`comment on ${oneOf("table notes", "column notes.body", "index notes_pkey", "view page_list", "type mood", "constraint tasks_project_id_fkey on tasks", "function shade(integer)")} is 'x'`,
  sql`grant select on ${table} to plinth_corpus`,
  sql`refresh materialized view ${oneOf("", "concurrently ")}page_stats${oneOf("", " with no data")}`,
  sql`cluster ${oneOf("pages using pages_rank_idx", "notes using notes_pkey", "page_stats using page_stats_idx")}`,
  sql`reindex ${fc.oneof(sql`table ${table}`, sql`index ${index}`)}`,
  sql`lock table ${table} in ${oneOf("access share", "share", "exclusive", "access exclusive")} mode`,
);

/** Statements about `RANDOM_GROUND`, of which the server accepts about half. */
export const randomStatement: Text = fc.oneof(
  { weight: 6, arbitrary: alterTable },
  { weight: 2, arbitrary: definition },
  { weight: 1, arbitrary: removal },
  { weight: 1, arbitrary: other },
);
