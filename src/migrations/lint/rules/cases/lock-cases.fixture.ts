import {
  DOMAINS,
  EVENTS,
  EVENTS_DEFAULT,
  MARCH,
  NOTES,
  ORDERS,
  TASKS,
  VIEWS,
} from "../../corpus/grounds.fixture.ts";
import { above, filled, ruleCase } from "./rule-case.fixture.ts";

/** Meetings in rooms, which must not overlap. */
const BOOKINGS = `
create table bookings (id bigint primary key, during tstzrange);
insert into bookings select i, tstzrange(now() + i * interval '1 day', now() + (i + 1) * interval '1 day')
  from generate_series(1, 200) i`;

/** Two tables without a key, each with a unique index; the columns of the second cannot be null. */
const KEYLESS = `
create table papers (id bigint, title text);
create unique index papers_id_idx on papers (id);
create table books (id bigint not null, title text);
create unique index books_id_idx on books (id);
insert into papers select i, 'paper ' || i from generate_series(1, 200) i;
insert into books select i, 'book ' || i from generate_series(1, 200) i`;

const INDEXED_NOTES = `${NOTES};\ncreate index notes_body_idx on notes (body)`;
const UNIQUE_NOTES = `${NOTES};\ncreate unique index notes_id_idx on notes (id)`;
const UNPROVEN_TASKS = `${TASKS};
alter table tasks drop constraint tasks_project_id_fkey;
alter table tasks add constraint tasks_project_id_fkey foreign key (project_id) references projects not valid`;
const CHECKED_TASKS = `${TASKS};\nalter table tasks add constraint tasks_title_check check (length(title) > 0)`;
const SIZED_NOTES = `${NOTES};\nalter table notes add column size integer generated always as (length(body)) stored`;

const NEXT_PART =
  "create table events_4 partition of events for values from ('2026-04-01') to ('2026-05-01')";
const IN_APRIL = "(happened_on < '2026-04-01' or happened_on >= '2026-05-01')";

/** A new column. */
const COLUMN_CASES = [
  ruleCase(
    "lock/volatile-default",
    NOTES,
    "alter table notes add column token uuid default gen_random_uuid()",
    "alter table notes add column seen_at timestamptz default now()",
  ),
  ruleCase(
    "lock/volatile-default",
    NOTES,
    "alter table notes add column token uuid not null default gen_random_uuid()",
    "alter table notes add column token uuid not null default '6b7a9d3e-8a1c-4c64-9d6d-0a6a4f1f7b11'",
    { when: "required" },
  ),
  ruleCase(
    "lock/serial-column",
    NOTES,
    "alter table notes add column number serial",
    "alter table notes add column number integer default 1",
  ),
  ruleCase(
    "lock/serial-column",
    NOTES,
    "alter table notes add column number bigserial",
    "create table papers (number bigserial)",
    { when: "of eight bytes" },
  ),
  ruleCase(
    "lock/identity-column",
    NOTES,
    "alter table notes add column number bigint generated always as identity",
    "create table papers (number bigint generated always as identity)",
  ),
  ruleCase(
    "lock/stored-column",
    NOTES,
    "alter table notes add column size integer generated always as (length(body)) stored",
    "alter table notes add column size integer default 0",
  ),
  ruleCase(
    "lock/domain-column",
    DOMAINS,
    "alter table boxes add column spare positive",
    "alter table boxes add column spare label",
    { fix: filled("integer", "spare > 0") },
  ),
  ruleCase(
    "lock/checked-column",
    NOTES,
    "alter table notes add column stars integer check (stars between 0 and 5)",
    "alter table notes add column stars integer default 0",
  ),
  ruleCase(
    "lock/unique-column",
    NOTES,
    "alter table notes add column code text unique",
    "alter table notes add column code text",
  ),
  ruleCase(
    "lock/referencing-column",
    TASKS,
    "alter table comments add column project_id bigint default 1 references projects",
    "alter table comments add column project_id bigint references projects",
  ),
  ruleCase(
    "lock/referencing-column",
    TASKS,
    "alter table comments add note text default 'a, b', add project_id bigint default abs(-1) constraint theirs references projects (id) on delete set null deferrable initially deferred",
    "alter table comments add note text default 'a, b', add project_id bigint",
    { when: "with everything a foreign key can say" },
  ),
];

