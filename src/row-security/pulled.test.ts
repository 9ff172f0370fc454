import { text, uuid } from "drizzle-orm/pg-core";
import { appSchema, entity, ulidKey } from "plinth/schema";
import { testDatabase } from "plinth/testing";
import { expect, it, onTestFinished } from "vitest";
import { testServer } from "../../test/support/server.ts";
import { BEHAVIOURS } from "../behaviours.ts";
import { connect, parseTarget } from "../driver/index.ts";
import { pullSchema } from "../pull/index.ts";
import { openShadow } from "../shadow/index.ts";

it("is written down by a pull as what it is: keys, policies, and that row security is forced", async () => {
  const app = appSchema("pulled");
  const boxes = entity(
    app,
    "boxes",
    { id: ulidKey(), shopId: uuid().notNull(), name: text().notNull().unique() },
    { tenant: "shopId", softDelete: true },
  );
  const items = entity(
    app,
    "items",
    {
      id: ulidKey(),
      shopId: uuid().notNull(),
      boxId: text().references(() => boxes.id, { onDelete: "set null" }),
    },
    { tenant: "shopId" },
  );
  const { url, close } = await testDatabase({ schema: { app, boxes, items } });
  const server = await testServer();
  const shadow = await openShadow({ url: server.url, directory: import.meta.dirname });
  const connection = await connect(parseTarget(url));
  onTestFinished(async () => {
    await connection.close();
    await close();
    await shadow.release();
    await server.stop();
  });
  const pulled = await pullSchema({
    connection,
    schemaName: "pulled",
    shadow,
    behaviours: BEHAVIOURS,
    leaveOut: [],
  });
  expect(pulled.text.match(/primaryKey\(\{ columns: \[t\.shopId, t\.id\] \}\)/g)).toHaveLength(2);
  expect(pulled.text).toContain("columns: [t.shopId, t.boxId],");
  expect(pulled.text).toContain('pgPolicy("boxes_tenant", {');
  expect(pulled.text).toContain('pgPolicy("items_tenant", {');
  const forced = pulled.findings.filter(({ why }) => why.includes("row security is forced on its owner"));
  expect(forced.map(({ object }) => object)).toEqual(["table boxes", "table items"]);
});
