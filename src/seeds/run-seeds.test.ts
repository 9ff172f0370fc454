import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "drizzle-orm/pg-core";
import { createDatabase, type Database } from "plinth";
import { appSchema, entity, ulidKey } from "plinth/schema";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { connect, parseTarget, retarget } from "../driver/index.ts";
import { defineSeed, listSeedFiles, runSeeds, seedOf } from "./index.ts";

const app = appSchema("seeded");
const roles = entity(app, "roles", {
  id: ulidKey(),
  slug: text().notNull().unique(),
  title: text().notNull(),
});
const schema = { app, roles };
type AppDatabase = Database<typeof schema>;

let server: TestServer;
let name: string;
let database: AppDatabase;
let url: string;

beforeAll(async () => {
  server = await testServer();
  name = `seeds_${randomBytes(6).toString("hex")}`;
  const admin = await connect(parseTarget(server.url));
  await admin.script(`create database ${name}`);
  await admin.close();
  const target = retarget(parseTarget(server.url), { database: name });
  url = `postgres://${target.user}@${target.host}:${target.port}/${target.database}`;
  const owner = await connect(target);
  await owner.script(
    "create schema seeded; create table seeded.roles (id text primary key, slug text not null unique, title text not null)",
  );
  await owner.close();
  database = await createDatabase({ schema, url });
});

afterAll(async () => {
  await database.close();
  const admin = await connect(parseTarget(server.url));
  await admin.script(`drop database ${name} with (force)`);
  await admin.close();
  await server.stop();
});

beforeEach(async () => {
  await database.sql`truncate seeded.roles`;
});

const slugs = async (): Promise<readonly unknown[]> =>
  (await database.sql<{ slug: string }>`select slug from seeded.roles order by slug`).map(({ slug }) => slug);

const reference = defineSeed({
  name: "roles",
  kind: "reference",
  run: async (db: AppDatabase) => {
    for (const slug of ["admin", "member"]) {
      await db.repository(schema.roles).upsert({ slug, title: slug }, { on: "slug" });
    }
  },
});

const insertOnly = defineSeed({
  name: "insert only",
  kind: "dev",
  run: async (db: AppDatabase) => {
    const found = await db.repository(schema.roles).findBy({ slug: "once" });
    // Between the look and the insert another process would get in, were it not for the lock.
    if (found === undefined) await db.repository(schema.roles).create({ slug: "once", title: "Once" });
  },
});

