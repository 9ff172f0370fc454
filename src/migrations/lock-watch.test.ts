import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { connect, retarget } from "../driver/index.ts";
import { createLockWatch, describeBlocker, type LockBlocker } from "./lock-watch.ts";
import { openWorkbench, type Workbench } from "./workbench.fixture.ts";

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

describe("describeBlocker", () => {
  it.each<[Partial<LockBlocker>, string]>([
    [
      {
        user: "app",
        applicationName: "psql",
        backendType: "client backend",
        state: "idle in transaction",
        transactionSeconds: 12,
        statement: "select ?",
      },
      "app (psql), server process 4711, idle in transaction, its transaction open for 12 s: select ?",
    ],
    [{ backendType: "autovacuum worker", state: "active" }, "autovacuum worker, server process 4711, active"],
    [{ applicationName: "" }, "another role, server process 4711"],
    [{ processId: 0 }, "a prepared transaction (see pg_prepared_xacts)"],
  ])("says as much as is known of %j", (known, text) => {
    const unknown = {
      processId: 4711,
      user: undefined,
      applicationName: undefined,
      backendType: undefined,
      state: undefined,
      transactionSeconds: undefined,
      statement: undefined,
    };
    expect(describeBlocker({ ...unknown, ...known })).toBe(text);
  });
});

describe("createLockWatch", () => {
  const withWaiter = async (
    work: (waiter: { readonly processId: number; run(): Promise<void> }) => Promise<void>,
  ): Promise<void> => {
    const project = bench.project();
    await project.run("create schema %s; create table %s.t (id int)");
    const [holder, waiter] = [await connect(bench.target), await connect(bench.target)];
    await holder.script(`begin; insert into ${project.schemaName}.t values (42)`);
    const run = async () => {
      await waiter.script(`set lock_timeout to '1500ms'; lock table ${project.schemaName}.t`);
    };
    await work({ processId: waiter.processId, run });
    await holder.close();
    await waiter.close();
  };

  it("knows afterwards who was in the way, and forgets it with the next statement", async () => {
    await withWaiter(async ({ processId, run }) => {
      const watch = createLockWatch(bench.target, processId);
      const onBlocked = vi.fn();
      await expect(watch.during(50, run, onBlocked)).rejects.toMatchObject({ code: "LOCK_TIMEOUT" });
      expect(watch.blockers).toMatchObject([
        { user: "postgres", state: "idle in transaction", statement: expect.stringContaining("values (?)") },
      ]);
      expect(onBlocked).toHaveBeenCalledWith(watch.blockers, expect.any(Number));
      expect(await watch.during(50, async () => "done")).toBe("done");
      expect(watch.blockers).toEqual([]);
      await watch.close();
    });
  });

  it("names no more than its role may see", async () => {
    await bench.connection.script("create role watch_guest login");
    await withWaiter(async ({ processId, run }) => {
      const watch = createLockWatch(
        retarget(bench.target, { user: "watch_guest", password: undefined }),
        processId,
      );
      await watch.during(50, run).catch(() => undefined);
      expect(watch.blockers).toMatchObject([{ user: "postgres", state: undefined, statement: undefined }]);
      await watch.close();
    });
    await bench.connection.script("drop role watch_guest");
  });

  it("stands in nobody's way when it cannot connect", async () => {
    await withWaiter(async ({ processId, run }) => {
      const watch = createLockWatch(retarget(bench.target, { port: 1 }), processId);
      await expect(watch.during(10, run)).rejects.toMatchObject({ code: "LOCK_TIMEOUT" });
      expect(watch.blockers).toEqual([]);
      await watch.close();
    });
  });

  it("opens nothing for a statement that is quick", async () => {
    const watch = createLockWatch(bench.target, 1);
    await watch.during(5_000, async () => undefined);
    await watch.close();
    const { rows } = await bench.connection.query({
      text: "select 1 from pg_stat_activity where application_name like '%lock watch%' and datname = current_database()",
      values: [],
    });
    expect(rows).toEqual([]);
  });
});

describe("a concurrent build that waits for a transaction", () => {
  it("tells for whom, and goes on once that has ended", async () => {
    const project = bench.project({ "0001_t.sql": "-- migrate:up\ncreate table t (id int);\n" });
    await project.migrator().up();
    project.write("0002_index.sql", "-- migrate:up\ncreate index concurrently t_id on t (id);\n");
    const other = await connect(bench.target);
    await other.script(`begin; insert into ${project.schemaName}.t values (1)`);
    const run = project.migrator({ lockTimeoutMs: 200 }).up();
    await vi.waitFor(
      () =>
        expect(project.progress).toContainEqual({
          kind: "blocked",
          fileName: "0002_index.sql",
          waitedMs: expect.any(Number),
          blockers: [expect.objectContaining({ processId: other.processId })],
        }),
      { timeout: 20_000 },
    );
    await other.close();
    expect((await run).ran).toHaveLength(1);
  });
});
