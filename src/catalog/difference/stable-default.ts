import type { RoutineObject } from "../model.ts";
import type { Side } from "./sides.ts";

/** Functions of the server that give one value for a whole statement, as defaults use them. */
const STABLE: ReadonlySet<string> = new Set([
  "now",
  "transaction_timestamp",
  "statement_timestamp",
  "timezone",
  "date_trunc",
  "current_setting",
  "current_schema",
  "current_database",
  "array",
  "row",
  "coalesce",
  "nullif",
  "greatest",
  "least",
  "cast",
  "to_char",
  "to_date",
  "to_timestamp",
  "make_interval",
  "make_date",
  "date_part",
  "extract",
  "lower",
  "upper",
  "concat",
  "abs",
  "round",
  "floor",
  "ceil",
  "jsonb_build_object",
  "jsonb_build_array",
  "json_build_object",
  "json_build_array",
  "to_jsonb",
  "numeric",
  "varchar",
  "bit",
  "char",
  "character",
  "varying",
  "interval",
  "time",
  "timestamp",
  "in",
  "and",
  "or",
  "not",
  "any",
]);

/**
 * True for a default that is the same for every row, so that the server need not write the rows to add it. What it
 * does not know it takes for volatile: that costs a few statements more, never a rewrite.
 *
 * @see https://www.postgresql.org/docs/current/sql-altertable.html
 */
export function isStableDefault(expression: string, side: Side): boolean {
  const bare = expression.replaceAll(/'(?:[^']|'')*'/g, "''");
  const calls = bare.matchAll(/((?:"(?:[^"]|"")*"|[\w$]+)(?:\.(?:"(?:[^"]|"")*"|[\w$]+))*)\s*\(/g);
  for (const [, name = ""] of calls) {
    if (STABLE.has(name.toLowerCase())) continue;
    if (!isOwnStable(name, side)) return false;
  }
  return true;
}

function isOwnStable(name: string, side: Side): boolean {
  const routines = [...side.objects.values()].filter(
    (object): object is RoutineObject =>
      object.kind === "function" && object.id.startsWith(`function ${name}(`),
  );
  return (
    routines.length > 0 &&
    routines.every(({ definition }) => /^\s.*\b(IMMUTABLE|STABLE)\b/im.test(definition))
  );
}
