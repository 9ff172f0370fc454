import { AsyncLocalStorage } from "node:async_hooks";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { startPostgres, type ThrowAwayPostgres } from "../test/support/postgres.ts";
import { aProject, person, workshops } from "../test/support/workshop.ts";
import * as schema from "../test/support/workshop-schema.ts";
import { type CreateDatabaseOptions, createDatabase } from "./database.ts";

const open = workshops();
const PASSWORD = "s3cret-password";
let guarded: ThrowAwayPostgres;

beforeAll(async () => {
  // Asks everybody but the superuser for a password.
  guarded = await startPostgres({ hba: ["host all guarded 127.0.0.1/32 scram-sha-256"] });
  const db = await createDatabase({ schema, url: guarded.url });
  await db.pool.use((connection) => connection.script(`create role guarded login password '${PASSWORD}'`));
  await db.close();
});
afterAll(() => guarded.remove());
afterEach(() => vi.unstubAllEnvs());

type Options = Partial<CreateDatabaseOptions<typeof schema>>;

/** Why it does not open; everything a log could print of it is free of passwords. */
async function bootError(
  options: Options,
): Promise<Error & { readonly code?: string; readonly summary?: string }> {
  try {
    const db = await createDatabase({ schema, ...options });
    await db.close();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const printed = [
      inspect(error, { depth: 10 }),
      error.stack,
      JSON.stringify(error),
      String(error.cause),
    ].join("\n");
    expect(printed).not.toContain(PASSWORD);
    expect(printed).not.toContain("wrong-pass");
    return error;
  }
  throw new Error("it opened");
}

const guardedUrl = (change: Partial<URL>) => {
  const url = new URL(guarded.url);
  url.username = "guarded";
  url.password = PASSWORD;
  return Object.assign(url, change).href;
};

