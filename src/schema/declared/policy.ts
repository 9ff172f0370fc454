import type { PgPolicy } from "drizzle-orm/pg-core";
import { quoteIdentifier } from "../../sql/index.ts";
import type { PolicyDescription } from "../description.ts";
import { renderBody } from "../drizzle-sql.ts";
import { rolesOf } from "./grant.ts";
import { commentOf } from "./notes.ts";
import { wordOf } from "./registry.ts";

/** Words in the place of a role: https://www.postgresql.org/docs/current/sql-createpolicy.html */
const ROLE_WORDS: readonly string[] = ["public", "current_role", "current_user", "session_user"];

/** A policy of Drizzle's. Columns keep their table's name, as there may be queries inside. Its roles exist already: they belong to the server. */
export function describePolicy(policy: PgPolicy, schema: string, table: string): PolicyDescription {
  const what = `policy "${policy.name}"`;
  return {
    table,
    name: policy.name,
    isPermissive:
      wordOf(what, "as", policy.as ?? "permissive", ["permissive", "restrictive"]) === "permissive",
    command: wordOf(what, "for", policy.for ?? "all", ["all", "select", "insert", "update", "delete"]),
    roles: rolesOf(policy.to ?? "public").map(roleSql),
    using: policy.using === undefined ? undefined : renderBody(policy.using, schema),
    check: policy.withCheck === undefined ? undefined : renderBody(policy.withCheck, schema),
    comment: commentOf(policy),
  };
}

/** A role as DDL writes it. */
export function roleSql(role: string): string {
  return ROLE_WORDS.includes(role) ? role : quoteIdentifier(role);
}
