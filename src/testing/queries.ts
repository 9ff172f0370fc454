import type { Connection } from "../driver/index.ts";
import { quoteIdentifier } from "../sql/index.ts";

/** What a template's content depends on besides the schema. One round trip. */
export async function selectServer(connection: Connection): Promise<readonly string[]> {
  const { rows } = await connection.query({
    // A clone's tables belong to the role that built the template, so each role has templates of its own.
    text: "select current_setting('server_version_num'), current_user",
    values: [],
  });
  return (rows[0] ?? []).map(String);
}

/** One round trip. */
export async function selectDatabaseExists(connection: Connection, name: string): Promise<boolean> {
  const { rows } = await connection.query({
    text: "select from pg_database where datname = $1",
    values: [name],
  });
  return rows.length > 0;
}

/** A built database becomes a template: in one step, so that there is never half a template of that name. */
export async function publishTemplate(connection: Connection, built: string, name: string): Promise<void> {
  // Nobody may connect: a session on a template makes cloning it fail.
  await connection.script(`alter database ${quoteIdentifier(built)} with allow_connections false`);
  await connection.script(`alter database ${quoteIdentifier(built)} rename to ${quoteIdentifier(name)}`);
}

/** This role's templates beyond the newest `keep`. One round trip. */
export async function selectOldTemplates(connection: Connection, keep: number): Promise<readonly string[]> {
  const { rows } = await connection.query({
    text: `select datname
from pg_database
where datname ~ '^plinth_template_[0-9a-f]{24}$' and pg_has_role(datdba, 'usage')
order by oid desc
offset $1`,
    values: [String(keep)],
  });
  return rows.map(([name]) => String(name));
}
