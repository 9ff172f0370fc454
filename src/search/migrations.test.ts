import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { carriesOver, type DifferenceCase, differenceTrials } from "../catalog/difference/trial.fixture.ts";
import { generateMigration } from "../migrations/generate/generate.ts";
import { lintMigrations, parseRename, proveMigrations, readMigrationFolder } from "../migrations/index.ts";
import { openShadow, type Shadow } from "../shadow/index.ts";
import { BOTH, ROWS, tasksGenerated, tasksWith } from "./vector-schema.fixture.ts";

const rows = { rows: ROWS };
const SIMPLE = tasksWith({ ...BOTH, config: "simple" });
const WIDE = tasksWith(BOTH).replace('"title" text', '"title" varchar(9000)');

const CASES: readonly DifferenceCase[] = [
  ["a search", tasksWith(undefined), tasksWith(BOTH), rows],
  ["a search of a partitioned table", tasksWith(undefined, 3), tasksWith(BOTH, 3), rows],
  ["another configuration", tasksWith(BOTH), SIMPLE, rows],
  [
    "another configuration of a partitioned table",
    tasksWith(BOTH, 2),
    tasksWith({ columns: ["body"] }, 2),
    rows,
  ],
  ["other weights", tasksWith(BOTH), tasksWith({ ...BOTH, weights: { title: "B", body: "A" } }), rows],
  ["fewer columns", tasksWith(BOTH), tasksWith({ columns: ["body"] }), rows],
  ["trigrams", tasksWith(BOTH), tasksWith({ ...BOTH, typos: true }), rows],
  ["another type of a searched column", tasksWith(BOTH), WIDE, rows],
  ["another partitioning of a searched table", tasksWith(BOTH), tasksWith(BOTH, 2), rows],
  ["a generated column to a kept one", tasksGenerated(), tasksWith(BOTH), rows],
  ["a generated column to another configuration", tasksGenerated(), SIMPLE, rows],
  ["generated columns of partitions to kept ones", tasksGenerated("simple", 2), tasksWith(BOTH, 2), rows],
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

/** A folder whose first file makes the tables, with rows, and what generates the next one from a declaration. */
function folderOf(before: string) {
  const folder = mkdtempSync(join(tmpdir(), "plinth-search-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "0001_tasks.sql"), `-- migrate:up\n${before};\n${ROWS};\n`);
  const generate = (declared: string, renames: readonly string[] = []) => {
    const renameFlags = renames.map((text) => parseRename(text));
    return generateMigration({
      folder,
      name: "search",
      schemaName: "app",
      declared: [declared],
      renameFlags,
      shadow,
    });
  };
  return { folder, generate };
}

/** Rules of the findings that would stop the last file, statically and by its real effects; and what proving says. */
async function judge(folder: string): Promise<readonly string[]> {
  const read = await readMigrationFolder(folder, { format: "plinth" });
  const only = [read.files.at(-1)?.fileName ?? ""];
  const found: string[] = [];
  for (const mode of ["static", "trace"] as const) {
    const report = await lintMigrations({ folder: read, only, schemaName: "app", shadow, mode });
    found.push(...report.findings.map(({ level, rule }) => `${mode} ${level} ${rule}`));
  }
  const proof = await proveMigrations({ shadow, files: read.files, schemaName: "app", from: only[0] });
  return [...found, ...proof.findings.map(({ level, rule, object }) => `${level} ${rule} ${object}`)];
}

const WORDS = "select search_vector, updated_at from tasks where id in ('1', '2') order by id";
const FOREVER = "2001-01-01 00:00:00+00";

describe.each([true, false])("a migration to a search, online: %s", (online) => {
  const oneWay = { ...rows, isOneWay: true, online };

  it("computes the words of rows that are there, and changes nothing else in them", async () => {
    const trial = await tryDifference(tasksWith(undefined), tasksWith(BOTH), oneWay);
    await trial.query("set timezone to 'UTC'");
    expect(await trial.query(WORDS)).toEqual([
      ["'1':4A 'note':3A 'write':1A", FOREVER],
      ["'2':4A 'note':3A 'releas':5B 'write':1A", FOREVER],
    ]);
    expect([trial.up.losses, trial.down.losses]).toEqual([[], []]);
  });

  it("computes them anew where configuration or weights change", async () => {
    const simple = tasksWith({ ...BOTH, config: "simple", weights: { body: "D" } });
    const trial = await tryDifference(tasksWith(BOTH), simple, oneWay);
    await trial.query("set timezone to 'UTC'");
    expect(await trial.query(WORDS)).toEqual([
      ["'1':4A 'notes':3A 'the':2A 'write':1A", FOREVER],
      ["'2':4A 'notes':3A 'released':5 'the':2A 'write':1A", FOREVER],
    ]);
    const definition = "select indexdef from pg_indexes where indexname = 'tasks_search_vector_idx'";
    expect(await trial.query(definition)).toEqual([
      ["CREATE INDEX tasks_search_vector_idx ON app.tasks USING gin (search_vector)"],
    ]);
  });

  it("computes them in every partition", async () => {
    const trial = await tryDifference(tasksWith(undefined, 3), tasksWith(BOTH, 3), oneWay);
    const counts =
      "select count(*), count(search_vector), count(distinct tableoid), max(updated_at)::date from tasks";
    expect(await trial.query(counts)).toEqual([["500", "500", "3", "2001-01-01"]]);
  });

  it("writes no row where a generated column had the words already, and those that differ otherwise", async () => {
    const places = "select count(*), min(xmin::text) = max(xmin::text) from tasks where ctid < '(50,0)'";
    const same = await tryDifference(tasksGenerated(), tasksWith(BOTH), oneWay);
    expect(same.up.statements.join(";\n")).not.toMatch(/do \$\$|plinth:allow|drop column/);
    expect(same.up.statements[0]).toBe("alter table tasks alter column search_vector drop expression");
    expect(await same.query(places)).toEqual([["500", "t"]]);
    const other = await tryDifference(tasksGenerated("simple"), tasksWith(BOTH), oneWay);
    expect(await other.query("select search_vector from tasks where id = '2'")).toEqual([
      ["'2':4A 'note':3A 'releas':5B 'write':1A"],
    ]);
    expect([same.up.losses, same.down.losses, other.up.losses]).toEqual([[], [], []]);
  });

  it("repairs the words of a table whose trigger was disabled", async () => {
    const off = `${tasksWith(BOTH)}; alter table tasks disable trigger zz_search_vector`;
    const trial = await tryDifference(off, tasksWith(BOTH), oneWay);
    expect(trial.left).toEqual([]);
    expect(await trial.query("select count(search_vector) from tasks")).toEqual([["500"]]);
  });

  it("names what triggers after its own set in the rows it fills", async () => {
    const late = (sql: string) =>
      `${sql}; create trigger zzz_late before update on tasks for each row execute function touch_updated_at()`;
    const trial = await tryDifference(late(tasksWith(undefined)), late(tasksWith(BOTH)), oneWay);
    expect(trial.up.losses).toEqual([{ object: "tasks.updated_at", what: "data" }]);
    expect(await trial.query("select count(*) from tasks where updated_at < '2002-01-01'")).toEqual([["0"]]);
  });

  it("fills no row that a policy hides in silence", async () => {
    const forced = (sql: string) =>
      `${sql}; alter table tasks enable row level security; alter table tasks force row level security;
       create policy living on tasks using (id > '3')`;
    const trial = await tryDifference(forced(tasksWith(undefined)), forced(tasksWith(BOTH)), oneWay);
    expect(trial.up.statements.join(";\n")).toContain("set_config('row_security', 'off', true)");
    expect(
      await trial.query("select count(search_vector), current_setting('row_security') from tasks"),
    ).toEqual([["500", "off"]]);
  });

  it("loses nothing when the search goes", async () => {
    const trial = await tryDifference(tasksWith(BOTH), tasksWith(undefined), oneWay);
    expect(trial.up.losses).toEqual([]);
    expect(await trial.query("select count(*) from tasks")).toEqual([["500"]]);
  });
});

describe("a generated migration to a search", () => {
  it("locks nobody out, is proven with rows, and changes nothing more once it is there", async () => {
    const { folder, generate } = folderOf(tasksWith(undefined));
    const { findings, text, losesUp, losesDown } = await generate(tasksWith(BOTH));
    expect([findings, losesUp, losesDown]).toEqual([[], [], []]);
    expect(text).not.toContain("plinth:allow");
    expect(text).toMatch(
      /add column search_vector tsvector;[\s\S]*create trigger[\s\S]*do \$\$[\s\S]*concurrently/,
    );
    expect((await generate(tasksWith(BOTH))).isEmpty).toBe(true);
    expect(await judge(folder)).toEqual([]);
  });

  it("replaces the function and fills what differs, where the search changes", async () => {
    const { folder, generate } = folderOf(tasksWith(BOTH));
    const { findings, text, losesUp, losesDown } = await generate(SIMPLE);
    expect([findings, losesUp, losesDown]).toEqual([[], [], []]);
    const [up = "", down = ""] = text.split("-- migrate:down");
    for (const way of [up, down]) {
      expect(way).toMatch(/^\s*(-- migrate:up\s+)?create or replace function tasks_search_vector\(\)/);
      expect(way).toMatch(/where search_vector is distinct from \(setweight/);
      expect(way).not.toMatch(/plinth:allow|create index|create trigger|drop/);
    }
    expect(await judge(folder)).toEqual([]);
  });

  it.each([undefined, "simple"])(
    "follows a searched column to another name, and to the configuration %s",
    async (config) => {
      const { folder, generate } = folderOf(tasksWith(BOTH));
      const declared = tasksWith(config === undefined ? BOTH : { ...BOTH, config });
      const renamed = declared.replaceAll('"title"', () => '"""odd"" $& heading"');
      const { findings, text, losesUp } = await generate(renamed, ['tasks.title="odd" $& heading']);
      expect([findings, losesUp]).toEqual([[], []]);
      expect(text).toContain(`alter table tasks rename column title to """odd"" $& heading";

create or replace function tasks_search_vector()`);
      // Whose words are as they were is not looked at.
      expect(text.match(/do \$\$/g)?.length).toBe(config === undefined ? undefined : 2);
      const found = (await judge(folder)).filter((finding) => !finding.includes(" design/"));
      expect(new Set(found)).toEqual(
        new Set(["static error breaks/rename-column", "trace error breaks/rename-column"]),
      );
    },
  );

  it("follows its table to another name, with no row written", async () => {
    const { folder, generate } = folderOf(tasksWith(BOTH));
    const { findings, text, losesUp, losesDown } = await generate(
      tasksWith(BOTH).replaceAll("tasks", "todos"),
      ["tasks=todos"],
    );
    expect([findings, losesUp, losesDown]).toEqual([[], [], []]);
    expect(text).toContain("create function todos_search_vector()");
    expect(text).not.toMatch(/do \$\$/);
    // Its names change, as was asked for; nothing else is found, and the rows are proven.
    const found = (await judge(folder)).filter(
      (finding) => !/ (breaks|lock)\/(rename|drop|several)/.test(finding),
    );
    expect(found).toEqual([]);
  });

  it("turns a generated column of an earlier version into a kept one, and says what the way back costs", async () => {
    const { folder, generate } = folderOf(tasksGenerated());
    const { findings, text, losesUp, losesDown } = await generate(tasksWith(BOTH));
    expect([findings, losesUp, losesDown]).toEqual([[], [], []]);
    const [up = "", down = ""] = text.split("-- migrate:down");
    expect(up).not.toMatch(/plinth:allow|drop column/);
    expect(down).toMatch(
      /-- plinth:allow lock\/stored-column: .*\nalter table tasks add column search_vector/,
    );
    expect((await generate(tasksWith(BOTH))).isEmpty).toBe(true);
    expect(await judge(folder)).toEqual([]);
  });
});
