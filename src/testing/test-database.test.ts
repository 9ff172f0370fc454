import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { connect, parseTarget } from "../driver/index.ts";
import { type Bench, eventually, openBench, uniqueName } from "./bench.fixture.ts";
import { testDatabase } from "./index.ts";
import * as schema from "./shop.fixture.ts";

const CLONE = /^plinth_test_/;
const TEMPLATE = /^plinth_template_/;
const BUILDING = /^plinth_building_/;

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

const nameOf = (url: string): string => new URL(url).pathname.slice(1);
const ann = { email: "ann@example.com", fullName: "Ann" };

async function open(options: Partial<Parameters<typeof testDatabase<typeof schema>>[0]> = {}) {
  const database = await testDatabase({ schema, url: bench.url, ...options });
  onTestFinished(() => database.close());
  return database;
}

describe("testDatabase", () => {
  it("gives each caller a database of its own, with the declared tables and no rows", async () => {
    const [one, other] = await Promise.all([open(), open()]);
    await one.db.repository(schema.users).create(ann);
    expect(await one.db.repository(schema.users).count()).toBe(1);
    expect(await other.db.repository(schema.users).count()).toBe(0);
    expect(nameOf(one.url)).toMatch(/^plinth_test_[0-9a-f]{16}$/);
  });

  it("runs the migrations of a folder with the real migrator", async () => {
    const { db } = await open({ migrations: bench.migrations().folder });
    const applied = await db.sql<{ name: string }>`select name from shop.plinth_migrations`;
    expect(applied).toEqual([{ name: "create_users" }]);
    expect((await db.repository(schema.users).create(ann)).email).toBe(ann.email);
  });

  it("builds a template once, and another one when the migrations change", async () => {
    const before = (await bench.databases(TEMPLATE)).length;
    const built = async (): Promise<number> => (await bench.databases(TEMPLATE)).length - before;
    const migrations = bench.migrations(`create table ${uniqueName()} ();`);
    await open({ migrations: migrations.folder });
    await open({ migrations: migrations.folder });
    expect(await built()).toBe(1);
    migrations.write("create table added ();");
    const { db } = await open({ migrations: migrations.folder });
    expect(await built()).toBe(2);
    expect(await db.sql`select from pg_tables where tablename = 'added'`).toHaveLength(1);
  });

  it("keeps the changes of a clone out of the template", async () => {
    const first = await open();
    await first.db.sql`drop table shop.projects`;
    await first.close();
    expect(await (await open()).db.repository(schema.projects).count()).toBe(0);
  });

  it("drops the database when it is closed, also while another session uses it", async () => {
    const database = await open();
    const guest = await connect(parseTarget(database.url));
    await Promise.all([database.close(), database.close()]);
    expect(await bench.databases(CLONE)).not.toContain(nameOf(database.url));
    await expect(guest.query({ text: "select 1", values: [] })).rejects.toMatchObject({
      code: "CONNECTION_LOST",
    });
  });

  it("runs setup on each clone", async () => {
    const setup = async (db: Awaited<ReturnType<typeof open>>["db"]) =>
      db.repository(schema.users).create(ann);
    const [one, other] = [await open({ setup }), await open({ setup })];
    expect(await one.db.repository(schema.users).count()).toBe(1);
    expect(await other.db.repository(schema.users).count()).toBe(1);
  });

  it("leaves nothing behind when setup fails", async () => {
    const before = await bench.databases(CLONE);
    const failing = open({ setup: () => Promise.reject(new Error("no data today")) });
    await expect(failing).rejects.toThrow("no data today");
    expect(await bench.databases(CLONE)).toEqual(before);
  });

  it("leaves nothing behind when a migration fails, and says where", async () => {
    const { folder } = bench.migrations("select nothing;");
    await expect(open({ migrations: folder })).rejects.toMatchObject({ code: "MIGRATION_FAILED", line: 4 });
    expect(await bench.databases(BUILDING)).toEqual([]);
  });

  it("refuses an option it does not know", async () => {
    await expect(open({ migration: "x" } as object)).rejects.toThrow('did you mean "migrations"');
  });

  it("says what a role needs that may not create databases", async () => {
    const role = uniqueName();
    await bench.admin.script(`create role ${role} login`);
    const url = new URL(bench.url);
    url.username = role;
    await expect(open({ url: url.href })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      summary: "the role of the test server may not create databases",
    });
  });

  it("works for a role that is no superuser, apart from the templates of others", async () => {
    const role = uniqueName();
    await bench.admin.script(`create role ${role} login createdb`);
    const url = new URL(bench.url);
    url.username = role;
    await open();
    const database = await open({ url: url.href });
    expect((await database.db.repository(schema.users).create(ann)).email).toBe(ann.email);
  });
});

describe("templates among processes", () => {
  it("are built once when many processes start at once", async () => {
    // A role belongs to the whole server: a second build would fail of it.
    const { folder } = bench.migrations(`create role ${uniqueName()}; select pg_sleep(0.3);`);
    const processes = Array.from({ length: 4 }, () => bench.start(folder));
    const urls = await Promise.all(processes.map((process) => process.url));
    expect(new Set(urls).size).toBe(4);
    expect(await Promise.all(processes.map((process) => process.finish()))).toEqual([0, 0, 0, 0]);
    const left = await bench.databases(CLONE);
    expect(urls.filter((url) => left.includes(nameOf(url)))).toEqual([]);
  });

  it("are built by the next one when the builder is killed half way", async () => {
    const gate = uniqueName();
    await bench.admin.script(`create role ${gate}`);
    const { folder } = bench.migrations(
      `do $$ begin if exists (select from pg_roles where rolname = '${gate}') then perform pg_sleep(600); end if; end $$;`,
    );
    const builder = bench.start(folder);
    const isBuilding = `select count(*) from pg_stat_activity where datname like 'plinth_building_%' and query like '%${gate}%' and wait_event = 'PgSleep'`;
    await eventually(async () => (await bench.ask(isBuilding)) === "1");
    const [half] = await bench.databases(BUILDING);
    await builder.kill();
    await bench.admin.script(`drop role ${gate}`);

    const { db } = await open({ migrations: folder });
    expect((await db.repository(schema.users).create(ann)).email).toBe(ann.email);
    expect(half).toMatch(/^plinth_building_[0-9a-f]{16}$/);
    // The killed builder's statement ends when the server notices; then its database is an orphan like any other.
    await eventually(async () => {
      await (await open()).close();
      return (await bench.databases(BUILDING)).length === 0;
    });
  });
});

describe("clones of killed processes", () => {
  it("are dropped by the next call, and those of living processes are not", async () => {
    const [killed, living] = [bench.start(), bench.start()];
    const [orphan, inUse] = [nameOf(await killed.url), nameOf(await living.url)];
    expect(await bench.databases(CLONE)).toEqual(expect.arrayContaining([orphan, inUse]));
    await killed.kill();
    await eventually(async () => {
      await (await open()).close();
      return !(await bench.databases(CLONE)).includes(orphan);
    });
    expect(await bench.databases(CLONE)).toContain(inUse);
    expect(await living.finish()).toBe(0);
    expect(await bench.databases(CLONE)).not.toContain(inUse);
  });

  it("are the only databases ever dropped", async () => {
    await bench.admin.script('create database "plinth_test_of_my_own"');
    await bench.admin.script('create database "plinth_test_0123456789abcdef_backup"');
    await (await open()).close();
    expect(await bench.databases(/^plinth_test_(of|0123)/)).toHaveLength(2);
  });
});
