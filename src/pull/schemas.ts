import type { Connection } from "../driver/index.ts";

/** Schemas with tables of their own, but for the server's and what belongs to an extension. */
const selectSchemasWithTables = `select n.nspname
from pg_catalog.pg_namespace as n
where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'drizzle')
  and exists (
    select from pg_catalog.pg_class as c
    where c.relnamespace = n.oid and c.relkind in ('r', 'p')
      and not exists (
        select from pg_catalog.pg_depend as d
        where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'))
order by n.nspname`;

/** Names of the schemas a pull may be of, in order: those that hold tables. One round trip. */
export async function listPullableSchemas(connection: Connection): Promise<readonly string[]> {
  const { rows } = await connection.query({ text: selectSchemasWithTables, values: [] });
  return rows.map(([name]) => name ?? "");
}
