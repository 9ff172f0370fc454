import { type PgSchema, pgSchema } from "drizzle-orm/pg-core";
import { loadEnvironment } from "../config/index.ts";
import { SchemaError } from "../errors/index.ts";
import { IDENTIFIER_BYTES_LIMIT } from "../sql/index.ts";

/**
 * The PostgreSQL schema an application's tables live in; never `public`, whose tables every other application
 * in the database would share. The environment variable `DATABASE_SCHEMA` (or `.env` in the working directory)
 * overrides the name, so that one database can hold several copies (a preview per branch, say). It is read when the
 * schema file is imported.
 *
 * @throws {SCHEMA_INVALID} for `public`, `information_schema` and names that start with `pg_`.
 *
 * @example
 * ```ts
 * export const app = appSchema("tracker");
 * export const taskStatus = app.enum("task_status", ["pending", "done"]);
 * ```
 */
export function appSchema(name: string): PgSchema {
  const { environment } = loadEnvironment({ directories: [process.cwd()], environment: process.env });
  const chosen = environment.DATABASE_SCHEMA || name;
  if (
    chosen === "public" ||
    chosen === "information_schema" ||
    chosen === "plinth" ||
    chosen.startsWith("pg_")
  ) {
    throw new SchemaError(`${JSON.stringify(chosen)} cannot be an application's schema`, {
      hint: 'Give the application a schema of its own: appSchema("tracker").',
    });
  }
  if (!/^[a-z_][a-z0-9_$]*$/.test(chosen) || chosen.length > IDENTIFIER_BYTES_LIMIT) {
    throw new SchemaError(
      `the schema name ${JSON.stringify(chosen)} is not lower-case letters, digits and _ (63 at most)`,
      {
        hint: "Other names must be quoted in every tool; choose one that need not.",
      },
    );
  }
  return pgSchema(chosen);
}
