import type { Connection, StatementCall } from "../driver/index.ts";
import type { TransactionOptions } from "./options.ts";
import type { TransactionScope } from "./scope.ts";

/** How a copy runs. */
export type CopyOptions = Pick<TransactionOptions, "signal" | "readOnly">;

/** Of this transaction, or until a rollback to the savepoint. Gives what it was. */
const LIFT: StatementCall = {
  text: `select pg_catalog.current_setting('statement_timeout'), pg_catalog.set_config('statement_timeout', '0', true)`,
  values: [],
  leavesNoTrace: true,
};

/**
 * A copy is one statement however long it is, so the time-out of a statement would bound the number of rows. It takes
 * as long as its source and its reader; a signal bounds that.
 */
export async function withoutTimeout<T>(
  scope: TransactionScope,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  await scope.tellActor();
  const { rows } = await scope.send(LIFT);
  const result = await work(scope.connection);
  // The transaction goes on where it is the caller's.
  if (scope.outer !== undefined) await scope.send(restore(rows[0]?.[0] ?? "0"));
  return result;
}

function restore(timeout: string): StatementCall {
  return {
    text: `select pg_catalog.set_config('statement_timeout', $1, true)`,
    values: [timeout],
    leavesNoTrace: true,
  };
}
