import { type Form, form, forms } from "./form.fixture.ts";
import { DOMAINS, EVENTS, FAMILY, NOTES, TASKS, VIEWS } from "./grounds.fixture.ts";

/** A table of one column besides its key, with 200 rows of `value`. */
function column(type: string, value: string, indexed = false): string {
  const index = indexed ? "; create index subject_c_idx on subject (c)" : "";
  return `create table subject (id bigint primary key, c ${type});
insert into subject select i, ${value} from generate_series(1, 200) i${index}`;
}

/** `alter column … type`, from a type and a value of it to another type. */
function change(row: number, from: string, value: string, to: string, indexed = false): Form {
  const text = `alter table subject alter column c type ${to}`;
  const when = `from ${from}${indexed ? ", indexed" : ""}`;
  return form(row, column(from, value, indexed), text, { when });
}

/** Row 23: the storage is written anew. */
const REWRITING: readonly Form[] = [
  change(23, "integer", "i", "bigint"),
  change(23, "integer", "i", "bigint", true),
  change(23, "smallint", "i", "integer"),
  change(23, "bigint", "i", "integer"),
  change(23, "integer", "i", "numeric"),
  change(23, "integer", "i", "text"),
  change(23, "real", "i", "double precision"),
  change(23, "varchar(100)", "'x' || i", "varchar(50)"),
  change(23, "varchar(100)", "'x' || i", "varchar(50)", true),
  change(23, "varchar", "'x' || i", "varchar(50)"),
  change(23, "text", "'x' || i", "varchar(50)"),
  change(23, "text", "'x' || i", "varchar(50)", true),
  change(23, "text", "'x' || i", "char(10)"),
  change(23, "char(10)", "'x' || i", "text"),
  change(23, "char(10)", "'x' || i", "varchar(20)"),
  change(23, "char(10)", "'x' || i", "char(20)"),
  change(23, "numeric(10, 2)", "i", "numeric(10, 3)"),
  change(23, "numeric(10, 2)", "i", "numeric(8, 2)"),
  change(23, "numeric", "i", "numeric(10, 2)"),
  change(23, "numeric(10, 2)", "i", "double precision"),
  change(23, "timestamp(6)", "localtimestamp", "timestamp(3)"),
  change(23, "timestamptz", "now()", "timestamptz(0)"),
  change(23, "time(6)", "localtime", "time(0)"),
  change(23, "timestamp", "localtimestamp", "date"),
  change(23, "date", "current_date", "timestamp"),
  change(23, "timestamptz", "now()", "date"),
  change(23, "json", "'{}'", "jsonb"),
  change(23, "jsonb", "'{}'", "json"),
  change(23, "jsonb", "'{}'", "text"),
  change(23, "text", "'x'", "bytea using c::bytea"),
  change(23, "integer", "i", "boolean using c > 100"),
  change(23, "text", "i::text", "integer using c::integer"),
  change(23, "text", "gen_random_uuid()::text", "uuid using c::uuid"),
  change(23, "uuid", "gen_random_uuid()", "text"),
  change(23, "inet", "'10.0.0.1'", "text"),
  change(23, "inet", "'10.0.0.1'", "cidr using c::cidr"),
  change(23, "bit(8)", "B'00000001'", "varbit(8)"),
  change(23, "bit(8)", "B'00000001'", "bit(16) using c::bit(16)"),
  change(23, "varbit(16)", "B'0001'", "varbit(8)"),
  change(23, "text[]", "array['x']", "varchar(10)[]"),
  change(23, "integer[]", "array[1]", "bigint[]"),
  change(23, "interval", "interval '1 day'", "interval(0)"),
  change(23, "interval", "interval '1 day'", "interval day to second"),
  change(23, "text", "'x'", "text using c || '!'"),
  change(23, "text", "'x'", "text using upper(c)"),
  change(23, "boolean", "true", "integer using c::integer"),
  change(23, "text", "'x'", "jsonb using to_jsonb(c)"),
  change(23, "public.citext", "'x'", "varchar(10)"),
  change(23, "integer", "i", "bigint using c"),
  change(23, "oid", "i::oid", "bigint"),
  change(23, "money", "1::money", "numeric"),
  change(23, "varchar(10)", "'x'", "varchar(20) using c || ''"),
  form(23, DOMAINS, "alter table boxes alter column feeling type text"),
  form(23, DOMAINS, "alter table boxes alter column feeling type text using feeling::text"),
  form(23, DOMAINS, "alter table boxes alter column feeling type humor using feeling::text::humor", {
    also: "create type humor as enum ('low', 'mid', 'high')",
  }),
  form(23, DOMAINS, "alter table boxes alter column size type bigint"),
  form(23, DOMAINS, "alter table crates alter column id type positive using id::integer"),
  form(23, DOMAINS, "alter table boxes alter column name type short_label"),
  form(23, DOMAINS, "alter table crates alter column name type filled", {
    when: "to a domain with a check",
    also: "create domain filled as text check (value <> '')",
  }),
  form(23, DOMAINS, "alter table crates alter column name type filled", {
    when: "to a domain that is not null",
    also: "create domain filled as text not null",
  }),
  form(23, TASKS, "alter table tasks alter column project_id type integer"),
  form(23, TASKS, "alter table projects alter column id type integer"),
  form(23, TASKS, "alter table projects alter column id set data type numeric"),
  form(23, TASKS, "alter table comments alter column task_id type integer"),
  form(23, EVENTS, "alter table events alter column id type numeric"),
  form(23, FAMILY, "alter table animals alter column id type numeric"),
  form(23, NOTES, "alter table notes alter column rating type bigint, alter column body type varchar(50)"),
  form(23, NOTES, "alter table notes alter column rating type bigint, add column colour text"),
  form(23, NOTES, "alter table notes alter column body type varchar(50)", {
    when: "a check speaks of it",
    also: "alter table notes add constraint body_there check (body <> '')",
  }),
  form(23, NOTES, "alter table notes alter column rating type text", {
    when: "with a default",
    also: "alter table notes alter column rating set default 5",
  }),
  form(23, NOTES, "alter table notes alter column rating type bigint", {
    when: "an expression index speaks of it",
    also: "create index notes_next_idx on notes ((rating + 1))",
  }),
  form(23, NOTES, "alter table notes alter column rating type bigint", {
    when: "statistics speak of it",
    also: "create statistics notes_stats on rating, is_done from notes",
  }),
  form(23, NOTES, "alter table notes alter column rating type boolean", { fails: "42804" }),
];

