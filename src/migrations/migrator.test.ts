import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, retarget } from "../driver/index.ts";
import { PlinthError } from "../errors/index.ts";
import { parseMigrationFile } from "./index.ts";
import { openWorkbench, type Workbench } from "./workbench.fixture.ts";

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

const USERS = `-- migrate:up
create table users (id bigint primary key, email text not null);
create function user_count() returns bigint language sql as $$ select count(*) from users; $$;

-- migrate:down
drop function user_count;
drop table users;
`;
const TASKS = `-- migrate:up
create table tasks (id bigint primary key, user_id bigint references users);
-- migrate:down
drop table tasks;
`;

async function failureOf(promise: Promise<unknown>): Promise<PlinthError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof PlinthError) return error;
  throw new Error(`expected a PlinthError, got ${String(error)}`);
}

const tablesOf = `select relname from pg_class where relnamespace = '%s'::regnamespace and relkind = 'r' order by 1`;

describe("createMigrator.up", () => {
  it("makes the schema and the ledger, applies everything pending in order of version, and then nothing", async () => {
    const project = bench.project({
      "0002_tasks.sql": TASKS,
      "0001_users.sql": USERS,
      "README.md": "not a migration",
    });
    const run = await project.migrator().up();
    expect(run.ran.map(({ fileName, statements, direction }) => [fileName, statements, direction])).toEqual([
      ["0001_users.sql", 2, "up"],
      ["0002_tasks.sql", 1, "up"],
    ]);
    expect(await project.rows(tablesOf)).toEqual([["plinth_migrations"], ["tasks"], ["users"]]);
    expect(
      await project.rows(
        "select version, name, direction, statements_total, statements_applied, in_flight, applied_at is not null, duration_ms >= 0, applied_by = session_user, length(checksum) from %s.plinth_migrations order by 1",
      ),
    ).toEqual([
      ["0001", "users", "up", "2", "2", null, "t", "t", "t", "64"],
      ["0002", "tasks", "up", "1", "1", null, "t", "t", "t", "64"],
    ]);
    expect((await project.migrator().up()).ran).toEqual([]);
  });

  it("stops at the version asked for", async () => {
    const project = bench.project({ "0001_users.sql": USERS, "0002_tasks.sql": TASKS });
    expect((await project.migrator().up({ to: "1" })).ran).toHaveLength(1);
    expect((await project.migrator().up({ to: "0002_tasks" })).ran).toHaveLength(1);
    const error = await failureOf(project.migrator().up({ to: "0003" }));
    expect(error.message).toBe('unknown version "0003"; did you mean "0001"?');
  });

  it("accepts CRLF and a byte order mark, also on a file that was applied without them", async () => {
    const project = bench.project({ "0001_users.sql": USERS });
    await project.migrator().up();
    project.write("0001_users.sql", `\uFEFF${USERS.replaceAll("\n", "\r\n")}`);
    expect((await project.migrator().up()).ran).toEqual([]);
    project.write("0002_tasks.sql", `\uFEFF${TASKS.replaceAll("\n", "\r\n")}`);
    await project.migrator().up();
    project.write("0002_tasks.sql", TASKS);
    expect((await project.migrator().status()).findings).toEqual([]);
  });

  it("counts a change of the way back, or of blank lines, as no change", async () => {
    const project = bench.project({ "0001_users.sql": USERS });
    await project.migrator().up();
    project.write(
      "0001_users.sql",
      USERS.replace("drop function user_count;", "\ndrop function if exists user_count;"),
    );
    expect((await project.migrator().up()).ran).toEqual([]);
  });

  it("refuses a file that was edited after it was applied, with both checksums", async () => {
    const project = bench.project({ "0001_users.sql": USERS });
    await project.migrator().up();
    project.write("0001_users.sql", USERS.replace("email text not null", "email text"));
    const error = await failureOf(project.migrator().up());
    const edited = parseMigrationFile(
      "0001_users.sql",
      Buffer.from(USERS.replace("email text not null", "email text")),
    );
    const original = parseMigrationFile("0001_users.sql", Buffer.from(USERS));
    expect(error.code).toBe("MIGRATION_CHANGED");
    expect(error.message).toBe(
      `0001_users.sql was edited after it was applied
  applied sha256 ${original.checksum}
  now     sha256 ${edited.checksum}
  Restore the file, and put the change into a new migration.`,
    );
    expect(edited.checksum).not.toBe(original.checksum);
  });

  it("refuses a history whose file is gone or renamed", async () => {
    const project = bench.project({ "0001_users.sql": USERS, "0002_tasks.sql": TASKS });
    await project.migrator().up();
    project.remove("0002_tasks.sql");
    const missing = await failureOf(project.migrator().up());
    expect(missing.code).toBe("MIGRATION_MISSING");
    expect(missing.message).toBe(
      `0002_tasks.sql is applied, but the folder does not have it
  Restore the file, or check that DATABASE_URL and DATABASE_SCHEMA name the database you mean.`,
    );
    project.write("0002_jobs.sql", TASKS);
    const renamed = await failureOf(project.migrator().up());
    expect(renamed.code).toBe("MIGRATION_CHANGED");
    expect(renamed.message).toBe(
      `0002_jobs.sql was applied under the name 0002_tasks.sql
  Give the file its old name back, or the new migration a version of its own.`,
    );
  });

  it("applies a file older than the last applied one with a note, or refuses it when told to", async () => {
    const project = bench.project({ "0001_users.sql": USERS, "0003_tasks.sql": TASKS });
    await project.migrator().up();
    project.write("0002_late.sql", "-- migrate:up\ncreate table late (id bigint);\n");
    const error = await failureOf(project.migrator({ outOfOrder: "refuse" }).up());
    expect(error.code).toBe("MIGRATION_OUT_OF_ORDER");
    expect(error.message).toBe(
      `0002_late.sql is older than a migration that is applied already
  Give it a newer version, or allow it with migrations.outOfOrder: "apply".`,
    );
    expect(
      (await project.migrator().status()).migrations.map(({ state, isOutOfOrder }) => [state, isOutOfOrder]),
    ).toEqual([
      ["applied", false],
      ["pending", true],
      ["applied", false],
    ]);
    const run = await project.migrator().up();
    expect(run.ran.map(({ fileName, isOutOfOrder }) => [fileName, isOutOfOrder])).toEqual([
      ["0002_late.sql", true],
    ]);
    expect(project.progress).toContainEqual(expect.objectContaining({ kind: "started", isOutOfOrder: true }));
  });

  it("rolls a failed file back whole, and shows the statement with a caret", async () => {
    const project = bench.project({
      "0001_users.sql": USERS,
      "0002_broken.sql": `-- migrate:up
create table other (id bigint);

-- the naïve part
alter table other
\tadd column "größe" text, alter column missing drop not null;
`,
    });
    const error = await failureOf(project.migrator().up());
    expect(error.code).toBe("MIGRATION_FAILED");
    expect(error.message).toBe(
      `0002_broken.sql:5: the statement is wrong: column "missing" of relation "other" does not exist [42703]
  5 | alter table other
    | ^
  Nothing of this file was applied; correct it and run plinth migrate up again.`,
    );
    expect(error).toMatchObject({ file: "0002_broken.sql", line: 5, sqlstate: "42703" });
    expect(await project.rows(tablesOf)).toEqual([["plinth_migrations"], ["users"]]);
  });

  it("puts the caret under the place the server names, on the line of the file", async () => {
    const project = bench.project({
      "0001_view.sql": `-- migrate:up
create table "größe" (id bigint);
create view wide as
\tselect "größe".id, '😀' as face, titel from "größe";
`,
    });
    const error = await failureOf(project.migrator().up());
    expect(error.message).toBe(
      `0001_view.sql:4: the statement is wrong: column "titel" does not exist [42703]
  4 |  select "größe".id, '😀' as face, titel from "größe";
    |                                   ^
  Nothing of this file was applied; correct it and run plinth migrate up again.`,
    );
  });

  it("parses every pending file before the first one runs", async () => {
    const project = bench.project({
      "0001_users.sql": USERS,
      "0002_typo.sql": "-- migrate:up\ncreate table t (\n  id bigint,,\n  name text\n);\n",
    });
    const error = await failureOf(project.migrator().up());
    expect(error.code).toBe("MIGRATION_INVALID");
    expect(error.message).toBe(
      `0002_typo.sql:3: syntax error at or near ","
  3 |   id bigint,,
    |             ^
  Nothing was sent to the server. Correct the file and run the command again.`,
    );
    expect(await project.rows("select 1 from pg_namespace where nspname = '%s'")).toEqual([]);
  });

  it("keeps what a failed constraint says about rows out of its message", async () => {
    const project = bench.project({
      "0001_users.sql": `-- migrate:up
create table users (email text);
insert into users values ('secret@example.org'), ('secret@example.org');
alter table users add constraint users_email_key unique (email);
`,
    });
    const error = await failureOf(project.migrator().up());
    expect(error.message).toBe(
      `0001_users.sql:4: a row with the same key already exists (table users, column email, constraint users_email_key) [23505]
  4 | alter table users add constraint users_email_key unique (email);
    | ^
  Rows that are there already repeat a key. Make them unique in an earlier statement. Nothing of this file was applied; correct it and run plinth migrate up again.`,
    );
  });

  it("begins every migration with a clean session", async () => {
    const project = bench.project({
      "0001_settings.sql": `-- migrate:up
set search_path to pg_catalog;
set statement_timeout to '7s';
set role pg_monitor;
reset role;
`,
      "0002_look.sql": `-- migrate:up
create table look as select current_setting('search_path') as path, current_setting('statement_timeout') as timeout;
`,
    });
    await project.migrator().up();
    expect(await project.rows("select path, timeout from %s.look")).toEqual([[project.schemaName, "0"]]);
  });

  it("writes the ledger as the role it connected with when a file changes the role", async () => {
    const project = bench.project({
      "0001_role.sql": "-- migrate:up\ncreate table t (id bigint);\nset role pg_monitor;\n",
    });
    await project.migrator().up();
    expect((await project.migrator().status()).pending).toBe(0);
  });

  it("uses an existing schema without the right to create one", async () => {
    const project = bench.project({ "0001_users.sql": USERS });
    await project.run(
      "create role %s_deploy login; create schema %s; grant usage, create on schema %s to %s_deploy",
    );
    const target = retarget(bench.target, { user: `${project.schemaName}_deploy`, password: undefined });
    expect((await project.migrator({ target }).up()).ran).toHaveLength(1);
    await project.run("drop schema %s cascade");
    await project.run("drop role %s_deploy");
  });

  it("retries a file whose table lock was not to be had, and gives up with the reason", async () => {
    const project = bench.project({ "0001_users.sql": USERS });
    await project.migrator().up();
    project.write("0002_add.sql", "-- migrate:up\nalter table users add column name text;\n");
    const other = await connect(bench.target);
    await other.script(`begin; lock table ${project.schemaName}.users in share mode; select 'secret', 42`);
    const error = await failureOf(project.migrator({ lockTimeoutMs: 1_500, lockAttempts: 2 }).up());
    expect(error.message.replace(/open for \d+ s/, "open for N s")).toBe(
      `0002_add.sql:2: a lock was not available in time: canceling statement due to lock timeout [55P03]
  2 | alter table users add column name text;
    | ^
  In its way: postgres (plinth), server process ${other.processId}, idle in transaction, its transaction open for N s: begin; lock table ${project.schemaName}.users in share mode; select ?, ?. Wait for it, end it with select pg_terminate_backend(${other.processId}), or raise migrations.lockTimeoutMs. Nothing of this file was applied; correct it and run plinth migrate up again.`,
    );
    expect(project.progress.filter(({ kind }) => kind === "retrying")).toEqual([
      expect.objectContaining({
        fileName: "0002_add.sql",
        attempt: 1,
        reason: "another session holds a lock it needs",
        blockers: [expect.objectContaining({ processId: other.processId, state: "idle in transaction" })],
      }),
    ]);
    const run = project
      .migrator({
        lockTimeoutMs: 50,
        lockAttempts: 1_000,
        onProgress: (event) => {
          if (event.kind === "retrying") void other.script("rollback");
        },
      })
      .up();
    expect((await run).ran).toHaveLength(1);
    await other.close();
  });

  it("runs no further statement when its signal is aborted between two", async () => {
    const project = bench.project({ "0001_users.sql": USERS, "0002_tasks.sql": TASKS });
    const controller = new AbortController();
    const migrator = project.migrator({
      onProgress: (event) => {
        if (event.kind === "started" && event.fileName === "0002_tasks.sql") controller.abort();
      },
    });
    const error = await failureOf(migrator.up({ signal: controller.signal }));
    expect(error.code).toBe("QUERY_CANCELED");
    expect(await project.rows(tablesOf)).toEqual([["plinth_migrations"], ["users"]]);
    expect((await project.migrator().up()).ran).toHaveLength(1);
  });

  it("stops the server's work when its signal is aborted", async () => {
    const project = bench.project({ "0001_slow.sql": "-- migrate:up\nselect pg_sleep(600);\n" });
    const controller = new AbortController();
    const migrator = project.migrator({
      onProgress: ({ kind }) => {
        if (kind === "started") setTimeout(() => controller.abort(), 200);
      },
    });
    const error = await failureOf(migrator.up({ signal: controller.signal }));
    expect(error.code).toBe("QUERY_CANCELED");
    expect(error.message).toBe(
      "interrupted while 0001_slow.sql ran\n  What was applied is recorded; run the command again to go on.",
    );
  });
});