describe("runSeeds", () => {
  it("runs the seeds of one kind in order, and running them again changes nothing", async () => {
    const onProgress = vi.fn();
    const ran = await runSeeds({ database, seeds: [reference, insertOnly], kind: "reference", onProgress });
    expect(ran).toEqual([{ name: "roles", kind: "reference", durationMs: expect.any(Number) }]);
    expect(onProgress.mock.calls.map(([progress]) => progress.kind)).toEqual(["started", "finished"]);
    await runSeeds({ database, seeds: [reference], kind: "reference" });
    expect(await slugs()).toEqual(["admin", "member"]);
  });

  it("lets processes that seed at once do so one after another", async () => {
    const others = await Promise.all(
      Array.from({ length: 4 }, () => createDatabase({ schema, url, pool: { max: 2 } })),
    );
    await Promise.all(
      others.map((other) =>
        runSeeds({ database: other, seeds: [insertOnly], kind: "dev", isProduction: false }),
      ),
    );
    await Promise.all(others.map((other) => other.close()));
    expect(await slugs()).toEqual(["once"]);
  });

  it("undoes everything of a seed that fails, keeps those before it, and names it", async () => {
    const broken = defineSeed({
      name: "broken",
      kind: "reference",
      run: async (db: AppDatabase) => {
        await db.repository(schema.roles).create({ slug: "half", title: "Half" });
        await db.repository(schema.roles).create({ slug: "admin", title: "secret title" });
      },
    });
    await expect(runSeeds({ database, seeds: [reference, broken], kind: "reference" })).rejects.toMatchObject(
      {
        code: "SEED_FAILED",
        seed: "broken",
        message: `seed "broken" failed: a row with the same key already exists (table roles, column slug, constraint roles_slug_key) [23505]
  Everything it wrote was rolled back. Correct it and run the command again.`,
      },
    );
    expect(await slugs()).toEqual(["admin", "member"]);
  });

  it("shows the language's own errors and hides texts that may quote parameters", async () => {
    class QueryBuilderError extends Error {}
    const failing = (error: unknown) =>
      runSeeds({
        database,
        kind: "dev",
        isProduction: false,
        seeds: [{ name: "bad", kind: "dev", run: () => Promise.reject(error) }],
      });
    await expect(failing(new TypeError("x is no function"))).rejects.toThrow(
      'seed "bad" failed: x is no function\n',
    );
    await expect(failing(new QueryBuilderError("params: hunter2"))).rejects.toThrow(
      'seed "bad" failed: QueryBuilderError\n',
    );
  });

  it("refuses dev seeds in production without the flag, and reference seeds never", async () => {
    const options = { database, seeds: [reference, insertOnly], isProduction: true } as const;
    await expect(runSeeds({ ...options, kind: "dev" })).rejects.toMatchObject({
      code: "SAFETY_REFUSED",
      message: `dev seeds are refused in production: their users and passwords are known to everybody
  Use reference seeds for rows production needs, or say that you mean it: plinth seed dev --allow-production DATABASE.`,
    });
    expect(await runSeeds({ ...options, kind: "dev", allowInProduction: true })).toHaveLength(1);
    expect(await runSeeds({ ...options, kind: "reference" })).toHaveLength(1);
  });

  it("gives up after a bounded wait for another process", async () => {
    const holder = await connect(parseTarget(url));
    await holder.script("select pg_advisory_lock(1886153070, 1)");
    const onProgress = vi.fn();
    await expect(
      runSeeds({ database, seeds: [reference], kind: "reference", waitMs: 200, onProgress }),
    ).rejects.toMatchObject({
      code: "SEED_FAILED",
      message:
        'seed "roles" did not start: another process is seeding this database\n  Wait for it and run the command again.',
    });
    expect(onProgress).toHaveBeenCalledWith({ kind: "waiting", seed: "roles" });
    await holder.close();
  });

  it("refuses two seeds of one name", async () => {
    await expect(runSeeds({ database, seeds: [reference, reference], kind: "reference" })).rejects.toThrow(
      'two seeds are named "roles"; rename one',
    );
  });
});

describe("listSeedFiles", () => {
  it("lists modules in order of name, without declarations and tests, and none where there is no folder", async () => {
    const folder = mkdtempSync(join(tmpdir(), "plinth-seeds-"));
    mkdirSync(join(folder, "dev"));
    for (const file of ["02_b.ts", "01_a.mjs", "a.d.ts", "a.test.ts", "notes.md"])
      writeFileSync(join(folder, "dev", file), "");
    expect(await listSeedFiles(folder, "dev")).toEqual([
      join(folder, "dev", "01_a.mjs"),
      join(folder, "dev", "02_b.ts"),
    ]);
    expect(await listSeedFiles(folder, "reference")).toEqual([]);
    rmSync(folder, { recursive: true });
  });
});

describe("seedOf", () => {
  it("refuses what is no seed, and a seed in the other folder", () => {
    expect(seedOf(reference, "a.ts", "reference")).toBe(reference);
    expect(() => seedOf({}, "a.ts", "dev")).toThrow(
      'a.ts must export default defineSeed({ name, kind: "dev", run })',
    );
    expect(() => seedOf(reference, "a.ts", "dev")).toThrow(
      "a.ts is a reference seed in the folder of dev seeds; move it",
    );
  });
});
