import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { connect } from "../../driver/index.ts";
import { openShadow } from "../../shadow/index.ts";
import { readMigrations } from "../folder.ts";
import { createDataMigrationFile } from "../make-file.ts";
import { replayMigrations } from "../replay.ts";
import { DATA_IMPORTS, openWorkbench, type Project, type Workbench } from "../workbench.fixture.ts";
import { dataMigration } from "./data-migration.ts";
import { updateBatches } from "./update-batches.ts";

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

const module = (options: string): string => `${DATA_IMPORTS}export default dataMigration(${options});\n`;

/** Twenty rows whose `filled` counts how often they were touched. */
const EVENTS = `-- migrate:up
create table events (id bigint primary key, filled int not null default 0);
insert into events (id) select generate_series(1, 20);
-- migrate:down
drop table events;
`;

const FILL = `{
  batchSize: 3,
  pauseMs: 0,
  up: async ({ sql, cursor = 0, limit }) => {
    const rows = await sql\`update events set filled = filled + 1
      where id in (select id from events where id > \${cursor} order by id limit \${limit}) returning id::int4 as id\`;
    const ids = rows.map(({ id }) => id);
    return { cursor: Math.max(Number(cursor), ...ids), rows: rows.length, done: rows.length < limit };
  },
  down: updateBatches({ table: "events", key: "id", set: "filled = 0" }),
}`;

const filledOnce = async (project: Project): Promise<void> => {
  expect(await project.rows("select filled, count(*) from %s.events group by 1")).toEqual([["1", "20"]]);
};

/** Advisory locks are seen from every database. */
const WAITING =
  "select 1 from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())";

const progressRows = "select version, direction, cursor, batches, rows from %s.plinth_data_progress";

