import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SOAK_TIMEOUT_MS, soakRuns } from "../../../test/support/soak.ts";
import { type SchemaChoice, schemaChoice, schemaOf } from "./random-schema.fixture.ts";
import { differenceTrials } from "./trial.fixture.ts";

const tryDifference = differenceTrials();

/** Rows that every one of the schemas takes, and that the way between any two of them keeps. */
function rowsOf(choice: SchemaChoice): string {
  const tables = schemaOf(choice).tables;
  return tables.map((table) => `insert into ${table} default values;`).join("\n");
}

describe("planDifference between random schemas", () => {
  it(
    "leaves nothing different, up and down, with rows in the tables",
    async () => {
      await fc.assert(
        fc.asyncProperty(schemaChoice, schemaChoice, fc.boolean(), async (from, to, online) => {
          const trial = await tryDifference(schemaOf(from).sql, schemaOf(to).sql, {
            online,
            rows: rowsOf(from),
          });
          expect(trial.left).toEqual([]);
          expect(trial.leftAfterDown).toEqual([]);
          await trial.close();
        }),
        { seed: 20_261_121, numRuns: soakRuns(500) },
      );
    },
    SOAK_TIMEOUT_MS,
  );
});
