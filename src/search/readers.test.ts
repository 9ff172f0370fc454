import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BEHAVIOURS } from "../behaviours.ts";
import { connect } from "../driver/index.ts";
import { developmentOn } from "../migrations/dev/development.ts";
import { dumpSchema, findDrift, squashMigrations } from "../migrations/index.ts";
import { openWorkbench, type Project, type Workbench } from "../migrations/workbench.fixture.ts";
import { pullSchema } from "../pull/index.ts";
import { openShadow, type Shadow } from "../shadow/index.ts";
import { BOTH, ROWS, tasksGenerated, tasksWith } from "./vector-schema.fixture.ts";

let bench: Workbench;
let shadow: Shadow;
beforeAll(async () => {
  bench = await openWorkbench();
  shadow = await openShadow({ url: bench.serverUrl, directory: import.meta.dirname });
});
afterAll(async () => {
  await shadow.release();
  await bench.close();
});

const SEARCHED = tasksWith(BOTH);

async function applied(sql: string, rows = ROWS): Promise<Project> {
  const project = bench.project({
    "0001_tasks.sql": `-- migrate:up\n${sql};\n${rows};\n-- migrate:down\ndrop table tasks;\n`,
  });
  await project.migrator().up();
  return project;
}

/** Rows that have the words of their texts, and were not touched. */
const KEPT = `select count(*) from %s.tasks where updated_at = '2001-01-01' and search_vector =
  setweight(to_tsvector('english', coalesce(title, '')), 'A') || setweight(to_tsvector('english', coalesce(body, '')), 'B')`;

describe("a kept search vector", () => {
  it.each([
    ["none", tasksWith(undefined)],
    ["a generated column", tasksGenerated("simple")],
    ["another configuration", tasksWith({ ...BOTH, config: "simple" })],
  ])("is made and filled by migrate dev, from %s, and taken back", async (_from, before) => {
    const project = await applied(before);
    const development = developmentOn(bench.target, {
      openShadow: () => openShadow({ url: bench.serverUrl, directory: "/nowhere" }),
      schemaName: project.schemaName,
      folder: project.folder,
      onProgress: project.note,
    });
    const declared = [SEARCHED];
    expect((await development.reshape({ declared })).losses).toEqual([]);
    expect(await project.rows(KEPT)).toEqual([["500"]]);
    expect((await development.reshape({ declared })).statements).toEqual([]);
    expect((await development.reshape({ declared: [before] })).losses).toEqual([]);
    expect(await project.rows("select count(*) from %s.tasks where updated_at = '2001-01-01'")).toEqual([
      ["500"],
    ]);
  });

  it("follows a column that migrate dev renames", async () => {
    const project = await applied(SEARCHED);
    const development = developmentOn(bench.target, {
      openShadow: () => openShadow({ url: bench.serverUrl, directory: "/nowhere" }),
      schemaName: project.schemaName,
      folder: project.folder,
      onProgress: project.note,
    });
    const rename = { kind: "column", of: "tasks", from: "title", to: "heading" } as const;
    await development.reshape({
      declared: [SEARCHED.replaceAll('"title"', '"heading"')],
      renameFlags: [rename],
    });
    await project.run("insert into %s.tasks (id, heading) values ('x', 'Later')");
    expect(await project.rows("select search_vector from %s.tasks where id = 'x'")).toEqual([["'later':1A"]]);
    expect(await project.rows("select count(*) from %s.tasks where updated_at = '2001-01-01'")).toEqual([
      ["500"],
    ]);
  });

  it.each([
    ["drop trigger zz_search_vector on tasks", "trigger tasks.zz_search_vector"],
    ["alter table tasks disable trigger zz_search_vector", "trigger tasks.zz_search_vector"],
    [
      "create or replace function tasks_search_vector() returns trigger language plpgsql as 'begin return new; end'",
      "function tasks_search_vector()",
    ],
  ])("is missed by drift after: %s; and the repair brings the words back", async (harm, object) => {
    const project = await applied(SEARCHED);
    await project.run(`set search_path to %s; ${harm}; update tasks set search_vector = 'wrong' where id < '3';
      insert into tasks (id, title, updated_at) values ('x', 'Late', '2001-01-01'); reset search_path`);
    const { schemaName, folder } = project;
    const compare = () => findDrift({ target: bench.target, schemaName, folder, shadow });
    const { findings, repair } = await compare();
    expect(findings.map((finding) => finding.object)).toContain(object);
    const connection = await connect(bench.target);
    await connection.script(`set search_path to ${schemaName}`);
    for (const statement of repair?.statements ?? []) await connection.script(statement);
    await connection.close();
    expect((await compare()).findings).toEqual([]);
    const wrong = KEPT.replace("count(*)", "id").replace(
      "updated_at = '2001-01-01' and search_vector =",
      "search_vector is distinct from",
    );
    expect(await project.rows(wrong)).toEqual([]);
  });

  it("is in a dump and in a squashed file as it was", async () => {
    const project = await applied(SEARCHED, "select 1");
    const { schemaName, folder } = project;
    project.write(
      "0002_more.sql",
      "-- migrate:up\nalter table tasks add column more int;\n-- migrate:down\nalter table tasks drop column more;\n",
    );
    await project.migrator().up();
    const text = await dumpSchema({ folder, schemaName, shadow });
    expect(text).toMatch(/create trigger zz_search_vector before insert or update on tasks/);
    expect(text).toContain("search_vector tsvector");
    const squashed = await squashMigrations({ folder, to: "2", schemaName, shadow });
    expect(squashed.findings).toEqual([]);
    expect((await findDrift({ target: bench.target, schemaName, folder, shadow })).findings).toEqual([]);
  });

  it("is pulled as what it is: a column, a function and a trigger that make the same again", async () => {
    const project = await applied(SEARCHED);
    const connection = await connect(bench.target);
    const { schemaName } = project;
    const pulled = await pullSchema({ connection, schemaName, shadow, behaviours: BEHAVIOURS });
    await connection.close();
    expect(pulled.findings).toEqual([]);
    expect(pulled.text).toContain("zz_search_vector");
  });
});
