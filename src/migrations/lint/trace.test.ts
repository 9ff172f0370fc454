import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestServer, testServer } from "../../../test/support/server.ts";
import { connect, parseTarget } from "../../driver/index.ts";
import { openShadow, type Shadow } from "../../shadow/index.ts";
import { type MigrationFile, parseMigrationFile } from "../migration-file.ts";
import { type TracedStatement, traceEffects, traceKey } from "./trace.ts";

let server: TestServer;
let shadow: Shadow;
let made = 0;

beforeAll(async () => {
  server = await testServer();
  shadow = await openShadow({ url: server.url, directory: tmpdir() });
});
afterAll(async () => {
  await shadow.release();
  await server.stop();
});

const NOTES = `create table notes (id bigint primary key, body text, rating integer);
create table projects (id bigint primary key);
create table tasks (id bigint primary key, project_id bigint references projects deferrable)`;

/** What each statement of one file's up does, after a file with `ground`. */
async function traced(ground: string, up: string): Promise<readonly string[]> {
  return (await tracedFiles([fileOf(ground), fileOf(up)], 1)).map(({ told }) => told);
}

interface Told {
  readonly key: string;
  readonly told: string;
}

/** Outcomes of the files from `reportFrom` on. */
async function tracedFiles(
  files: readonly MigrationFile[],
  reportFrom: number,
  on: Shadow = shadow,
): Promise<readonly Told[]> {
  const outcomes = await traceEffects({
    shadow: on,
    files: files.map((file, index) => ({ file, isReported: index >= reportFrom })),
    schemaName: "app",
    splitsPhases: true,
  });
  return [...outcomes].map(([key, outcome]) => ({ key, told: describeOutcome(outcome) }));
}

function fileOf(up: string, down = ""): MigrationFile {
  made += 1;
  const text = `-- migrate:up\n${up};\n-- migrate:down\n${down}\n`;
  return parseMigrationFile(`${made}_m.sql`, Buffer.from(text));
}

/** `notes AccessExclusive, tasks Share; writes notes; reads notes`. */
function describeOutcome({ effects, failure }: TracedStatement): string {
  if (effects === undefined) return `refused: ${failure?.message}`;
  const locks = effects.locks
    .map(({ relation, mode }) => `${relation} ${mode.replace(/Lock$/, "")}`)
    .join(", ");
  const writes = effects.rewrites.length === 0 ? "" : `; writes ${effects.rewrites.join(", ")}`;
  return `${locks}${writes}${effects.scans.length === 0 ? "" : `; reads ${effects.scans.join(", ")}`}`;
}

