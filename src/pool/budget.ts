import type { Connection, StatementCall } from "../driver/index.ts";
import { PoolError } from "../errors/index.ts";
import type { PoolVerification } from "./pool.ts";

const LIMITS: StatementCall = {
  // reserved_connections exists since PostgreSQL 16; current_setting with `true` answers null before.
  text: `select current_setting('server_version_num'),
       current_setting('max_connections'),
       current_setting('superuser_reserved_connections'),
       coalesce(current_setting('reserved_connections', true), '0')`,
  values: [],
  leavesNoTrace: true,
};

/** Reads the server's limits, and asks what the caller wants to know besides. One round trip. */
export async function readBudget(
  connection: Connection,
  fleet: { readonly max: number; readonly instances: number },
  question?: StatementCall,
): Promise<PoolVerification> {
  const [limits, answer] =
    question === undefined ? [await connection.query(LIMITS)] : await connection.batch([LIMITS, question]);
  const [version, maximum, forSuperusers, forOthers] = (limits?.rows[0] ?? []).map(Number);
  return {
    serverVersion: version ?? 0,
    maxConnections: maximum ?? 0,
    reservedConnections: (forSuperusers ?? 0) + (forOthers ?? 0),
    budget: fleet.max * fleet.instances,
    ...(answer === undefined ? {} : { answer }),
  };
}

/**
 * Explains the arithmetic when the fleet does not fit.
 *
 * @throws {POOL_BUDGET_EXCEEDED}
 */
export function checkBudget(
  found: PoolVerification,
  fleet: { readonly max: number; readonly instances: number },
): void {
  const room = found.maxConnections - found.reservedConnections;
  if (found.budget <= room) return;
  const fits = Math.floor(room / fleet.instances);
  const instances = fleet.instances === 1 ? "1 instance" : `${fleet.instances} instances`;
  throw new PoolError(
    "POOL_BUDGET_EXCEEDED",
    `${instances} × ${fleet.max} connections (pool.max) = ${found.budget}, but the server takes ${room} ` +
      `(max_connections ${found.maxConnections} − ${found.reservedConnections} reserved)`,
    {
      hint:
        fits >= 1
          ? `Set pool.max to at most ${fits}, run fewer instances, raise max_connections, or put PgBouncer between.`
          : "Run fewer instances, raise max_connections, or put PgBouncer between.",
    },
  );
}
