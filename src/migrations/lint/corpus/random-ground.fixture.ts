import { DOMAINS, EVENTS_DEFAULT, FAMILY, NOTES, ORDERS, SEQUENCES, TASKS } from "./grounds.fixture.ts";

/** A table of every habit: generated and self-referring columns, partial, expression and covering indexes. */
const PAGES = `
create table pages (
  id bigint primary key,
  slug varchar(50) not null unique,
  body text,
  word_count integer generated always as (length(body)) stored,
  parent_id bigint constraint pages_parent_fk references pages,
  rank numeric(10, 2),
  seen timestamp(3),
  made timestamptz,
  kinds varchar(10)[],
  doc json,
  note_id bigint references notes,
  constraint pages_slug_short check (length(slug) < 100),
  constraint rank_there check (rank is not null)
);
create index pages_lower_idx on pages (lower(slug));
create index pages_some_idx on pages (id) where parent_id is null;
create index pages_words_idx on pages using gin (to_tsvector('simple', body));
create index pages_rank_idx on pages (rank) include (seen);
insert into pages (id, slug, body, parent_id, rank, seen, made, kinds, doc, note_id)
  select i, 'page-' || i, repeat('word ', 10), i, i, now(), now(), array['a'], '{}', i from generate_series(1, 200) i;
create view page_list as select id, slug from pages;
create materialized view page_stats as select id % 5 as bucket, count(*) as pages from pages group by 1;
create unique index page_stats_idx on page_stats (bucket)`;

/** Functions, a trigger, a policy, domains over domains. */
const REST = `
create table march (id bigint not null, happened_on date not null, kind text);
insert into march select i, date '2026-03-01' + i % 30, 'click' from generate_series(1, 200) i;
create function touch() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger notes_touch before update on notes for each row execute function touch();
create function shade(n integer default 1) returns text language sql immutable as 'select ''red''::text';
create function wild() returns text language plpgsql as 'begin return ''x''; end';
create policy own on orders using (total > 0);
create domain wrapped as positive;
create domain filled as text not null default 'x';
create unique index orders_id_email_idx on orders (id, email)`;

/** One schema that holds every kind of object random statements are about. Needs the extension citext in `public`. */
export const RANDOM_GROUND = [
  NOTES,
  TASKS,
  ORDERS,
  EVENTS_DEFAULT,
  DOMAINS,
  FAMILY,
  SEQUENCES,
  PAGES,
  REST,
].join(";\n");

/** Its tables and their columns. */
export const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  notes: ["id", "body", "rating", "is_done", "written_at"],
  projects: ["id", "name", "budget"],
  tasks: ["id", "project_id", "title", "status"],
  comments: ["id", "task_id", "body"],
  customers: ["id", "email", "region"],
  orders: ["id", "customer_id", "email", "region", "total"],
  events: ["id", "happened_on", "kind"],
  events_1: ["id", "happened_on", "kind"],
  boxes: ["id", "size", "name", "code", "feeling", "spot"],
  crates: ["id", "name"],
  animals: ["id", "name"],
  dogs: ["id", "name", "breed"],
  tickets: ["id", "number", "title"],
  pages: ["id", "slug", "body", "word_count", "parent_id", "rank", "seen", "made", "kinds", "doc", "note_id"],
  march: ["id", "happened_on", "kind"],
};

/** The named constraints of some of them. */
export const CONSTRAINTS: Readonly<Record<string, readonly string[]>> = {
  notes: ["notes_pkey"],
  projects: ["projects_pkey"],
  tasks: ["tasks_pkey", "tasks_project_id_fkey"],
  comments: ["comments_pkey", "comments_task_id_fkey"],
  customers: ["customers_pkey", "customers_email_region_key"],
  orders: ["orders_pkey"],
  events: ["events_pkey"],
  pages: ["pages_pkey", "pages_slug_key", "pages_parent_fk", "pages_slug_short", "rank_there"],
};

export const INDEXES: readonly string[] = [
  "notes_pkey",
  "tasks_project_id_idx",
  "customers_email_region_key",
  "pages_lower_idx",
  "pages_some_idx",
  "pages_rank_idx",
  "page_stats_idx",
  "orders_id_email_idx",
  "events_pkey",
];