describe("a data migration", () => {
  it("runs between the SQL files, batch by batch, and leaves one row in the ledger", async () => {
    const project = bench.project({
      "0001_events.sql": EVENTS,
      "0002_fill.ts": module(FILL),
      "0003_check.sql": "-- migrate:up\nalter table events add constraint once check (filled = 1);\n",
    });
    const { ran } = await project.migrator().up();
    expect(ran.map(({ fileName, statements, rows }) => [fileName, statements, rows])).toEqual([
      ["0001_events.sql", 2, undefined],
      ["0002_fill.ts", 0, 20],
      ["0003_check.sql", 1, undefined],
    ]);
    await filledOnce(project);
    expect(
      await project.rows("select name, statements_applied, in_flight from %s.plinth_migrations order by 1"),
    ).toEqual([
      ["check", "1", null],
      ["events", "2", null],
      ["fill.ts", "1", null],
    ]);
    expect(await project.rows(progressRows)).toEqual([]);
    expect(project.progress).toContainEqual({
      kind: "batches",
      direction: "up",
      fileName: "0002_fill.ts",
      batches: 7,
      rows: 20,
    });
    expect(await project.migrator().status()).toMatchObject({ pending: 0, findings: [] });
    expect((await project.migrator().up()).ran).toEqual([]);
  });

  it("is undone by its own batches, needs no way back where it says so, and has none where it says nothing", async () => {
    const project = bench.project({ "0001_events.sql": EVENTS, "0002_fill.ts": module(FILL) });
    await project.migrator().up();
    expect((await project.migrator().down()).ran).toMatchObject([{ fileName: "0002_fill.ts", rows: 20 }]);
    expect(await project.rows("select max(filled) from %s.events")).toEqual([["0"]]);
    await project.migrator().up();
    await filledOnce(project);
    project.write("0003_none.ts", module('{ up: async () => ({ done: true }), down: "nothing" }'));
    project.write("0004_one_way.ts", module("{ up: async () => ({ done: true }) }"));
    await project.migrator().up();
    await expect(project.migrator().down()).rejects.toMatchObject({
      code: "MIGRATION_IRREVERSIBLE",
      message:
        '0004_one_way.ts has no way back\n  Give it down (or down: "nothing"), or undo it with a new migration.',
    });
    await project.run("delete from %s.plinth_migrations where version = '0004'");
    project.remove("0004_one_way.ts");
    expect(
      (await project.migrator().down({ steps: 2 })).ran.map(({ fileName, rows }) => [fileName, rows]),
    ).toEqual([
      ["0003_none.ts", 0],
      ["0002_fill.ts", 20],
    ]);
  });

  it("goes on after the last batch that committed when its runner was killed, and touches no row twice", async () => {
    const project = bench.project({
      "0001_events.sql": EVENTS,
      "0002_fill.ts": module(
        FILL.replace(
          "const rows",
          "if (cursor === 9) await sql`select pg_advisory_xact_lock(4715)`;\n const rows",
        ),
      ),
    });
    const holder = await connect(bench.target);
    await holder.script("select pg_advisory_lock(4715)");
    const runner = project.spawnRunner();
    await vi.waitFor(
      async () => {
        expect(await project.rows(WAITING)).toEqual([["1"]]);
      },
      { timeout: 25_000, interval: 50 },
    );
    runner.process.kill("SIGKILL");
    await runner.ended;
    await holder.close();
    expect((await project.migrator().status()).migrations[1]).toMatchObject({
      state: "partial",
      rowsDone: 9,
    });
    expect((await project.migrator().status()).findings).toMatchObject([
      { rule: "migration-interrupted", why: "a run was interrupted after 9 rows", fix: "plinth migrate up" },
    ]);
    expect(await project.rows(progressRows)).toEqual([["0002", "up", "9", "3", "9"]]);
    expect((await project.migrator().up()).ran).toMatchObject([{ fileName: "0002_fill.ts", rows: 20 }]);
    await filledOnce(project);
  }, 60_000);

  it("keeps what was done when a batch fails, and goes on with the corrected file, saying so", async () => {
    const project = bench.project({
      "0001_events.sql": EVENTS,
      "0002_fill.ts": module(
        FILL.replace("const rows", "if (cursor === 6) await sql`select 1/0`;\n const rows"),
      ),
    });
    await expect(project.migrator().up()).rejects.toMatchObject({
      code: "MIGRATION_FAILED",
      file: "0002_fill.ts",
      sqlstate: "22012",
      message: `0002_fill.ts: batch 3: a value cannot be stored in, or read as, the column's type [22012]
  The batches before it are done and recorded; correct it and run plinth migrate up again to go on there.`,
    });
    await expect(project.migrator().down()).rejects.toMatchObject({ code: "MIGRATION_FAILED" });
    project.write("0002_fill.ts", module(FILL));
    await project.migrator().up();
    expect(project.progress).toContainEqual({
      kind: "notice",
      message: "0002_fill.ts was edited since its first batch; the rest runs as it is now",
    });
    await filledOnce(project);
  });

  it("finishes a down that was interrupted, and is run again by redo", async () => {
    const down = (body: string): string =>
      FILL.replace(
        /down: .*,\n/,
        `down: async ({ sql, cursor = 0 }) => {
          ${body}
          await sql\`update events set filled = filled - 1 where id between \${Number(cursor) + 1} and \${Number(cursor) + 5}\`;
          return { cursor: Number(cursor) + 5, rows: 5, done: cursor === 15 };
        },\n`,
      );
    const project = bench.project({
      "0001_events.sql": EVENTS,
      "0002_fill.ts": module(down("if (cursor === 10) await sql`select 1/0`;")),
    });
    await project.migrator().up();
    await expect(project.migrator().down()).rejects.toMatchObject({
      message: expect.stringContaining("run plinth migrate down again"),
    });
    expect((await project.migrator().status()).migrations[1]).toMatchObject({
      state: "reverting",
      rowsDone: 10,
    });
    await expect(project.migrator().up()).rejects.toMatchObject({ code: "MIGRATION_FAILED" });
    project.write("0002_fill.ts", module(down("")));
    expect((await project.migrator().down()).ran).toMatchObject([{ rows: 20 }]);
    expect(await project.rows("select min(filled), max(filled) from %s.events")).toEqual([["0", "0"]]);
    await project.migrator().up();
    expect((await project.migrator().redo()).ran).toMatchObject([{ direction: "down" }, { direction: "up" }]);
    await filledOnce(project);
  });

  it("does not begin anew when nobody knows how far it was", async () => {
    const project = bench.project({
      "0001_events.sql": EVENTS,
      "0002_fill.ts": module(
        FILL.replace("const rows", "if (cursor === 6) await sql`select 1/0`;\n const rows"),
      ),
    });
    await expect(project.migrator().up()).rejects.toMatchObject({ sqlstate: "22012" });
    await project.run("delete from %s.plinth_data_progress");
    await expect(project.migrator().up()).rejects.toMatchObject({
      message: expect.stringContaining(
        "0002_fill.ts is half done, and plinth_data_progress does not say how far\n",
      ),
    });
  });

  it("is refused once it was edited or turned into SQL after it was applied; line ends do not count", async () => {
    const project = bench.project({ "0001_events.sql": EVENTS, "0002_fill.ts": module(FILL) });
    await project.migrator().up();
    project.write("0002_fill.ts", `\uFEFF${module(FILL).replaceAll("\n", "\r\n")}`);
    expect((await project.migrator().status()).findings).toEqual([]);
    project.write("0002_fill.ts", module(FILL.replace("batchSize: 3", "batchSize: 4")));
    await expect(project.migrator().up()).rejects.toMatchObject({ code: "MIGRATION_CHANGED" });
    project.remove("0002_fill.ts");
    await expect(project.migrator().up()).rejects.toMatchObject({
      code: "MIGRATION_MISSING",
      file: "0002_fill.ts",
    });
    project.write("0002_fill.sql", "-- migrate:up\nselect 1;\n");
    await expect(project.migrator().up()).rejects.toMatchObject({
      message: expect.stringContaining("0002_fill.sql was applied under the name 0002_fill.ts\n"),
    });
  });

  it("shows in a dry run that it would run, and records nothing", async () => {
    const project = bench.project({ "0001_events.sql": EVENTS, "0002_fill.ts": module(FILL) });
    const { sql = "" } = await project.migrator().up({ dryRun: true });
    expect(sql.trimEnd().split("\n").at(-1)).toBe(
      "-- 0002_fill.ts, up: a data migration, whose batches are chosen as it runs",
    );
    expect(sql).not.toContain("fill.ts'");
  });

  it("runs a batch again that lost a deadlock or waited too long for a row, and names who held it", async () => {
    const project = bench.project({ "0001_events.sql": EVENTS, "0002_fill.ts": module(FILL) });
    await project.migrator().up({ to: "1" });
    const other = await connect(bench.target);
    await other.script(`begin; update ${project.schemaName}.events set filled = filled where id = 8`);
    let retries = 0;
    const migrator = project.migrator({
      lockTimeoutMs: 1_500,
      onProgress: (event) => {
        if (event.kind !== "retrying") return;
        retries += 1;
        expect(event.blockers).toMatchObject([{ processId: other.processId }]);
        if (retries === 2) void other.script("rollback");
      },
    });
    expect((await migrator.up()).ran).toMatchObject([{ rows: 20 }]);
    expect(retries).toBe(2);
    await other.close();
    await filledOnce(project);
  });

  it("stops between and within batches on an abort, and goes on later", async () => {
    const project = bench.project({
      "0001_events.sql": EVENTS,
      "0002_fill.ts": module(
        FILL.replace("const rows", "if (cursor === 6) await new Promise(() => {});\n const rows"),
      ),
    });
    const controller = new AbortController();
    const run = project.migrator().up({ signal: controller.signal });
    await vi.waitFor(async () => expect(await project.rows(progressRows)).toMatchObject([{ 3: "2" }]));
    controller.abort();
    await expect(run).rejects.toMatchObject({ code: "QUERY_CANCELED" });
    project.write("0002_fill.ts", module(FILL));
    await project.migrator().up();
    await filledOnce(project);
  });

  it.each([
    [
      "void sql`select pg_sleep(0.2)`; return { done: true };",
      "a statement was still running when its batch ended",
    ],
    [
      "await sql`select 1/0`.catch(() => 1); return { done: true };",
      "a statement failed and the batch went on",
    ],
    ["await sql`do 'begin commit; end'`; return { done: true };", "[2D000]"],
    ["await sql`commit`; return { done: true };", "COMMIT is not sent by hand"],
    [
      "await query('select 1; select 2'); return { done: true };",
      "cannot insert multiple commands into a prepared statement",
    ],
    [
      "return { done: false };",
      "a batch changed no row, did not move the cursor, and was not done: it would go on for ever",
    ],
    ["return { done: true, cursor: 1n };", "a batch gave a cursor that cannot be written down"],
    ["return { done: true, rows: -1 };", "a batch gave a number of rows that is none"],
    ["return undefined;", "a batch gave no result"],
    ["throw new Error('my own reason\\nwith more');", "0002_wrong.ts: batch 1: my own reason\n"],
    ["throw 'text';", "it threw something that is no error"],
  ])("fails, and records nothing, when a batch says %s", async (body, reason) => {
    const project = bench.project({
      "0001_events.sql": EVENTS,
      "0002_wrong.ts": module(
        `{ up: async ({ sql, query }) => { await sql\`delete from events\`; ${body} } }`,
      ),
    });
    await expect(project.migrator().up()).rejects.toMatchObject({
      code: "MIGRATION_FAILED",
      message: expect.stringContaining(reason),
    });
    expect(await project.rows("select count(*) from %s.events")).toEqual([["20"]]);
    expect((await project.migrator().status()).migrations[1]).toMatchObject({
      state: "partial",
      rowsDone: 0,
    });
  });

  it.each([
    ["export default 1;", "0002_bad.ts does not export a data migration"],
    ["export const up = 1;", "0002_bad.ts does not export a data migration"],
    ["export default {", "0002_bad.ts cannot be used: "],
    [
      module("{ up: async () => ({ done: true }), batchsize: 3 }"),
      'dataMigration: it has no option "batchsize"',
    ],
    [
      module("{ batchSize: 0, up: async () => ({ done: true }) }"),
      "batchSize must be a whole number from 1 to 100000",
    ],
    [
      module("{ pauseMs: -1, up: async () => ({ done: true }) }"),
      "pauseMs must be a whole number from 0 to 60000",
    ],
    [module("{ up: 1 }"), "up must be a function"],
    [module('{ up: async () => ({ done: true }), down: "none" }'), 'down must be a function or "nothing"'],
  ])("is refused before anything runs when its module is %j", async (text, reason) => {
    const project = bench.project({ "0001_events.sql": EVENTS, "0002_bad.ts": text });
    await expect(project.migrator().up()).rejects.toMatchObject({
      code: "MIGRATION_INVALID",
      message: expect.stringContaining(reason),
    });
    expect(await project.rows("select 1 from pg_namespace where nspname = '%s'")).toEqual([]);
  });

  it("runs what it read: a loader that keeps an older text is found out", async () => {
    const stale = dataMigration({ up: async () => ({ done: true }) });
    const project = bench.project({ "0001_events.sql": EVENTS, "0002_stale.ts": "export default 1;" });
    const loadModule = async () => ({ default: stale });
    expect((await project.migrator({ loadModule }).up({ dryRun: true })).ran).toHaveLength(2);
    project.write("0002_stale.ts", "export default 2;");
    await expect(project.migrator({ loadModule }).up()).rejects.toMatchObject({
      code: "MIGRATION_INVALID",
      message: expect.stringContaining("0002_stale.ts was edited after this process had loaded it"),
    });
  });
});

