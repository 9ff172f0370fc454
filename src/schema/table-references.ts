import { is, SQL } from "drizzle-orm";
import type { getTableConfig } from "drizzle-orm/pg-core";
import { dependencyIds, objectIds } from "./declared/object-id.ts";
import { typeObjectsOf } from "./declared/type-of-column.ts";
import type { ObjectId } from "./description.ts";
import { clausesOf } from "./drizzle-columns.ts";
import { referencesOf } from "./drizzle-sql.ts";

type TableConfig = ReturnType<typeof getTableConfig>;

/** What a table is made of and its SQL mentions: types, and names in defaults, checks, indexes and policies. */
export function referencesOfTable(config: TableConfig, dependsOn: readonly object[]): readonly object[] {
  const { columns, indexes, policies } = config;
  const later = [
    ...indexes.flatMap((index) => [...index.config.columns, index.config.where]),
    ...policies.flatMap((policy) => [policy.using, policy.withCheck]),
  ];
  return [
    ...mentionedIn(later, new Set([...needsOf(config), ...dependsOn, ...columns.flatMap(typeObjectsOf)])),
  ];
}

/**
 * What must be there before the table. A default or a check cannot use another table, so a relation in one is the
 * table itself; an index and a policy come later.
 */
export function idsNeededBy(
  config: TableConfig,
  schema: string,
  dependsOn: readonly object[],
): readonly ObjectId[] {
  const types = config.columns.flatMap(typeObjectsOf);
  const mentioned = objectIds([...needsOf(config), ...types], schema).filter(
    (id) => !id.startsWith("relation "),
  );
  return [...new Set([...mentioned, ...dependencyIds(`entity "${config.name}"`, dependsOn, schema)])];
}

function needsOf({ columns, checks }: TableConfig): ReadonlySet<object> {
  return mentionedIn([...columns.flatMap(clausesOf), ...checks.map((check) => check.value)], new Set());
}

function mentionedIn(clauses: readonly unknown[], found: Set<object>): Set<object> {
  for (const clause of clauses) if (is(clause, SQL)) referencesOf(clause, found);
  return found;
}
