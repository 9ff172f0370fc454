/** What `everything.fixture.ts` of the catalog has and no declaration says. */
export const EVERYTHING_FINDINGS: readonly string[] = [
  "not-declared collation odd: there is no declaration for collations",
  "not-declared domain even: it needs function is_even(integer), which is not declared",
  "not-declared range type span: there is no declaration for range types",
  "not-declared table children: it inherits from another table, which has no declaration",
  "not-declared table people: it needs domain even, which is not declared",
  "not-declared table scratch: it has no primary key, and an entity needs one",
  "not-declared foreign server far: there is no declaration for foreign servers",
  "not-declared foreign table afar: there is no declaration for foreign tables",
  "not-declared constraint visits.visits_person_id_fkey: it needs table people, which is not declared",
  "not-declared view moods: it needs table people, which is not declared",
  "not-declared materialized view mood_counts: it needs view moods, which is not declared",
  "not-declared function count_people(): a body that is not a text (begin atomic, return, a C function) has no declaration",
  "not-declared function is_even(integer): a body that is not a text (begin atomic, return, a C function) has no declaration",
  "not-declared function mood_hash(mood): an argument without a name has no declaration",
  "not-declared function on_ddl(): a function for event triggers has no declaration",
  "not-declared function same(mood, mood): an argument without a name has no declaration",
  "not-declared function to_integer(mood): an argument without a name has no declaration",
  "not-declared function touch(): there is no declaration for SET search_path TO 'pg_catalog', 'pg_temp'",
  "not-declared aggregate total(numeric): there is no declaration for aggregates",
  "not-declared operator ====(mood, mood): there is no declaration for operators",
  "not-declared operator class mood_ops using hash: there is no declaration for operator classes",
  "not-declared cast (mood as integer): there is no declaration for casts",
  "not-declared text search dictionary stem: there is no declaration for text search dictionaries",
  "not-declared text search configuration plain: there is no declaration for text search configurations",
  "not-declared trigger visits.touch: it needs function touch(), which is not declared",
  "not-declared event trigger guard: there is no declaration for event triggers",
  "not-declared publication changes: there is no declaration for publications",
  'partly-declared composite type address: the collation "C" of its city has no declaration',
  'partly-declared domain email: its collation "C" has no declaration',
];

/** Tables, columns and keys with something that has no declaration, but are declared without it. */
export const PARTLY = `
create collation odd (provider = icu, locale = 'en-u-kn-true', deterministic = false);
create type pair as (a text collate "C");
create sequence small as smallint;
create unlogged table u (id bigint primary key);
create table a (
  id bigint primary key,
  name text collate odd,
  body text,
  code text constraint code_key unique deferrable,
  score integer
) with (fillfactor = 70);
alter table a
  alter body set storage external, alter body set compression pglz, alter body set statistics 50,
  add constraint late check (score > 0) not valid,
  add constraint apart exclude using btree (score with =),
  replica identity full, enable row level security, force row level security;
create table b (id bigint primary key, a_id bigint references a on delete set null deferrable initially deferred);
alter table b add constraint never check (id > 0) no inherit;
create index a_score on a (score) include (name);
create unique index a_code on a (code) nulls not distinct;
create function one() returns int language sql as 'select 1';
revoke execute on function one() from public;
create view names as select id, name from a;
comment on column names.name is 'called';
create table p (id bigint not null, at date not null, primary key (id, at)) partition by range (at);
create table p_1 partition of p for values from ('2024-01-01') to ('2025-01-01');
create index p_1_id on p_1 (id);
create policy visible on a using (true);
comment on policy visible on a is 'all';
create table orphan (id bigint);
create table child (id bigint primary key) inherits (orphan);
`;

export const PARTLY_FINDINGS: readonly string[] = [
  "not-declared collation odd: there is no declaration for collations",
  "not-declared table child: it inherits from another table, which has no declaration",
  "not-declared table orphan: it has no primary key, and an entity needs one",
  'partly-declared composite type pair: the collation "C" of its a has no declaration',
  "partly-declared sequence small: its type smallint has no declaration; declared, it would be bigint",
  "partly-declared constraint a.code_key: there is no declaration for DEFERRABLE",
  "partly-declared constraint a.late: it was never validated; declared, it would be",
  "not-declared constraint a.apart: a constraint of the kind exclusion has no declaration",
  "partly-declared column a.name: its collation odd has no declaration",
  "partly-declared column a.body: its storage external has no declaration",
  "partly-declared column a.body: its compression pglz has no declaration",
  "partly-declared column a.body: its statistics target 50 has no declaration",
  "not-declared index a_code: there is no declaration for NULLS NOT DISTINCT",
  "not-declared index a_score: there is no declaration for INCLUDE (name)",
  "partly-declared policy a.visible: the comment of a policy has no declaration",
  "partly-declared table a: there is no declaration for its options fillfactor=70",
  "partly-declared table a: row security is forced on its owner, which has no declaration",
  "partly-declared table a: its replica identity full has no declaration",
  "partly-declared constraint b.b_a_id_fkey: there is no declaration for DEFERRABLE INITIALLY DEFERRED",
  "partly-declared constraint b.never: there is no declaration for NO INHERIT",
  "partly-declared table p_1: as a partition it is declared with its parent only, without index p_1_id",
  "partly-declared table u: it is unlogged; declared, it would not be",
  "partly-declared view names: the comment of its column name has no declaration",
  "partly-declared function one(): that not everybody has execute on it has no declaration",
];
