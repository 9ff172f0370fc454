import { catalogDifferences } from "plinth/testing";
import { expect, it } from "vitest";
import { MIGRATIONS } from "./db.ts";
import * as schema from "./schema.ts";

it("the migrations make what the schema declares", async () => {
  expect(await catalogDifferences({ schema, migrations: MIGRATIONS })).toEqual([]);
});