describe("createMigrator.up with dryRun", () => {
  it("writes nothing and gives the exact SQL, which psql could run", async () => {
    const project = bench.project({
      "0001_users.sql": USERS,
      "0002_index.sql": "-- migrate:up\ncreate index concurrently users_email on users (email) -- why\n",
    });
    const { ran, sql = "" } = await project.migrator().up({ dryRun: true });
    expect(ran.map(({ fileName, durationMs }) => [fileName, durationMs])).toEqual([
      ["0001_users.sql", undefined],
      ["0002_index.sql", undefined],
    ]);
    expect(await project.rows("select 1 from pg_namespace where nspname = '%s'")).toEqual([]);
    expect(
      sql.startsWith(
        `create schema "${project.schemaName}";\n\ncreate table "${project.schemaName}"."plinth_migrations" (`,
      ),
    ).toBe(true);
    expect(sql).toContain("begin;\n\ncreate table users (id bigint primary key, email text not null);\n\n");
    expect(sql).toMatch(
      /\n\n-- outside a transaction; an invalid index of that name is dropped first, and the new one has to be valid\ninsert into [^;]+;\n\nset lock_timeout to 1800000;\n\ncreate index concurrently users_email on users \(email\) -- why\n;\n\nset lock_timeout to 5000;\n\ninsert into /,
    );
    for (const part of sql.split("\n\n")) await project.run(part);
    expect((await project.migrator().up()).ran).toEqual([]);
    expect((await project.migrator().status()).findings).toEqual([]);
    await project.run("reset all");
  });
});

