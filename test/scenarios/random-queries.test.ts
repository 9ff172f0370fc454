import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canPool } from "../support/pgbouncer.ts";
import { agree } from "../support/random-queries/asking.ts";
import { type Depot, openDepot, type Way } from "../support/random-queries/depot.ts";
import { agreeOnWrites } from "../support/random-queries/performing.ts";
import { anyRead } from "../support/random-queries/random-reads.ts";
import { anyWriteRun } from "../support/random-queries/random-writes.ts";
import { SOAK_TIMEOUT_MS, soakRuns } from "../support/soak.ts";

const SEED = 20_261_121;
const WAYS: readonly Way[] = canPool() ? ["plinth", "pg", "pgbouncer"] : ["plinth", "pg"];
const isSoak = process.env.PLINTH_SOAK === "1";

/** In the soak each way takes them all, otherwise its share. */
function runsOf(full: number): number {
  return isSoak ? full : Math.ceil(soakRuns(full) / WAYS.length);
}

describe.each(WAYS)("a random query by way of %s", (way) => {
  let depot: Depot;
  beforeAll(async () => {
    depot = await openDepot(way);
  });
  afterAll(() => depot.close());

  it("meets texts in the order of their code points, as the interpreter has them", async () => {
    const [database] = await depot.db.sql<{ collation: string }>`
      select datcollate as collation from pg_database where datname = current_database()`;
    expect(database?.collation).toBe("C");
  });

  it(
    "reads the rows and values that a naive interpreter reads, in its order",
    async () => {
      await fc.assert(
        fc.asyncProperty(anyRead, (read) => agree(depot, read)),
        { seed: SEED + WAYS.indexOf(way), numRuns: runsOf(4_000) },
      );
    },
    SOAK_TIMEOUT_MS,
  );

  it(
    "writes the rows that a naive interpreter writes, and answers and refuses as it does",
    async () => {
      await fc.assert(
        fc.asyncProperty(anyWriteRun, (run) => agreeOnWrites(depot, run)),
        { seed: SEED + WAYS.indexOf(way), numRuns: runsOf(1_000) },
      );
    },
    SOAK_TIMEOUT_MS,
  );
});
