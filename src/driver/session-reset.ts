import type { Outcome, TransactionStatus } from "./connection.ts";

/**
 * What `discard all` does, short of dropping Plinth's own prepared statements and plans; its last statement lists
 * what the caller prepared by SQL. One message, so one round trip.
 *
 * @see https://www.postgresql.org/docs/current/sql-discard.html
 */
const RESET_SCRIPT = `close all;
set session authorization default;
reset role;
reset all;
unlisten *;
select pg_advisory_unlock_all();
discard temp;
discard sequences;
select quote_ident(name) from pg_prepared_statements where from_sql`;

/** Leaves a session as it was at first: nothing of its last borrower. One round trip, two where statements were prepared. */
export async function resetSession(
  run: (text: string) => Promise<readonly Outcome[]>,
  status: TransactionStatus,
): Promise<void> {
  const names = leftoverNames(await run(status === "idle" ? RESET_SCRIPT : `rollback;\n${RESET_SCRIPT}`));
  if (names.length > 0) await run(names.map((name) => `deallocate ${name}`).join(";\n"));
}

/** The prepared statements the caller left behind, quoted. */
function leftoverNames(outcomes: readonly Outcome[]): readonly string[] {
  const listing = outcomes.at(-1);
  return listing === undefined
    ? []
    : listing.rows.flatMap(([name]) => (typeof name === "string" ? [name] : []));
}
