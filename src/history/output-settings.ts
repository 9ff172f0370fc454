import type { ColumnDescription } from "../schema/index.ts";

const DATES = "datestyle = 'ISO'";
const ZONE = "timezone = 'UTC'";
const FLOATS = "extra_float_digits = 1";

/** Every setting of a session that changes how PostgreSQL writes a value. */
const ALL: readonly string[] = [DATES, "intervalstyle = 'postgres'", ZONE, FLOATS, "bytea_output = 'hex'"];

/** Those that matter to a type. What is not among these may be made of anything. */
const BY_TYPE: Readonly<Record<string, readonly string[]>> = {
  boolean: [],
  smallint: [],
  integer: [],
  bigint: [],
  numeric: [],
  text: [],
  varchar: [],
  bpchar: [],
  uuid: [],
  json: [],
  jsonb: [],
  inet: [],
  cidr: [],
  real: [FLOATS],
  "double precision": [FLOATS],
  bytea: ["bytea_output = 'hex'"],
  date: [DATES],
  interval: ["intervalstyle = 'postgres'"],
  timestamp: [DATES],
  "timestamp with time zone": [DATES, ZONE],
};

/**
 * What a function sets so that the same values are always the same text, whatever a session has set. Each setting costs
 * each write about a microsecond, so only those are there that one of the columns needs.
 */
export function settingsOf(columns: readonly ColumnDescription[]): readonly string[] {
  const needed = new Set(columns.flatMap(needs));
  return ALL.filter((setting) => needed.has(setting));
}

function needs({ kind, castType, item }: ColumnDescription): readonly string[] {
  if (item !== undefined) return needs(item);
  return kind === "enum" ? [] : (BY_TYPE[castType] ?? ALL);
}
