import { HistoryUnknownError, type ServerErrorFields, type ServerErrorSecrets } from "./classes.ts";

/** PostgreSQL leaves classes that begin with P to others, but for its own P0. */
export const HISTORY_UNKNOWN_SQLSTATE = "PH001";

/** `prune 2026-11-01T00:00:00.000000Z`; anything else is nobody's answer. Only what fits goes into a message. */
const BOUND = /^(begin|prune) (\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)$/;

/** What the function that guards a past says, as an error: from when on the past of a table is known. */
export function historyUnknown(
  detail: string | undefined,
  fields: ServerErrorFields,
  secrets: ServerErrorSecrets,
): HistoryUnknownError {
  const [, kind, since] = BOUND.exec(detail ?? "") ?? [];
  const table = fields.table === undefined ? "the table" : JSON.stringify(fields.table);
  if (since === undefined) {
    return new HistoryUnknownError(
      `nothing says when the history of ${table} began, so no moment of its past can be vouched for [${fields.sqlstate}]`,
      fields,
      {
        secrets,
        hint: "plinth history prepare notes that it begins now; changes have been recorded all the same.",
      },
    );
  }
  const what =
    kind === "prune"
      ? `the past of ${table} was pruned up to ${since}`
      : `the history of ${table} began at ${since}`;
  return new HistoryUnknownError(
    `${what}, and an earlier moment was asked for [${fields.sqlstate}]`,
    fields,
    {
      secrets,
      since,
      hint: "Ask for that moment, which is in error.knownSince, or for a later one.",
    },
  );
}
