import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chosenPostgres } from "../../../../test/support/chosen-postgres.ts";
import { type TestServer, testServer } from "../../../../test/support/server.ts";
import { type Connection, connect, parseTarget } from "../../../driver/index.ts";
import { BUILT_IN_FUNCTIONS, BUILT_IN_TYPES } from "./built-in.ts";

let server: TestServer;
let connection: Connection;

beforeAll(async () => {
  server = await testServer();
  connection = await connect(parseTarget(server.url));
});
afterAll(async () => {
  await connection.close();
  await server.stop();
});

async function rowsOf(text: string): Promise<readonly (readonly string[])[]> {
  const { rows } = await connection.query({ text, values: [] });
  return rows.map((row) => row.map(String));
}

describe("what PostgreSQL brings along", () => {
  it("has every type a column can be of, and none that the server does not have", async () => {
    const rows = await rowsOf(`
      select typname from pg_type
      where typnamespace = 'pg_catalog'::regnamespace and typtype in ('b', 'r', 'm') and typcategory <> 'A'
        and typname !~ '^(pg_brin|pg_dep|pg_mcv|pg_ndist|pg_node|gtsvector|aclitem|int2vector|oidvector)'
      order by typname`);
    expect([...BUILT_IN_TYPES].sort()).toEqual(rows.flat().sort());
  });

  it("has functions as steady as the least steady of the server's by that name", async () => {
    const rows = await rowsOf(`
      select proname, max(case provolatile when 'v' then '3 volatile' when 's' then '2 stable' else '1 immutable' end)
      from pg_proc where pronamespace = 'pg_catalog'::regnamespace group by proname`);
    const ofServer = new Map(rows.map(([name = "", volatility = ""]) => [name, volatility.slice(2)]));
    const wrong = [...BUILT_IN_FUNCTIONS].filter(([name, volatility]) => ofServer.get(name) !== volatility);
    const newer = chosenPostgres() < 18 ? ["uuidv4", "uuidv7"] : [];
    expect(wrong.map(([name]) => name)).toEqual(newer);
  });
});
