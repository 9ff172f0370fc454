import { SchemaError, unknownName } from "../errors/index.ts";
import { IDENTIFIER_BYTES_LIMIT } from "../sql/index.ts";
import { refuseUnknownOptions } from "./declared/registry.ts";
import type { EntityDescription, HistoryDescription } from "./description.ts";
import type { HistoryRules } from "./history-rules.ts";

/** The longest name that is made from a history's own: that of a month's partition. */
const longestName = (table: string): string => `plinth_${table}_2026_11`;

/**
 * Reads what an entity declares of its history.
 *
 * @throws {SCHEMA_INVALID} for a column that is unknown or part of the key, a key that is secret, and a name that leaves
 * no room for the history's own.
 */
export function describeHistory(
  { name, columns, byKey, primaryKey }: Pick<EntityDescription, "name" | "columns" | "byKey" | "primaryKey">,
  rules: HistoryRules | true,
): HistoryDescription {
  const what = `history of "${name}"`;
  const { except = [] } = rules === true ? {} : rules;
  if (rules !== true) refuseUnknownOptions(what, rules, ["except"]);
  if (!Array.isArray(except)) throw new SchemaError(`${what}: except must be a list of properties`);
  for (const key of except) {
    if (byKey.has(key)) continue;
    throw new SchemaError(`${what}, except: ${unknownName("column", String(key), [...byKey.keys()])}`);
  }
  const concealed = columns.filter(({ key, marks }) => marks.secret === true || except.includes(key));
  const hiddenKey = primaryKey.columns.find((column) => concealed.includes(column));
  if (hiddenKey !== undefined) {
    throw new SchemaError(`${what}: "${hiddenKey.key}" tells which row it was, so it cannot be left out`, {
      hint: "Leave out other columns, or give the table a key that is no secret.",
    });
  }
  const table = `${name}_history`;
  const tooMany = Buffer.byteLength(longestName(table)) - IDENTIFIER_BYTES_LIMIT;
  if (tooMany > 0) {
    throw new SchemaError(`${what}: "${longestName(table)}" is longer than a name may be`, {
      hint: `Give the entity a name that is ${tooMany} ${tooMany === 1 ? "byte" : "bytes"} shorter.`,
    });
  }
  return { table, kept: columns.filter((column) => !concealed.includes(column)), concealed };
}
