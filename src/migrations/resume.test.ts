import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Connection, connect } from "../driver/index.ts";
import { openWorkbench, type Project, type Workbench } from "./workbench.fixture.ts";

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

/** Five times what a loaded machine needs. */
const PATIENCE = { timeout: 25_000, interval: 50 };

const INDEXES = `select c.relname, i.indisvalid from pg_index i join pg_class c on c.oid = i.indexrelid
  where c.relnamespace = '%s'::regnamespace and c.relname not like 'plinth%' order by 1`;

const EVENTS =
  "-- migrate:up\ncreate table events (id bigint, name text);\ninsert into events values (1, 'one');\n";

/** Another session of the application, in an open transaction. */
async function withOtherSession<T>(text: string, work: (other: Connection) => Promise<T>): Promise<T> {
  const other = await connect(bench.target);
  try {
    await other.script(text);
    return await work(other);
  } finally {
    await other.close();
  }
}

/** Starts a runner and kills it with SIGKILL while its statement that begins with `text` waits for somebody. */
async function killWhileWaiting(project: Project, text: string, command?: "up" | "down"): Promise<void> {
  const runner = project.spawnRunner(command);
  await vi.waitFor(async () => {
    const waiting = await project.rows(
      `select 1 from pg_stat_activity where application_name = 'plinth migrate' and wait_event_type = 'Lock'
        and datname = current_database() and query like '${text}%'`,
    );
    expect(waiting).toHaveLength(1);
  }, PATIENCE);
  runner.process.kill("SIGKILL");
  await runner.ended;
}

/** Runs what a dry run shows, but not the last bookkeeping: a runner that was killed right before it. */
async function runUnrecorded(project: Project): Promise<void> {
  const { sql = "" } = await project.migrator().up({ dryRun: true });
  for (const part of sql.trimEnd().split("\n\n").slice(0, -1)) await project.run(part);
  await project.run("reset all");
}

/** Marks the statement outside a transaction as begun, as a runner does, without running it. */
async function markBegun(project: Project): Promise<void> {
  const { sql = "" } = await project.migrator().up({ dryRun: true });
  for (const part of sql.trimEnd().split("\n\n").slice(0, -4)) await project.run(part);
  await project.run("reset all");
}

/** Runs a statement that is canceled half way, while another session holds what it waits for. */
async function runInterrupted(project: Project, other: string, text: string): Promise<void> {
  await withOtherSession(other.replaceAll("%s", project.schemaName), async () => {
    await project.run(`set search_path to %s; set statement_timeout to 300`);
    await expect(project.run(text)).rejects.toMatchObject({ code: "STATEMENT_TIMEOUT" });
    await project.run("reset all");
  });
}

async function expectFinished(project: Project): Promise<void> {
  await project.migrator().up();
  expect(await project.migrator().status()).toMatchObject({ pending: 0, findings: [] });
  expect((await project.migrator().up()).ran).toEqual([]);
}

describe("a runner killed in the middle of a file", () => {
  it("is followed by one that goes on, without losing or repeating a statement or a setting", async () => {
    const project = bench.project({ "0001_events.sql": EVENTS });
    await project.migrator().up();
    project.write(
      "0002_mixed.sql",
      `-- migrate:up
insert into events values (2);
set work_mem to '5MB';
create index concurrently events_id on events (id);
insert into events values (3);
alter table events alter column name set default current_setting('work_mem'), add column size text default current_setting('work_mem');
`,
    );
    await withOtherSession(
      `begin; lock table ${project.schemaName}.events in access share mode`,
      async () => {
        await killWhileWaiting(project, "alter table events");
        expect((await project.migrator().status()).migrations[1]).toMatchObject({
          state: "partial",
          statementsApplied: 3,
          statementsTotal: 5,
        });
      },
    );
    await expectFinished(project);
    expect(project.progress).toContainEqual(
      expect.objectContaining({ kind: "started", resumeAt: 3, statements: 5 }),
    );
    expect(await project.rows("select id, size from %s.events order by id")).toEqual([
      ["1", "5MB"],
      ["2", "5MB"],
      ["3", "5MB"],
    ]);
    expect(await project.rows(INDEXES)).toEqual([["events_id", "t"]]);
  }, 60_000);

  it("leaves nothing behind when the file is one transaction", async () => {
    const project = bench.project({ "0001_events.sql": EVENTS });
    await project.migrator().up();
    project.write(
      "0002_all.sql",
      "-- migrate:up\ncreate table other ();\nalter table events add column size text;\n",
    );
    await withOtherSession(`begin; lock table ${project.schemaName}.events in access share mode`, () =>
      killWhileWaiting(project, "alter table events"),
    );
    expect((await project.migrator().status()).migrations[1]).toMatchObject({ state: "pending" });
    await expectFinished(project);
  }, 60_000);
});

