import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startWriters } from "../../test/support/writers.ts";
import { connect } from "../driver/index.ts";
import { openWorkbench, type Workbench } from "./workbench.fixture.ts";

/** How long the reader is in the way: far more than anybody may have to wait. */
const READER_MS = 3_000;
const LOCK_TIMEOUT_MS = 200;

let bench: Workbench;

beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

describe("a migration that waits for a table lock", () => {
  it("keeps writers behind it no longer than its lock time-out, says who is in the way, and gets there", async () => {
    const project = bench.project({
      "0001_visits.sql":
        "-- migrate:up\ncreate table visits (id bigint generated always as identity, at timestamptz default now());\n",
    });
    await project.migrator().up();
    project.write("0002_page.sql", "-- migrate:up\nalter table visits add column page text;\n");
    const reader = await connect(bench.target);
    await reader.script(`begin; select count(*) from ${project.schemaName}.visits`);
    const writers = await startWriters(
      bench.target,
      `insert into ${project.schemaName}.visits default values`,
      3,
    );
    const run = project.migrator({ lockTimeoutMs: LOCK_TIMEOUT_MS, lockAttempts: 1_000 }).up();
    await sleep(READER_MS);
    await reader.close();
    expect((await run).ran).toHaveLength(1);
    await writers.stop();
    const retries = project.progress.filter(({ kind }) => kind === "retrying");
    expect(retries).toContainEqual(
      expect.objectContaining({
        fileName: "0002_page.sql",
        blockers: expect.arrayContaining([
          expect.objectContaining({ processId: reader.processId, state: "idle in transaction" }),
        ]),
      }),
    );
    expect(writers.statements).toBeGreaterThan(0);
    // The bound is the time-out itself; five times it is for a machine with other things to do.
    expect(writers.longestWaitMs).toBeLessThan(5 * LOCK_TIMEOUT_MS);
  });
});
