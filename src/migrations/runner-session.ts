import { type Connection, type ConnectionTarget, connect, retarget } from "../driver/index.ts";
import {
  createLedger,
  createSchema,
  LEDGER_TABLE,
  selectSchemaExists,
  selectTableExists,
} from "./queries.ts";
import type { Missing } from "./render.ts";
import { canNoticeDeadClient } from "./session.ts";

/** One dedicated connection for the length of a call. */
export interface RunnerSession {
  readonly connection: Connection;
  /** Asked with the first call: a run with nothing to do need not know. */
  noticesDeadClient(): Promise<boolean>;
}

/** Opens a connection of its own, runs `work`, and closes it. Aborting `signal` cancels what runs on it. */
export async function withRunnerSession<T>(
  target: ConnectionTarget,
  signal: AbortSignal | undefined,
  work: (session: RunnerSession) => Promise<T>,
): Promise<T> {
  // A runner that waits for another one, or between statements, must not be ended for idleness or slowness.
  const session = {
    applicationName: "plinth migrate",
    statementTimeoutMs: 0,
    lockTimeoutMs: 0,
    idleInTransactionTimeoutMs: 0,
  };
  const connection = await connect(retarget(target, { session }), { signal });
  const onAbort = (): void => {
    // When it cannot be delivered the run stops after the statement.
    connection.cancel().catch(() => undefined);
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    let notices: Promise<boolean> | undefined;
    const noticesDeadClient = (): Promise<boolean> => {
      notices ??= canNoticeDeadClient(connection);
      return notices;
    };
    return await work({ connection, noticesDeadClient });
  } finally {
    signal?.removeEventListener("abort", onAbort);
    await connection.close().catch(() => connection.destroy());
  }
}

/** What the database lacks before the first migration: two round trips, nothing is written. */
export async function findMissing(connection: Connection, schemaName: string): Promise<Missing> {
  const schema = await connection.query({ text: selectSchemaExists, values: [schemaName] });
  const ledger = await connection.query({
    text: selectTableExists,
    values: [schemaName, LEDGER_TABLE],
  });
  return { schema: schema.rows.length === 0, ledger: ledger.rows.length === 0 };
}

/** Makes schema and ledger. Called under the runners' lock, so nobody else is making them. */
export async function createMissing(connection: Connection, schemaName: string): Promise<void> {
  const missing = await findMissing(connection, schemaName);
  if (missing.schema) await connection.script(createSchema(schemaName));
  if (missing.ledger) await connection.script(createLedger(schemaName));
}
