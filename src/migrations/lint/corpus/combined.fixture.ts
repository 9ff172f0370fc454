import { type Form, form, forms } from "./form.fixture.ts";
import { EVENTS, FAMILY, ORDERS, SEQUENCES, TASKS, VIEWS } from "./grounds.fixture.ts";

/** Names that have to be quoted, and a second schema. */
const ODD = `
drop schema if exists side cascade;
create schema side;
create table "Odd Table" ("Id" bigint primary key, "select" text, "a""b" integer);
create index "Odd Index" on "Odd Table" ("select");
create table side.things (id bigint primary key, odd_id bigint references "Odd Table", name text);
insert into "Odd Table" select i, 'x', i from generate_series(1, 200) i;
insert into side.things select i, i, 'thing' from generate_series(1, 200) i`;

/** Partitions of partitions, a foreign key from them and one to them. */
const TREE = `
create table zones (id bigint primary key);
create table logs (id bigint, zone_id bigint references zones, kind text, primary key (id, kind)) partition by list (kind);
create table logs_a partition of logs for values in ('a') partition by hash (id);
create table logs_a_0 partition of logs_a for values with (modulus 2, remainder 0);
create table logs_a_1 partition of logs_a for values with (modulus 2, remainder 1);
create table logs_rest partition of logs default;
create table alarms (id bigint primary key, log_id bigint, log_kind text, foreign key (log_id, log_kind) references logs);
insert into zones select i from generate_series(1, 200) i;
insert into logs select i, i, case when i % 3 = 0 then 'b' else 'a' end from generate_series(1, 200) i;
insert into alarms select id, id, kind from logs`;

/** A table with generated columns, a toasted one, and indexes of many kinds. */
const WIDE = `
create table pages (
  id bigint primary key,
  slug text not null unique,
  body text,
  word_count integer generated always as (length(body)) stored,
  parent_id bigint constraint pages_parent_fk references pages,
  constraint pages_slug_short check (length(slug) < 100)
);
create index pages_lower_idx on pages (lower(slug));
create index pages_some_idx on pages (id) where parent_id is null;
create index pages_words_idx on pages using gin (to_tsvector('simple', body));
insert into pages select i, 'page-' || i, repeat('word ', 10) from generate_series(1, 200) i;
create view page_list as select id, slug from pages;
create view page_ids as select id from page_list;
create materialized view page_stats as select count(*) as pages from page_list`;

const NAMES: readonly Form[] = [
  ...forms(6, ODD, [
    'alter table "Odd Table" add column note text',
    "alter table side.things add column note text default 'x'",
    'alter table corpus."Odd Table" alter column "select" set default \'y\'',
  ]),
  ...forms(4, ODD, ['drop index "Odd Index"', 'drop index corpus."Odd Index"']),
  form(4, ODD, 'drop index concurrently "Odd Index"', { outside: true }),
  form(1, ODD, "create index on side.things (name)"),
  form(3, ODD, "create index concurrently things_name_idx on side.things (name)", { outside: true }),
  form(23, ODD, 'alter table "Odd Table" alter column "a""b" type bigint'),
  form(29, ODD, "alter table side.things drop constraint things_odd_id_fkey"),
  form(28, ODD, 'drop table "Odd Table" cascade'),
  form(28, ODD, "drop table side.things"),
  form(28, ODD, "drop schema side cascade"),
  form(27, ODD, 'alter table "Odd Table" rename column "a""b" to "c d"'),
  form(16, ODD, "alter table side.things alter column name set not null"),
  form(18, ODD, 'alter table "Odd Table" add foreign key ("Id") references side.things (id)'),
  form(38, ODD, 'truncate "Odd Table" cascade'),
  form(47, ODD, "update side.things set name = 'x'"),
  form(41, ODD, "comment on table side.things is 'things'"),
];

const TREES: readonly Form[] = [
  ...forms(6, TREE, [
    "alter table logs add column note text",
    "alter table only logs alter column kind set default 'a'",
  ]),
  form(7, TREE, "alter table logs add column token uuid default gen_random_uuid()"),
  form(1, TREE, "create index on logs (zone_id)"),
  form(1, TREE, "create index on logs_a (zone_id)"),
  form(1, TREE, "create index on only logs (zone_id)"),
  form(16, TREE, "alter table logs alter column zone_id set not null"),
  form(17, TREE, "alter table logs add constraint zone_there check (zone_id > 0)"),
  form(17, TREE, "alter table logs_a add constraint zone_there check (zone_id > 0)"),
  form(20, TREE, "alter table logs add unique (kind, id, zone_id)"),
  form(23, TREE, "alter table logs alter column zone_id type numeric", { fails: "42804" }),
  form(24, TREE, "alter table logs alter column zone_id type bigint"),
  form(27, TREE, "alter table logs rename column zone_id to area_id"),
  form(28, TREE, "alter table logs drop column zone_id"),
  form(28, TREE, "drop table logs_a", { fails: "2BP01" }),
  form(28, TREE, "drop table logs_rest cascade"),
  form(28, TREE, "drop table alarms, logs_rest"),
  form(28, TREE, "drop table logs cascade"),
  form(28, TREE, "drop table alarms"),
  form(28, TREE, "drop table zones cascade"),
  form(29, TREE, "alter table alarms drop constraint alarms_log_id_log_kind_fkey"),
  form(29, TREE, "alter table logs drop constraint logs_zone_id_fkey"),
  form(32, TREE, "create table logs_c partition of logs for values in ('c')"),
  form(33, TREE, "alter table logs attach partition logs_c for values in ('c')", {
    also: "create table logs_c (id bigint not null, zone_id bigint, kind text not null); insert into logs_c select i, i, 'c' from generate_series(1, 200) i",
  }),
  form(34, TREE, "alter table logs detach partition logs_a", { also: "truncate alarms" }),
  form(34, TREE, "alter table logs_a detach partition logs_a_1", { also: "truncate alarms" }),
  form(38, TREE, "truncate logs cascade"),
  form(38, TREE, "truncate logs_a", { fails: "0A000" }),
  form(39, TREE, "alter table logs disable trigger all"),
  form(40, TREE, "alter table logs owner to plinth_corpus"),
  form(41, TREE, "analyze logs"),
  form(47, TREE, "update logs set zone_id = 1 where id = 7"),
  form(47, TREE, "delete from logs where kind = 'b'", { also: "truncate alarms" }),
];

