import { describe, expect, it } from "vitest";
import { chosenPostgres } from "../../../test/support/chosen-postgres.ts";
import { carriesOver, type DifferenceCase, differenceTrials } from "./trial.fixture.ts";

const ROW = { rows: "insert into t values (1)" };
const PARENT = "create table p (id int primary key);";

/** What only PostgreSQL 18 has. */
const CASES: readonly DifferenceCase[] = [
  [
    "a virtual column",
    "create table t (a int)",
    "create table t (a int, v int generated always as (a + 1) virtual)",
    ROW,
  ],
  [
    "the expression of a virtual column",
    "create table t (a int, v int generated always as (a + 1) virtual)",
    "create table t (a int, v int generated always as (a + 2) virtual)",
    ROW,
  ],
  [
    "the expression of a virtual column of a table with checks, under a view",
    "create table t (a int, v int generated always as (a + 1) virtual, check (a > 0)); create view w as select v from t",
    "create table t (a int, v int generated always as (a + 2) virtual, check (a > 0)); create view w as select v from t",
    ROW,
  ],
  [
    "a virtual column that is stored",
    "create table t (a int, v int generated always as (a + 1) virtual)",
    "create table t (a int, v int generated always as (a + 1) stored)",
    ROW,
  ],
  [
    "a virtual column that becomes a plain one",
    "create table t (a int, v int generated always as (a + 1) virtual)",
    "create table t (a int, v int)",
    ROW,
  ],
  [
    "a type under a virtual column",
    "create table t (a int, v bigint generated always as (a + 1) virtual)",
    "create table t (a bigint, v bigint generated always as (a + 1) virtual)",
    ROW,
  ],
  [
    "NOT NULL of a virtual column",
    "create table t (a int, v int generated always as (a + 1) virtual)",
    "create table t (a int, v int not null generated always as (a + 1) virtual)",
    ROW,
  ],
  [
    "a check that is not enforced",
    "create table t (a int)",
    "create table t (a int, constraint c check (a > 0) not enforced)",
    { rows: "insert into t values (-1)" },
  ],
  [
    "a check that is enforced from now on",
    "create table t (a int, constraint c check (a > 0) not enforced)",
    "create table t (a int, constraint c check (a > 0))",
    ROW,
  ],
  [
    "a foreign key that is not enforced",
    `${PARENT} create table t (a int)`,
    `${PARENT} create table t (a int, constraint c foreign key (a) references p not enforced)`,
    ROW,
  ],
  [
    "a foreign key that is enforced from now on, with its comment",
    `${PARENT} create table t (a int, constraint c foreign key (a) references p not enforced); comment on constraint c on t is 'c'`,
    `${PARENT} create table t (a int, constraint c foreign key (a) references p deferrable); comment on constraint c on t is 'c'`,
    { rows: "insert into p values (1); insert into t values (1)" },
  ],
  [
    "what a foreign key that is not enforced would do",
    `${PARENT} create table t (a int, constraint c foreign key (a) references p not enforced)`,
    `${PARENT} create table t (a int, constraint c foreign key (a) references p on delete cascade not enforced)`,
    ROW,
  ],
  [
    "a foreign key of a partitioned table",
    `${PARENT} create table t (a int) partition by list (a); create table t_rest partition of t default`,
    `${PARENT} create table t (a int, constraint c foreign key (a) references p) partition by list (a); create table t_rest partition of t default`,
  ],
  [
    "a NOT NULL that old rows are not checked for",
    "create table t (a int)",
    "create table t (a int); alter table t add constraint filled not null a not valid",
    { rows: "insert into t values (null)" },
  ],
  [
    "a NOT NULL that is checked from now on",
    "create table t (a int); alter table t add constraint filled not null a not valid",
    "create table t (a int not null)",
    ROW,
  ],
  [
    "keys and foreign keys of periods",
    "create table t (r int4range, during tstzrange)",
    `create table t (r int4range, during tstzrange, primary key (r, during without overlaps));
     create table c (r int4range, during tstzrange, foreign key (r, period during) references t)`,
    { rows: "insert into t values ('[1,2)', '[2020-01-01,2021-01-01)')" },
  ],
];

const IS_18 = chosenPostgres() >= 18;

if (IS_18) carriesOver(CASES);

const tryDifference = differenceTrials();

describe("planDifference", () => {
  it("passes over the name of a NOT NULL, which versions before 18 have none for", async () => {
    const trial = await tryDifference(
      "create table t (a int constraint filled not null)",
      "create table t (a int not null)",
    );
    expect([trial.up.statements, trial.down.statements]).toEqual([[], []]);
  });

  it("checks the rows of a foreign key that is enforced later on, where the server can leave it unenforced", async () => {
    const key = "constraint c foreign key (a) references p";
    const before = `${PARENT} create table t (a int, ${key}${IS_18 ? " not enforced" : ""})`;
    const trial = await tryDifference(before, `${PARENT} create table t (a int, ${key})`);
    const online = [
      "alter table t\n  drop constraint c,\n  add constraint c foreign key (a) references p(id) not valid",
      "alter table t validate constraint c",
    ];
    expect(trial.up.statements).toEqual(IS_18 ? online : []);
    expect(trial.left).toEqual([]);
  });
});
