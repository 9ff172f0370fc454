import { ConnectionPool } from "./connection-pool.ts";
import type { PoolOptions } from "./options.ts";
import { parsePoolOptions } from "./options.ts";
import type { Pool } from "./pool.ts";

/**
 * Makes a pool. It opens no connection before the first is asked for, so it can be made while the server is away;
 * after any outage it recovers by itself.
 *
 * @throws {CONFIG_INVALID} when a number is out of range.
 * @example
 * ```ts
 * const pool = createPool({ target: () => parseTarget(url), max: 10 });
 * const outcome = await pool.use((connection) => connection.query({ text: "select 1", values: [] }));
 * await pool.close();
 * ```
 */
export function createPool(options: PoolOptions): Pool {
  return new ConnectionPool(parsePoolOptions(options));
}
