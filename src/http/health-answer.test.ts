import { describe, expect, it } from "vitest";
import { watchedPool } from "../../test/support/pool.ts";
import { startPostgres } from "../../test/support/postgres.ts";
import { checkHealth } from "../health/index.ts";
import { liveness, readiness } from "./health-answer.ts";

describe("liveness", () => {
  it("is 200 while the process runs", () => {
    expect(liveness()).toEqual({ status: 200, body: { status: "ok" } });
  });
});

describe("readiness", () => {
  it("is 200 with every check, and 503 with the reason while the server is away", async () => {
    const server = await startPostgres();
    try {
      const { pool } = watchedPool(server.url);
      const database = { health: () => checkHealth({ pool }) };
      expect(await readiness(database)).toMatchObject({
        status: 200,
        body: { status: "ok", checks: { pool: { max: 10 } } },
      });
      await server.stop("immediate");
      expect(await readiness(database)).toMatchObject({
        status: 503,
        body: {
          status: "unavailable",
          checks: { database: { status: "failed", reason: expect.any(String) } },
        },
      });
    } finally {
      await server.remove();
    }
  });

  it("is 503 while migrations are pending", async () => {
    const server = await startPostgres();
    try {
      const { pool } = watchedPool(server.url);
      const health = () => checkHealth({ pool, pendingMigrations: async () => ["0002_more.sql"] });
      expect(await readiness({ health })).toMatchObject({
        status: 503,
        body: {
          checks: { migrations: { status: "failed", reason: expect.stringContaining("0002_more.sql") } },
        },
      });
    } finally {
      await server.remove();
    }
  });
});