describe("a runner killed after a constraint was added and before it was validated", () => {
  it("is followed by one that validates it, in a transaction of its own", async () => {
    const project = bench.project({ "0001_events.sql": EVENTS });
    await project.migrator().up();
    project.write(
      "0002_check.sql",
      `-- migrate:up
alter table events add constraint name_given check (name is not null) not valid;
alter table events validate constraint name_given;
alter table events alter column name set not null;
alter table events drop constraint name_given;
`,
    );
    await withOtherSession("select pg_advisory_lock(1)", async (other) => {
      await project.run(`create function %s.wait() returns event_trigger language plpgsql as $$
begin
  if current_query() like '%validate%' and current_schema() = '%s' then perform pg_advisory_xact_lock(1); end if;
end $$;
create event trigger %s_wait on ddl_command_end execute function %s.wait()`);
      await killWhileWaiting(project, "alter table events validate");
      await other.script("select pg_advisory_unlock_all()");
    });
    await project.run("drop event trigger %s_wait; drop function %s.wait()");
    expect((await project.migrator().status()).migrations[1]).toMatchObject({
      state: "partial",
      statementsApplied: 1,
      statementsTotal: 4,
    });
    const constraint =
      "select conname, convalidated from pg_constraint where conrelid = '%s.events'::regclass and contype = 'c'";
    expect(await project.rows(constraint)).toEqual([["name_given", "f"]]);
    await expectFinished(project);
    expect(await project.rows(constraint)).toEqual([]);
    expect(
      await project.rows(
        "select attnotnull from pg_attribute where attrelid = '%s.events'::regclass and attname = 'name'",
      ),
    ).toEqual([["t"]]);
  }, 60_000);
});

describe("a runner killed inside a do block that commits", () => {
  it("is followed by one that runs the block again, which goes on where it was", async () => {
    const project = bench.project({
      "0001_events.sql": `${EVENTS}insert into events values (2), (3), (4), (5);\n`,
    });
    await project.migrator().up();
    project.write(
      "0002_fill.sql",
      `-- migrate:up
alter table events add column size int;
do $$
declare batch bigint[];
begin
  loop
    batch := array(select id from events where size is null order by id limit 2);
    exit when batch = '{}';
    if 3 = any (batch) then perform pg_advisory_xact_lock(4714); end if;
    update events set size = coalesce(size, 0) + 1 where id = any (batch);
    commit;
  end loop;
end $$;
alter table events alter column size set not null;
`,
    );
    const sizes = "select id, size from %s.events order by id";
    await withOtherSession("select pg_advisory_lock(4714)", async () => {
      await killWhileWaiting(project, "do ");
      // The server notices within seconds that its client is gone.
      await vi.waitFor(async () => {
        const runners =
          "select 1 from pg_stat_activity where query like 'do %' and datname = current_database()";
        expect(await project.rows(runners)).toEqual([]);
      }, PATIENCE);
    });
    expect(await project.rows(sizes)).toEqual([
      ["1", "1"],
      ["2", "1"],
      ["3", null],
      ["4", null],
      ["5", null],
    ]);
    expect((await project.migrator().status()).migrations[1]).toMatchObject({
      state: "partial",
      statementsApplied: 1,
    });
    await expectFinished(project);
    expect(await project.rows(sizes)).toEqual(["1", "2", "3", "4", "5"].map((id) => [id, "1"]));
  }, 60_000);
});

