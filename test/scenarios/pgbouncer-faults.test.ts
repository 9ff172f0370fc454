import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createDatabase, type Database, InputError, isConnectionError } from "plinth";
import { createMigrator } from "plinth/migrations";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { connect, parseTarget } from "../../src/driver/index.ts";
import * as domain from "../support/domain.ts";
import { openLibrary } from "../support/library.ts";
import {
  canPool,
  type PgBouncerOptions,
  startPgBouncer,
  type ThrowAwayPgBouncer,
} from "../support/pgbouncer.ts";
import { directly } from "../support/pooler.ts";
import { rejection } from "../support/rejection.ts";

const WIRES = canPool() ? (["plinth", "pg"] as const) : [];

const library = await openLibrary(directly("a PgBouncer of its own in front of it"));
const { url } = library;

type LibraryDatabase = Database<typeof domain>;

function open(bouncer: ThrowAwayPgBouncer, wire: "plinth" | "pg", max = 5): Promise<LibraryDatabase> {
  return createDatabase({
    schema: domain,
    url: bouncer.urlOf(url),
    directUrl: url,
    pool: { max },
    session: { wire },
    onWarning: () => {},
  });
}

/** One connection of the pooler for all, so that whatever stays in a session meets the next who comes. */
describe.each(WIRES)("through a PgBouncer with one connection, on the %s wire,", (wire) => {
  let bouncer: ThrowAwayPgBouncer;
  let one: LibraryDatabase;
  let other: LibraryDatabase;

  beforeAll(async () => {
    bouncer = await startPgBouncer(url, { poolSize: 1 });
    one = await open(bouncer, wire);
    other = await open(bouncer, wire);
  });
  afterAll(async () => {
    await one.close();
    await other.close();
    await bouncer.stop();
  });

  /** What an application may leave in a session, as another one would find it. */
  const findings = () => other.sql`
    select current_setting('app.tenant', true) as tenant, current_user::text as role, current_setting('search_path') as path,
      (select count(*) from pg_listening_channels()) as channels, to_regclass('pg_temp.left_over')::text as "table",
      (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks,
      (select count(*) from pg_prepared_statements where from_sql) as statements,
      (select count(*) from pg_cursors where is_holdable) as cursors`;

  it.each([
    ["a setting", "set app.tenant = 'a'", "SET"],
    ["a setting of the session, so called", "set session app.tenant = 'a'", "SET"],
    ["a setting behind a comment", "/* c */ -- d\n set app.tenant to 'a'", "SET"],
    ["a role", "set role pg_monitor", "SET"],
    ["a setting by a function", "select set_config('app.tenant', lower('A'), false)", "set_config(…, false)"],
    ["a channel", "listen news", "LISTEN"],
    ["a session's advisory lock", "select pg_advisory_lock(4711)", "a session's advisory lock"],
    ["a lock that it tries", "select pg_try_advisory_lock_shared(4711)", "a session's advisory lock"],
    ["a temporary table", "create temp table left_over (a int)", "a temporary table without ON COMMIT DROP"],
    ["a prepared statement", "prepare left_over as select 1", "PREPARE"],
    ["a cursor that is held", "declare left_over cursor with hold for select 1", "a cursor WITH HOLD"],
    ["what others had set", "reset all", "RESET"],
    ["what others had prepared", "deallocate all", "DEALLOCATE"],
  ])("refuses %s, in a transaction and outside, before it is sent", async (_what, text, named) => {
    const before = await findings();
    const ways = [
      () => one.sql([text] as unknown as TemplateStringsArray),
      () => one.transaction(() => one.sql([text] as unknown as TemplateStringsArray)),
      () => one.pool.use((connection) => connection.query({ text, values: [] })),
      () => one.pool.use((connection) => connection.script(`select 1; ${text}; select 2`)),
    ];
    for (const way of ways) {
      const error = await rejection(way());
      expect(error).toMatchObject({ code: "INVALID_QUERY" });
      const [issue] = error instanceof InputError ? error.issues : [];
      expect(issue?.message).toMatch(`${named} would stay in a session that the pooler gives to others`);
    }
    expect(await findings()).toEqual(before);
  });

  it("takes what ends with its transaction, and leaves none of it to the next", async () => {
    const before = await findings();
    await one.transaction(async () => {
      await one.sql`set local app.tenant = 'a'`;
      await one.sql`set local role pg_monitor`;
      await one.sql`set constraints all deferred`;
      await one.sql`select set_config('search_path', 'pg_catalog', true)`;
      await one.sql`select pg_advisory_xact_lock(4711)`;
      await one.sql`declare c cursor for select 1`;
      expect(
        await one.sql`select current_setting('app.tenant') as tenant, current_user::text as role`,
      ).toEqual([{ tenant: "a", role: "pg_monitor" }]);
    });
    await one.transaction(() => one.sql`create temp table left_over on commit drop as select 1 as a`);
    expect((await findings())[0]).toMatchObject({ ...before[0], tenant: expect.toBeOneOf([null, ""]) });
  });

  it("a text that only mentions such a statement is none", async () => {
    expect(await one.sql`select 'set role; listen' as said -- reset all`).toEqual([
      { said: "set role; listen" },
    ]);
    expect(await one.sql`select 1 as reset, 2 as listen`).toEqual([{ reset: 1, listen: 2 }]);
    const body = "do $do$ begin perform 1; set local app.tenant = 'b'; reset app.tenant; end $do$";
    await one.pool.use((connection) => connection.script(body));
  });

  it("two applications prepare the same names, and statements that others have thrown away, without an error", async () => {
    const { id } = await library.makeAuthor();
    const read = (db: LibraryDatabase) => db.repository(domain.authors).get(id);
    const admin = await connect(parseTarget(url));
    onTestFinished(() => admin.close());
    for (let round = 0; round < 4; round++) {
      const rows = await Promise.all([one, other, one, other].map(read));
      expect(rows.map((row) => row.id)).toEqual([id, id, id, id]);
      await one.transaction(async () => expect((await read(one)).id).toBe(id));
      // Somebody else's DEALLOCATE ALL, in the session that serves us.
      await other.sql`do $$ begin execute 'deallocate all'; end $$`;
    }
  });

  it("time-outs and signals stop a statement on the server, and nobody else's", async () => {
    const slow = rejection(one.sql`select pg_sleep(30)`.withSignal(AbortSignal.timeout(100)));
    expect(await slow).toMatchObject({ code: "QUERY_CANCELED" });
    expect(await other.sql`select 1 as one`).toEqual([{ one: 1 }]);
  });

  it("migrations take the server's own address, and refuse the pooler's", async () => {
    const folder = mkdtempSync(join(tmpdir(), "plinth-pooled-migrations-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(
      join(folder, "0001_things.sql"),
      "-- migrate:up\ncreate table things (id int);\n-- migrate:down\ndrop table things;\n",
    );
    const options = { schemaName: `things_${wire}`, folder };
    const pooled = createMigrator({ ...options, target: parseTarget(bouncer.urlOf(url)) });
    expect(await rejection(pooled.up())).toMatchObject({
      code: "POOLER_ERROR",
      hint: expect.stringContaining("DATABASE_DIRECT_URL"),
    });
    const direct = createMigrator({ ...options, target: one.connectionTarget() });
    expect((await direct.up()).ran).toHaveLength(1);
  });
});

describe.each(WIRES)("a PgBouncer at its limits, on the %s wire,", (wire) => {
  async function opened(settings: PgBouncerOptions["settings"]) {
    const bouncer = await startPgBouncer(url, { poolSize: 1, settings: settings ?? {} });
    onTestFinished(() => bouncer.stop());
    return bouncer;
  }

  it("ends who waits too long for a connection: POOLER_ERROR, and the pool replaces the connection", async () => {
    const bouncer = await opened({ query_wait_timeout: 1 });
    const db = await open(bouncer, wire);
    onTestFinished(() => db.close());
    const lasting = db.sql`select pg_sleep(3)`.then(() => "done");
    const waiting = [
      db.sql`select 1`,
      db.repository(domain.books).count(),
      db.transaction(() => db.sql`select 1`),
    ];
    for (const error of await Promise.all(waiting.map(rejection))) {
      expect(error).toMatchObject({
        code: "POOLER_ERROR",
        sqlstate: "08P01",
        message: expect.stringContaining("query_wait_timeout"),
      });
      expect(isConnectionError(error)).toBe(true);
    }
    expect(await lasting).toBe("done");
    expect(await db.sql`select 1 as one`).toEqual([{ one: 1 }]);
    expect(db.pool.stats).toMatchObject({ inUse: 0, waiting: 0 });
  });

  it("is killed by its operator: a typed error for what runs, and service again after it is resumed", async () => {
    const bouncer = await opened({});
    const db = await open(bouncer, wire);
    onTestFinished(() => db.close());
    const database = new URL(url).pathname.slice(1);
    const running = rejection(db.sql`select pg_sleep(30)`);
    const inTransaction = rejection(
      db.transaction(async () => {
        await db.repository(domain.authors).create({ email: `${wire}@killed.example`, name: "K" });
        await db.sql`select pg_sleep(30)`;
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 200));
    await bouncer.command(`kill "${database}"`);
    for (const error of [await running, await inTransaction]) {
      expect(error.code).toMatch(/^(POOLER_ERROR|CONNECTION_LOST)$/);
      expect(isConnectionError(error)).toBe(true);
    }
    await bouncer.command(`resume "${database}"`);
    expect(await db.repository(domain.authors).exists({ email: `${wire}@killed.example` })).toBe(false);
    expect(db.pool.stats).toMatchObject({ inUse: 0, waiting: 0 });
  });

  it("has no room for another client: POOLER_ERROR says so, and whose limit it is", async () => {
    const bouncer = await opened({ max_client_conn: 2 });
    const first = await open(bouncer, wire, 2);
    onTestFinished(() => first.close());
    const leases = [await first.pool.acquire(), await first.pool.acquire()];
    const error = await rejection(open(bouncer, wire, 1));
    expect(error).toMatchObject({
      code: "POOLER_ERROR",
      message: expect.stringMatching(/cannot connect to .*max_client_conn/),
      hint: "Check the pooler's settings and log.",
    });
    for (const lease of leases) lease.release();
    expect(await first.sql`select 1 as one`).toEqual([{ one: 1 }]);
  });

  it("serves everybody with the clients it takes, and a warning says that they are fewer", async () => {
    const bouncer = await opened({ max_client_conn: 2 });
    const warnings: string[] = [];
    const db = await createDatabase({
      schema: domain,
      url: bouncer.urlOf(url),
      pool: { max: 8 },
      session: { wire },
      onWarning: ({ code }) => warnings.push(code),
    });
    onTestFinished(() => db.close());
    const served = await Promise.all(Array.from({ length: 30 }, (_, i) => db.sql`select ${i}::int4 as i`));
    expect(served.map(([row]) => row?.i)).toEqual(Array.from({ length: 30 }, (_, i) => i));
    expect(warnings).toEqual(["POOL_NO_SESSION_SETTINGS", "POOL_REFUSED"]);
    expect(db.pool.stats.total).toBeLessThanOrEqual(2);
  });

  it("does not count as the server's own limit of connections", async () => {
    const bouncer = await opened({});
    const db = await open(bouncer, wire, 900);
    onTestFinished(() => db.close());
    expect((await db.pool.verify()).budget).toBe(900);
    const error = await rejection(createDatabase({ schema: domain, url, pool: { max: 900 } }));
    expect(error).toMatchObject({ code: "POOL_BUDGET_EXCEEDED" });
  });
});

describe.each(WIRES.slice(0, 1))("the command line beside a PgBouncer", () => {
  it("migrates by DATABASE_DIRECT_URL, and without it says what is missing", async () => {
    const bouncer = await startPgBouncer(url, { poolSize: 1 });
    const folder = mkdtempSync(join(tmpdir(), "plinth-pooled-project-"));
    onTestFinished(async () => {
      rmSync(folder, { recursive: true });
      await bouncer.stop();
    });
    writeFileSync(join(folder, "plinth.config.js"), "export default {};\n");
    mkdirSync(join(folder, "migrations"));
    writeFileSync(
      join(folder, "migrations/0001_things.sql"),
      "-- migrate:up\ncreate table things (id int);\n-- migrate:down\ndrop table things;\n",
    );
    const root = fileURLToPath(new URL("../..", import.meta.url));
    const migrate = (environment: Readonly<Record<string, string>>) =>
      promisify(execFile)(
        process.execPath,
        ["--import", "tsx", "src/cli/main.ts", "migrate", "up", "--project", folder],
        {
          cwd: root,
          env: {
            ...process.env,
            DATABASE_URL: bouncer.urlOf(url),
            DATABASE_SCHEMA: "by_command",
            ...environment,
          },
        },
      );
    await expect(migrate({})).rejects.toMatchObject({
      code: 5,
      stderr: expect.stringContaining("DATABASE_DIRECT_URL"),
    });
    await migrate({ DATABASE_DIRECT_URL: url });
    expect(await library.db.sql`select to_regclass('by_command.things')::text as made`).toEqual([
      { made: "by_command.things" },
    ]);
  });
});