/** A constraint or a change of a column. */
const CONSTRAINT_CASES = [
  ruleCase(
    "lock/set-not-null",
    NOTES,
    "alter table notes alter column body set not null",
    "alter table notes alter column id set not null",
  ),
  ruleCase(
    "lock/check",
    NOTES,
    "alter table notes add constraint rated check (rating >= 0)",
    "alter table notes add constraint rated check (rating >= 0) not valid",
  ),
  ruleCase(
    "lock/check",
    NOTES,
    "alter table notes add check (rating >= 0), add column stars integer",
    "create table papers (rating integer, check (rating >= 0))",
    { when: "without a name, among other commands" },
  ),
  ruleCase(
    "lock/foreign-key",
    ORDERS,
    "alter table orders add foreign key (customer_id) references customers",
    "alter table orders add foreign key (customer_id) references customers not valid",
  ),
  ruleCase(
    "lock/unique",
    UNIQUE_NOTES,
    "alter table notes add constraint notes_body_key unique (body)",
    "alter table notes add constraint notes_id_key unique using index notes_id_idx",
  ),
  ruleCase(
    "lock/unique",
    EVENTS,
    "alter table events add constraint events_key unique (id, happened_on)",
    "create table papers (id bigint unique)",
    { when: "of a partitioned table", fix: "advice" },
  ),
  ruleCase(
    "lock/unique",
    NOTES,
    "alter table notes add unique (body) include (rating) deferrable",
    "alter table notes add column code text",
    { when: "without a name" },
  ),
  ruleCase(
    "lock/nullable-primary-key",
    KEYLESS,
    "alter table papers add primary key using index papers_id_idx",
    "alter table books add primary key using index books_id_idx",
  ),
  ruleCase(
    "lock/exclusion",
    BOOKINGS,
    "alter table bookings add constraint bookings_apart exclude using gist (during with &&)",
    "create table rooms (id bigint primary key, during tstzrange, exclude using gist (during with &&))",
    { fix: "advice" },
  ),
  ruleCase(
    "lock/type",
    NOTES,
    "alter table notes alter column rating type bigint",
    "alter table notes alter column body type varchar",
  ),
  ruleCase(
    "lock/type",
    NOTES,
    "alter table notes alter rating set data type text using rating::text || '!'",
    "alter table notes alter rating set default 1",
    { when: "with a value of its own" },
  ),
  ruleCase(
    "lock/type",
    `${NOTES};\nalter table notes add column type integer default 1`,
    "alter table notes alter column type type text using 'using ' || type",
    "alter table notes alter column type set default 2",
    { when: "of a column that is called type" },
  ),
  ruleCase(
    "lock/type-check",
    CHECKED_TASKS,
    "alter table tasks alter column title type text",
    "alter table tasks alter column status type varchar",
    { fix: filled("tasks_title_check") },
  ),
  ruleCase(
    "lock/collation",
    INDEXED_NOTES,
    'alter table notes alter column body type text collate "C"',
    "alter table notes alter column body type text",
  ),
  ruleCase(
    "lock/generated-expression",
    SIZED_NOTES,
    "alter table notes alter column size set expression as (length(body) * 2)",
    "alter table notes alter column size drop expression",
    { since: 17, fix: "advice" },
  ),
  ruleCase(
    "lock/drop-foreign-key",
    TASKS,
    "alter table tasks drop constraint tasks_project_id_fkey",
    "alter table comments drop constraint comments_pkey",
  ),
  ruleCase(
    "lock/domain-constraint",
    DOMAINS,
    "alter domain positive add constraint small check (value < 1000)",
    "alter domain positive add constraint small check (value < 1000) not valid",
  ),
  ruleCase(
    "lock/domain-constraint",
    DOMAINS,
    "alter domain positive set not null",
    "alter domain positive set default 1",
    { when: "not null" },
  ),
  ruleCase(
    "lock/domain-constraint",
    `${DOMAINS};\nalter domain positive add constraint small check (value < 1000) not valid`,
    "alter domain positive validate constraint small",
    "alter domain positive drop constraint small",
    { when: "validated", fix: "advice" },
  ),
];