describe("a runner killed during a concurrent index build", () => {
  it("leaves an invalid index that the next one drops and builds again", async () => {
    const project = bench.project({ "0001_events.sql": EVENTS });
    await project.migrator().up();
    project.write(
      "0002_index.sql",
      "-- migrate:up\ncreate unique index concurrently if not exists events_id on events (id);\n",
    );
    await withOtherSession(`begin; insert into ${project.schemaName}.events values (7)`, async () => {
      await killWhileWaiting(project, "create unique index");
      // The server notices within seconds that its client is gone, and stops the build.
      await vi.waitFor(async () => {
        expect(await project.rows("select 1 from pg_stat_progress_create_index")).toEqual([]);
      }, PATIENCE);
    });
    expect(await project.rows(INDEXES)).toEqual([["events_id", "f"]]);
    await expectFinished(project);
    expect(await project.rows(INDEXES)).toEqual([["events_id", "t"]]);
    expect(project.progress).toContainEqual({
      kind: "cleaned",
      fileName: "0002_index.sql",
      what: "index events_id, left invalid by a build that did not finish",
    });
  }, 60_000);

  it("has finished the build but not written it down: the next one takes it as done", async () => {
    const project = bench.project({
      "0001_index.sql":
        "-- migrate:up\ncreate table t (id bigint);\ncreate index concurrently t_id on t (id);\n",
    });
    await runUnrecorded(project);
    await expectFinished(project);
    expect(await project.rows(INDEXES)).toEqual([["t_id", "t"]]);
  });

  it("does not make an index that was there before count as its work", async () => {
    const project = bench.project({ "0001_events.sql": EVENTS });
    await project.migrator().up();
    await project.run("create index events_id on %s.events (name)");
    project.write("0002_index.sql", "-- migrate:up\ncreate index concurrently events_id on events (id);\n");
    for (const attempt of [1, 2]) {
      await expect(project.migrator().up(), `attempt ${attempt}`).rejects.toMatchObject({
        code: "MIGRATION_FAILED",
        sqlstate: "42P07",
      });
    }
  });

  it("builds a unique index again once the rows that broke it are gone", async () => {
    const project = bench.project({
      "0001_events.sql": `${EVENTS}insert into events values (1, 'again');\ncreate unique index concurrently events_id on events (id);\n`,
    });
    await expect(project.migrator().up()).rejects.toMatchObject({
      code: "MIGRATION_FAILED",
      message: `0001_events.sql:5: a row with the same key already exists (table events, column id, constraint events_id) [23505]
  5 | create unique index concurrently events_id on events (id);
    | ^
  Rows that are there already repeat a key. Make them unique in an earlier statement. Statements 1 to 3 are done and recorded; correct the rest and run plinth migrate up again to go on with statement 4.`,
    });
    expect(await project.rows(INDEXES)).toEqual([["events_id", "f"]]);
    await project.run("delete from %s.events where name = 'again'");
    await expectFinished(project);
    expect(await project.rows(INDEXES)).toEqual([["events_id", "t"]]);
  });
});

describe("an unfinished file", () => {
  const unfinished = async (): Promise<Project> => {
    const project = bench.project({
      "0001_t.sql":
        "-- migrate:up\ncreate table t (id bigint);\ncreate index concurrently t_id on t (missing);\n-- migrate:down\ndrop table t;\n",
    });
    await expect(project.migrator().up()).rejects.toMatchObject({ sqlstate: "42703", line: 3 });
    return project;
  };

  it("may be corrected where nothing was applied yet", async () => {
    const project = await unfinished();
    project.write(
      "0001_t.sql",
      "-- migrate:up\ncreate table t (id bigint);\ncreate index concurrently t_id on t (id);\n",
    );
    await expectFinished(project);
  });

  it("may end where it was interrupted: what was taken out of it is given up", async () => {
    const project = await unfinished();
    project.write(
      "0001_t.sql",
      "-- migrate:up\ncreate table t (id bigint);\n-- migrate:down\ndrop table t;\n",
    );
    await expectFinished(project);
    expect((await project.migrator().down()).ran).toHaveLength(1);
  });

  it("must not change where it was applied, and is not undone before it is finished", async () => {
    const project = await unfinished();
    await expect(project.migrator().down()).rejects.toMatchObject({
      code: "MIGRATION_FAILED",
      message:
        "0001_t.sql is applied up to statement 1 of 2\n  Run plinth migrate up to finish it; what is not applied yet may be edited.",
    });
    project.write(
      "0001_t.sql",
      "-- migrate:up\ncreate table t (id int);\ncreate index concurrently t_id on t (id);\n",
    );
    await expect(project.migrator().up()).rejects.toMatchObject({
      code: "MIGRATION_CHANGED",
      message: expect.stringMatching(
        /^0001_t\.sql: statement 1 was edited after it was applied\n {2}applied sha256 [0-9a-f]{64}\n {2}now {5}sha256 [0-9a-f]{64}\n {2}Restore it; only what comes after may be corrected before the run goes on\.$/,
      ),
    });
  });
});

