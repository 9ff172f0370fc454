import { carriesOver, type DifferenceCase } from "./trial.fixture.ts";

const STATUS = "create type status as enum ('a', 'b', 'c');";
const TASKS = `create table tasks (id int primary key, status status not null default 'a', list status[] default '{a}');`;

const CASES: readonly DifferenceCase[] = [
  ["a new enum", "", STATUS],
  ["values of an enum", STATUS, "create type status as enum ('z', 'a', 'y', 'b', 'c', 'x')"],
  [
    "values of an enum in use",
    `${STATUS} ${TASKS}`,
    `create type status as enum ('a', 'b', 'x', 'c'); ${TASKS}`,
    { rows: "insert into tasks values (1, 'b', '{a,b}')" },
  ],
  [
    "values in another order",
    `${STATUS} ${TASKS} create index i on tasks (status) where status = 'a'; create view v as select * from tasks where status > 'a';
     create function f(s status default 'a') returns status language sql as $$ select s $$;
     create function g() returns setof status begin atomic select status from tasks; end;
     alter table tasks add check (status <> 'c');
     create policy p on tasks using (status = 'a');
     create domain d as status default 'b' check (value <> 'c');
     create type pair as (one status, other int);
     create table others (d d, p pair, ds d[], s status);
     create materialized view m as select status, count(*) from tasks group by status; create unique index on m (status);
     create function touch() returns trigger language plpgsql as $$ begin return new; end $$;
     create trigger t before update on tasks for each row when (new.status = 'b') execute function touch();`,
    `create type status as enum ('c', 'b', 'a'); ${TASKS} create index i on tasks (status) where status = 'a'; create view v as select * from tasks where status > 'a';
     create function f(s status default 'a') returns status language sql as $$ select s $$;
     create function g() returns setof status begin atomic select status from tasks; end;
     alter table tasks add check (status <> 'c');
     create policy p on tasks using (status = 'a');
     create domain d as status default 'b' check (value <> 'c');
     create type pair as (one status, other int);
     create table others (d d, p pair, ds d[], s status);
     create materialized view m as select status, count(*) from tasks group by status; create unique index on m (status);
     create function touch() returns trigger language plpgsql as $$ begin return new; end $$;
     create trigger t before update on tasks for each row when (new.status = 'b') execute function touch();`,
    {
      rows: "insert into tasks values (1, 'b', '{a,b}'); insert into others values ('a', row('b', 2), '{a,b}', null), (null, null, null, null)",
    },
  ],
  [
    "an enum that becomes text, and back",
    `${STATUS} ${TASKS}`,
    "create table tasks (id int primary key, status text not null default 'a', list text[] default '{a}')",
    { rows: "insert into tasks values (1, 'b', '{a,b}')" },
  ],
  [
    "an enum that partitions a table",
    `${STATUS} create table t (id int, s status not null, primary key (id, s)) partition by list (s);
     create table t_a partition of t for values in ('a'); create table t_rest partition of t default; create index on t (s);`,
    `create type status as enum ('b', 'a', 'c'); create table t (id int, s status not null, primary key (id, s)) partition by list (s);
     create table t_a partition of t for values in ('a'); create table t_rest partition of t default; create index on t (s);`,
    { rows: "insert into t values (1, 'a'), (2, 'b')" },
  ],
  [
    "a new domain",
    "",
    "create domain d as text collate \"C\" default 'x' not null check (value <> '') check (length(value) < 9)",
  ],
  [
    "a domain's default, checks and NOT NULL",
    "create domain d as int default 1 check (value > 0); create table t (d d)",
    "create domain d as int default 2 not null constraint small check (value < 9); create table t (d d)",
    { rows: "insert into t values (3)" },
  ],
  [
    "a domain's type",
    "create domain d as int check (value > 0); create table t (id int, d d default 3, e d[]); create view v as select d from t",
    "create domain d as bigint check (value > 0); create table t (id int, d d default 3, e d[]); create view v as select d from t",
    { rows: "insert into t values (1, 2, '{3}')" },
  ],
  [
    "a check of a domain that is used in arrays",
    "create domain d as int; create table t (d d[])",
    "create domain d as int check (value > 0); create table t (d d[])",
    { rows: "insert into t values ('{3}')" },
  ],
  [
    "a domain whose check calls a function that is made anew",
    "create function ok(x int) returns bool immutable language sql as $$ select x > 0 $$; create domain d as int default 1 check (ok(value)); create table t (d d)",
    "create function ok(y int) returns bool immutable language sql as $$ select y > 0 $$; create domain d as int default 1 check (ok(value)); create table t (d d)",
    { rows: "insert into t values (3)" },
  ],
  [
    "a new composite type",
    "",
    "create type pair as (one int, other text collate \"C\"); comment on type pair is 'two'; revoke usage on type pair from public",
  ],
  [
    "attributes of a composite type in use",
    "create type pair as (one int, other text); create table t (p pair)",
    "create type pair as (one int, third int); create table t (p pair)",
    { rows: "insert into t values (row(1, 'x')), (null)" },
  ],
  [
    "an attribute's type, and the attributes' order",
    "create type pair as (one int, other text); create table t (p pair); create function f(pair) returns int language sql as $$ select 1 $$",
    "create type pair as (other text, one bigint); create table t (p pair); create function f(pair) returns int language sql as $$ select 1 $$",
    { rows: "insert into t values (row(1, 'x')), (null)" },
  ],
  ["a new range", "", "create type span as range (subtype = float8, subtype_diff = float8mi)"],
  [
    "a range in use",
    "create type span as range (subtype = float8); create table t (s span, m span_multirange)",
    "create type span as range (subtype = float8, subtype_diff = float8mi); create table t (s span, m span_multirange)",
    { rows: "insert into t values ('[1,2]', '{[1,2]}')" },
  ],
  [
    "rights on types",
    `${STATUS} create domain d as int`,
    `${STATUS} create domain d as int; revoke usage on type status from public; grant usage on domain d to pg_monitor; comment on domain d is 'x'`,
  ],
  [
    "types that need each other",
    "",
    `${STATUS} create domain d as status; create type pair as (d d, s status[]); create domain dp as pair; create table t (x dp, y pair[]);`,
  ],
];

carriesOver(CASES);
