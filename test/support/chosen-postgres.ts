import { hasPostgres15 } from "./postgres.ts";

/** The servers a test run can be on: the one Plinth brings, and the oldest it supports. */
export type PostgresVersion = 15 | 18;

/** The version in `PLINTH_TEST_POSTGRES`, else 18. */
export function chosenPostgres(): PostgresVersion {
  const chosen = process.env.PLINTH_TEST_POSTGRES ?? "18";
  if (chosen === "15" || chosen === "18") return chosen === "15" ? 15 : 18;
  throw new Error(`PLINTH_TEST_POSTGRES is ${JSON.stringify(chosen)}; it may be 15 or 18`);
}

/**
 * True where the binaries of `version` are: npm brings 18, the system has to bring 15. Where they are missing CI
 * fails, and a laptop skips the run in plain sight.
 */
export function canRunOn(version: PostgresVersion): boolean {
  if (version === 18 || hasPostgres15()) return true;
  const advice = `PostgreSQL ${version} is not installed: run scripts/setup-system`;
  if (process.env.CI !== undefined && process.env.CI !== "") throw new Error(advice);
  process.stderr.write(`\n!! ${advice}\n!! SKIPPED: every test on PostgreSQL ${version}\n\n`);
  return false;
}
