import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { createSchema, onDatabase } from "../../test/support/workshop.ts";
import * as schema from "../../test/support/workshop-schema.ts";
import { BEHAVIOURS } from "../behaviours.ts";
import { type Connection, connect, parseTarget } from "../driver/index.ts";
import { describeSchema } from "../schema/index.ts";
import { readCatalog, renderSchema } from "./index.ts";

let server: TestServer;
let made = 0;

beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.stop());

/** A session on an empty database of its own. */
async function emptyDatabase(): Promise<Connection> {
  const name = `catalog_${process.pid}_${++made}`;
  const admin = await connect(parseTarget(server.url));
  await admin.script(`create database ${name}`);
  const connection = await connect(parseTarget(onDatabase(server.url, name)));
  onTestFinished(async () => {
    await connection.close();
    await admin.script(`drop database ${name} with (force)`);
    await admin.close();
  });
  return connection;
}

async function databaseWith(schemaName = "workshop"): Promise<Connection> {
  const connection = await emptyDatabase();
  await createSchema(connection, schemaName);
  return connection;
}

describe("renderSchema", () => {
  it("makes everything on an empty database, and its way back leaves nothing", async () => {
    const connection = await databaseWith();
    const { objects } = await readCatalog(connection, "workshop");
    const kinds = new Set(objects.map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual([
      "constraint",
      "enum",
      "function",
      "index",
      "table",
      "trigger",
      "view",
    ]);
    const { down } = renderSchema(describeSchema(schema), BEHAVIOURS);
    await connection.script(down.join(";\n"));
    expect((await readCatalog(connection, "workshop")).objects).toEqual([]);
    await connection.script("drop schema workshop restrict");
  });

  it("gives one statement an item", async () => {
    const connection = await emptyDatabase();
    await connection.script("create schema workshop; set search_path to workshop");
    const { up } = renderSchema(describeSchema(schema), BEHAVIOURS);
    // The extended protocol takes one statement.
    for (const text of up) await connection.query({ text, values: [] });
    expect((await readCatalog(connection, "workshop")).objects.length).toBeGreaterThan(50);
  });
});
