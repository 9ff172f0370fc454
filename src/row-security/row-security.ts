import { type Behaviour, type EntityDescription, tenantParameter } from "../schema/index.ts";
import type { Condition, Filter, Insert, TableReference, Write } from "../sql/index.ts";
import { rowSecurityObjects } from "./objects.ts";

const NAME = "tenant";

/**
 * A tenant sees and writes its own rows. Policies hold that for every role that row security binds (`objects.ts`). Every
 * statement of a repository says it as well: the planner then finds the rows by their key, which leads with the tenant,
 * and a role that bypasses policies gets the same rows.
 */
export const rowSecurityBehaviour: Behaviour = {
  name: NAME,
  appliesTo: ({ tenant }) => tenant !== undefined,
  objects: rowSecurityObjects,
  filter: ownRows,
  rewrite: keepToTenant,
};

function ownRows(entity: EntityDescription, table: TableReference): Condition | undefined {
  const { tenant } = entity;
  if (tenant === undefined) return undefined;
  return {
    kind: "comparison",
    operator: "=",
    left: { kind: "column", table, name: tenant.name },
    right: tenantParameter(entity),
  };
}

function keepToTenant(write: Write, entity: EntityDescription): Write {
  if (write.kind === "insert") return made(write, entity);
  if (write.kind === "update") return { ...write, filters: filtered(write.filters, entity, write.table) };
  return { ...write, filters: filtered(write.filters, entity, write.from) };
}

/** Whoever built the write has asked already, unless it is to meet rows that other behaviours hide. */
function filtered(
  filters: readonly Filter[],
  entity: EntityDescription,
  table: TableReference,
): readonly Filter[] {
  if (filters.some(({ addedBy }) => addedBy === NAME)) return filters;
  const condition = ownRows(entity, table);
  return condition === undefined ? filters : [...filters, { condition, addedBy: NAME }];
}

/** A new row is its maker's, and meets the keys of its own tenant's rows only. */
function made(insert: Insert, entity: EntityDescription): Insert {
  const { tenant } = entity;
  if (tenant === undefined) return insert;
  const { conflict } = insert;
  const columns = insert.columns.filter(({ name }) => name !== tenant.name);
  const meets =
    conflict === undefined || conflict.columns.length === 0 || conflict.columns.includes(tenant.name)
      ? conflict
      : { ...conflict, columns: [tenant.name, ...conflict.columns] };
  return {
    ...insert,
    columns: [
      { kind: "constant", name: tenant.name, value: tenantParameter(entity), addedBy: NAME },
      ...columns,
    ],
    conflict: meets,
  };
}
