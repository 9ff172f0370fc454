import { describe, expect, it, onTestFinished, vi } from "vitest";
import { startPostgres } from "../../test/support/postgres.ts";
import { startProxy } from "../../test/support/proxy.ts";
import { workshops } from "../../test/support/workshop.ts";
import * as schema from "../../test/support/workshop-schema.ts";
import { createDatabase } from "../database.ts";
import { HEALTH_TIMEOUT_MS } from "./index.ts";

const open = workshops();

/** Five times the stated bound: what a loaded machine may add. */
const PATIENCE_MS = HEALTH_TIMEOUT_MS * 5;

async function within<T>(work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  expect(performance.now() - started).toBeLessThan(PATIENCE_MS);
  return result;
}

describe("health", () => {
  it("is ok with a server, nothing pending and room in the pool", async () => {
    const { db } = await open({ pool: { max: 3 }, pendingMigrations: async () => [] });
    expect(await db.health()).toEqual({
      status: "ok",
      checks: {
        database: { status: "ok" },
        migrations: { status: "ok" },
        pool: { status: "ok", inUse: 0, waiting: 0, max: 3 },
      },
    });
  });

  it("says that nobody looked at the migrations, instead of calling them in order", async () => {
    const { db } = await open();
    const { status, checks } = await db.health();
    expect([status, checks.migrations]).toEqual([
      "ok",
      { status: "skipped", reason: "createDatabase got no pendingMigrations" },
    ]);
  });

  it("names the migrations that are pending", async () => {
    const { db } = await open({ pendingMigrations: async () => ["0002_add_tasks", "0003_index"] });
    const { status, checks } = await db.health();
    expect([status, checks.migrations]).toEqual([
      "unavailable",
      { status: "failed", reason: "2 migrations are pending: 0002_add_tasks, 0003_index" },
    ]);
  });

  it("fails, and does not throw, when the migrations cannot be read", async () => {
    const broken = async () => {
      throw new Error("the folder is gone\n    at some/place.ts:1:1");
    };
    const { db } = await open({ pendingMigrations: broken });
    expect((await db.health()).checks.migrations).toEqual({ status: "failed", reason: "the folder is gone" });
  });

  it("answers in time when the migrations never answer", async () => {
    const { db } = await open({ pendingMigrations: () => new Promise(() => {}) });
    const { status, checks } = await within(() => db.health());
    expect([status, checks.migrations.reason]).toEqual(["unavailable", "no answer within 2000 ms"]);
  });

  it("answers in time, with the reason, while the server is away, and recovers by itself", async () => {
    const server = await startPostgres();
    onTestFinished(() => server.remove());
    const db = await createDatabase({ schema, url: server.url });
    onTestFinished(() => db.close());
    expect((await db.health()).status).toBe("ok");
    await server.kill9();
    // A killed postmaster's sessions answer for a moment longer, until they notice.
    await vi.waitFor(async () => {
      expect(await within(() => db.health())).toMatchObject({
        status: "unavailable",
        checks: {
          database: {
            status: "failed",
            reason: expect.stringMatching(/127\.0\.0\.1:\d+|ended the connection/),
          },
          migrations: { status: "skipped" },
          pool: { status: "ok", inUse: 0 },
        },
      });
    }, 25_000);
    await server.start();
    await vi.waitFor(async () => expect((await db.health()).status).toBe("ok"), 25_000);
  });

  it("answers in time over a cable that was cut", async () => {
    const proxy = await startProxy((await open()).url);
    onTestFinished(() => proxy.close());
    const { db } = await open({ via: proxy.urlFor });
    expect((await db.health()).status).toBe("ok");
    proxy.faults.blackhole = true;
    const cut = await within(() => db.health());
    expect([cut.status, cut.checks.database.reason]).toEqual(["unavailable", "no answer within 2000 ms"]);
    delete proxy.faults.blackhole;
  });

  it("answers in time when every connection is held, and says so", async () => {
    const { db, quiet } = await open({ pool: { max: 2, acquireTimeoutMs: 60_000 } });
    const leases = [await db.pool.acquire(), await db.pool.acquire()];
    const { status, checks } = await within(() => db.health());
    expect(status).toBe("unavailable");
    expect(checks.pool).toMatchObject({
      status: "failed",
      inUse: 2,
      max: 2,
      reason: expect.stringContaining("all 2"),
    });
    for (const lease of leases) lease.release();
    expect((await db.health()).status).toBe("ok");
    await quiet();
  });

  it("is no failure of a full pool that still serves", async () => {
    const { db, quiet } = await open({ pool: { max: 1 } });
    const busy = db.sql`select pg_sleep(0.2)`.then(() => "done");
    expect((await db.health()).status).toBe("ok");
    expect(await busy).toBe("done");
    await quiet();
  });

  it("answers after close", async () => {
    const { db } = await open();
    await db.close();
    expect(await db.health()).toMatchObject({
      status: "unavailable",
      checks: { database: { reason: expect.stringContaining("closed") } },
    });
  });
});
