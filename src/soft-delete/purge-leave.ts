/**
 * The leave to delete for good: a setting of the transaction that the triggers look for. `on` is a person's, and holds
 * until the transaction ends; the moment at which the statement began is a repository's, and holds for that statement
 * alone, as no other one begins then. Anybody may set either: it guards against accidents, not against the owner of the
 * data, who could as well disable the trigger.
 */
const SETTING = "plinth.purging";
/** Of one text whatever the session's time zone and date style are. */
const THIS_STATEMENT = "extract(epoch from statement_timestamp())::text";

/** True where the leave was given. */
export const HAS_LEAVE = `current_setting('${SETTING}', true) in ('on', ${THIS_STATEMENT})`;

/** Gives it to the statement that it stands in; true. A subselect is run once, before any row is looked at. */
export const TAKES_LEAVE = `(select set_config('${SETTING}', ${THIS_STATEMENT}, true)) is not null`;

/** As a person gives it. */
export const LEAVE_BY_HAND = `set local ${SETTING} = 'on'`;
