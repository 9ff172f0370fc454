/** Tables with a search and without, as SQL: what migrations to a search, between searches and away from one are tested on. */
import { integer, text } from "drizzle-orm/pg-core";
import { appSchema, entity, type SearchRules, timestamps, ulidKey } from "plinth/schema";
import { BEHAVIOURS } from "../behaviours.ts";
import { renderSchema } from "../catalog/index.ts";
import { describeSchema } from "../schema/index.ts";

export type Keys = "title" | "body";

export const BOTH: SearchRules<Keys> = { columns: ["title", "body"] };

/** The DDL of tasks with that search. */
export function tasksWith(search: SearchRules<Keys> | undefined, partitions = 0): string {
  const app = appSchema("app");
  if (search?.typos === true) app.extension("pg_trgm");
  const columns = { id: ulidKey(), title: text().notNull(), body: text(), hours: integer(), ...timestamps() };
  const rules = {
    ...(search === undefined ? {} : { search }),
    ...(partitions === 0 ? {} : { partitionBy: { hash: ["id" as const], partitions } }),
  };
  return renderSchema(
    describeSchema({ app, tasks: entity(app, "tasks", columns, rules) }),
    BEHAVIOURS,
  ).up.join(";\n");
}

/** The same with the generated column that a search was before it was kept by a trigger. */
export function tasksGenerated(config = "english", partitions = 0): string {
  const words = `setweight(to_tsvector('${config}', coalesce("title", '')), 'A') || setweight(to_tsvector('${config}', coalesce("body", '')), 'B')`;
  const line = `"search_vector" tsvector generated always as (${words}) stored,\n  constraint "tasks_pkey"`;
  return `${tasksWith(undefined, partitions).replace('constraint "tasks_pkey"', line)};
create index "tasks_search_vector_idx" on "tasks" using gin ("search_vector")`;
}

/** Of long ago, so that a change of `updated_at` shows. */
export const ROWS = `insert into tasks (id, title, body, created_at, updated_at)
  select i::text, 'Write the notes ' || i, case when i % 2 = 0 then 'released' end, '2001-01-01', '2001-01-01'
  from generate_series(1, 500) i`;
