/** Where the subjects compete: one throw-away server on the disk, one set of rows. */
import pg from "pg";
import { startServer } from "../server.ts";
import { fill, reset, type Size, TABLES } from "./data.ts";
import { normalise } from "./normalise.ts";

export interface Arena {
  readonly url: string;
  readonly size: Size;
  readonly serverVersion: string;
  /** Whether commits wait for the disk from now on, for every session. */
  setDurable(isDurable: boolean): Promise<void>;
  /** The rows as they were at first. */
  reset(): Promise<void>;
  /** What a query shows, as a comparable text. */
  effect(query: string): Promise<string>;
  close(): Promise<void>;
}

/** Every subject's pool stays open to the end. */
const CONNECTIONS = 400;

const SETTINGS = {
  max_connections: CONNECTIONS,
  fsync: "on",
  full_page_writes: "on",
  shared_buffers: "512MB",
  // No checkpoint and no vacuum falls into one subject's turn by chance.
  max_wal_size: "16GB",
  checkpoint_timeout: "1h",
  autovacuum: "off",
};

export async function openArena(size: Size): Promise<Arena> {
  const server = await startServer({ settings: SETTINGS, onDisk: true });
  const client = new pg.Client(server.url);
  try {
    await client.connect();
    await client.query(TABLES);
    await client.query(fill(size));
    await client.query("vacuum analyze");
    const { rows } = await client.query<{ server_version: string }>("show server_version");
    return {
      url: server.url,
      size,
      serverVersion: rows[0]?.server_version ?? "",
      async setDurable(isDurable) {
        await client.query(`alter system set synchronous_commit = ${isDurable ? "on" : "off"}`);
        await client.query("select pg_reload_conf()");
      },
      async reset() {
        await client.query(reset(size));
        await client.query("vacuum world, users, movies, project_totals");
      },
      effect: async (query) => normalise((await client.query(query)).rows, []),
      async close() {
        await client.end();
        await server.remove();
      },
    };
  } catch (error) {
    await client.end();
    await server.remove();
    throw error;
  }
}