describe("replayMigrations", () => {
  it("runs data migrations on the shadow database too, as what comes after may need them", async () => {
    const project = bench.project({
      "0001_events.sql": EVENTS,
      "0002_fill.ts": module(FILL),
      "0003_check.sql": "-- migrate:up\nalter table events add constraint once check (filled = 1);\n",
    });
    const shadow = await openShadow({ url: bench.serverUrl, directory: project.folder });
    const database = await replayMigrations(shadow, await readMigrations(project.folder), "app");
    const connection = await database.connect();
    const { rows } = await connection.query({ text: "select count(*) from app.events", values: [] });
    expect(rows).toEqual([["20"]]);
    await connection.close();
    await shadow.release();
  });
});

describe("createDataMigrationFile", () => {
  it("writes the next version, which does not run before it is filled in", async () => {
    const project = bench.project({ "0001_events.sql": EVENTS });
    const path = await createDataMigrationFile(project.folder, "fill slugs");
    expect(basename(path)).toBe("0002_fill_slugs.ts");
    const text = readFileSync(path, "utf8").replace(/^import .*\n/, DATA_IMPORTS);
    project.write("0002_fill_slugs.ts", text);
    await expect(project.migrator().up()).rejects.toMatchObject({ code: "MIGRATION_INVALID" });
    project.write(
      "0002_fill_slugs.ts",
      text.replace('table: ""', 'table: "events"').replace('set: ""', 'set: "filled = 1"'),
    );
    expect((await project.migrator().up()).ran).toMatchObject([{ rows: undefined }, { rows: 20 }]);
  });
});