const MIXED: readonly Form[] = [
  ...forms(0, WIDE, [
    "alter table pages add column a text, add column b uuid default gen_random_uuid()",
    "alter table pages drop column body cascade",
    "alter table pages drop column word_count, add column word_count integer",
    "alter table pages drop constraint pages_slug_short, add constraint pages_slug_short check (length(slug) < 50)",
    "alter table pages drop constraint pages_slug_short, add constraint pages_slug_short check (length(slug) < 50) not valid",
    "alter table pages drop constraint pages_slug_key",
    "alter table pages drop constraint pages_parent_fk",
    "alter table pages alter column body set not null, alter column body set default ''",
    "alter table pages add constraint pages_id_positive check (id > 0) not valid, validate constraint pages_id_positive",
    "alter table pages alter column body set storage main, set (fillfactor = 80)",
    "alter table pages set (fillfactor = 80), alter column body set statistics 100",
    "alter table pages cluster on pages_pkey, set (fillfactor = 80)",
    "alter table pages enable row level security, force row level security",
    "alter table pages alter column parent_id drop default, alter column parent_id drop not null",
    "reindex table pages",
    "refresh materialized view page_stats",
    "create or replace view page_ids as select id from page_list where id > 0",
    "drop view page_list cascade",
    "drop view page_ids, page_list cascade",
    "drop materialized view page_stats",
    "truncate pages",
    "delete from pages where parent_id = 7",
    "update pages set body = 'x' where slug = 'page-7'",
    "update pages set parent_id = 1 where id = 7",
    "insert into pages (id, slug) values (1000, 'new')",
    "insert into pages (id, slug, parent_id) values (1000, 'new', 1)",
    "alter table pages rename column slug to path",
    "alter table pages set unlogged",
    "alter table pages replica identity using index pages_slug_key",
    "lock table page_list",
    "grant select on page_list to plinth_corpus",
  ]),
  form(23, WIDE, "alter table pages alter column id type numeric", { fails: "0A000" }),
  form(23, WIDE, "alter table pages alter column body type varchar(500)", { fails: "0A000" }),
  form(23, WIDE, "alter table pages alter column parent_id type integer"),
  form(24, WIDE, "alter table pages alter column parent_id type bigint"),
  form(0, SEQUENCES, "alter table tickets alter column id set default 7, alter column title set not null"),
  form(
    0,
    VIEWS,
    "alter table notes alter column rating set not null, add constraint one unique (id, rating)",
  ),
  form(0, FAMILY, "alter table only animals add constraint named check (name <> '') no inherit"),
  form(0, FAMILY, "alter table animals add constraint named check (name <> '') not valid"),
  form(0, FAMILY, "alter table animals validate constraint named", {
    also: "alter table animals add constraint named check (name <> '') not valid",
  }),
  form(0, FAMILY, "alter table animals alter column id type numeric, add column age integer default 3"),
  form(0, FAMILY, "create index on animals (name)"),
  form(0, FAMILY, "update animals set name = 'x'"),
  form(0, FAMILY, "update only animals set name = 'x'"),
  form(0, EVENTS, "alter table events add column a integer, add constraint a_positive check (a > 0)"),
  form(0, EVENTS, "alter table events_1 add column a integer", { fails: "42809" }),
  form(0, EVENTS, "alter table events_1 alter column kind set not null"),
  form(
    0,
    TASKS,
    "alter table tasks add column owner_id bigint, add foreign key (owner_id) references projects",
  ),
  form(0, TASKS, "alter table tasks drop column project_id, add column owner_id bigint references projects"),
  form(
    0,
    ORDERS,
    "alter table orders add constraint fk foreign key (customer_id) references customers not valid, validate constraint fk",
  ),
  form(
    0,
    ORDERS,
    "create table copy as select o.id, c.email from orders o join customers c on c.id = o.customer_id",
  ),
  form(
    0,
    ORDERS,
    "create table copy as select o.id from orders o where exists (select from customers c where c.id = o.customer_id)",
  ),
  form(0, ORDERS, "insert into orders (id) select max(id) + 1 from orders"),
  form(
    0,
    ORDERS,
    "update orders set total = (select count(*) from customers c where c.region = orders.region)",
  ),
  form(0, ORDERS, "delete from orders where customer_id in (select id from customers where region = 'eu')"),
  form(
    0,
    ORDERS,
    "insert into orders (id, customer_id) values (1000, (select id from customers where email = 'c7@example.test' and region = 'eu'))",
  ),
];

/** What the other files leave out: odd names, deep trees, and several clauses in one statement. */
export const COMBINED_FORMS: readonly Form[] = [...NAMES, ...TREES, ...MIXED];
