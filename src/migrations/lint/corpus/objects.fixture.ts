import { type Form, form, forms } from "./form.fixture.ts";
import { DOMAINS, EVENTS, NOTES, SEQUENCES, TASKS, TRIGGERS, VIEWS } from "./grounds.fixture.ts";

const TOUCH = "create function touch() returns trigger language plpgsql as $$ begin return new; end $$";
const POLICY = "create policy own on notes using (is_done)";

const GUARDS: readonly Form[] = [
  ...forms(
    39,
    NOTES,
    [
      "create trigger t before insert on notes for each row execute function touch()",
      "create or replace trigger t after update on notes for each row execute function touch()",
      "create constraint trigger t after insert on notes deferrable initially deferred for each row execute function touch()",
      "create trigger t after delete on notes referencing old table as gone for each statement execute function touch()",
    ],
    { also: TOUCH },
  ),
  form(
    39,
    TASKS,
    "create constraint trigger t after insert on tasks from projects for each row execute function touch()",
    {
      also: TOUCH,
    },
  ),
  form(39, EVENTS, "create trigger t before insert on events for each row execute function touch()", {
    also: TOUCH,
  }),
  form(39, VIEWS, "create trigger t instead of insert on done_notes for each row execute function touch()", {
    also: TOUCH,
  }),
  ...forms(39, TRIGGERS, [
    "drop trigger notes_touch on notes",
    "drop trigger if exists absent on notes",
    "alter table notes disable trigger notes_touch",
    "alter table notes enable trigger notes_touch",
    "alter table notes enable always trigger notes_touch",
    "alter table notes disable trigger user",
    "alter table notes disable trigger all",
    "alter trigger notes_touch on notes rename to notes_stamp",
    "drop function touch() cascade",
  ]),
  form(39, TASKS, "alter table tasks disable trigger all"),
  form(39, TRIGGERS, "drop function touch()", { fails: "2BP01" }),
  ...forms(40, NOTES, [
    "alter table notes enable row level security",
    "alter table notes disable row level security",
    "alter table notes force row level security",
    "alter table notes no force row level security",
    "create policy own on notes using (is_done)",
    "create policy own on notes as restrictive for insert to public with check (rating > 0)",
    "create policy own on notes for select to current_user using (true)",
    "alter table notes owner to current_user",
    "alter table notes owner to plinth_corpus",
    "alter table notes replica identity full",
    "alter table notes replica identity using index notes_pkey",
    "alter table notes replica identity default",
  ]),
  form(
    40,
    TASKS,
    "create policy own on tasks using (exists (select from projects where projects.id = tasks.project_id))",
  ),
  ...forms(
    40,
    NOTES,
    [
      "alter policy own on notes using (rating > 0)",
      "alter policy own on notes rename to mine",
      "drop policy own on notes",
      "drop policy if exists absent on notes",
    ],
    { also: POLICY },
  ),
  form(40, SEQUENCES, "alter table tickets owner to plinth_corpus"),
  form(40, VIEWS, "alter view done_notes owner to plinth_corpus"),
  ...forms(55, NOTES, [
    "grant select on notes to plinth_corpus",
    "grant select, insert, update (body) on notes to public",
    "revoke all on notes from public",
    "grant usage on schema public to plinth_corpus",
    "create extension if not exists plpgsql",
    "create extension hstore schema public",
    "alter default privileges grant select on tables to plinth_corpus",
    "create role plinth_corpus_other nologin",
    "alter role plinth_corpus set work_mem = '8MB'",
  ]),
  form(55, TASKS, "grant select on all tables in schema corpus to plinth_corpus"),
];

const VIEW_FORMS: readonly Form[] = [
  ...forms(0, NOTES, [
    "create view open_notes as select id, body from notes where not is_done",
    "create or replace view open_notes as select id from notes",
    "create view two as select 2 as n",
    "create view open_notes with (security_invoker = true) as select * from notes",
    "create materialized view bodies as select id, body from notes",
    "create materialized view bodies as select id, body from notes with no data",
    "create materialized view if not exists bodies as select count(*) from notes where id = 1",
    "create recursive view chain (n) as select 1 union all select n + 1 from chain where n < 3",
  ]),
  form(0, VIEWS, "create or replace view done_notes as select id, body, rating from notes"),
  form(0, VIEWS, "create or replace view done_notes as select rating from notes", { fails: "42P16" }),
  form(0, VIEWS, "create view on_view as select id from done_notes"),
  ...forms(0, VIEWS, [
    "drop view done_notes",
    "drop view if exists done_notes cascade",
    "drop view if exists absent",
    "drop materialized view note_counts",
    "alter view done_notes set (security_barrier = true)",
    "alter view done_notes alter column body set default 'x'",
    "alter materialized view note_counts set (fillfactor = 70)",
    "alter materialized view note_counts cluster on note_counts_rating_idx",
  ]),
  form(0, NOTES, "create rule quiet as on insert to notes do also nothing"),
  form(0, NOTES, "drop rule quiet on notes", {
    also: "create rule quiet as on insert to notes do also nothing",
  }),
  form(
    0,
    TASKS,
    "create view titles as select t.title, p.name from tasks t join projects p on p.id = t.project_id",
  ),
];

