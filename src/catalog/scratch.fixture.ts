import { afterAll, beforeAll, onTestFinished } from "vitest";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { onDatabase } from "../../test/support/workshop.ts";
import { type Connection, connect, parseTarget } from "../driver/index.ts";
import { quoteIdentifier } from "../sql/index.ts";

/** Sessions on databases of their own, dropped after the test. */
export interface Scratch {
  /** An empty database. */
  empty(): Promise<Connection>;
  /** A database in which the SQL ran in a schema of that name, which stays the session's. */
  with(sql: string, schemaName?: string): Promise<Connection>;
  /** An empty database for all tests of a file: to be called in `beforeAll`. */
  shared(): Promise<Connection>;
  /** Another session on the same database. */
  again(connection: Connection): Promise<Connection>;
}

let made = 0;

/** Call it at the top of a test file. */
export function scratchDatabases(): Scratch {
  let server: TestServer;
  const urls = new WeakMap<Connection, string>();
  beforeAll(async () => {
    server = await testServer();
  });
  const shared: (() => Promise<void>)[] = [];
  afterAll(async () => {
    for (const drop of shared) await drop();
    await server.stop();
  });

  const make = async (atEnd: (work: () => Promise<void>) => void): Promise<Connection> => {
    const name = `scratch_${process.pid}_${++made}`;
    const admin = await connect(parseTarget(server.url));
    await admin.script(`create database ${name}`);
    const url = onDatabase(server.url, name);
    const connection = await connect(parseTarget(url));
    urls.set(connection, url);
    atEnd(async () => {
      await connection.close();
      await admin.script(`drop database ${name} with (force)`);
      await admin.close();
    });
    return connection;
  };
  const empty = (): Promise<Connection> => make(onTestFinished);
  return {
    empty,
    shared: () => make((drop) => shared.push(drop)),
    with: async (sql, schemaName = "app") => {
      const connection = await empty();
      const schema = quoteIdentifier(schemaName);
      await connection.script(`create schema ${schema}; set search_path to ${schema}`);
      await connection.script(sql);
      return connection;
    },
    again: async (connection) => {
      const other = await connect(parseTarget(urls.get(connection) ?? ""));
      onTestFinished(() => other.close());
      return other;
    },
  };
}