/** Row 24: only the catalog changes. */
const COERCIBLE: readonly Form[] = [
  change(24, "varchar(10)", "'x' || i", "varchar(20)"),
  change(24, "varchar(10)", "'x' || i", "varchar(20)", true),
  change(24, "varchar(10)", "'x' || i", "varchar(10)"),
  change(24, "varchar(10)", "'x' || i", "varchar"),
  change(24, "varchar(10)", "'x' || i", "text"),
  change(24, "varchar(10)", "'x' || i", "text", true),
  change(24, "varchar(10)", "'x' || i", "text using c::text"),
  change(24, "varchar(10)", "'x' || i", "text using c"),
  change(24, "text", "'x' || i", "varchar"),
  change(24, "text", "'x' || i", "varchar", true),
  change(24, "text", "'x' || i", "text"),
  change(24, "text", "'x' || i", "text", true),
  change(24, "text", "'x' || i", "public.citext"),
  change(24, "text", "'x' || i", "public.citext", true),
  change(24, "public.citext", "'x' || i", "text"),
  change(24, "public.citext", "'x' || i", "text", true),
  change(24, "varchar", "'x' || i", "public.citext"),
  change(24, "public.citext", "'x' || i", "varchar"),
  change(24, "numeric(10, 2)", "i", "numeric(12, 2)"),
  change(24, "numeric(10, 2)", "i", "numeric(12, 2)", true),
  change(24, "numeric(10, 2)", "i", "numeric"),
  change(24, "numeric(10, 2)", "i", "numeric", true),
  change(24, "timestamp(3)", "localtimestamp", "timestamp(6)"),
  change(24, "timestamp(3)", "localtimestamp", "timestamp"),
  change(24, "timestamptz(3)", "now()", "timestamptz"),
  change(24, "timestamptz(3)", "now()", "timestamptz", true),
  change(24, "timestamp", "localtimestamp", "timestamptz"),
  change(24, "timestamp", "localtimestamp", "timestamptz", true),
  change(24, "timestamptz", "now()", "timestamp"),
  change(24, "timestamptz", "now()", "timestamp(3)"),
  change(24, "timestamp", "localtimestamp", "timestamptz using c at time zone 'UTC'"),
  change(24, "timestamptz", "now()", "timestamp using c at time zone 'UTC'"),
  change(24, "timestamp", "localtimestamp", "timestamptz using c at time zone 'Europe/Berlin'"),
  change(24, "time(3)", "localtime", "time(6)"),
  change(24, "time(3)", "localtime", "time"),
  change(24, "timetz(3)", "current_time", "timetz"),
  change(24, "interval(3)", "interval '1 day'", "interval(6)"),
  change(24, "interval(3)", "interval '1 day'", "interval"),
  change(24, "interval day to second", "interval '1 day'", "interval"),
  change(24, "cidr", "'10.0.0.0/8'", "inet"),
  change(24, "cidr", "'10.0.0.0/8'", "inet", true),
  change(24, "varbit(8)", "B'0001'", "varbit(16)"),
  change(24, "varbit(8)", "B'0001'", "varbit"),
  change(24, "varchar(10)[]", "array['x']", "varchar(20)[]"),
  change(24, "varchar(10)[]", "array['x']", "text[]"),
  change(24, "text[]", "array['x']", "varchar[]"),
  change(24, "integer", "i", "oid"),
  change(24, "bigint", "i", "bigint"),
  change(24, "integer", "i", "int4"),
  change(24, "xml", "'<a/>'", "text"),
  change(24, "bytea", "'x'", "bytea"),
  form(24, DOMAINS, "alter table crates alter column name type text"),
  form(24, DOMAINS, "alter table crates alter column name type varchar"),
  form(24, DOMAINS, "alter table boxes alter column size type integer"),
  form(24, DOMAINS, "alter table boxes alter column code type varchar(20)"),
  form(24, DOMAINS, "alter table boxes alter column code type text"),
  form(24, DOMAINS, "alter table boxes alter column code type varchar(5)"),
  form(24, NOTES, "alter table notes alter column rating type number", {
    when: "to a domain without a check",
    also: "create domain number as integer",
  }),
  form(24, NOTES, "alter table notes alter column body type label", {
    when: "to a domain without a check",
    also: "create domain label as text",
  }),
  form(24, TASKS, "alter table tasks alter column title type varchar(200)"),
  form(24, TASKS, "alter table tasks alter column title type text"),
  form(24, TASKS, "alter table tasks alter column project_id type bigint"),
  form(24, NOTES, "alter table notes alter column body type varchar", {
    when: "a check speaks of it",
    also: "alter table notes add constraint body_there check (body <> '')",
  }),
  form(24, NOTES, "alter table notes alter column body type varchar", {
    when: "an expression index speaks of it",
    also: "create index notes_lower_idx on notes (lower(body))",
  }),
  form(24, NOTES, "alter table notes alter column body type varchar", {
    when: "a partial index speaks of it",
    also: "create index notes_some_idx on notes (id) where body <> ''",
  }),
  form(24, NOTES, "alter table notes alter column body type varchar", {
    when: "a unique constraint speaks of it",
    also: "alter table notes add constraint notes_body_key unique (body)",
  }),
  form(24, EVENTS, "alter table events alter column kind type varchar"),
  form(24, FAMILY, "alter table animals alter column name type varchar"),
];

