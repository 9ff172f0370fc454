import { StatementError } from "../errors/index.ts";

/** What a run throws when its signal was aborted. Everything up to there is recorded, so it can be run again. */
export function interrupted(during: string): StatementError {
  return new StatementError(
    "QUERY_CANCELED",
    `interrupted while ${during}`,
    { sqlstate: "57014" },
    { hint: "What was applied is recorded; run the command again to go on." },
  );
}
