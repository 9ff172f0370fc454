import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestServer, testServer } from "../../../../test/support/server.ts";
import { openShadow, type Shadow } from "../../../shadow/index.ts";
import { readMigrationFolder } from "../../formats/migration-folder.ts";
import { DOMAINS, TASKS, VIEWS } from "../corpus/grounds.fixture.ts";
import { lintMigrations } from "../lint.ts";
import { filesOf } from "./cases/rule-case.fixture.ts";

const ROUTINES = `${VIEWS};
create function shade(tone integer) returns text language sql immutable as $$ select 'red'::text $$;
create procedure tidy() language sql as $$ select 1 $$;
alter table notes add column size integer generated always as (length(body)) stored;
alter table notes alter column rating set not null`;

const VIEW = "select id, body from notes";
const SHADE =
  "create function shade(tone integer) returns text language sql immutable as $$ select 'blue'::text $$";

let server: TestServer;
let shadow: Shadow;

beforeAll(async () => {
  server = await testServer();
  shadow = await openShadow({ url: server.url, directory: tmpdir() });
});
afterAll(async () => {
  await shadow.release();
  await server.stop();
});

/** What the file breaks. */
async function broken(ground: string, up: string, options = ""): Promise<readonly string[]> {
  const folder = await readMigrationFolder(filesOf(ground, [{ up, options }]));
  const { findings } = await lintMigrations({ folder, only: ["0002_change.sql"], shadow });
  const fails = findings.filter(({ rule }) => rule === "run/fails").map(({ why }) => why);
  expect(fails).toEqual([]);
  return findings.filter(({ rule }) => rule.startsWith("breaks/")).map(({ rule }) => rule);
}

describe("what a file takes away and makes anew", () => {
  it.each([
    ["a view", ROUTINES, `drop view done_notes; create view done_notes as ${VIEW} where rating > 1`],
    [
      "with more columns",
      ROUTINES,
      "drop view done_notes; create view done_notes as select rating, body, id from notes",
    ],
    ["if it exists", ROUTINES, `drop view if exists done_notes; create view done_notes as ${VIEW}`],
    [
      "as a materialized view",
      ROUTINES,
      `drop view done_notes; create materialized view done_notes as ${VIEW}`,
    ],
    [
      "a materialized view",
      ROUTINES,
      "drop materialized view note_counts; create materialized view note_counts as select rating, count(*) as notes from notes where id > 1 group by rating",
    ],
    ["a function", ROUTINES, `drop function shade(integer); ${SHADE}`],
    ["a procedure", ROUTINES, "drop procedure tidy; create procedure tidy() language sql as $$ select 2 $$"],
    [
      "a computed column",
      ROUTINES,
      "alter table notes drop column size; alter table notes add column size integer generated always as (length(body) * 2) stored",
    ],
    [
      "not null",
      ROUTINES,
      "alter table notes alter rating drop not null; update notes set rating = 0 where rating is null; alter table notes alter rating set not null",
    ],
    ["a name, by a view", TASKS, "alter table tasks rename to jobs; create view tasks as select * from jobs"],
    [
      "a column's name",
      TASKS,
      "alter table tasks rename title to name; alter table tasks rename name to title",
    ],
    [
      "a new column",
      TASKS,
      "alter table tasks add colour text; alter table tasks rename colour to tone; alter table tasks drop tone",
    ],
    [
      "a domain",
      `${DOMAINS}; create domain spare as integer check (value > 0)`,
      "drop domain spare; create domain spare as integer check (value > 1)",
    ],
    [
      "a composite type",
      `${DOMAINS}; create type line_2d as (a integer, b text)`,
      "drop type line_2d; create type line_2d as (a integer, b text)",
    ],
  ] as const)("breaks nothing: %s", async (_, ground, up) => {
    expect(await broken(ground, up)).toEqual([]);
  });

  it("breaks nothing where a table that was filled before takes the name; its own name is gone", async () => {
    const swap = "alter table tasks rename to tasks_old;\nalter table tasks_new rename to tasks";
    const folder = await readMigrationFolder(
      filesOf(`${TASKS}; create table tasks_new (like tasks)`, [{ up: swap }]),
    );
    const { findings } = await lintMigrations({ folder, only: ["0002_change.sql"], shadow });
    const found = findings.filter(({ rule }) => rule === "breaks/rename-table");
    expect(found.map(({ line, why }) => [line, why])).toEqual([
      [3, "a running application still looks for tasks_new, and its statements fail"],
    ]);
  });

  it.each([
    [
      "a view with a column less",
      ROUTINES,
      "drop view done_notes; create view done_notes as select id from notes",
      "breaks/drop-table",
    ],
    [
      "a column of another type",
      ROUTINES,
      "drop view done_notes; create view done_notes as select id::text, body from notes",
      "breaks/drop-table",
    ],
    ["another name", ROUTINES, `drop view done_notes; create view done_note as ${VIEW}`, "breaks/drop-table"],
    [
      "before it is dropped",
      ROUTINES,
      `create view done as ${VIEW}; drop view done_notes`,
      "breaks/drop-table",
    ],
    [
      "without rows to read",
      ROUTINES,
      "drop view done_notes; create materialized view done_notes as select id, body from notes with no data",
      "breaks/drop-table",
    ],
    [
      "a table, whose rows are gone",
      TASKS,
      "drop table comments; create table comments (id bigint primary key, task_id bigint, body text)",
      "breaks/drop-table",
    ],
    [
      "a name, by a table without rows",
      TASKS,
      "alter table comments rename to old_comments; create table comments (like old_comments)",
      "breaks/rename-table",
    ],
    [
      "a column, whose values are gone",
      TASKS,
      "alter table tasks drop column status; alter table tasks add column status text",
      "breaks/drop-column",
    ],
    [
      "a function with another result",
      ROUTINES,
      "drop function shade(integer); create function shade(tone integer) returns integer language sql immutable as $$ select 1 $$",
      "breaks/drop-object",
    ],
    [
      "a function with other arguments",
      ROUTINES,
      "drop function shade(integer); create function shade(tone text) returns text language sql immutable as $$ select 'red'::text $$",
      "breaks/drop-object",
    ],
    [
      "a schema, which is empty",
      `${TASKS}; create schema side`,
      "drop schema side; create schema side",
      "breaks/drop-object",
    ],
  ] as const)("is told where it is not the same: %s", async (_, ground, up, rule) => {
    expect(await broken(ground, up)).toEqual([rule]);
  });

  it("is told where each statement commits by itself, as others look in between", async () => {
    const up = `drop view done_notes; create view done_notes as ${VIEW}`;
    expect(await broken(ROUTINES, up, " transaction:false")).toEqual(["breaks/drop-table"]);
  });
});