describe("traceEffects", () => {
  it("tells what each statement of a file does by itself, on tables it has filled with rows", async () => {
    const effects = await traced(
      NOTES,
      `alter table notes add column a integer;
       alter table notes add column b uuid default gen_random_uuid();
       alter table notes alter column body set not null;
       create index concurrently notes_rating_idx on notes (rating);
       drop index concurrently notes_rating_idx`,
    );
    expect(effects).toEqual([
      "notes AccessExclusive",
      "notes AccessExclusive, notes_pkey AccessExclusive; writes notes, notes_pkey; reads notes",
      "notes AccessExclusive; reads notes",
      "notes ShareUpdateExclusive; reads notes",
      // The index is one the file has made.
      "notes ShareUpdateExclusive",
    ]);
  });

  it("leaves out relations the file has made, and follows those it renames or makes again", async () => {
    const effects = await traced(
      `${NOTES}; create index notes_rating_idx on notes (rating)`,
      `create table labels (id bigint primary key, name text);
       alter table labels alter column name set not null;
       alter table notes rename to remarks;
       alter table remarks alter column rating type bigint;
       reindex index notes_rating_idx;
       drop table tasks;
       create table tasks (id bigint primary key);
       alter table tasks add column note text`,
    );
    expect(effects).toEqual([
      "",
      "",
      "notes AccessExclusive",
      "notes_pkey AccessExclusive, notes_rating_idx AccessExclusive, remarks AccessExclusive; writes notes_pkey, notes_rating_idx, remarks; reads remarks",
      "notes_rating_idx AccessExclusive, remarks Share; writes notes_rating_idx; reads remarks",
      "projects AccessExclusive, tasks AccessExclusive, tasks_pkey AccessExclusive",
      "",
      "",
    ]);
  });

  it("gives a statement what the runner's transaction has set up for it", async () => {
    const effects = await traced(
      NOTES,
      `set local lock_timeout = '2s';
       set constraints all deferred;
       create temporary table picked on commit drop as select id from notes where id < 0;
       insert into picked values (1), (2);
       declare every cursor for select id from notes;
       fetch next from every;
       update notes set body = 'x' where id in (select id from picked);
       set local nonsense_setting = 1;
       close every;
       drop table notes;
       create table after_all (id bigint)`,
    );
    expect(effects.map((one) => one.replace(/, notes_pkey \w+/, ""))).toEqual([
      "",
      "",
      "notes AccessShare",
      "",
      // What the tables before it took in the same transaction is theirs.
      "",
      "; reads notes",
      "notes RowExclusive; reads notes",
      expect.stringContaining("refused"),
      "",
      "notes AccessExclusive",
      "",
    ]);
  });

  it("runs statements together that only work together", async () => {
    const ground = `${NOTES}; alter table tasks alter constraint tasks_project_id_fkey deferrable initially deferred`;
    const effects = await traced(
      ground,
      "insert into tasks values (-5, -7); insert into projects values (-7); alter table notes add column a integer",
    );
    expect(effects).toEqual(["tasks RowExclusive", "projects RowExclusive", "notes AccessExclusive"]);
  });

  it("says what the server refused, and goes on", async () => {
    const effects = await traced(
      NOTES,
      `alter table absent add column a integer;
       create index concurrently notes_absent_idx on notes (absent);
       alter table notes drop constraint absent;
       alter table notes add column b integer`,
    );
    expect(effects).toEqual([
      'refused: the statement is wrong: relation "absent" does not exist [42P01]',
      'refused: the statement is wrong: column "absent" does not exist [42703]',
      expect.stringContaining("refused"),
      "notes AccessExclusive",
    ]);
  });

  it("tells what a statement does to rows that fit, where the generated ones stand in its way", async () => {
    const effects = await traced(
      `${NOTES}; create table links (id bigint primary key, note_id bigint, kind integer); create table marks (id bigint primary key, size integer); insert into notes values (1, null, 2)`,
      `alter table notes add column a integer not null;
       alter table notes add constraint notes_rating_key unique (rating);
       alter table marks add constraint marks_size check (size in (1001, 1003));
       create unique index concurrently marks_same_key on marks ((1));
       alter table links add constraint links_note_fk foreign key (note_id) references notes not valid;
       alter table links validate constraint links_note_fk;
       alter table links add foreign key (kind) references links (id);
       alter table notes alter column body type integer using body::integer;
       insert into notes values (1001, 5, 1001, 7)`,
    );
    expect(effects).toEqual([
      "notes AccessExclusive; reads notes",
      "notes AccessExclusive; reads notes",
      "marks AccessExclusive; reads marks",
      "marks ShareUpdateExclusive; reads marks",
      "links ShareRowExclusive, notes ShareRowExclusive",
      expect.stringMatching(/^links ShareUpdateExclusive, .*notes RowShare.*; reads links, notes$/),
      expect.stringMatching(/^links ShareRowExclusive, .*; reads links$/),
      "notes AccessExclusive, notes_pkey AccessExclusive; writes notes, notes_pkey; reads notes",
      "notes RowExclusive",
    ]);
  });

  it("adds up what a block does that commits on the way", async () => {
    const [effects] = await traced(
      NOTES,
      `do $$ begin
         for i in 1..3 loop update notes set rating = i where id = i; commit; end loop;
         commit and chain;
       end $$`,
    );
    expect(effects).toBe("notes RowExclusive, notes_pkey RowExclusive");
  });

  it("runs nothing that outlives the database, nor what the runner refuses", async () => {
    const effects = await traced(
      NOTES,
      `create role plinth_trace_role; create database plinth_trace_database; drop database plinth_trace_database;
       alter system set work_mem = '1GB'; begin; alter table notes add column a integer; commit; discard all;
       copy notes from stdin`,
    );
    expect(effects).toEqual([
      "",
      "",
      "",
      "",
      "",
      "notes AccessExclusive",
      "",
      "refused: the runner refuses it, so it was not run",
      "refused: the runner refuses it, so it was not run",
    ]);
    const admin = await connect(parseTarget(server.url));
    const { rows } = await admin.query({
      text: "select rolname from pg_roles where rolname = 'plinth_trace_role' union select datname from pg_database where datname = 'plinth_trace_database'",
      values: [],
    });
    await admin.close();
    expect(rows).toEqual([]);
  });

  it("traces a down on a copy, so that the next file stands on the up", async () => {
    const first = fileOf(
      "alter table notes add column a integer; create index on notes (a)",
      "drop index notes_a_idx; alter table notes drop column a;",
    );
    const second = fileOf("alter table notes alter column a set not null; drop index notes_a_idx");
    const told = await tracedFiles([fileOf(NOTES), first, second], 1);
    expect(told).toEqual([
      { key: traceKey(first.fileName, "up", 0), told: "notes AccessExclusive" },
      { key: traceKey(first.fileName, "up", 1), told: "notes Share; reads notes" },
      {
        key: traceKey(first.fileName, "down", 0),
        told: "notes AccessExclusive, notes_a_idx AccessExclusive",
      },
      { key: traceKey(first.fileName, "down", 1), told: "notes AccessExclusive" },
      { key: traceKey(second.fileName, "up", 0), told: "notes AccessExclusive; reads notes" },
      {
        key: traceKey(second.fileName, "up", 1),
        told: "notes AccessExclusive, notes_a_idx AccessExclusive",
      },
    ]);
  });

  it("goes past another tool's file that controls transactions itself, and past what fails in one", async () => {
    const other = fileOf(`begin; ${NOTES}; commit; create index concurrently on notes (rating)`);
    const wrong = fileOf("create table half (id bigint); drop table absent");
    const unreadable = fileOf("create tabel x ()");
    const last = fileOf("drop index notes_rating_idx; drop table half");
    const told = await tracedFiles([other, wrong, unreadable, last], 3);
    expect(told.map((one) => one.told)).toEqual([
      "notes AccessExclusive, notes_rating_idx AccessExclusive",
      'refused: the statement is wrong: table "half" does not exist [42P01]',
    ]);
  });

  it("survives files that take the whole database apart", async () => {
    const effects = await traced(
      `${NOTES}; create index notes_rating_idx on notes (rating)`,
      `vacuum; vacuum full; reindex (verbose) schema app; cluster; reset all; set role pg_monitor; reset role;
       set session statement_timeout = '50ms'; select pg_sleep(1); set statement_timeout = 0;
       drop schema app cascade; create schema app; create table app.notes (id bigint)`,
    );
    expect(effects[0]).not.toContain("refused");
    expect(effects[1]).toContain("writes notes, notes_pkey, notes_rating_idx, projects");
    expect(effects[2]).toContain("writes notes_pkey, notes_rating_idx, projects_pkey");
    expect(effects.slice(3)).toEqual([
      "",
      "",
      "",
      "",
      "",
      expect.stringContaining("refused: "),
      "",
      expect.stringContaining("notes AccessExclusive, notes_pkey AccessExclusive"),
      "",
      "",
    ]);
  });

  it("samples the locks where the role may not lock system catalogs", async () => {
    const admin = await connect(parseTarget(server.url));
    await admin.script(
      "drop role if exists plinth_trace_plain; create role plinth_trace_plain login createdb",
    );
    const url = server.url.replace("//postgres@", "//plinth_trace_plain@");
    const plain = await openShadow({ url, directory: tmpdir() });
    const file = fileOf("create index concurrently notes_rating_idx on notes (rating)");
    const [told] = await tracedFiles([fileOf(NOTES), file], 1, plain);
    expect(told?.told).toContain("; reads notes");
    await plain.release();
    await admin.script("drop role plinth_trace_plain");
    await admin.close();
  });
});
