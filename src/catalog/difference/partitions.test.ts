import { carriesOver, type DifferenceCase } from "./trial.fixture.ts";

const EVENTS = `create table events (id int not null, at date not null, kind text default 'x', primary key (id, at)) partition by range (at);
create table events_2024 partition of events for values from ('2024-01-01') to ('2025-01-01');
create table events_2025 partition of events for values from ('2025-01-01') to ('2026-01-01');`;
const ROWS = "insert into events select i, '2024-12-01'::date + i from generate_series(1, 200) i";
const TOUCH = "create function touch() returns trigger language plpgsql as $$ begin return new; end $$;";

const CASES: readonly DifferenceCase[] = [
  ["a partitioned table", "", EVENTS],
  [
    "a partitioned table with everything",
    "",
    `${EVENTS} ${TOUCH} create table events_rest partition of events default; create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01') partition by list (id);
     create table events_2026_1 partition of events_2026 (kind default 'y', constraint own check (kind <> '')) for values in (1) with (fillfactor = 50);
     create index on events (kind); create index own on events_2024 (id); create table kinds (k text primary key); alter table events add foreign key (kind) references kinds;
     alter table events add check (id > 0); create trigger t before update on events for each row execute function touch(); alter table events_2025 disable trigger t; create policy p on events_2024 using (true);
     create table refers (id int, at date, foreign key (id, at) references events); comment on table events_2024 is 'old'; grant select on events_2024 to pg_monitor; alter table events_2024 alter kind set storage external`,
  ],
  [
    "new partitions",
    EVENTS,
    `${EVENTS} create index on events (kind); create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01'); create table events_rest partition of events default;`,
    { rows: ROWS, between: "insert into events values (1, '2026-01-02'), (2, '2030-01-02')" },
  ],
  [
    "a partition that gets other bounds",
    EVENTS,
    `create table events (id int not null, at date not null, kind text default 'x', primary key (id, at)) partition by range (at);
     create table events_2024 partition of events for values from ('2024-01-01') to ('2025-01-01');
     create table events_2025 partition of events for values from ('2025-01-01') to ('2028-01-01');`,
    { rows: ROWS },
  ],
  [
    "a partition that leaves, and a table that becomes one",
    `${EVENTS} create table alone (id int not null, at date not null, kind text default 'x', primary key (id, at)); create index k on events (kind);`,
    `create table events (id int not null, at date not null, kind text default 'x', primary key (id, at)) partition by range (at);
     create table events_2024 partition of events for values from ('2024-01-01') to ('2025-01-01'); create index k on events (kind);
     create table events_2025 (id int not null, at date not null, kind text default 'x', primary key (id, at)); create index on events_2025 (kind);
     create table alone partition of events for values from ('2030-01-01') to ('2031-01-01');`,
    { rows: ROWS },
  ],
  [
    "columns of a partitioned table",
    `${EVENTS} create view v as select kind from events_2024; create index on events_2025 (kind);`,
    `create table events (id bigint not null, at date not null, kind varchar(9) not null default 'y', token uuid not null default gen_random_uuid(), note text, n int not null default 5, primary key (id, at)) partition by range (at);
     create table events_2024 partition of events (kind default 'z') for values from ('2024-01-01') to ('2025-01-01');
     create table events_2025 partition of events for values from ('2025-01-01') to ('2026-01-01'); create view v as select kind from events_2024; create index on events_2025 (kind);`,
    { rows: ROWS },
  ],
  [
    "defaults of partitions",
    EVENTS,
    `create table events (id int not null default 1, at date not null, kind text default 'y', primary key (id, at)) partition by range (at);
     create table events_2024 partition of events (kind default 'x') for values from ('2024-01-01') to ('2025-01-01');
     create table events_2025 partition of events (kind default null, id default 7) for values from ('2025-01-01') to ('2026-01-01');`,
  ],
  [
    "indexes and constraints of a partitioned table",
    `${EVENTS} create index a on events (kind); create index own on events_2024 (kind, id); alter table events add constraint c check (id > 0); create table k (id int primary key)`,
    `${EVENTS} create index a on events (kind, id); create unique index b on events (at, kind, id); alter table events add constraint c check (id > -1); alter table events add constraint u unique (at, kind); create table k (id int primary key); alter table events add constraint f foreign key (id) references k; create unique index own on events_2024 (kind, id);`,
    {
      rows: "insert into events select i, '2024-12-01'::date + i, i::text from generate_series(1, 60) i; insert into k select i from generate_series(1, 60) i",
    },
  ],
  [
    "a plain table that becomes partitioned",
    `create table events (id serial, at date not null, kind text, primary key (id, at)); create index i on events (kind); create view v as select * from events; ${TOUCH} create trigger t before update on events for each row execute function touch(); create policy p on events using (true); alter table events enable row level security; create table r (id int, at date, foreign key (id, at) references events);`,
    `create sequence events_id_seq as int; create table events (id int not null default nextval('events_id_seq'), at date not null, kind text, primary key (id, at)) partition by range (at); alter sequence events_id_seq owned by events.id; create table events_2024 partition of events for values from ('2024-01-01') to ('2025-01-01'); create table events_rest partition of events default; create index i on events (kind); create view v as select * from events; ${TOUCH} create trigger t before update on events for each row execute function touch(); create policy p on events using (true); alter table events enable row level security; create table r (id int, at date, foreign key (id, at) references events);`,
    {
      rows: "insert into events (at, kind) select '2024-12-01'::date + i, i::text from generate_series(1, 60) i; insert into r values (1, '2024-12-02')",
    },
  ],
  [
    "another partition key, with identity",
    `create table events (id bigint generated always as identity, at date not null, kind text not null) partition by range (at); create table e1 partition of events for values from ('2024-01-01') to ('2026-01-01'); create unique index i on events (at);`,
    `create table events (id bigint generated always as identity, at date not null, kind text not null, more int) partition by list (kind); create table e1 partition of events default; create unique index i on events (kind, at);`,
    {
      rows: "insert into events (at, kind) select '2024-12-01'::date + i, i::text from generate_series(1, 60) i",
    },
  ],
  ["the type of a partition key", EVENTS, EVENTS.replace("at date", "at timestamptz"), { rows: ROWS }],
  [
    "inheritance",
    "create table p (a int, b text default 'x', check (a > 0)); create table c (d int) inherits (p); create table e (a int, b text, d int); create table gone () inherits (p)",
    "create table p (a bigint not null, c text default 'x', check (a > 0)); create table c (d int) inherits (p); create table e (a bigint not null, d int); alter table e add constraint p_a_check check (a > 0), add c text; create table n (a bigint default 4, z int) inherits (p, e)",
    { rows: "insert into p values (1, 'x'); insert into c values (2, 'y', 3)" },
  ],
  [
    "an heir that leaves, and one that comes",
    "create table p (a int, check (a > 0)); create table c (d int) inherits (p); create table e (a int, d int)",
    "create table p (a int, check (a > 0)); create table c (a int check (a > 0), d int); create table e (a int, d int, constraint p_a_check check (a > 0)); alter table e inherit p",
    { rows: "insert into c values (1, 2); insert into e values (1, 2)" },
  ],
  [
    "a trigger's state on partitions",
    `${EVENTS} ${TOUCH} create trigger t before update on events for each row execute function touch(); alter table events_2024 disable trigger t`,
    `${EVENTS} ${TOUCH} create trigger t before update on events for each row execute function touch(); alter table events disable trigger t; alter table events_2024 enable trigger t`,
  ],
  [
    "a dropped partitioned table",
    `${EVENTS} create index on events (kind); create table sub partition of events for values from ('2026-01-01') to ('2027-01-01') partition by list (id); create table sub_1 partition of sub default; create view v as select * from sub_1;`,
    "create table events_2025 (x int)",
  ],
];

carriesOver(CASES);