/** Rows 25 and 26. */
const OTHERS: readonly Form[] = [
  ...[false, true].map((indexed) =>
    form(
      25,
      column("text", "'x' || i", indexed),
      'alter table subject alter column c type text collate "C"',
      {
        when: indexed ? "indexed" : "not indexed",
      },
    ),
  ),
  form(
    25,
    column("varchar(10)", "'x' || i", true),
    'alter table subject alter column c type varchar(20) collate "C"',
  ),
  form(
    25,
    column('text collate "C"', "'x' || i", true),
    'alter table subject alter column c type text collate "POSIX"',
  ),
  form(25, column('text collate "C"', "'x' || i", true), "alter table subject alter column c type text", {
    when: 'from collate "C", indexed',
  }),
  form(
    25,
    column('text collate "C"', "'x' || i", true),
    'alter table subject alter column c type varchar collate "C"',
  ),
  form(25, column("text", "'x' || i"), 'alter table subject alter column c type varchar(10) collate "C"'),
  ...forms(26, VIEWS, ["alter table notes alter column body type varchar(50)"], { fails: "0A000" }),
  form(26, VIEWS, "alter table notes alter column rating type bigint", { fails: "0A000" }),
  form(26, VIEWS, "alter table notes alter column written_at type timestamptz(3)"),
  form(26, DOMAINS, "alter type point_2d alter attribute x type bigint", { fails: "0A000" }),
  form(26, NOTES, "alter table notes alter column body type text", {
    when: "a trigger watches it",
    also: `create function touch() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger notes_touch before update of body on notes for each row execute function touch()`,
    fails: "0A000",
  }),
  form(26, NOTES, "alter table notes alter column body type varchar(50)", {
    when: "a policy speaks of it",
    also: "create policy own on notes using (body <> '')",
    fails: "0A000",
  }),
];

/** Rows 23 to 26: `alter column … type`. */
export const TYPE_FORMS: readonly Form[] = [...REWRITING, ...COERCIBLE, ...OTHERS];