describe("other statements outside a transaction", () => {
  it("are taken as done when they were finished and not written down", async () => {
    const project = bench.project({
      "0001_p.sql": `-- migrate:up
create table p (id bigint) partition by range (id);
create table p1 partition of p for values from (0) to (9);
create index p1_id on p1 (id);
`,
    });
    await project.migrator().up();
    project.write("0002_drop.sql", "-- migrate:up\ndrop index concurrently p1_id;\n");
    await runUnrecorded(project);
    await expectFinished(project);
    project.write("0003_detach.sql", "-- migrate:up\nalter table p detach partition p1 concurrently;\n");
    await runUnrecorded(project);
    await expectFinished(project);
    expect(await project.rows("select 1 from pg_inherits where inhparent = '%s.p'::regclass")).toEqual([]);
  });

  it("are finished when detaching a partition stopped half way", async () => {
    const project = bench.project({
      "0001_p.sql":
        "-- migrate:up\ncreate table p (id bigint) partition by range (id);\ncreate table p1 partition of p for values from (0) to (9);\n",
    });
    await project.migrator().up();
    project.write("0002_detach.sql", "-- migrate:up\nalter table p detach partition p1 concurrently;\n");
    await markBegun(project);
    await runInterrupted(
      project,
      "begin isolation level repeatable read; select * from %s.p",
      "alter table p detach partition p1 concurrently",
    );
    await expectFinished(project);
    expect(await project.rows("select 1 from pg_inherits where inhparent = '%s.p'::regclass")).toEqual([]);
    expect(project.progress).toContainEqual(
      expect.objectContaining({ kind: "cleaned", what: "the detaching of p1, which had stopped half way" }),
    );
  });

  it("leave no half-made copy of a reindex", async () => {
    const project = bench.project({
      "0001_t.sql": "-- migrate:up\ncreate table t (id bigint primary key);\n",
    });
    await project.migrator().up();
    project.write("0002_reindex.sql", "-- migrate:up\nreindex table concurrently t;\n");
    await markBegun(project);
    await runInterrupted(project, "begin; insert into %s.t values (1)", "reindex table concurrently t");
    expect(await project.rows(INDEXES)).toEqual([
      ["t_pkey", "t"],
      ["t_pkey_ccnew", "f"],
    ]);
    await expectFinished(project);
    expect(await project.rows(INDEXES)).toEqual([["t_pkey", "t"]]);
  });

  it("run one by one where the section says transaction:false, also those that commit inside", async () => {
    const project = bench.project({
      "0001_batches.sql": `-- migrate:up transaction:false
create table t (id bigint);
do $$ begin for i in 1..3 loop insert into t values (i); commit; end loop; end $$;
insert into t values (4);
insert into missing values (5);
-- migrate:down transaction:false
drop table t;
`,
    });
    await expect(project.migrator().up()).rejects.toMatchObject({ code: "MIGRATION_FAILED", line: 5 });
    expect(await project.rows("select count(*) from %s.t")).toEqual([["4"]]);
    await project.run("create table %s.missing (id bigint)");
    await expectFinished(project);
    expect(
      await project.rows("select (select count(*) from %s.t), (select count(*) from %s.missing)"),
    ).toEqual([["4", "1"]]);
    expect((await project.migrator().down()).ran).toHaveLength(1);
  });

  it("let the rest of a file use a value it adds to an enum", async () => {
    const project = bench.project({ "0001_mood.sql": "-- migrate:up\ncreate type mood as enum ('calm');\n" });
    await project.migrator().up();
    project.write(
      "0002_mood.sql",
      "-- migrate:up\nalter type mood add value 'glad';\nalter type mood add value 'sad';\ncreate table t (m mood default 'glad');\n",
    );
    await expectFinished(project);
  });
});

describe("a run of down that was killed", () => {
  it("is finished by the next down, and up refuses to run over it", async () => {
    const project = bench.project({
      "0001_t.sql": `-- migrate:up
create table t (id bigint);
create index t_id on t (id);
-- migrate:down
drop index concurrently t_id;
select pg_advisory_xact_lock(4713);
drop table t;
`,
    });
    await project.migrator().up();
    await withOtherSession("select pg_advisory_lock(4713)", () =>
      killWhileWaiting(project, "select pg_advisory_xact_lock", "down"),
    );
    expect((await project.migrator().status()).migrations[0]).toMatchObject({
      state: "reverting",
      statementsApplied: 1,
      statementsTotal: 3,
    });
    await expect(project.migrator().up()).rejects.toMatchObject({
      code: "MIGRATION_FAILED",
      message:
        "0001_t.sql is half undone: a run of down was interrupted\n  Run plinth migrate down to finish that first.",
    });
    expect((await project.migrator().down()).ran).toHaveLength(1);
    expect((await project.migrator().status()).migrations[0]).toMatchObject({ state: "pending" });
    await expectFinished(project);
  }, 60_000);
});
