import { qualifiedName } from "../../sql/index.ts";

/**
 * Exists while `migrate dev` has taken the database somewhere its applied migrations do not lead. Beside the ledger, so
 * that it goes wherever the schema goes.
 */
export const DEV_TABLE = "plinth_dev";

export function createDev(schemaName: string): string {
  return `create table if not exists ${qualifiedName(schemaName, DEV_TABLE)} (
  reshaped_at timestamptz not null default now()
)`;
}

export function dropDev(schemaName: string): string {
  return `drop table if exists ${qualifiedName(schemaName, DEV_TABLE)}`;
}
