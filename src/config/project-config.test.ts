import { describe, expect, it } from "vitest";
import { defineConfig, maskUrl, readDatabaseConfig, readProjectConfig } from "./index.ts";

describe("readProjectConfig", () => {
  it("fills an empty config and makes its paths absolute", () => {
    expect(readProjectConfig(defineConfig({}), { directory: "/app" })).toEqual({
      schemaFile: "/app/schema.ts",
      database: {},
      migrations: {
        folder: "/app/migrations",
        outOfOrder: "apply",
        lockTimeoutMs: 5_000,
        lockAttempts: 10,
        runnerWaitMs: 300_000,
        statementTimeoutMs: 0,
      },
      seeds: { folder: "/app/seeds" },
      roles: {},
    });
  });

  it("makes the path of the dump absolute, and has none unless it is named", () => {
    const dumpOf = (migrations: object, environment = {}) =>
      readProjectConfig({ migrations }, { directory: "/app", environment }).migrations.dump;
    expect(dumpOf({})).toBeUndefined();
    expect(dumpOf({ dump: "./schema.sql" })).toBe("/app/schema.sql");
    expect(dumpOf({}, { DATABASE_MIGRATIONS_DUMP: "/tmp/x.sql" })).toBe("/tmp/x.sql");
  });

  it("lets the environment win over the file", () => {
    const config = readProjectConfig(
      { migrations: { folder: "./sql", lockAttempts: 2 }, database: { pool: { max: 4 } } },
      { directory: "/app", environment: { DATABASE_MIGRATIONS_FOLDER: "/elsewhere" } },
    );
    expect(config.migrations).toMatchObject({ folder: "/elsewhere", lockAttempts: 2 });
    expect(readDatabaseConfig({ file: config.database }).pool.max).toBe(4);
  });

  it.each([
    [undefined, "plinth.config.ts must export default defineConfig({ … })"],
    [{ migration: {} }, 'unknown option "migration"; did you mean "migrations"?'],
    [
      { migrations: { folders: "x" } },
      'unknown option "migrations.folders"; did you mean "migrations.folder"?',
    ],
    [{ database: { ulr: "x" } }, 'unknown option "database.ulr"; did you mean "database.url"?'],
    [{ seeds: "./seeds" }, "seeds must be an object of options"],
    [{ schema: "" }, "schema must be a text that is not empty (the module that declares the tables)"],
    [
      { migrations: { outOfOrder: "skip" } },
      'migrations.outOfOrder must be "apply" or "refuse" (what happens to a pending migration older than the last applied one)',
    ],
  ])("refuses %j in one line", (exported, message) => {
    expect(() => readProjectConfig(exported, { directory: "/app" })).toThrow(message);
  });
});

describe("maskUrl", () => {
  it.each([
    ["postgres://app:hunter2@db:5432/shop", "postgres://app:***@db:5432/shop"],
    ["cannot reach postgres://app:hun@ter2@db/shop now", "cannot reach postgres://app:***@db/shop now"],
    [
      "postgres://db/shop?user=app&password=hunter2&sslmode=require",
      "postgres://db/shop?user=app&password=***&sslmode=require",
    ],
    ["no address here", "no address here"],
  ])("hides the password of %s", (text, masked) => {
    expect(maskUrl(text)).toBe(masked);
  });
});
