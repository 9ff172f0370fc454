import { appendFileSync } from "node:fs";

/**
 * With `PLINTH_TEST_POOLER=1` the whole suite runs behind a PgBouncer in transaction mode: databases that tests open
 * for an application's traffic connect through it; migrations, templates, clean-up and other clients do not.
 */
export function isPooledRun(): boolean {
  return process.env.PLINTH_TEST_POOLER_URL !== undefined;
}

/** A database of the run's server, by way of the run's pooler where there is one. */
export function throughPooler(url: string): string {
  const pooler = process.env.PLINTH_TEST_POOLER_URL;
  const server = process.env.PLINTH_TEST_URL;
  if (pooler === undefined || server === undefined) return url;
  const changed = new URL(url);
  if (changed.host !== new URL(server).host) return url;
  changed.host = new URL(pooler).host;
  return changed.href;
}

/**
 * For a test that is about a connection to the server itself: the options that open its database past the pooler.
 * The run counts them, and prints them at its end.
 *
 * @param why what the test looks at that a pooler hides
 */
export function directly(why: string): { readonly url?: string } {
  const { PLINTH_TEST_URL: url, PLINTH_TEST_DIRECT_LOG: log } = process.env;
  if (!isPooledRun() || url === undefined || log === undefined) return {};
  appendFileSync(log, `${why}\n`);
  return { url };
}
