import { carriesOver, type DifferenceCase } from "./trial.fixture.ts";

const TOUCH = "create function touch() returns trigger language plpgsql as $$ begin return new; end $$;";

const CASES: readonly DifferenceCase[] = [
  [
    "tables that refer to each other in a circle",
    "",
    `create table a (id int primary key, b int); create table b (id int primary key, a int references a, c int); create table c (id int primary key, a int references a);
     alter table a add foreign key (b) references b; alter table b add foreign key (c) references c; create table self (id int primary key, parent int references self);`,
  ],
  [
    "a table that refers to one in use",
    "create table a (id int primary key)",
    "create table a (id int primary key); create table b (id int primary key, a int references a)",
    { rows: "insert into a values (1)", between: "insert into b values (1, 1)" },
  ],
  [
    "options of a table",
    "create table t (a text) with (fillfactor = 70, autovacuum_enabled = false)",
    "create table t (a text) with (fillfactor = 80, toast.autovacuum_enabled = false)",
  ],
  [
    "an unlogged table",
    "create table t (id serial, n int generated always as identity); create table u (id int)",
    "create unlogged table t (id serial, n int generated always as identity); create unlogged table u (id int); create unlogged table n (id int); create unlogged sequence s",
    { rows: "insert into t default values" },
  ],
  [
    "row security and policies",
    "create table t (a int); create policy gone on t using (a = 1); create policy p on t for update using (a = 1) with check (a = 2); create policy q on t for select to pg_monitor using (a = 1); create policy r on t as restrictive using (a > 1) with check (a > 2)",
    "create table t (a int); alter table t enable row level security; alter table t force row level security; create policy p on t for update using (a = 3) with check (a = 2); create policy q on t for select using (a = 1); create policy r on t as restrictive using (a > 1); create policy s on t for insert to pg_monitor with check (a > 4); comment on policy s on t is 'new'",
  ],
  [
    "replica identity",
    "create table t (a int not null, b int not null); create unique index i on t (a); alter table t replica identity using index i; create table u (a int); create table v (a int primary key)",
    "create table t (a int not null, b int not null); create unique index i on t (a, b); alter table t replica identity using index i; create table u (a int); alter table u replica identity full; create table v (a int primary key); alter table v replica identity using index v_pkey; create table w (a int); alter table w replica identity nothing",
  ],
  [
    "comments and rights",
    "create table t (a int); comment on table t is 'x'; grant select, insert on t to pg_monitor; create sequence s; grant usage on sequence s to public; create view v as select 1 as one",
    "create table t (a int); comment on table t is null; grant select on t to pg_monitor with grant option; grant delete on t to public; create sequence s; comment on sequence s is 's'; create view v as select 1 as one; comment on view v is 'v'; comment on column v.one is 'one'; grant select on v to public",
  ],
  [
    "sequences",
    "create sequence a; create sequence b as int increment by 3 maxvalue 99 cycle; create table t (x int, y int); create sequence c owned by t.x; create sequence d owned by t.x; create sequence e",
    "create sequence a increment by -1; create sequence b minvalue 5 start 6 cache 3; create table t (x int, y int); create sequence c owned by t.y; create sequence d; create sequence e owned by t.x; create sequence f increment by -2 start with -3 maxvalue -2 minvalue -100 owned by t.x; comment on sequence f is 'f'",
    { rows: "insert into t values (1, 2)" },
  ],
  [
    "a dropped owner of a sequence that stays",
    "create table t (x serial, y int); create table u (a int default nextval('t_x_seq'))",
    "create sequence t_x_seq as int; create table t (y int); create table u (a int default nextval('t_x_seq'))",
    { rows: "insert into t values (1, 2)" },
  ],
  [
    "another schema",
    "",
    `create schema other; comment on schema other is 'o'; grant usage on schema other to pg_monitor; create type other.e as enum ('x'); create table other.t (id serial primary key, e other.e default 'x'); create index on other.t (e); create view other.v as select * from other.t; create table here (id int references other.t); create function other.f() returns int language sql as $$ select 1 $$; create statistics other.s on id, e from other.t; comment on column other.t.e is 'e'; create domain other.d as text check (value <> ''); create sequence other.q; create trigger touch before update on other.t for each row execute function suppress_redundant_updates_trigger(); create policy p on other.t using (true)`,
  ],
  [
    "changes in another schema",
    `create schema other; create table other.t (id serial primary key, e int default 1, x text unique); create index i on other.t (e); ${TOUCH} create trigger touch before update on other.t for each row execute function touch();`,
    `create schema other; create table other.t (id bigserial primary key, e int not null default 2, y uuid not null default gen_random_uuid(), unique (e)); create unique index i on other.t (e desc); ${TOUCH} create trigger touch after update on other.t for each row execute function touch(); alter table other.t disable trigger touch`,
    { rows: "insert into other.t (e) values (3)", between: "" },
  ],
  [
    "an extension",
    "",
    "create extension citext; create table t (a citext unique); create extension pg_trgm; create index on t using gin ((a::text) gin_trgm_ops)",
  ],
  [
    "an extension in another schema",
    "create schema x; create extension citext with schema x; create table t (a x.citext)",
    "create schema x; create extension citext; create table t (a citext)",
  ],
  [
    "triggers",
    `create table t (a int, b int); ${TOUCH} create trigger a before update on t for each row execute function touch(); create trigger b after insert on t for each row execute function touch(); create constraint trigger c after update on t deferrable for each row execute function touch(); create trigger d before update on t for each row execute function touch(); alter table t disable trigger d`,
    `create table t (a int, b int); ${TOUCH} create trigger a before update of a on t for each row when (new.a > 1) execute function touch(); alter table t disable trigger a; create trigger b after insert on t for each row execute function touch(); alter table t enable always trigger b; create constraint trigger c after update on t deferrable initially deferred for each row execute function touch(); create trigger d before update on t for each row execute function touch(); create trigger e after delete on t referencing old table as gone for each statement execute function touch(); comment on trigger e on t is 'e'`,
  ],
  [
    "functions",
    `create function a(x int) returns int language sql as $$ select 1 $$; create function b() returns int language sql as $$ select 1 $$; create function c(x int, y int default 2) returns int language sql as $$ select 1 $$;
     create function d(x int) returns int immutable language sql as $$ select $1 $$; create table t (a int check (d(a) > 0), g int generated always as (d(a)) stored, z int default b()); create index on t (d(a)); create view v as select d(a) as d, b() as b from t; create policy p on t using (d(a) > 1); create procedure pr() language sql as $$ select 1 $$; create function gone() returns int language sql as $$ select 1 $$;
     create aggregate agg(int) (sfunc = int4pl, stype = int, initcond = '0'); create view w as select agg(a) from t; create function u() returns int begin atomic select d(1); end;`,
    `create function a(x int) returns int language sql security definer set search_path from current as $$ select 2 $$; create function b() returns bigint language sql as $$ select 1::bigint $$; create function c(x int, y int default 3) returns int language sql as $$ select 1 $$;
     create function d(y int) returns int immutable language sql as $$ select $1 + 1 $$; create table t (a int check (d(a) > 0), g int generated always as (d(a)) stored, z int default b()); create index on t (d(a)); create view v as select d(a) as d, b() as b from t; create policy p on t using (d(a) > 1); create procedure pr() language sql as $$ select 2 $$; grant execute on function d(int) to pg_monitor; comment on function d(int) is 'd';
     create aggregate agg(int) (sfunc = int4pl, stype = int, initcond = '1'); create view w as select agg(a) from t; create function u() returns int begin atomic select d(1); end; create function new(variadic text[]) returns setof t language plpgsql as $$ begin return; end $$; revoke all on function new(text[]) from public;`,
    { rows: "insert into t (a) values (1)" },
  ],
  [
    "functions that need tables that need functions",
    "",
    `create table base (id int primary key); create function total() returns bigint language sql as $$ select count(*) from base $$; create table t (id int primary key, n bigint default total());
     create table t2 (id int); create function of_t2(t2) returns int language sql immutable as $$ select $1.id $$; alter table t2 add check (of_t2(t2) > 0);
     create view v as select total() as n from base; create function from_v() returns bigint begin atomic select n from v; end; create table t3 (id bigint default from_v()); create function set_of() returns setof t3 language plpgsql as $$ declare r t3%rowtype; begin return; end $$;
     create table t4 (id int); create function of_t4() returns bigint begin atomic select count(*) from t4; end; alter table t4 add n bigint default of_t4();`,
  ],
  [
    "views",
    "create table t (a int, b int); create view keep as select a from t; create view grow as select a from t; create view shrink as select a, b from t; create view on_shrink as select b from shrink; create view opts with (security_barrier) as select a from t; create materialized view m as select a from t; create index on m (a); create view kind as select 1 as x; create view on_kind as select x from kind; comment on view on_kind is 'k'",
    "create table t (a int, b int); create view keep as select a from t; create view grow as select a, b from t where a > 1; create view shrink as select b from t; create view on_shrink as select b from shrink; create view opts with (security_invoker) as select a from t; create materialized view m as select a, b from t; create index on m (a); create unique index on m (b); create materialized view kind as select 1 as x; create view on_kind as select x from kind; comment on view on_kind is 'k'; create recursive view r (n) as select 1 union all select n + 1 from r where n < 3",
    { rows: "insert into t values (1, 2)" },
  ],
  [
    "a view that takes a table's name, and a table that takes a view's",
    "create table x (a int); create view y as select a from x; create view z as select a from y",
    "create table w (a int); create view x as select a from w; create table y (a int); create view z as select a from y",
  ],
  [
    "rules",
    "create table t (a int); create table log (a int); create rule r as on insert to t do also insert into log values (new.a); create rule gone as on delete to t do also notify gone",
    "create table t (a int); create table log (a int); create rule r as on insert to t do also insert into log values (new.a + 1); create view v as select a from t; create rule vr as on update to v do instead update t set a = new.a where a = old.a; comment on rule vr on v is 'v'",
  ],
  [
    "statistics",
    "create table t (a int, b int); create statistics s (ndistinct) on a, b from t; create statistics gone on a, b from t",
    "create table t (a int, b int); create statistics s (ndistinct, mcv) on a, b from t; comment on statistics s is 's'; create statistics n on (a + 1), b from t",
  ],
  [
    "indexes",
    "create table t (a int, b int, c text); create index keep on t (a); create index changed on t (a); create index gone on t (b); create unique index u on t (a, b); create index x on t (c text_pattern_ops); create index t_b_idx on t (b)",
    "create table t (a int, b int, c text); create index keep on t (a); create index changed on t (a, b desc nulls last) include (c) where a > 0; create unique index u on t (a) nulls not distinct; create index x on t (lower(c)); create index renamed on t using hash (b); create index t_b_index on t (b); create index br on t using brin (a) with (pages_per_range = 8); comment on index br is 'br'",
    { rows: "insert into t values (1, 2, 'x')" },
  ],
  [
    "names of constraints and indexes",
    "create table t (a int, b int not null, constraint one primary key (a), constraint two unique (b), constraint three check (a > 0)); create index four on t (a, b); create table u (a int constraint five references t); alter table t replica identity using index two",
    "create table t (a int, b int not null, constraint two primary key (a), constraint one unique (b), constraint drei check (a > 0)); create index vier on t (a, b); create table u (a int constraint fuenf references t); alter table t alter a set not null",
    { rows: "insert into t values (1, 2); insert into u values (1)" },
  ],
  [
    "constraints",
    `create table p (id int primary key, x int unique, y int unique); create table t (id int primary key, a int, b int, constraint c check (a > 0), constraint u unique (a), constraint gone check (b > 0), constraint f foreign key (a) references p, constraint x exclude using gist (int4range(a, b) with &&) where (a < b), constraint df foreign key (b) references p (x));
     alter table t add constraint nv check (b > 1) not valid`,
    `create table p (id int primary key, x int unique, y int unique); create table t (id int, a int not null, b int, constraint t_pkey primary key (id, a), constraint c check (a > 1), constraint u unique nulls not distinct (a, b) include (id) deferrable initially deferred, constraint f foreign key (a) references p (y) on delete cascade, constraint x exclude using gist (int4range(a, b) with &&) where (a <= b), constraint df foreign key (b) references p (x) deferrable initially deferred);
     alter table t add constraint nv check (b > 1); alter table t add constraint nv2 check (b > 2) not valid; alter table t add constraint fv foreign key (b) references p (x) not valid; comment on constraint c on t is 'c'`,
    { rows: "insert into p values (5, 6, 5), (2, 5, 3); insert into t values (1, 5, 6)" },
  ],
  [
    "a key that others refer to",
    "create table p (a int not null, b int not null, constraint k primary key (a)); create table t (a int references p); create view v as select a, b from p group by a",
    "create table p (a int not null, b int not null, constraint k primary key (b), unique (a)); create table t (a int references p (a)); create view v as select a, max(b) as b from p group by a",
    { rows: "insert into p values (1, 1); insert into t values (1)" },
  ],
  [
    "both ends of a foreign key",
    "create table p (id int primary key); create table t (p int references p on delete cascade, q int references p); create index on t (p)",
    "create table p (id text primary key); create table t (p text references p on delete cascade, q text references p); create index on t (p)",
    { rows: "insert into p values (1); insert into t values (1, null)" },
  ],
  [
    "tables that go, with everything on them",
    `create table a (id int primary key, x int); create table b (id int primary key, a int references a); create table c (id serial primary key, b int references b, self int references c); alter table a add foreign key (x) references c; create view v as select * from c; ${TOUCH} create trigger t before update on c for each row execute function touch(); create table keep (id int primary key, c int references c, constraint x foreign key (id) references a); create function f(c) returns int language sql as $$ select 1 $$;`,
    "create table keep (id int primary key, c int)",
  ],
];

carriesOver(CASES);
