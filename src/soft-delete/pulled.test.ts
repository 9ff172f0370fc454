import { type AnyPgColumn, integer, text } from "drizzle-orm/pg-core";
import { appSchema, entity, ulidKey } from "plinth/schema";
import { testDatabase } from "plinth/testing";
import { expect, it, onTestFinished } from "vitest";
import { testServer } from "../../test/support/server.ts";
import { BEHAVIOURS } from "../behaviours.ts";
import { connect, parseTarget } from "../driver/index.ts";
import { pullSchema } from "../pull/index.ts";
import { openShadow } from "../shadow/index.ts";

it("is recognised in a database, in trees and divided tables too, and its view is no declaration", async () => {
  const app = appSchema("pulled");
  const folders = entity(
    app,
    "folders",
    { id: ulidKey(), parentId: text().references((): AnyPgColumn => folders.id, { onDelete: "cascade" }) },
    { softDelete: true },
  );
  const events = entity(
    app,
    "events",
    { id: text().primaryKey(), year: integer().primaryKey() },
    {
      softDelete: true,
      partitionBy: { range: ["year"], partitions: [{ name: "events_2026", from: 2026, to: 2027 }] },
    },
  );
  const { url, close } = await testDatabase({ schema: { app, folders, events } });
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
  expect(pulled.findings).toEqual([]);
  expect(pulled.entities).toBe(2);
  expect(pulled.text.match(/softDelete: true/g)).toHaveLength(2);
  expect(pulled.text).not.toMatch(/living_|delete_softly|refuse_truncate|app\.(function|trigger|view)/);
});
