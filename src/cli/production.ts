import type { ConnectionTarget } from "../driver/index.ts";

/** The flag with which a command that deletes may run in production: it names the database, so that it meets no other. */
export const ALLOW_PRODUCTION = [
  "--allow-production <database>",
  "run in production; names the database, to be sure that it is the one",
] as const;

/**
 * Whether the flag allows it.
 *
 * @throws {SAFETY_REFUSED} when it names another database than the one the command would work on.
 */
export async function allowsProduction(
  named: string | undefined,
  { database }: Pick<ConnectionTarget, "database">,
): Promise<boolean> {
  if (named === undefined || named === database) return named !== undefined;
  const { SafetyError } = await import("../errors/index.ts");
  throw new SafetyError(
    `--allow-production names ${JSON.stringify(named)}, but the database is ${JSON.stringify(database)}`,
    {
      hint: "Nothing was changed. Correct DATABASE_URL, or the name.",
    },
  );
}