describe("updateBatches and deleteBatches", () => {
  const PAIRS = `-- migrate:up
create table "My pairs" ("Tenant" uuid not null, id bigint not null, title text, slug text, primary key ("Tenant", id));
insert into "My pairs"
select md5((n % 3)::text)::uuid, n, 'Title ' || n, case when n % 2 = 0 then 'kept' end from generate_series(1, 50) as n;
`;

  it("walk along a key of several columns, and leave alone what where leaves out", async () => {
    const project = bench.project({
      "0001_pairs.sql": PAIRS,
      "0002_slugs.ts": module(`{ batchSize: 7, pauseMs: 0, up: updateBatches({
        table: "My pairs", key: ["Tenant", "id"], set: "slug = lower(title) || id", where: "slug is null" }) }`),
      "0003_old.ts": module(
        `{ batchSize: 7, pauseMs: 0, up: deleteBatches({ table: "My pairs", key: ["Tenant", "id"], where: "id <= 10" }) }`,
      ),
    });
    const { ran } = await project.migrator().up();
    expect(ran.map(({ rows }) => rows)).toEqual([undefined, 25, 10]);
    expect(
      await project.rows(
        `select count(*), count(*) filter (where slug = 'title ' || id || id), count(*) filter (where slug = 'kept') from %s."My pairs"`,
      ),
    ).toEqual([["40", "20", "20"]]);
    expect(project.progress.filter(({ kind }) => kind === "batches")).toMatchObject([
      { batches: 8, rows: 25 },
      { batches: 8, rows: 10 },
    ]);
  });

  it("are done at once with an empty table, and name a table of another schema", async () => {
    const project = bench.project({
      "0001_other.sql":
        "-- migrate:up\ncreate schema OTHER;\ncreate table OTHER.t (at timestamptz primary key, n int);\n",
    });
    const schema = `${project.schemaName}_other`;
    project.write(
      "0001_other.sql",
      `-- migrate:up\ncreate schema ${schema};\ncreate table ${schema}.t (at timestamptz primary key, n int);\n`,
    );
    const text = (name: string): string =>
      module(
        `{ batchSize: 2, pauseMs: 0, up: updateBatches({ table: "t", schema: "${schema}", key: "at", set: "n = ${name}" }) }`,
      );
    project.write("0002_empty.ts", text("1"));
    expect((await project.migrator().up()).ran[1]).toMatchObject({ rows: 0 });
    await project.run(
      `insert into ${schema}.t select 'epoch'::timestamptz + n * interval '1.000001 s' from generate_series(1, 5) as n`,
    );
    project.write("0003_rows.ts", text("2"));
    expect((await project.migrator().up()).ran[0]).toMatchObject({ rows: 5 });
    expect(await project.rows(`select distinct n from ${schema}.t`)).toEqual([["2"]]);
  });

  it("refuse a key without columns, and a cursor of another key", async () => {
    expect(() => updateBatches({ table: "t", key: [], set: "a = 1" })).toThrow(
      "batches of t: key names no column",
    );
    const work = updateBatches({ table: "t", key: ["a", "b"], set: "a = 1" });
    const batch = {
      sql: vi.fn(),
      query: vi.fn(),
      cursor: ["1"],
      limit: 1,
      signal: new AbortController().signal,
    };
    await expect(work(batch)).rejects.toThrow("its batches so far walked along another key");
  });
});
