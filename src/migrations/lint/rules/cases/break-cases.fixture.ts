import { DOMAINS, EVENTS, NOTES, SEQUENCES, TASKS, VIEWS } from "../../corpus/grounds.fixture.ts";
import { filled, ruleCase } from "./rule-case.fixture.ts";

const SIDE = `${NOTES};\ncreate schema side;\ncreate table side.things (id bigint primary key)`;
const ROUTINES = `${NOTES};
create function shade(tone integer) returns text language sql immutable as $$ select 'red'::text $$`;

/** Each required column has two ways out. */
const eitherWay = (...words: readonly string[]) => {
  const fill = filled(...words);
  return (fix: string, statement: string): readonly string[] =>
    [fill(fix, statement)].flat().flatMap((text) => text.split(/^-- or, .*$/m));
};

/** `breaks/*`. */
export const BREAK_CASES = [
  ruleCase(
    "breaks/rename-table",
    TASKS,
    "alter table tasks rename to jobs",
    "alter index tasks_project_id_idx rename to tasks_by_project",
  ),
  ruleCase(
    "breaks/rename-table",
    VIEWS,
    "alter view done_notes rename to closed_notes",
    "alter table notes rename constraint notes_pkey to notes_key",
    { when: "a view", fix: "advice" },
  ),
  ruleCase(
    "breaks/rename-table",
    SIDE,
    "alter table notes set schema side",
    "alter function pg_catalog.now() set schema pg_catalog",
    { when: "moved" },
  ),
  ruleCase(
    "breaks/rename-column",
    TASKS,
    "alter table tasks rename column title to name",
    "create table labels (id bigint primary key, title text);\nalter table labels rename column title to name",
  ),
  ruleCase(
    "breaks/rename-schema",
    SIDE,
    "alter schema side rename to aside",
    "alter schema side owner to current_user",
  ),
  ruleCase(
    "breaks/rename-enum-value",
    DOMAINS,
    "alter type mood rename value 'mid' to 'middle'",
    "alter type mood add value 'middle' after 'mid'",
  ),
  ruleCase(
    "breaks/drop-table",
    TASKS,
    "drop table comments",
    "create table labels (id bigint primary key);\ndrop table labels",
  ),
  ruleCase("breaks/drop-table", VIEWS, "drop view done_notes", "drop view if exists absent", {
    when: "a view",
  }),
  ruleCase("breaks/drop-table", SEQUENCES, "drop sequence counter", "alter sequence counter increment by 2", {
    when: "a sequence",
  }),
  ruleCase(
    "breaks/drop-table",
    TASKS,
    { up: "create table labels (id bigint primary key)", down: "drop table labels;\ndrop table comments" },
    { up: "create table labels (id bigint primary key)", down: "drop table labels" },
    { when: "on the way back" },
  ),
  ruleCase("breaks/drop-column", TASKS, "alter table tasks drop column status", {
    up: "alter table tasks add column colour text",
    down: "alter table tasks drop column colour",
  }),
  ruleCase("breaks/drop-object", ROUTINES, "drop function shade(integer)", {
    up: "create function tone() returns text language sql immutable as $$ select 'red'::text $$",
    down: "drop function tone()",
  }),
  ruleCase("breaks/drop-object", SIDE, "drop schema side cascade", "drop table side.things cascade", {
    when: "a schema",
  }),
  ruleCase(
    "breaks/drop-not-null",
    TASKS,
    "alter table tasks alter column title drop not null",
    "alter table tasks alter column status drop not null",
  ),
  ruleCase(
    "breaks/required-column",
    NOTES,
    "alter table notes add column colour text not null",
    "alter table notes add column colour text not null default 'red'",
    { fix: eitherWay("'red'", "'red'") },
  ),
  ruleCase(
    "breaks/row-security",
    NOTES,
    "alter table notes enable row level security",
    "create policy everyone on notes using (true);\nalter table notes enable row level security",
    { fix: filled("everyone", "true") },
  ),
  ruleCase(
    "breaks/drop-table",
    EVENTS,
    "drop table events_1",
    "create table events_4 partition of events for values from ('2026-04-01') to ('2026-05-01');\ndrop table events_4",
    { when: "a partition" },
  ),
];
