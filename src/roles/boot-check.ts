import { connect, type Outcome, type StatementCall } from "../driver/index.ts";
import { ConnectionError } from "../errors/index.ts";
import type { EntityDescription, SchemaDescription } from "../schema/index.ts";

/** A table by its names in the database. */
export interface TableName {
  readonly schema: string;
  readonly name: string;
}

/**
 * The tables of a schema whose rows not everybody may see: those of a tenant, with their histories, and those that declare
 * row security or a policy.
 */
export function securedTables({ entities, policies }: SchemaDescription): readonly TableName[] {
  return entities
    .filter((entity) => requiresRowSecurity(entity, policies))
    .flatMap(({ schema, name, history }) => [
      { schema, name },
      ...(history === undefined ? [] : [{ schema, name: history.table }]),
    ]);
}

function requiresRowSecurity(entity: EntityDescription, policies: SchemaDescription["policies"]): boolean {
  return (
    entity.tenant !== undefined || entity.rowSecurity || policies.some(({ table }) => table === entity.name)
  );
}

/**
 * Opens connections, and refuses the first ones until one has shown that policies hold for it: for a process that does
 * not look when it starts. One round trip more, once.
 *
 * @throws {ROLE_UNSAFE} and what connecting throws.
 */
export function connectSafely(tables: readonly TableName[]): typeof connect {
  let isProven = false;
  return async (target, options) => {
    const connection = await connect(target, options);
    if (isProven) return connection;
    try {
      refuseUnsafeRole(await connection.query(policiesHold(tables)));
      isProven = true;
      return connection;
    } catch (error) {
      connection.destroy();
      throw error;
    }
  };
}

/**
 * Asks whether policies hold for the role of this session. One row: its name, whether it is a superuser and has
 * bypassrls, and which of the tables it owns whose policies are not forced on the owner. Whoever it may turn into with
 * `set role` counts as well: a policy that a statement can step around is none.
 *
 * @see https://www.postgresql.org/docs/current/ddl-rowsecurity.html
 */
export function policiesHold(tables: readonly TableName[]): StatementCall {
  return { text: selectPoliciesHold, values: [JSON.stringify(tables)], leavesNoTrace: true };
}

const selectPoliciesHold = `select r.rolname, r.rolsuper, r.rolbypassrls,
  (select pg_catalog.string_agg(pg_catalog.format('%I.%I', n.nspname, c.relname), ', ' order by n.nspname, c.relname)
    from pg_catalog.json_to_recordset($1::json) as t (schema text, name text)
    join pg_catalog.pg_namespace n on n.nspname = t.schema
    join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = t.name
    where not c.relforcerowsecurity and pg_catalog.pg_has_role(r.oid, c.relowner, 'MEMBER')),
  (select pg_catalog.string_agg(o.rolname, ', ' order by o.rolname) from pg_catalog.pg_roles o
    where (o.rolsuper or o.rolbypassrls) and o.oid <> r.oid and not r.rolsuper
      and pg_catalog.pg_has_role(r.oid, o.oid, case when pg_catalog.current_setting('server_version_num')::int >= 160000
        then 'SET' else 'MEMBER' end))
from pg_catalog.pg_roles r
where r.rolname = session_user`;

/**
 * Refuses a session that policies do not hold for.
 *
 * @throws {ROLE_UNSAFE} for a superuser, a role with bypassrls, the owner of a table whose policies are not forced, and
 * a role that may become one of them.
 */
export function refuseUnsafeRole(outcome: Outcome | undefined): void {
  const [name, superuser, bypasses, owned, becomes] = outcome?.rows[0] ?? [];
  const why = whyUnsafe(superuser === "t", bypasses === "t", owned ?? undefined, becomes ?? undefined);
  // No answer is no proof.
  if (name != null && why === undefined) return;
  throw new ConnectionError(
    "ROLE_UNSAFE",
    name == null
      ? "the server does not say which role this is, and the schema has tables with row security"
      : `the role ${name} ${why}, so row security would hide nothing from it`,
    {
      hint: "Connect as the role that plinth roles sync makes for the application (…_app): put it into DATABASE_URL, and the owner's or migrator's into DATABASE_DIRECT_URL.",
    },
  );
}

function whyUnsafe(
  isSuperuser: boolean,
  bypasses: boolean,
  owned: string | undefined,
  becomes: string | undefined,
): string | undefined {
  if (isSuperuser) return "is a superuser";
  if (bypasses) return "has bypassrls";
  if (owned !== undefined)
    return `has the rights of the owner of ${owned}, whose policies are not forced on the owner`;
  return becomes === undefined ? undefined : `may become ${becomes}, for whom no policy holds`;
}
