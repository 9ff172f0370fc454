import { getTableConfig, type PgPolicy, type PgTable } from "drizzle-orm/pg-core";
import { SchemaError } from "../../errors/index.ts";
import type { EntityDescription, PolicyDescription } from "../description.ts";
import { type AnyEntity, isEntity } from "../entity.ts";
import { describePolicy } from "./policy.ts";

/**
 * Policies that were linked to an entity from outside: `pgPolicy(…).link(tasks)`. Those among an entity's constraints
 * are its own already.
 *
 * @throws {SCHEMA_INVALID} for a policy that is exported and on no table: Drizzle would pass it over.
 */
export function linkedPolicies(
  policies: readonly PgPolicy[],
  tables: ReadonlyMap<AnyEntity, EntityDescription>,
): readonly PolicyDescription[] {
  if (policies.length === 0) return [];
  const own = new Set([...tables.keys()].flatMap(policiesOf));
  return policies.flatMap((policy) => {
    if (own.has(policy)) return [];
    const { _linkedTable: table } = policy as unknown as { readonly _linkedTable?: object };
    const entity = isEntity(table) ? tables.get(table) : undefined;
    if (entity !== undefined) return [describePolicy(policy, entity.schema, entity.name)];
    throw new SchemaError(`policy "${policy.name}" is on no entity of the schema module`, {
      hint: "Put it into the entity's constraints, or .link(entity) it to one that is exported.",
    });
  });
}

function policiesOf(table: AnyEntity): readonly PgPolicy[] {
  // An entity is a table of Drizzle's; its type keeps the columns apart.
  return getTableConfig(table as unknown as PgTable).policies;
}
