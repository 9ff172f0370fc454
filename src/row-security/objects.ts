import type { DatabaseObject, EntityDescription } from "../schema/index.ts";
import { quoteIdentifier } from "../sql/index.ts";

/** Whom the database was told of: nobody is null, which equals no tenant. After a transaction a session says "". */
const TOLD = "nullif(current_setting('plinth.tenant_id', true), '')";

/**
 * What a tenant's rows need in the database:
 *
 * - Row security, forced: it binds the table's owner too. Superusers and roles with BYPASSRLS it never binds.
 * - `<table>_tenant`: one policy for all commands. What is told is read in a subselect, so once for each statement and not
 *   for each row.
 * - The same of each partition, as a statement that names one meets that one's policies and not the whole table's.
 * - `<table>_history_tenant`, where there is a history: a row's changes are its tenant's. Not forced: the trigger that writes
 *   them runs as the owner, for whoever caused it.
 *
 * @see https://www.postgresql.org/docs/current/ddl-rowsecurity.html
 */
export function rowSecurityObjects(entity: EntityDescription): readonly DatabaseObject[] {
  const { tenant, history, name, partitioning } = entity;
  if (tenant === undefined) return [];
  const isOwn = `${quoteIdentifier(tenant.name)} = (select ${TOLD})::${tenant.castType}`;
  const tables = [name, ...(partitioning?.partitions ?? []).map((partition) => partition.name)];
  const pasts = history === undefined ? [] : [history.table, `${history.table}_default`];
  return [
    ...tables.flatMap((table) => [secured(entity, table, true), policy(entity, table, isOwn, isOwn)]),
    ...pasts.flatMap((table) => {
      const isOfOwn = ofOwnRows(tenant.castType);
      return [secured(entity, table, false), policy(entity, table, `row_key = '' or ${isOfOwn}`, isOfOwn)];
    }),
  ];
}

/**
 * A history knows a row by its key as text, which begins with the tenant: `(acme,` of a row `(acme,t1)`, or `("a b",` where
 * PostgreSQL quotes it. What the text up to that comma says is one tenant and no other. What is noted of the table as a
 * whole (a rename, when the history began) has no key, and is for everybody to read.
 */
function ofOwnRows(type: string): string {
  return `starts_with(row_key, (select left(row(${TOLD}::${type})::text, -1) || ','))`;
}

function secured({ schema }: EntityDescription, table: string, isForced: boolean): DatabaseObject {
  const alter = `alter table ${quoteIdentifier(table)}`;
  const [force, unforce] = isForced
    ? [", force row level security", ", no force row level security"]
    : ["", ""];
  return {
    kind: "row security",
    schema,
    name: table,
    table,
    create: `${alter} enable row level security${force}`,
    drop: `${alter} disable row level security${unforce}`,
  };
}

function policy({ schema }: EntityDescription, table: string, using: string, check: string): DatabaseObject {
  const [name, on] = [`${table}_tenant`, quoteIdentifier(table)];
  return {
    kind: "policy",
    schema,
    name,
    table,
    create: `create policy ${quoteIdentifier(name)} on ${on} for all to public\n  using (${using})\n  with check (${check})`,
    drop: `drop policy ${quoteIdentifier(name)} on ${on}`,
  };
}