describe("createMigrator.down", () => {
  it("undoes the newest migrations by version, each with its ledger row", async () => {
    const project = bench.project({ "0001_users.sql": USERS, "0002_tasks.sql": TASKS });
    await project.migrator().up();
    expect(
      (await project.migrator().down()).ran.map(({ fileName, direction }) => [fileName, direction]),
    ).toEqual([["0002_tasks.sql", "down"]]);
    expect(await project.rows("select version from %s.plinth_migrations")).toEqual([["0001"]]);
    expect((await project.migrator().down({ steps: 5 })).ran).toHaveLength(1);
    expect(await project.rows(tablesOf)).toEqual([["plinth_migrations"]]);
    expect((await project.migrator().down()).ran).toEqual([]);
    expect((await project.migrator().up()).ran).toHaveLength(2);
  });

  it("undoes everything newer than a version, which stays, or everything", async () => {
    const project = bench.project({ "0001_users.sql": USERS, "0002_tasks.sql": TASKS });
    project.write(
      "0003_more.sql",
      "-- migrate:up\ncreate table more ();\n-- migrate:down\ndrop table more;\n",
    );
    await project.migrator().up();
    const undone = async (to: string) =>
      (await project.migrator().down({ to })).ran.map(({ fileName }) => fileName);
    expect(await undone("0001_users")).toEqual(["0003_more.sql", "0002_tasks.sql"]);
    expect(await undone("2")).toEqual([]);
    await project.migrator().up();
    expect((await project.migrator().down({ to: "0", dryRun: true })).ran).toHaveLength(3);
    expect(await undone("0")).toEqual(["0003_more.sql", "0002_tasks.sql", "0001_users.sql"]);
    expect((await failureOf(project.migrator().down({ to: "7" }))).message).toBe(
      'unknown version "7"; allowed: 0001, 0002, 0003',
    );
    expect((await failureOf(project.migrator().down({ to: "1", steps: 1 }))).message).toBe(
      "down takes steps or a version, not both",
    );
  });

  it("refuses a migration without a way back, and undoes none of the others", async () => {
    const project = bench.project({
      "0001_users.sql":
        "-- migrate:up\ncreate table users (id bigint);\n-- migrate:down\n-- nothing can be done\n",
      "0002_tasks.sql":
        "-- migrate:up\ncreate table tasks (id bigint);\n-- migrate:down\ndrop table tasks;\n",
    });
    await project.migrator().up();
    const error = await failureOf(project.migrator().down({ steps: 2 }));
    expect(error.code).toBe("MIGRATION_IRREVERSIBLE");
    expect(error.message).toBe(
      "0001_users.sql has no way back\n  Write its -- migrate:down section, or undo it with a new migration.",
    );
    expect(await project.rows("select count(*) from %s.plinth_migrations")).toEqual([["2"]]);
  });

  it("is refused in production without the flag, and shows its SQL all the same", async () => {
    const project = bench.project({ "0001_users.sql": USERS });
    await project.migrator().up();
    const migrator = project.migrator({ isProduction: true });
    const error = await failureOf(migrator.down());
    expect(error.code).toBe("SAFETY_REFUSED");
    expect(error.message).toBe(
      `migrate down is refused in production: it can delete data that nothing brings back
  Undo it with a new migration, or say that you mean it: plinth migrate down --allow-production ${bench.target.database}.`,
    );
    expect((await migrator.down({ dryRun: true })).sql).toContain("drop table users;");
    expect((await failureOf(migrator.redo())).code).toBe("SAFETY_REFUSED");
    expect((await migrator.down({ allowInProduction: true })).ran).toHaveLength(1);
  });
});

