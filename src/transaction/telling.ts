import type { StatementCall } from "../driver/index.ts";
import type { Actor } from "../sql/index.ts";
import { mayWrite } from "./outcome.ts";

/** Whose behalf the database is told about, for its triggers: `current_setting('plinth.user_id', true)`. */
const TELL_ACTOR = `select pg_catalog.set_config('plinth.user_id', $1, true), pg_catalog.set_config('plinth.tenant_id', $2, true),
  pg_catalog.set_config('plinth.request_id', $3, true), pg_catalog.set_config('plinth.reason', $4, true)`;

/** Until the end of the transaction, or of the flight where there is none: a session never keeps it. */
export function tellActor(actor: Actor | undefined): StatementCall {
  const { userId = "", tenantId = "", requestId = "", reason = "" } = actor ?? {};
  return {
    name: "plinth_actor",
    text: TELL_ACTOR,
    values: [userId, tenantId, requestId, reason],
    leavesNoTrace: true,
  };
}

/** What a transaction has been told when nothing was said. */
export const NOBODY = identityOf(undefined);

/** The same for actors that the database is told the same of. */
export function identityOf(actor: Actor | undefined): string {
  return JSON.stringify(tellActor(actor).values);
}

/** What a trigger may see in a transaction: a write, and whatever a statement of the application's own does. */
export function mayBeRecorded(call: StatementCall): boolean {
  return call.leavesNoTrace !== true || mayWrite(call);
}

/**
 * The same outside a transaction, where the statement and what tells of its actor become one: a procedure may end
 * transactions, so it has to stay alone.
 */
export function isOwnWrite(call: StatementCall): boolean {
  return call.leavesNoTrace !== true && OWN_WRITE.test(call.text);
}

const OWN_WRITE = /^\s*(?:insert|update|delete|merge|with|truncate)\b/i;
