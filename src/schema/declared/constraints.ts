import { is } from "drizzle-orm";
import {
  CheckBuilder,
  ForeignKeyBuilder,
  IndexBuilder,
  PgPolicy,
  type PgTableExtraConfigValue,
  PrimaryKeyBuilder,
  UniqueConstraintBuilder,
} from "drizzle-orm/pg-core";
import { SchemaError } from "../../errors/index.ts";

const FINISHED = [
  CheckBuilder,
  ForeignKeyBuilder,
  IndexBuilder,
  PgPolicy,
  PrimaryKeyBuilder,
  UniqueConstraintBuilder,
] as const;

/**
 * Drizzle passes over what it does not know: an `index("name")` without its `.on(…)` would never exist.
 *
 * @throws {SCHEMA_INVALID}
 */
export function refuseUnfinished(
  table: string,
  constraints: readonly PgTableExtraConfigValue[],
): readonly PgTableExtraConfigValue[] {
  if (!Array.isArray(constraints)) {
    throw new SchemaError(`constraints of "${table}" must give a list`, {
      hint: "constraints: (t) => [index().on(t.ownerId)].",
    });
  }
  for (const [i, constraint] of constraints.entries()) {
    if (FINISHED.some((kind) => is(constraint, kind))) continue;
    throw new SchemaError(`constraint ${i + 1} of "${table}" is no finished constraint of Drizzle`, {
      hint: "An index and a unique key name their columns: index().on(t.ownerId).",
    });
  }
  return constraints;
}
