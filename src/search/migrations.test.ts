import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { integer, text } from "drizzle-orm/pg-core";
import { appSchema, entity, type SearchRules, ulidKey } from "plinth/schema";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { BEHAVIOURS } from "../behaviours.ts";
import { carriesOver, type DifferenceCase, differenceTrials } from "../catalog/difference/trial.fixture.ts";
import { renderSchema } from "../catalog/index.ts";
import { generateMigration } from "../migrations/generate/generate.ts";
import { describeSchema } from "../schema/index.ts";
import { openShadow, type Shadow } from "../shadow/index.ts";

type Keys = "title" | "body";

/** The DDL of tasks with that search. */
function tasksWith(search: SearchRules<Keys> | undefined): string {
  const app = appSchema("app");
  if (search?.typos === true) app.extension("pg_trgm");
  const columns = { id: ulidKey(), title: text().notNull(), body: text(), hours: integer() };
  const tasks = entity(app, "tasks", columns, search === undefined ? {} : { search });
  return renderSchema(describeSchema({ app, tasks }), BEHAVIOURS).up.join(";\n");
}

const ROWS = `insert into tasks (id, title, body)
  select i::text, 'Write the notes ' || i, case when i % 2 = 0 then 'released' end from generate_series(1, 500) i`;
const rows = { rows: ROWS };
const BOTH: SearchRules<Keys> = { columns: ["title", "body"] };

const CASES: readonly DifferenceCase[] = [
  ["a search", tasksWith(undefined), tasksWith(BOTH), rows],
  ["another configuration", tasksWith(BOTH), tasksWith({ ...BOTH, config: "simple" }), rows],
  ["other weights", tasksWith(BOTH), tasksWith({ ...BOTH, weights: { title: "B", body: "A" } }), rows],
  ["fewer columns", tasksWith(BOTH), tasksWith({ columns: ["body"] }), rows],
  ["trigrams", tasksWith(BOTH), tasksWith({ ...BOTH, typos: true }), rows],
];

carriesOver(CASES);

const tryDifference = differenceTrials();

let server: TestServer;
let shadow: Shadow;
beforeAll(async () => {
  server = await testServer();
  shadow = await openShadow({ url: server.url, directory: import.meta.dirname });
});
afterAll(async () => {
  await shadow.release();
  await server.stop();
});

describe("a migration to a search", () => {
  it("computes the words of rows that are there, by the declared configuration", async () => {
    const trial = await tryDifference(tasksWith(undefined), tasksWith(BOTH), { ...rows, isOneWay: true });
    expect(await trial.query("select search_vector from tasks where id in ('1', '2') order by id")).toEqual([
      ["'1':4A 'note':3A 'write':1A"],
      ["'2':4A 'note':3A 'releas':5B 'write':1A"],
    ]);
  });

  it("computes them anew where configuration or weights change", async () => {
    const simple = tasksWith({ ...BOTH, config: "simple", weights: { body: "D" } });
    const trial = await tryDifference(tasksWith(BOTH), simple, { ...rows, isOneWay: true });
    expect(await trial.query("select search_vector from tasks where id = '2'")).toEqual([
      ["'2':4A 'notes':3A 'released':5 'the':2A 'write':1A"],
    ]);
    expect(
      await trial.query("select indexdef from pg_indexes where indexname = 'tasks_search_vector_idx'"),
    ).toEqual([["CREATE INDEX tasks_search_vector_idx ON app.tasks USING gin (search_vector)"]]);
  });

  it("is written with the reason for its lock, and changes nothing more once it is there", async () => {
    const folder = mkdtempSync(join(tmpdir(), "plinth-search-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const before = tasksWith(undefined);
    writeFileSync(join(folder, "0001_tasks.sql"), `-- migrate:up\n${before};\n${ROWS};\n`);
    const options = {
      folder,
      name: "search",
      schemaName: "app",
      declared: [tasksWith(BOTH)],
      shadow: shadow,
    };
    const { findings, text, losesUp, losesDown } = await generateMigration(options);
    expect([findings, losesUp, losesDown]).toEqual([[], [], []]);
    expect(text).toMatch(
      /-- plinth:allow lock\/stored-column: .*\nalter table tasks add column search_vector tsvector/,
    );
    expect(text).toContain("create index concurrently tasks_search_vector_idx");
    expect((await generateMigration(options)).isEmpty).toBe(true);
  });

  it("loses nothing when the search goes", async () => {
    const trial = await tryDifference(tasksWith(BOTH), tasksWith(undefined), { ...rows, isOneWay: true });
    expect(trial.up.losses).toEqual([]);
    expect(await trial.query("select count(*) from tasks")).toEqual([["500"]]);
  });
});
