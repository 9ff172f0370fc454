import { SchemaError, unknownName } from "../errors/index.ts";
import type { ColumnMarks } from "./marks.ts";

/**
 * Notes which property is the tenant. Of this entity alone: the same builder may be a plain column of another.
 *
 * @throws {SCHEMA_INVALID} for a property that is no column, and for one that has another purpose.
 */
export function markTenant(entityName: string, tenant: unknown, marks: Map<string, ColumnMarks>): void {
  const known = typeof tenant === "string" ? marks.get(tenant) : undefined;
  if (typeof tenant !== "string" || known === undefined) {
    throw new SchemaError(
      `tenant of "${entityName}": ${unknownName("column", String(tenant), [...marks.keys()])}`,
      { hint: 'Name the property that says whose row it is: tenant: "workspaceId".' },
    );
  }
  const { role, ...others } = known;
  if (role !== undefined) {
    throw new SchemaError(`"${tenant}" is the tenant of "${entityName}" and also its ${role}`, {
      hint: "Give the tenant a column of its own.",
    });
  }
  marks.set(tenant, { ...others, role: "tenant", writable: "never" });
}
