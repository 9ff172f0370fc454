import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { readDatabaseConfig } from "./index.ts";

/** The message of the error a call throws. */
function messageOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  throw new Error("nothing was thrown");
}

const DATABASE = "postgres://app:hunter2@db.example/shop";

describe("readDatabaseConfig", () => {
  it("fills every option and freezes the result", () => {
    const config = readDatabaseConfig();
    expect(config.pool).toEqual({
      max: 10,
      min: 0,
      idleTimeoutMs: 30_000,
      acquireTimeoutMs: 10_000,
      probeAfterIdleMs: 30_000,
      maxLifetimeMs: 1_800_000,
      leakWarningMs: 30_000,
      instances: 1,
    });
    expect(config.session).toEqual({
      applicationName: "plinth",
      connectTimeoutMs: 5_000,
      keepAlive: true,
      keepAliveDelayMs: 10_000,
      wire: "plinth",
      statementTimeoutMs: 30_000,
      lockTimeoutMs: 10_000,
      idleInTransactionTimeoutMs: 60_000,
    });
    expect([config, config.pool, config.session].every(Object.isFrozen)).toBe(true);
    expect(config.url).toBeUndefined();
  });

  it("prefers code to the environment, the environment to the file, and the file to the default", () => {
    const config = readDatabaseConfig({
      explicit: { pool: { max: 3, min: undefined } },
      environment: {
        DATABASE_POOL_MAX: "4",
        DATABASE_POOL_MIN: "2",
        DATABASE_URL: DATABASE,
        DATABASE_LOCK_TIMEOUT_MS: "",
      },
      file: {
        url: "postgres://file/x",
        pool: { max: 5, min: 1, idleTimeoutMs: 7 },
        session: { lockTimeoutMs: 9 },
      },
    });
    expect(config.pool).toMatchObject({ max: 3, min: 2, idleTimeoutMs: 7, acquireTimeoutMs: 10_000 });
    expect(config.session.lockTimeoutMs).toBe(9);
    expect(config.url).toBe(DATABASE);
  });

  it("keeps the URLs off every print of the config", () => {
    const config = readDatabaseConfig({ explicit: { url: DATABASE, directUrl: `${DATABASE}2` } });
    expect(`${inspect(config)}${JSON.stringify(config)}`).not.toContain("hunter2");
    expect([config.url, config.directUrl]).toEqual([DATABASE, `${DATABASE}2`]);
  });

  it("takes the server's own URL beside a pooler's, and not without one", () => {
    const environment = { DATABASE_URL: "postgres://pooler:6432/shop", DATABASE_DIRECT_URL: DATABASE };
    expect(readDatabaseConfig({ environment }).directUrl).toBe(DATABASE);
    expect(readDatabaseConfig({ environment: { DATABASE_URL: DATABASE } }).directUrl).toBeUndefined();
    expect(messageOf(() => readDatabaseConfig({ environment: { DATABASE_DIRECT_URL: DATABASE } }))).toBe(
      "DATABASE_DIRECT_URL stands beside a URL of a pooler, and there is none: set DATABASE_URL",
    );
  });

  it("takes no server's own URL that was written beside a weaker source's pooler", () => {
    const directOf = (sources: Parameters<typeof readDatabaseConfig>[0]) =>
      readDatabaseConfig(sources).directUrl;
    const [pooler, other, server] = ["postgres://pooler/a", "postgres://other/b", "postgres://server/a"];
    const environment = { DATABASE_URL: pooler, DATABASE_DIRECT_URL: server };
    const file = { url: pooler, directUrl: server };
    expect(directOf({ environment })).toBe(server);
    expect(directOf({ explicit: { url: other }, environment, file })).toBeUndefined();
    expect(directOf({ environment: { DATABASE_URL: other }, file })).toBeUndefined();
    expect(directOf({ environment: { DATABASE_DIRECT_URL: server }, file: { url: pooler } })).toBe(server);
    expect(directOf({ explicit: { directUrl: server }, environment: { DATABASE_URL: pooler } })).toBe(server);
    expect(directOf({ file })).toBe(server);
  });

  it("names the variable, the allowed range and the default of a wrong number, in one line", () => {
    expect(messageOf(() => readDatabaseConfig({ environment: { DATABASE_POOL_MAX: "1O" } }))).toBe(
      'DATABASE_POOL_MAX must be a whole number from 1 to 1000 (the most connections one process opens), not "1O"; leave it out for 10',
    );
    expect(messageOf(() => readDatabaseConfig({ explicit: { pool: { max: 0 } } }))).toBe(
      "pool.max must be a whole number from 1 to 1000 (the most connections one process opens), not 0; leave it out for 10",
    );
    expect(messageOf(() => readDatabaseConfig({ environment: { DATABASE_KEEP_ALIVE: "yes" } }))).toBe(
      "DATABASE_KEEP_ALIVE must be true or false (whether TCP keepalive is on), not the text it holds",
    );
  });

  it("refuses numbers that only look whole", () => {
    for (const text of ["1.5", "1e3", "0x10", "-1", " 5", "99999999999999999999", "NaN"]) {
      expect(() => readDatabaseConfig({ environment: { DATABASE_POOL_MAX: text } })).toThrow(
        "DATABASE_POOL_MAX must be",
      );
    }
  });

  it("takes the wire from the variable, and no wire that does not exist", () => {
    expect(readDatabaseConfig({ environment: { DATABASE_WIRE: "pg" } }).session.wire).toBe("pg");
    expect(messageOf(() => readDatabaseConfig({ environment: { DATABASE_WIRE: "libpq" } }))).toBe(
      'session.wire must be "plinth" or "pg" (who speaks the protocol once a session is open, plinth or pg)',
    );
  });

  it("refuses an unknown name and gives the nearest one", () => {
    // A config file in JavaScript has no types, so the misspelling arrives at run time.
    const misspelt: object = { pool: { maxx: 3 } };
    expect(messageOf(() => readDatabaseConfig({ explicit: misspelt }))).toBe(
      'unknown option "pool.maxx"; did you mean "pool.max"?',
    );
  });

  it("never repeats a password that was put in the wrong place", () => {
    const wrong = ["mysql://app:hunter2@db/shop", "app:hunter2@db", "hunter2"];
    const variables = [
      "DATABASE_URL",
      "DATABASE_DIRECT_URL",
      "DATABASE_SCHEMA",
      "DATABASE_POOL_MAX",
      "DATABASE_KEEP_ALIVE",
      "DATABASE_EMBEDDED",
    ];
    for (const variable of variables) {
      for (const value of wrong) {
        if (variable === "DATABASE_SCHEMA" && value === "hunter2") continue;
        const message = messageOf(() => readDatabaseConfig({ environment: { [variable]: value } }));
        expect(message).toContain(variable);
        expect(message).not.toContain("hunter2");
        expect(message).not.toContain("\n");
      }
    }
  });

  it("refuses a schema name that is not the application's own, or needs quotes", () => {
    const messageFor = (name: string): string =>
      messageOf(() => readDatabaseConfig({ environment: { DATABASE_SCHEMA: name } }));
    expect(messageFor("pg_catalog")).toBe(
      'DATABASE_SCHEMA is "pg_catalog", which is not the application\'s own; choose another name',
    );
    expect(messageFor("a".repeat(64))).toBe(
      "DATABASE_SCHEMA is longer than 63 characters, and PostgreSQL would cut it",
    );
    expect(messageFor('a"; drop schema b; --')).toBe(
      "DATABASE_SCHEMA must be lower-case letters, digits and _: other names must be quoted in every tool",
    );
    expect(readDatabaseConfig({ environment: { DATABASE_SCHEMA: "shop_2" } }).schema).toBe("shop_2");
    // Where an application was adopted; appSchema refuses it for any other.
    expect(readDatabaseConfig({ environment: { DATABASE_SCHEMA: "public" } }).schema).toBe("public");
  });

  it("takes the application name and connect time-out of the URL where no option says otherwise", () => {
    const url = `${DATABASE}?application_name=web&connect_timeout=3`;
    expect(readDatabaseConfig({ explicit: { url } }).session).toMatchObject({
      applicationName: "web",
      connectTimeoutMs: 3_000,
    });
    const environment = {
      DATABASE_URL: url,
      DATABASE_APPLICATION_NAME: "worker",
      DATABASE_CONNECT_TIMEOUT_MS: "7",
    };
    expect(readDatabaseConfig({ environment }).session).toMatchObject({
      applicationName: "worker",
      connectTimeoutMs: 7,
    });
  });

  it("asks for DATABASE_URL in production instead of coming up on an empty embedded server", () => {
    expect(messageOf(() => readDatabaseConfig({ environment: { NODE_ENV: "production" } }))).toBe(
      "DATABASE_URL is not set: set it to postgres://user:password@host:5432/database " +
        "(in development the embedded server is used; DATABASE_EMBEDDED=true allows it here too)",
    );
    const allowed = { NODE_ENV: "production", DATABASE_EMBEDDED: "true" };
    expect(readDatabaseConfig({ environment: allowed }).url).toBeUndefined();
  });

  it("refuses a minimum above the maximum", () => {
    expect(messageOf(() => readDatabaseConfig({ explicit: { pool: { min: 11 } } }))).toBe(
      "pool.min is 11, more than pool.max, which is 10; lower it or raise pool.max",
    );
  });
});
