import { describe, expect, it } from "vitest";
import type { Loss } from "./plan.ts";
import { differenceTrials } from "./trial.fixture.ts";

const tryDifference = differenceTrials();

const data = (object: string): Loss => ({ object, what: "data" });

/** What goes, the schema before and after, and all that the plan says is lost. */
const LOSSES: readonly (readonly [what: string, from: string, to: string, losses: readonly Loss[]])[] = [
  [
    "the values of columns, tables and partitions",
    `create table a (id int, x int, "odd name" int); create table b (id int); create schema s; create table s.c (id int);
     create table p (id int) partition by list (id); create table p_one partition of p for values in (1);
     create table p_two partition of p for values in (2)`,
    "create table a (id int); create schema s; create table p (id int) partition by list (id); create table p_one partition of p for values in (1)",
    [data('a."odd name"'), data("a.x"), data("b"), data("p_two"), data("s.c")],
  ],
  [
    "where a sequence had got to, but for those that the rows tell",
    "create sequence numbers; create table t (id serial)",
    "create table t (id int)",
    [{ object: "numbers", what: "position" }],
  ],
  [
    "the values an enum allowed",
    "create type mood as enum ('sad', 'it''s', 'ok')",
    "create type mood as enum ('ok')",
    [
      { object: "mood.it's", what: "value" },
      { object: "mood.sad", what: "value" },
    ],
  ],
  [
    "an attribute of a composite type",
    "create type place as (street text, town text); create table t (at place)",
    "create type place as (town text); create table t (at place)",
    [data("place.street")],
  ],
  [
    "what a coarser type rounds away",
    "create table t (a timestamptz, b numeric(10,4), c double precision, d time(3))",
    "create table t (a date, b numeric(10,2), c int, d time(0))",
    [data("t.a"), data("t.b"), data("t.c"), data("t.d")],
  ],
];

describe("the losses of a plan", () => {
  it.each(LOSSES)("hold %s", async (_what, from, to, losses) => {
    const trial = await tryDifference(from, to);
    expect(trial.up.losses).toEqual(losses);
    expect(trial.left).toEqual([]);
  });

  it("hold what triggers overwrite while a column is filled, but for what they only look at", async () => {
    const touch = `create function touch() returns trigger language plpgsql as $$
      begin if new.id = old.id then new.updated_at := now(); new."Odd" = 1; end if; return new; end $$;`;
    const table = (more: string) =>
      `create table t (id int primary key, updated_at timestamptz, "Odd" int, other int${more});
       create trigger t_touch before insert or update on t for each row execute function touch();`;
    const trial = await tryDifference(
      `${touch} ${table("")}`,
      `${touch} ${table(", token uuid not null default gen_random_uuid()")}`,
      { rows: "insert into t (id) values (1)" },
    );
    expect(trial.up.losses).toEqual([data('t."Odd"'), data("t.updated_at")]);
    expect(trial.left).toEqual([]);
  });

  it("hold nothing that can be computed again, nor what a new form keeps", async () => {
    const trial = await tryDifference(
      `create table t (a int, b int generated always as (a + 1) stored, c varchar(9), d int check (d > 0));
       create view v as select a from t; create materialized view m as select a from t; create index on t (a);
       create type mood as enum ('ok'); comment on table t is 'x'`,
      "create table t (a bigint, c text, d numeric); create type mood as enum ('ok', 'new')",
    );
    expect(trial.up.losses).toEqual([]);
  });
});

/** Which rows would stop it, the schema before and after, and the sentences in full. */
const SENTENCES: readonly (readonly [
  what: string,
  from: string,
  to: string,
  sentences: readonly string[],
])[] = [
  [
    "a null where none is allowed any more",
    "create table t (a int, b int not null)",
    "create table t (a int not null, b int not null)",
    ["t.a: a row where it is null makes this fail"],
  ],
  [
    "any row, where a new column must have a value and none is given",
    "create table t (a int)",
    "create table t (a int, b int not null, c int not null default 1, d int)",
    ["t.b: rows that are there have no value for it, and null is refused"],
  ],
  [
    "a value that a type has no place for",
    "create table t (a bigint, b text, c timestamptz, d varchar(9), e text)",
    "create table t (a int, b uuid, c date, d varchar(5), e varchar)",
    [
      "t.a: a value that does not fit integer makes the change from bigint fail",
      "t.b: a value that does not fit uuid makes the change from text fail",
      "t.d: a value that does not fit character varying(5) makes the change from character varying(9) fail",
    ],
  ],
  [
    "a value that an enum does not have any more",
    "create type mood as enum ('sad', 'it''s', 'ok'); create table t (a mood)",
    "create type mood as enum ('ok'); create table t (a mood)",
    ["mood: a row that holds 'sad', 'it''s' makes this fail, as there is no value to turn it into"],
  ],
  [
    "rows that a key over fewer of them let be",
    `create table t (a int, b int, c int, d int, gone timestamptz, constraint d_once unique (d));
     create unique index a_once on t (a) where gone is null;
     create unique index b_once on t (b, c) where gone is null;
     create unique index c_once on t (c);
     create unique index either on t (a) where b > 0;`,
    `create table t (a int, b int, c int, d int, gone timestamptz,
       constraint a_once unique (a), constraint bc unique (c, b), constraint d_once unique nulls not distinct (d));
     create unique index c_once on t (c) where gone is null;
     create unique index either on t (b);`,
    [
      'a_once: rows equal in (a), which a key "where gone is null" lets be, make this fail',
      'bc: rows equal in (c, b), which a key "where gone is null" lets be, make this fail',
      "d_once: rows equal in (d), some of them null, make this fail",
    ],
  ],
];

describe("the sentences of a plan", () => {
  it.each(SENTENCES)("name %s", async (_what, from, to, sentences) => {
    for (const online of [true, false]) {
      const trial = await tryDifference(from, to, { online });
      expect([...trial.up.mayFail, ...trial.up.irreversible]).toEqual(sentences);
      expect(trial.left).toEqual([]);
    }
  });

  it("name a row that the default partition holds in another's place", async () => {
    const events = `create table events (at date) partition by range (at);
      create table events_rest partition of events default;`;
    const more =
      "create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01');";
    const trial = await tryDifference(events, `${events} ${more}`);
    expect(trial.up.mayFail).toEqual(["events_rest: a row that belongs into events_2026 makes this fail"]);
    expect([trial.left, trial.leftAfterDown]).toEqual([[], []]);
  });

  it("are none for what any rows survive", async () => {
    const trial = await tryDifference(
      "create table t (a int not null, b varchar(9), c date, d numeric(6,2), e int)",
      "create table t (a bigint, b text, c timestamptz, d numeric(9,2), e text, f int not null default 3)",
    );
    expect([trial.up.mayFail, trial.up.irreversible]).toEqual([[], []]);
  });
});