const TYPES: readonly Form[] = [
  ...forms(43, DOMAINS, [
    "alter domain positive add constraint small check (value < 1000)",
    "alter domain positive add constraint small check (value < 1000) not valid",
    "alter domain label add check (value <> '')",
    "alter domain label set not null",
    "alter domain label drop not null",
    "alter domain label set default 'x'",
    "alter domain label drop default",
    "alter domain positive drop constraint positive_check",
    "alter domain positive drop constraint if exists absent",
    "alter domain positive rename constraint positive_check to above_zero",
    "alter domain label rename to tag",
    "alter domain label owner to plinth_corpus",
    "create domain percent as integer check (value between 0 and 100)",
  ]),
  form(43, DOMAINS, "alter domain label validate constraint filled", {
    also: "alter domain label add constraint filled check (value <> '') not valid",
  }),
  form(43, DOMAINS, "alter domain label drop constraint filled", {
    also: "alter domain label add constraint filled check (value <> '')",
  }),
  form(43, DOMAINS, "alter domain positive add constraint small check (value < 10)", { fails: "23514" }),
  form(43, DOMAINS, "alter domain label add constraint filled check (value <> '')", {
    when: "a domain over it is in use",
    also: "create domain sticker as label; alter table crates add column extra sticker",
  }),
  form(43, DOMAINS, "alter domain positive add constraint small check (value < 1000)", {
    when: "an array of it is in use",
    also: "alter table crates add column sizes positive[]",
    fails: "0A000",
  }),
  ...forms(44, DOMAINS, [
    "alter type mood add value 'ecstatic'",
    "alter type mood add value if not exists 'calm' before 'mid'",
    "alter type mood add value if not exists 'low'",
  ]),
  form(27, DOMAINS, "alter type mood rename value 'mid' to 'middle'"),
  form(27, DOMAINS, "alter type mood rename to temper"),
  ...forms(45, NOTES, [
    "create type state as enum ('open', 'closed')",
    "create type pair as (a integer, b integer)",
  ]),
  form(45, NOTES, "create type span as range (subtype = integer)"),
  ...forms(0, DOMAINS, [
    "drop type mood cascade",
    "drop domain positive cascade",
    "alter type point_2d add attribute z integer",
    "alter type point_2d drop attribute y",
    "alter type point_2d add attribute z integer cascade",
    "alter type mood owner to plinth_corpus",
  ]),
  form(0, DOMAINS, "drop type mood", { fails: "2BP01" }),
  form(0, DOMAINS, "drop type state", { also: "create type state as enum ('open')" }),
];

const OTHERS: readonly Form[] = [
  ...forms(41, NOTES, [
    "comment on table notes is 'what people write'",
    "comment on column notes.body is 'the text'",
    "comment on index notes_pkey is 'the key'",
    "comment on constraint notes_pkey on notes is 'the key'",
    "comment on schema corpus is 'forms'",
  ]),
  form(41, VIEWS, "comment on view done_notes is 'done'"),
  form(41, TRIGGERS, "comment on trigger notes_touch on notes is 'stamp'"),
  ...forms(0, SEQUENCES, [
    "create sequence other",
    "create sequence other owned by tickets.title",
    "alter sequence counter restart",
    "alter sequence counter increment by 2",
    "alter sequence counter owned by tickets.title",
    "alter sequence counter owned by none",
    "alter sequence tickets_id_seq as bigint",
    "drop sequence counter",
    "select setval('counter', 100)",
    "select nextval('counter')",
  ]),
  form(0, SEQUENCES, "drop sequence tickets_id_seq", { fails: "2BP01" }),
  form(0, SEQUENCES, "drop sequence tickets_id_seq cascade"),
  ...forms(0, NOTES, [
    "create function twice(n integer) returns integer language sql immutable return n * 2",
    "create function notes_total() returns bigint language sql stable as 'select count(*) from notes'",
    "create function notes_total() returns bigint language sql stable begin atomic select count(*) from notes; end",
    "create procedure clean() language plpgsql as $$ begin delete from notes; end $$",
    "create or replace function touch() returns trigger language plpgsql as $$ begin return new; end $$",
    "create aggregate longest (text) (sfunc = pg_catalog.text_larger, stype = text)",
    "create schema if not exists corpus",
    "set lock_timeout = '2s'",
    "set local statement_timeout = 0",
    "select 1",
    "create collation german (provider = icu, locale = 'de')",
    "create text search configuration plain (copy = simple)",
    "drop function if exists absent()",
    "create publication changes for table notes",
    "notify changed",
    "do $$ begin null; end $$",
  ]),
  form(0, NOTES, "drop function twice(integer)", {
    also: "create function twice(n integer) returns integer language sql immutable return n * 2",
  }),
  form(0, NOTES, "alter function twice(integer) volatile", {
    also: "create function twice(n integer) returns integer language sql immutable return n * 2",
  }),
  form(0, TASKS, "drop schema side cascade", {
    also: "drop schema if exists side cascade; create schema side; create table side.things (id bigint, task_id bigint references tasks)",
  }),
  form(0, NOTES, "drop schema if exists absent_schema cascade"),
  form(0, NOTES, "drop owned by plinth_corpus"),
];

/** Rows 39, 40, 43 to 45, 55 and what the table does not speak of: everything but tables and indexes. */
export const OBJECT_FORMS: readonly Form[] = [...GUARDS, ...VIEW_FORMS, ...TYPES, ...OTHERS];
