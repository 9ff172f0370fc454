import { type AnyPgColumn, integer, text } from "drizzle-orm/pg-core";
import { testDatabase } from "plinth/testing";
import { afterAll, expect, it } from "vitest";
import { appSchema, entity, relations, ulidKey } from "../schema/index.ts";

const app = appSchema("wide");
const owners = entity(app, "owners", { id: ulidKey() });
const columns = Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`c${i}`, integer()]));
const wide = entity(app, "wide", {
  id: ulidKey(),
  ownerId: text().references((): AnyPgColumn => owners.id),
  ...columns,
});
const ownerRelations = relations(owners, (r) => ({ rows: r.many(wide) }));
const wideRelations = relations(wide, (r) => ({ owner: r.one(owners, { via: "ownerId" }) }));

const SOME: object = { c0: 1, c149: -149 };

const { db, close } = await testDatabase({ schema: { owners, wide, ownerRelations, wideRelations } });
afterAll(close);

it("reads related rows of more columns than a function takes arguments", async () => {
  const owner = await db.repository(owners).create({});
  const row = await db.repository(wide).create({ ownerId: owner.id, ...SOME });
  const found = await db.repository(owners).get(owner.id, { with: { rows: { with: { owner: true } } } });
  expect(found.rows).toEqual([{ ...row, owner }]);
});
