import { randomBytes } from "node:crypto";
import { type Connection, type ConnectionTarget, connect } from "../driver/index.ts";
import { ROLE_KINDS, roleNames, securedTables, syncRoles } from "../roles/index.ts";
import { describeSchema } from "../schema/index.ts";
import { quoteIdentifier } from "../sql/index.ts";
import { schemaNameOf } from "./recipe.ts";

/** As whom the tests of a clone work. */
export interface TestRole {
  readonly name: string;
  readonly password: string;
}

/**
 * Makes the roles of a clone where its schema has row security: as a superuser a test would see every tenant's rows, and
 * prove nothing. They are named after the clone and end with it. Undefined where there is no row security.
 */
export async function makeTestRole(
  schema: Readonly<Record<string, unknown>>,
  clone: ConnectionTarget,
): Promise<TestRole | undefined> {
  const described = describeSchema(schema);
  if (securedTables(described).length === 0) return undefined;
  const schemaName = schemaNameOf(schema);
  const names = roleNames(schemaName, { prefix: clone.database });
  const password = randomBytes(18).toString("base64url");
  const declared = described.objects.filter((object) => object.kind === "grant");
  const passwords = { app: { password, source: "plinth/testing" } };
  const connection = await connect(clone);
  try {
    await syncRoles({ connection, schemaName, names, declared, passwords });
  } finally {
    await connection.close();
  }
  return { name: names.app, password };
}

/**
 * Drops the roles of clones that are gone, those of killed processes too. What they had in the server's other databases is
 * nothing, and their rights in the clone went with it.
 */
export async function dropTestRoles(keeper: Connection): Promise<void> {
  const { rows } = await keeper.query({ text: selectOrphanRoles, values: [] });
  for (const [name] of rows) {
    // Another process may be dropping it as well.
    await keeper.script(`drop role if exists ${quoteIdentifier(String(name))}`).catch(() => undefined);
  }
}

const selectOrphanRoles = `select r.rolname
from pg_catalog.pg_roles r
where r.rolname ~ '^plinth_test_[0-9a-f]{16}_(${ROLE_KINDS.join("|").toLowerCase()})$'
  and not exists (select from pg_catalog.pg_database d where d.datname = substr(r.rolname, 1, 28))
order by r.rolname`;
