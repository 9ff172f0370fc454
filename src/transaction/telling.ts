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

/**
 * What has to be told of in a transaction: a write, as a trigger may see it, what names its actor, and whatever a statement of
 * the application's own does.
 */
export function mayBeRecorded(call: StatementCall): boolean {
  return (
    call.leavesNoTrace !== true || call.readsUnseen === true || call.actor !== undefined || mayWrite(call)
  );
}

/**
 * Of whom a flight is: of those that its statements name, else of whoever is in force. Two of them would be told one after
 * the other, and each meet the rows of the other.
 */
export function namedIn(calls: readonly StatementCall[]): Actor | undefined {
  let named: Actor | undefined;
  for (const { actor } of calls) {
    if (actor === undefined || actor === named) continue;
    if (named !== undefined && (named.tenantId ?? "") !== (actor.tenantId ?? ""))
      throw new TypeError("statements of two tenants in one flight");
    named ??= actor;
  }
  return named;
}

/**
 * The same outside a transaction, where the statement and what tells of its actor become one: a procedure may end
 * transactions, so it has to stay alone.
 */
export function isOwnWrite(call: StatementCall): boolean {
  return call.leavesNoTrace !== true && OWN_WRITE.test(call.text);
}

/** Of any application's SQL that reads or writes rows and may share a transaction with what tells of its actor. */
export function isOwnQuery(call: StatementCall): boolean {
  return (call.leavesNoTrace !== true || call.readsUnseen === true) && OWN_QUERY.test(call.text);
}

/** Comments and brackets may stand in front. */
const OWN_QUERY =
  /^(?:\s|\(|--[^\n]*\n|\/\*(?:[^*]|\*(?!\/))*\*\/)*(?:select|with|values|table|insert|update|delete|merge|truncate|explain|copy)\b/i;
const OWN_WRITE = /^\s*(?:insert|update|delete|merge|with|truncate)\b/i;