describe("createMigrator.redo", () => {
  it("undoes the newest migration and applies it again", async () => {
    const project = bench.project({ "0001_users.sql": USERS, "0002_tasks.sql": TASKS });
    await project.migrator().up();
    await project.run("insert into %s.users values (1, 'a'); insert into %s.tasks values (1, 1)");
    const run = await project.migrator().redo();
    expect(run.ran.map(({ fileName, direction }) => [fileName, direction])).toEqual([
      ["0002_tasks.sql", "down"],
      ["0002_tasks.sql", "up"],
    ]);
    expect(
      await project.rows("select (select count(*) from %s.users), (select count(*) from %s.tasks)"),
    ).toEqual([["1", "0"]]);
    expect((await project.migrator().status()).pending).toBe(0);
  });
});

describe("createMigrator.status", () => {
  it("says where every migration stands without writing anything", async () => {
    const project = bench.project({ "0001_users.sql": USERS });
    const before = await project.migrator().status();
    expect(before).toMatchObject({ pending: 1, findings: [], schemaName: project.schemaName });
    expect(await project.rows("select 1 from pg_namespace where nspname = '%s'")).toEqual([]);
    await project.migrator().up();
    project.write("0001_users.sql", USERS.replace("bigint", "int"));
    project.write("0002_tasks.sql", TASKS);
    const { migrations, pending, findings } = await project.migrator().status();
    expect(migrations.map(({ fileName, state }) => [fileName, state])).toEqual([
      ["0001_users.sql", "changed"],
      ["0002_tasks.sql", "pending"],
    ]);
    expect(migrations[0]?.appliedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(pending).toBe(1);
    expect(findings).toEqual([
      {
        rule: "migration-changed",
        level: "error",
        object: "0001_users.sql",
        why: "the file was edited or renamed after it was applied",
        fix: "Restore the file, and put the change into a new migration.",
      },
    ]);
  });
});
