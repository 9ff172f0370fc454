import { qualifiedName, quoteLiteral } from "../../sql/index.ts";

/** Where the data migrations under way are, beside the ledger. A row lives as long as its migration is unfinished. */
export const DATA_PROGRESS_TABLE = "plinth_data_progress";

/** Made before the first data migration runs; under the runners' lock, so nobody else is making it. */
export function createDataProgress(schemaName: string): string {
  return `create table if not exists ${qualifiedName(schemaName, DATA_PROGRESS_TABLE)} (
  version text primary key,
  direction text not null check (direction in ('up', 'down')),
  cursor jsonb,
  batches bigint not null default 0,
  rows bigint not null default 0,
  updated_at timestamptz not null default now()
)`;
}

export const selectDataProgressExists = `select 1
from pg_catalog.pg_class
join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
where nspname = $1 and relname = '${DATA_PROGRESS_TABLE}'`;

export function selectDataProgress(schemaName: string): string {
  return `select direction, cursor, batches, rows
from ${qualifiedName(schemaName, DATA_PROGRESS_TABLE)}
where version = $1`;
}

/** Rows done so far, of every data migration under way. */
export function selectAllDataProgress(schemaName: string): string {
  return `select version, rows\nfrom ${qualifiedName(schemaName, DATA_PROGRESS_TABLE)}`;
}

export function beginDataProgress(schemaName: string, version: string, direction: "up" | "down"): string {
  const table = qualifiedName(schemaName, DATA_PROGRESS_TABLE);
  return `insert into ${table} (version, direction)
values (${quoteLiteral(version)}, ${quoteLiteral(direction)})
on conflict (version) do update set
  direction = excluded.direction,
  cursor = null,
  batches = 0,
  rows = 0,
  updated_at = now()`;
}

/** Parameters: version, cursor as JSON or null, rows of this batch. */
export function advanceDataProgress(schemaName: string): string {
  return `update ${qualifiedName(schemaName, DATA_PROGRESS_TABLE)}
set cursor = $2::jsonb, batches = batches + 1, rows = rows + $3::int8, updated_at = now()
where version = $1`;
}

export function endDataProgress(schemaName: string, version: string): string {
  return `delete from ${qualifiedName(schemaName, DATA_PROGRESS_TABLE)}\nwhere version = ${quoteLiteral(version)}`;
}
