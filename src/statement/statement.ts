import { fingerprint } from "../sql/index.ts";

/** Texts remembered with their names; a program has some hundreds, and past the limit the oldest is forgotten. */
export const STATEMENT_CACHE_LIMIT = 2_000;

const names = new Map<string, string>();

/**
 * The name a SQL text is prepared under on every connection: from its fingerprint, so that it is the same in every
 * process and shows in `pg_prepared_statements` as itself.
 */
export function statementName(text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  const name = `plinth_${fingerprint(text)}`;
  if (names.size >= STATEMENT_CACHE_LIMIT) {
    const [oldest] = names.keys();
    if (oldest !== undefined) names.delete(oldest);
  }
  names.set(text, name);
  return name;
}
