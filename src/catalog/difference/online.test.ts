import { describe, expect, it } from "vitest";
import { differenceTrials } from "./trial.fixture.ts";

const tryDifference = differenceTrials();

const PEOPLE = "create table people (id int primary key, name text, boss int, born date, body text);";
const SWAP =
  "-- plinth:allow lock/type: PostgreSQL has no online form; a new column, filled in batches and swapped in, is one";

/** What changes in a table in use, the schema before and after it, and the statements in full. */
const CASES: readonly (readonly [what: string, from: string, to: string, statements: string])[] = [
  [
    "builds indexes while others read and write",
    PEOPLE,
    `${PEOPLE} create index by_name on people (name); create unique index by_boss on people (boss) where boss > 1;`,
    `create unique index concurrently by_boss on people (boss) where boss > 1;
create index concurrently by_name on people (name)`,
  ],
  [
    "builds the new form of an index before the old one goes",
    `${PEOPLE} create index by_name on people (name)`,
    `${PEOPLE} create index by_name on people (lower(name))`,
    `create index concurrently by_name_new on people (lower(name));
drop index concurrently by_name;
alter index by_name_new rename to by_name`,
  ],
  [
    "drops an index while others use it",
    `${PEOPLE} create index by_name on people (name)`,
    PEOPLE,
    "drop index concurrently by_name",
  ],
  [
    "makes a unique key of an index",
    PEOPLE,
    `${PEOPLE} alter table people add constraint one_name unique nulls not distinct (name)`,
    `create unique index concurrently one_name on people (name) nulls not distinct;
alter table people add constraint one_name unique using index one_name`,
  ],
  [
    "makes a primary key of an index",
    "create table t (a int not null)",
    "create table t (a int primary key)",
    `create unique index concurrently t_pkey on t (a);
alter table t add constraint t_pkey primary key using index t_pkey`,
  ],
  [
    "validates a check after it holds for new rows",
    PEOPLE,
    `${PEOPLE} alter table people add constraint named check (name <> '')`,
    `alter table people add constraint named check (name <> ''::text) not valid;
alter table people validate constraint named`,
  ],
  [
    "validates a foreign key after it holds for new rows",
    PEOPLE,
    `${PEOPLE} alter table people add constraint has_boss foreign key (boss) references people on delete cascade`,
    `alter table people add constraint has_boss foreign key (boss) references people(id) on delete cascade not valid;
alter table people validate constraint has_boss`,
  ],
  [
    "spares new tables the detour",
    "",
    `${PEOPLE} create index by_name on people (name); alter table people add constraint has_boss foreign key (boss) references people`,
    `create table people (
  id integer,
  name text,
  boss integer,
  born date,
  body text,
  constraint people_pkey primary key (id)
);
create index by_name on people (name);
alter table people add constraint has_boss foreign key (boss) references people(id)`,
  ],
  [
    "sets NOT NULL by a validated check",
    PEOPLE,
    PEOPLE.replace("name text", "name text not null"),
    `alter table people add constraint people_name_is_set check (name is not null) not valid;
alter table people validate constraint people_name_is_set;
alter table people alter column name set not null;
alter table people drop constraint people_name_is_set`,
  ],
  [
    "leaves a place for the values of a column that must have one",
    PEOPLE,
    PEOPLE.replace("body text", "body text, code text not null"),
    `alter table people add column code text;
-- rows that are there have no code yet: write the update that gives them one before this line
alter table people add constraint people_code_is_set check (code is not null) not valid;
alter table people validate constraint people_code_is_set;
alter table people alter column code set not null;
alter table people drop constraint people_code_is_set`,
  ],
  [
    "fills a default that differs from row to row in batches",
    PEOPLE,
    PEOPLE.replace("body text", "body text, token uuid default gen_random_uuid()"),
    `alter table people add column token uuid;
alter table people alter column token set default gen_random_uuid();
do $$
declare
  page bigint;
  places tid[];
  changed bigint;
  total bigint;
begin
  for pass in 1..100 loop
    page := 0;
    total := 0;
    while page * current_setting('block_size')::bigint < pg_relation_size('people') loop
      if pass = 1 then
        places := array(select ctid from only people
        where token is null
          and ctid >= format('(%s,0)', page)::tid and ctid < format('(%s,0)', page + 32)::tid
        for no key update skip locked);
      else
        places := array(select ctid from only people
        where token is null
          and ctid >= format('(%s,0)', page)::tid and ctid < format('(%s,0)', page + 32)::tid);
      end if;
      update only people set token = gen_random_uuid() where ctid = any(places);
      get diagnostics changed = row_count;
      total := total + changed;
      commit;
      page := page + 32;
    end loop;
    exit when pass > 1 and total = 0;
  end loop;
end
$$`,
  ],
  [
    "adds a constant default at once, which writes no row",
    PEOPLE,
    PEOPLE.replace("body text", "body text, at timestamptz not null default now()"),
    "alter table people add column at timestamp with time zone default now() not null",
  ],
  [
    "says how a value gets from one type to another",
    PEOPLE.replace("born date", "born text"),
    PEOPLE,
    `${SWAP}
alter table people alter column born type date using born::date`,
  ],
  [
    "widens a type without a word where no row is written",
    PEOPLE.replace("name text", "name varchar(20)"),
    PEOPLE,
    "alter table people alter column name type text",
  ],
  [
    "names the online form of a stored column that was declared",
    PEOPLE,
    PEOPLE.replace(
      "body text",
      "body text, words tsvector generated always as (to_tsvector('english', body)) stored",
    ),
    `-- plinth:allow lock/stored-column: PostgreSQL stores it for every row at once; a plain column that a trigger keeps and batches fill, as search: declares one, is the online form
alter table people add column words tsvector generated always as (to_tsvector('english'::regconfig, body)) stored`,
  ],
  [
    "says that an exclusion has no online form",
    "create table rooms (during tstzrange)",
    "create table rooms (during tstzrange, constraint once exclude using gist (during with &&))",
    `-- plinth:allow lock/exclusion: PostgreSQL has no online form for it
alter table rooms add constraint once exclude using gist (during with &&)`,
  ],
  [
    "adds the value of an enum in its place",
    "create type mood as enum ('sad', 'ok')",
    "create type mood as enum ('sad', 'so so', 'ok')",
    "alter type mood add value 'so so' after 'sad'",
  ],
  [
    "tries a domain's new rule on the rows after it holds for new ones",
    "create domain positive as int; create table t (v positive)",
    "create domain positive as int constraint above check (value > 0); create table t (v positive)",
    `alter domain positive add constraint above check (value > 0) not valid;
-- plinth:allow lock/domain-constraint: PostgreSQL tries a domain's rules on the rows of every table
alter domain positive validate constraint above`,
  ],
];

describe("planDifference, for tables in use", () => {
  it.each(CASES)("%s", async (_what, from, to, statements) => {
    const trial = await tryDifference(from, to);
    expect(trial.up.statements.join(";\n")).toBe(statements);
    expect([trial.left, trial.leftAfterDown]).toEqual([[], []]);
  });

  it("writes tsvector columns that a trigger keeps as they are declared, and leaves their filling to a data migration", async () => {
    const keep = `create function keep_words() returns trigger language plpgsql as $$
      begin new.words = to_tsvector('english', new.body); return new; end $$;`;
    const trial = await tryDifference(
      PEOPLE,
      `${PEOPLE.replace("body text", "body text, words tsvector")} ${keep}
       create trigger keep_words before insert or update on people for each row execute function keep_words();
       create index by_words on people using gin (words);`,
    );
    expect(trial.up.statements.filter((statement) => statement.includes("plinth:allow"))).toEqual([]);
    expect(trial.up.statements).toContain("create index concurrently by_words on people using gin (words)");
    expect(trial.left).toEqual([]);
  });
});
