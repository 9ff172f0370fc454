import { describe, expect, it } from "vitest";
import { differenceTrials } from "./difference/trial.fixture.ts";

const tryDifference = differenceTrials();

describe("planDifference", () => {
  it("makes everything in an empty schema and takes it away again", async () => {
    const trial = await tryDifference(
      "",
      `create type status as enum ('a', 'b');
       create domain positive as int check (value > 0);
       create table projects (id bigint generated always as identity primary key, name text not null unique);
       create table tasks (
         id serial primary key, project_id bigint references projects, status status not null default 'a',
         points positive, title text collate "C" not null check (length(title) > 0),
         twice int generated always as (points * 2) stored);
       create index on tasks (project_id);
       create view open_tasks as select id, title from tasks where status = 'a';
       create function touch() returns trigger language plpgsql as $$ begin return new; end $$;
       create trigger touch before update on tasks for each row execute function touch();
       alter table tasks enable row level security;
       create policy mine on tasks using (id > 0);
       comment on table tasks is 'What is to be done';
       comment on column tasks.title is 'It''s short';
       revoke execute on function touch() from public;
       grant select, insert on tasks to pg_monitor with grant option;
       grant update (title) on tasks to pg_monitor;`,
    );
    expect(trial.left).toEqual([]);
    expect(trial.leftAfterDown).toEqual([]);
  });
});
