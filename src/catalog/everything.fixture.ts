/** A schema with every kind of object, in statements that 15 to 18 take. Runs with `search_path` set to home. */
export const EVERYTHING = `
create schema audit;
comment on schema audit is 'who did what';
grant usage on schema audit to pg_monitor;
create extension pg_trgm;
create extension citext schema public;

create type mood as enum ('sad', 'it''s ok', 'happy');
comment on type mood is 'how it is';
create collation odd (provider = icu, locale = 'en-u-kn-true', deterministic = false);
create domain email as text collate "C" default 'a@b' not null constraint has_at check (value like '%@%');
create function is_even(a integer) returns boolean language sql immutable return a % 2 = 0;
create domain even as integer check (is_even(value));
create type address as (street text, city text collate "C", mood mood);
create type span as range (subtype = float8, subtype_diff = float8mi);
create sequence invoice_number increment 5 start 100 minvalue 10 maxvalue 1000 cache 3 cycle;
grant usage on sequence invoice_number to pg_monitor;

create table people (
  id bigint generated always as identity (start 100 increment 2) primary key,
  email email unique,
  contact public.citext,
  mood mood not null default 'sad',
  name text collate odd,
  score numeric(10,2) default 0 check (score >= 0),
  address address,
  evens even[],
  doubled numeric generated always as (score * 2) stored,
  born date,
  body text,
  old serial,
  constraint name_ok check (length(name) > 0)
);
create table children (toy text) inherits (people) with (fillfactor = 70, toast.autovacuum_enabled = off);
alter table people
  alter body set storage external,
  alter body set compression pglz,
  alter name set statistics 500,
  add constraint no_overlap exclude using gist (numrange(score, score + 1) with &&) deferrable initially deferred,
  add constraint late check (born > '1900-01-01') not valid;
comment on table people is 'all of them';
comment on column people.name is 'a person''s';
comment on constraint name_ok on people is 'no blanks';
grant select, update (name) on people to pg_monitor;
grant insert on people to pg_read_all_data with grant option;
create table audit.entries (
  id bigint primary key,
  person bigint references people on delete cascade,
  at timestamptz default now()
);
alter table audit.entries replica identity full;
create unlogged table scratch (id int);

create table visits (person_id bigint not null references people (id), at timestamptz not null, primary key (person_id, at))
  partition by range (at);
create table visits_2024 partition of visits for values from ('2024-01-01') to ('2025-01-01');
create table visits_rest partition of visits default;
create index on visits (at);

create index people_lower on people (lower(name)) include (score) where score > 1;
create index people_trgm on people using gin (body gin_trgm_ops);
create unique index on people (contact) nulls not distinct;
comment on index people_trgm is 'for the search';
create statistics people_stats (dependencies) on name, score from people;

create view moods with (security_barrier) as select id, name, is_even(id::int) as even from people where mood = 'happy';
comment on view moods is 'the happy';
comment on column moods.even is 'or odd';
create materialized view mood_counts with (fillfactor = 50) as select even, count(*) from moods group by even;
create unique index on mood_counts (even);

create function touch() returns trigger language plpgsql security definer set search_path to pg_catalog, pg_temp
  as $$ begin new.name := 'x'; return new; end $$;
revoke execute on function touch() from public;
create function count_people() returns bigint language sql begin atomic select count(id) from people; end;
create procedure clean(days int default 3) language plpgsql as $$ begin commit; end $$;
create function add(a numeric, b numeric) returns numeric language sql immutable as $$ select a + b $$;
create aggregate total(numeric) (sfunc = add, stype = numeric, initcond = '0', combinefunc = add, parallel = safe);

create trigger touch before update of name on people for each row
  when (old.name is distinct from new.name) execute function touch();
create constraint trigger after_insert after insert on people deferrable initially deferred
  for each row execute function touch();
alter table people disable trigger after_insert;
create trigger touch before insert on visits for each row execute function touch();
create trigger instead instead of insert on moods for each row execute function touch();

alter table people enable row level security, force row level security;
create policy mine on people as restrictive for update to pg_monitor using (is_even(id::int)) with check (score > 0);
create rule nothing as on delete to scratch do instead nothing;

create text search dictionary stem (template = snowball, language = 'english');
create text search configuration plain (copy = english);
alter text search configuration plain alter mapping for asciiword with stem;
create function same(mood, mood) returns boolean language sql immutable as $$ select $1::text = $2::text $$;
create operator ==== (leftarg = mood, rightarg = mood, function = same, commutator = ====);
create function mood_hash(mood) returns integer language sql immutable as $$ select hashtext($1::text) $$;
create operator class mood_ops for type mood using hash as operator 1 ====, function 1 mood_hash(mood);
create function to_integer(mood) returns integer language sql immutable as $$ select 1 $$;
create cast (mood as integer) with function to_integer(mood) as assignment;
create function on_ddl() returns event_trigger language plpgsql as $$ begin end $$;
create event trigger guard on ddl_command_end when tag in ('COMMENT') execute function on_ddl();
alter event trigger guard disable;
create extension postgres_fdw schema public;
create server far foreign data wrapper postgres_fdw options (host 'example.test', dbname 'y');
create foreign table afar (id int not null, name text options (column_name 'b')) server far options (table_name 't');
create publication changes for table only people (id, name) where (id > 1) with (publish = 'insert');
create table plinth_migrations (id serial primary key);
`;