/** Indexes, whole tables, partitions. */
const TABLE_CASES = [
  ruleCase(
    "lock/index",
    TASKS,
    "create index on tasks (title)",
    "create index concurrently tasks_title_idx on tasks (title)",
  ),
  ruleCase(
    "lock/index",
    EVENTS,
    "create index events_kind_idx on events (kind)",
    "create index events_kind_idx on only events (kind)",
    {
      when: "of a partitioned table",
      fix: (fix) => fix.replaceAll("part_idx", "events_1_kind_idx").replace("part …", "events_1 (kind)"),
    },
  ),
  ruleCase(
    "lock/drop-index",
    TASKS,
    "drop index tasks_project_id_idx",
    "drop index concurrently tasks_project_id_idx",
  ),
  ruleCase(
    "lock/drop-index",
    `${EVENTS};\ncreate index events_kind_idx on events (kind)`,
    "drop index events_kind_idx",
    "drop index if exists absent",
    { when: "of a partitioned table" },
  ),
  ruleCase("lock/reindex", TASKS, "reindex table tasks", "reindex table concurrently tasks"),
  ruleCase(
    "lock/reindex",
    TASKS,
    "reindex (verbose) index tasks_pkey",
    "reindex (concurrently, verbose) index tasks_pkey",
    { when: "with options" },
  ),
  ruleCase(
    "lock/create-foreign-key",
    TASKS,
    "create table labels (id bigint primary key, task_id bigint references tasks)",
    "create table labels (id bigint primary key, parent_id bigint references labels)",
    { before: ["create table labels (id bigint primary key, task_id bigint)"] },
  ),
  ruleCase(
    "lock/create-foreign-key",
    TASKS,
    "create table labels (id bigint, task_id bigint, foreign key (task_id) references tasks match full on update cascade)",
    "create table labels (id bigint, task_id bigint)",
    { when: "of the table", before: ["create table labels (id bigint primary key, task_id bigint)"] },
  ),
  ruleCase("lock/partition", EVENTS, NEXT_PART, "create table events_4 (like events including all)"),
  ruleCase(
    "lock/partition-scan",
    EVENTS_DEFAULT,
    NEXT_PART,
    "create table events_4 (like events including all)",
    {
      fix: filled(IN_APRIL),
    },
  ),
  ruleCase(
    "lock/partition-scan",
    `${EVENTS};${MARCH}`,
    "alter table events attach partition march for values from ('2026-03-01') to ('2026-04-01')",
    "alter table march add constraint march_bound check (happened_on >= '2026-03-01') not valid",
    { when: "attached", fix: filled("happened_on >= '2026-03-01' and happened_on < '2026-04-01'") },
  ),
  ruleCase(
    "lock/detach",
    EVENTS,
    "alter table events detach partition events_1",
    "alter table events detach partition events_1 concurrently",
  ),
  ruleCase(
    "lock/detach",
    EVENTS_DEFAULT,
    "alter table events detach partition events_1",
    "alter table events_1 set (fillfactor = 90)",
    { when: "beside a default partition" },
  ),
  ruleCase(
    "lock/refresh",
    VIEWS,
    "refresh materialized view note_counts",
    "refresh materialized view concurrently note_counts",
  ),
  ruleCase(
    "lock/refresh",
    `${VIEWS};\ncreate materialized view note_list as select id, body from notes`,
    "refresh materialized view note_list",
    "refresh materialized view concurrently note_counts",
    { when: "without a unique index", fix: filled("note_list_id_idx", "id") },
  ),
  ruleCase(
    "lock/refresh-concurrently",
    VIEWS,
    "refresh materialized view concurrently note_counts",
    "create materialized view note_list as select id, body from notes",
    { fix: "advice" },
  ),
  ruleCase(
    "lock/cluster",
    NOTES,
    "cluster notes using notes_pkey",
    "alter table notes cluster on notes_pkey",
  ),
  ruleCase("lock/vacuum-full", NOTES, "vacuum (full, analyze) notes", "vacuum (analyze) notes"),
  ruleCase(
    "lock/storage",
    NOTES,
    "alter table notes set unlogged",
    "alter table notes set (fillfactor = 90)",
    {
      fix: "advice",
    },
  ),
];

const ADD_COLOUR = "alter table notes add column colour text";

/** What a statement does to the transaction it stands in. */
const TRANSACTION_CASES = [
  ruleCase(
    "lock/validate",
    UNPROVEN_TASKS,
    {
      up: "alter table projects add column colour text;\nalter table tasks validate constraint tasks_project_id_fkey",
      format: "dbmate",
    },
    "alter table projects add column colour text;\nalter table tasks validate constraint tasks_project_id_fkey",
    { before: ["alter table projects add column colour text"] },
  ),
  ruleCase(
    "lock/work-under-lock",
    NOTES,
    `${ADD_COLOUR};\nupdate notes set colour = 'red' where colour is null`,
    `update notes set body = '' where body is null;\n${ADD_COLOUR}`,
    { before: [ADD_COLOUR] },
  ),
  ruleCase(
    "lock/several-tables",
    TASKS,
    "alter table tasks add column note text;\nalter table projects add column note text",
    "alter table tasks add column note text;\nalter table tasks add column colour text",
    { fix: "advice" },
  ),
  ruleCase(
    "lock/no-timeout",
    NOTES,
    { up: ADD_COLOUR, format: "dbmate" },
    { up: `set lock_timeout = '2s';\n${ADD_COLOUR}`, format: "dbmate" },
    { fix: above, fixForm: { format: "dbmate" } },
  ),
  ruleCase(
    "lock/table",
    NOTES,
    "lock table notes in access exclusive mode",
    "lock table notes in row exclusive mode",
    { fix: "advice" },
  ),
  ruleCase(
    "lock/blocks",
    NOTES,
    "do $$ begin alter table notes alter column body set not null; end $$",
    "do $$ begin alter table notes alter column body set default ''; end $$",
  ),
  ruleCase(
    "lock/unknown",
    NOTES,
    "do $$ begin execute 'select ' || quote_literal(current_user); end $$",
    "do $$ begin perform current_user; end $$",
    { fix: above },
  ),
];

/** `lock/*`. */
export const LOCK_CASES = [...COLUMN_CASES, ...CONSTRAINT_CASES, ...TABLE_CASES, ...TRANSACTION_CASES];
