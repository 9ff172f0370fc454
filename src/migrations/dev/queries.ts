import { qualifiedName } from "../../sql/index.ts";

/**
 * Exists while `migrate dev` has taken the database somewhere its applied migrations do not lead. Beside the ledger, so
 * that it goes wherever the schema goes.
 */
export const DEV_TABLE = "plinth_dev";

export const selectDevExists = `select 1
from pg_catalog.pg_class
join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
where nspname = $1 and relname = '${DEV_TABLE}'`;

export function createDev(schemaName: string): string {
  return `create table if not exists ${qualifiedName(schemaName, DEV_TABLE)} (
  reshaped_at timestamptz not null default now()
)`;
}

export function dropDev(schemaName: string): string {
  return `drop table if exists ${qualifiedName(schemaName, DEV_TABLE)}`;
}
