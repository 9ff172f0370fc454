import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { type Connection, connect, parseTarget } from "../driver/index.ts";
import { ownedName } from "./names.ts";
import { openShadow, type Shadow } from "./shadow.ts";

let server: TestServer;
let admin: Connection;

beforeAll(async () => {
  server = await testServer();
  admin = await connect(parseTarget(server.url));
});
afterAll(async () => {
  await admin.close();
  await server.stop();
});

async function openTestShadow(): Promise<Shadow> {
  const shadow = await openShadow({ url: server.url, directory: import.meta.dirname });
  onTestFinished(() => shadow.release());
  return shadow;
}

async function exists(name: string): Promise<boolean> {
  const { rows } = await admin.query({ text: "select from pg_database where datname = $1", values: [name] });
  return rows.length > 0;
}

describe("openShadow", () => {
  it("says which server it is on, and that a given one is not its own", async () => {
    const shadow = await openTestShadow();
    expect(shadow.serverVersion).toBe(Number(process.env.PLINTH_TEST_POSTGRES ?? 18));
    expect(shadow.isPrivate).toBe(false);
  });

  it("makes no role on a server that is not its own", async () => {
    const shadow = await openTestShadow();
    await shadow.ensureRoles(["plinth_shadow_test_role"]);
    const { rows } = await admin.query({
      text: "select from pg_roles where rolname = 'plinth_shadow_test_role'",
      values: [],
    });
    expect(rows).toEqual([]);
  });

  it("drops what a killed process left behind, and nothing whose owner lives", async () => {
    const orphan = ownedName("shadow").name;
    await admin.script(`create database ${orphan}`);
    const living = await (await openTestShadow()).createDatabase();
    await openTestShadow();
    expect(await exists(orphan)).toBe(false);
    expect(await exists(living.name)).toBe(true);
  });

  it("rejects a server that cannot be reached, and leaves nothing open", async () => {
    const url = "postgres://nobody@127.0.0.1:1/none";
    await expect(openShadow({ url, directory: import.meta.dirname })).rejects.toMatchObject({
      code: "CONNECTION_FAILED",
    });
  });
});

describe("Shadow", () => {
  it("gives empty databases of their own, which end with it", async () => {
    const shadow = await openTestShadow();
    const [one, other] = [await shadow.createDatabase(), await shadow.createDatabase()];
    const connection = await one.connect();
    await connection.script("create table t (id int)");
    await connection.close();
    const beside = await other.connect();
    const { rows } = await beside.query({ text: "select to_regclass('t')", values: [] });
    expect(rows).toEqual([[null]]);
    await beside.close();
    await shadow.release();
    await shadow.release();
    expect([await exists(one.name), await exists(other.name)]).toEqual([false, false]);
  });

  it("clones a database with what is in it", async () => {
    const shadow = await openTestShadow();
    const original = await shadow.createDatabase();
    const connection = await original.connect();
    await connection.script("create table t as select 42 as answer");
    await connection.close();
    const clone = await original.clone();
    await original.drop();
    const copy = await clone.connect();
    const { rows } = await copy.query({ text: "select answer from t", values: [] });
    await copy.close();
    expect(rows).toEqual([["42"]]);
  });

  it("lends a session for as long as the work takes, whatever comes of it", async () => {
    const shadow = await openTestShadow();
    const database = await shadow.createDatabase();
    const borrowed: Connection[] = [];
    const answer = await database.use(async (connection) => {
      borrowed.push(connection);
      return (await connection.query({ text: "select current_database()", values: [] })).rows;
    });
    expect(answer).toEqual([[database.name]]);
    const failing = database.use(async (connection) => {
      borrowed.push(connection);
      await connection.script("nonsense");
    });
    await expect(failing).rejects.toMatchObject({ sqlstate: "42601" });
    expect(borrowed.map(({ isOpen }) => isOpen)).toEqual([false, false]);
    // Nobody is connected to it any more.
    await (await database.clone()).drop();
  });

  it("drops a database while somebody is connected to it, once", async () => {
    const shadow = await openTestShadow();
    const database = await shadow.createDatabase();
    const connection = await database.connect();
    await database.drop();
    await database.drop();
    expect(await exists(database.name)).toBe(false);
    connection.destroy();
  });
});