describe("createDatabase", () => {
  it("opens, says where, and never shows the password", async () => {
    const url = guardedUrl({});
    const db = await createDatabase({ schema, url });
    onTestFinished(() => db.close());
    expect(db.target).toBe(`guarded@127.0.0.1:${guarded.port}/postgres`);
    expect((await db.health()).status).toBe("ok");
    expect(inspect(db, { depth: 10, showHidden: true })).not.toContain(PASSWORD);
    expect(JSON.stringify({ ...db, pool: db.pool.stats, drizzle: undefined })).not.toContain(PASSWORD);
  });

  it("says in one line that the password is wrong, and what to do", async () => {
    const error = await bootError({ url: guardedUrl({ password: "wrong-pass" }) });
    expect(error).toMatchObject({ code: "AUTHENTICATION_FAILED" });
    expect(error.summary).toContain(`guarded@127.0.0.1:${guarded.port}/postgres`);
    expect(error.summary).not.toContain("\n");
    expect(error).toMatchObject({ hint: expect.stringContaining("DATABASE_URL") });
  });

  it("says so of a missing password, database, host and of a closed port", async () => {
    const cases: readonly [string, string, string][] = [
      [guardedUrl({ password: "" }), "AUTHENTICATION_FAILED", "password"],
      [guardedUrl({ pathname: "/nowhere" }), "DATABASE_MISSING", "nowhere"],
      [guardedUrl({ hostname: "no-such-host.invalid" }), "CONNECTION_FAILED", "no-such-host.invalid"],
      [guardedUrl({ port: "1" }), "CONNECTION_FAILED", "127.0.0.1:1"],
      [guardedUrl({ hostname: "localhost" }).replace(/:\d+\//, ":1/"), "CONNECTION_FAILED", "localhost:1"],
    ];
    for (const [url, code, named] of cases) {
      const error = await bootError({ url });
      expect(error).toMatchObject({ code, hint: expect.any(String) });
      expect(error.message).toContain(named);
      expect(error.summary).not.toContain("\n");
    }
  });

  it("says what is wrong with a URL that is none, without repeating it", async () => {
    for (const url of [
      `mysql://u:${PASSWORD}@h/d`,
      PASSWORD,
      `postgres://u:${PASSWORD}@h:99999/d`,
      `postgres://u:${PASSWORD}@h/d?sslmode=perhaps`,
    ]) {
      const error = await bootError({ url });
      expect(error).toMatchObject({ code: "CONFIG_INVALID" });
    }
  });

  it("names DATABASE_URL when production has none, and starts nothing embedded", async () => {
    vi.stubEnv("NODE_ENV", "production");
    vi.stubEnv("DATABASE_URL", undefined);
    const directory = mkdtempSync(join(tmpdir(), "plinth-production-"));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const error = await bootError({ directory });
    expect(error).toMatchObject({ code: "CONFIG_INVALID", path: "DATABASE_URL" });
    expect(error.message.split("\n")[0]).toContain("DATABASE_URL is not set");
    const refused = await bootError({ directory, embedded: false });
    expect(refused).toMatchObject({ code: "CONFIG_INVALID", path: "DATABASE_URL" });
  });

  it("takes the embedded server in production where that is asked for by name", async () => {
    vi.stubEnv("NODE_ENV", "production");
    vi.stubEnv("DATABASE_URL", undefined);
    const directory = mkdtempSync(join(tmpdir(), "plinth-production-"));
    // Open, so that as root too the data stay in it and go with it.
    chmodSync(directory, 0o755);
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const db = await createDatabase({ schema, directory, embedded: true });
    onTestFinished(() => db.close());
    expect(await db.sql`select 1 as one`).toEqual([{ one: 1 }]);
  });

  it("reads DATABASE_URL from the environment, then from .env in development only", async () => {
    const { url } = await open();
    const directory = mkdtempSync(join(tmpdir(), "plinth-env-"));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    writeFileSync(join(directory, ".env"), `DATABASE_URL=${url}\nDATABASE_POOL_MAX=3\n`);
    vi.stubEnv("DATABASE_URL", undefined);
    const db = await createDatabase({ schema, directory });
    expect([db.target, db.pool.stats.max]).toEqual([expect.stringContaining(new URL(url).pathname), 3]);
    await db.close();
    vi.stubEnv("NODE_ENV", "production");
    expect(await bootError({ directory })).toMatchObject({ code: "CONFIG_INVALID", path: "DATABASE_URL" });
  });

  it("refuses a fleet that does not fit under the server's limit", async () => {
    const error = await bootError({ url: guarded.url, pool: { max: 50, instances: 20 } });
    expect(error).toMatchObject({ code: "POOL_BUDGET_EXCEEDED" });
    expect(error.message).toContain("1000");
  });

  it("opens while the server is away when it is lazy, and each call says why it fails", async () => {
    const server = await startPostgres();
    onTestFinished(() => server.remove());
    await server.stop();
    const db = await createDatabase({ schema, url: server.url, boot: "lazy" });
    onTestFinished(() => db.close());
    await expect(db.sql`select 1 as one`).rejects.toMatchObject({ code: "CONNECTION_FAILED" });
    await server.start();
    expect(await db.sql`select 1 as one`).toEqual([{ one: 1 }]);
  });

  it("refuses a schema that cannot work before it connects", async () => {
    const { entity, appSchema, ulidKey } = await import("./schema/index.ts");
    const app = appSchema("twice");
    const double = { a: entity(app, "t", { id: ulidKey() }), b: entity(app, "t", { id: ulidKey() }) };
    const work = createDatabase({ schema: double, url: "postgres://nobody@127.0.0.1:1/x" });
    await expect(work).rejects.toMatchObject({ code: "SCHEMA_INVALID" });
  });
});

describe("close", () => {
  it("lets what runs finish, and refuses what comes after", async () => {
    const { db, repo } = await open();
    const running = db.transaction(async () => {
      await repo.people.create(person());
      await db.sql`select pg_sleep(0.2)`;
      return repo.people.count();
    });
    await vi.waitFor(() => expect(db.pool.stats.inUse).toBe(1));
    const closing = db.close();
    await expect(repo.people.count()).rejects.toMatchObject({ code: "POOL_CLOSED" });
    await expect(db.transaction(async () => 1)).rejects.toMatchObject({ code: "POOL_CLOSED" });
    await expect(db.batch([repo.people.count()])).rejects.toMatchObject({ code: "POOL_CLOSED" });
    expect(await running).toBe(1);
    await closing;
    expect(db.pool.stats.total).toBe(0);
  });

  it("is the same for a second call, at once and later", async () => {
    const { db } = await open();
    const first = db.close();
    expect(db.close()).toBe(first);
    await first;
    await db.close();
    expect(db.pool.stats.total).toBe(0);
  });

  it("cuts what still runs at the deadline", async () => {
    const { db, client } = await open();
    const running = expect(db.sql`select pg_sleep(600)`).rejects.toMatchObject({
      code: expect.stringMatching(/^(QUERY_CANCELED|CONNECTION_LOST|STATEMENT_TIMEOUT)$/),
    });
    await vi.waitFor(() => expect(db.pool.stats.inUse).toBe(1));
    await db.close({ deadlineMs: 50 });
    await running;
    const left =
      "select count(*) from pg_stat_activity where query like '%pg_sleep(600)%' and state = 'active' and pid <> pg_backend_pid()";
    const psql = await client();
    await vi.waitFor(async () => expect(await psql.run(left)).toEqual([["0"]]), 10_000);
  });
});

describe("two databases in one process", () => {
  it("share neither actors nor transactions nor connections", async () => {
    const [one, other] = [await open(), await open()];
    await one.db.as({ userId: "u1" }, () =>
      one.db
        .transaction(async () => {
          expect((await other.repo.people.create(person())).createdBy).toBeNull();
          expect((await one.repo.people.create(person())).createdBy).toBe("u1");
          throw new Error("undo");
        })
        .catch(() => {}),
    );
    expect([await one.repo.people.count(), await other.repo.people.count()]).toEqual([0, 1]);
    await one.db.close();
    expect(await other.repo.people.count()).toBe(1);
  });
});

describe("repository calls outside a transaction", () => {
  it("need no clean-up of their session", async () => {
    const { db, repo, client } = await open({ pool: { max: 1 } });
    await aProject({ repo });
    await repo.people.count();
    const [row] = await (await client()).run(
      "select query from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
    );
    // A reset would be the last thing it ran.
    expect(row?.[0]).toContain("count(*)");
    expect(db.pool.stats).toMatchObject({ total: 1, idle: 1 });
  });

  it("open no async scope, from which on every promise of the process would cost more", async () => {
    const [run, enterWith] = [
      vi.spyOn(AsyncLocalStorage.prototype, "run"),
      vi.spyOn(AsyncLocalStorage.prototype, "enterWith"),
    ];
    onTestFinished(() => {
      run.mockRestore();
      enterWith.mockRestore();
    });
    const { db, repo } = await open();
    const { owner } = await aProject({ repo });
    await repo.people.get(owner.id);
    await db.batch([repo.people.count(), repo.projects.count()]);
    await db.health();
    expect(run).not.toHaveBeenCalled();
    expect(enterWith).not.toHaveBeenCalled();
    await db.transaction(() => repo.people.count());
    expect(run).toHaveBeenCalled();
  });
});
