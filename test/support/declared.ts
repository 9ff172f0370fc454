import { afterAll, beforeAll, onTestFinished } from "vitest";
import { BEHAVIOURS } from "../../src/behaviours.ts";
import { renderSchema, type SchemaSql } from "../../src/catalog/render.ts";
import { createDatabase, type Database } from "../../src/database.ts";
import { type Connection, connect, parseTarget } from "../../src/driver/index.ts";
import { securedTables } from "../../src/roles/index.ts";
import { describeSchema } from "../../src/schema/index.ts";
import { quoteIdentifier } from "../../src/sql/index.ts";
import { type TestServer, testServer } from "./server.ts";
import { onDatabase } from "./workshop.ts";

type Module = Record<string, unknown>;

/** A database of its own, made of what a module declares, one statement at a time as a migration has them. */
export interface DeclaredGround {
  readonly connection: Connection;
  readonly sql: SchemaSql;
  readonly url: string;
  /** The rows of one statement. */
  rows(text: string): Promise<readonly (readonly (string | null)[])[]>;
  /** Takes everything away again, and says what is left in the schema. */
  takeAway(): Promise<readonly string[]>;
}

export interface DeclaredGrounds {
  build<S extends Module>(schema: S): Promise<DeclaredGround>;
  open<S extends Module>(schema: S): Promise<DeclaredGround & { readonly db: Database<S> }>;
}

let made = 0;

/** Call it at the top of a test file. */
export function declaredGrounds(): DeclaredGrounds {
  let server: TestServer;
  let admin: Connection;
  beforeAll(async () => {
    server = await testServer();
    admin = await connect(parseTarget(server.url));
  });
  afterAll(async () => {
    await admin.close();
    await server.stop();
  });

  const build = async (schema: Module): Promise<DeclaredGround> => {
    const described = describeSchema(schema);
    const sql = renderSchema(described, BEHAVIOURS);
    const home = described.schemas[0] ?? "";
    const name = `declared_${process.pid}_${++made}`;
    await admin.script(`create database ${name}`);
    const url = onDatabase(server.url, name);
    const connection = await connect(parseTarget(url));
    onTestFinished(async () => {
      await connection.close();
      await admin.script(`drop database ${name} with (force)`);
    });
    for (const role of sql.roles) await makeRole(admin, role);
    const quoted = quoteIdentifier(home);
    await connection.script(`create schema ${quoted}; set search_path to ${quoted}`);
    // The extended protocol takes one statement: an item of two would fail here.
    for (const text of sql.up) await connection.query({ text, values: [] });
    return {
      connection,
      sql,
      url,
      rows: async (text) => (await connection.query({ text, values: [] })).rows,
      takeAway: async () => {
        for (const text of sql.down) await connection.query({ text, values: [] });
        return leftIn(connection, home);
      },
    };
  };

  /** A role of the ground's own, as a database with row security opens for no superuser. The policies' roles are its. */
  const asApplication = async ({ connection, sql, url, rows }: DeclaredGround): Promise<string> => {
    const [[role] = []] = await rows("select current_database() || '_app'");
    const [[home] = []] = await rows("select quote_ident(current_schema())");
    await connection.script(`create role ${role} login; grant usage on schema ${home} to ${role};
      grant all on all tables in schema ${home} to ${role}; grant all on all sequences in schema ${home} to ${role}`);
    for (const own of sql.roles) await connection.script(`grant ${quoteIdentifier(own)} to ${role}`);
    onTestFinished(async () => {
      await connection.script(`drop owned by ${role}; drop role ${role}`);
    });
    const target = new URL(url);
    target.username = String(role);
    target.password = "";
    return target.href;
  };

  return {
    build,
    open: async (schema) => {
      const ground = await build(schema);
      const url = isSecured(schema) ? await asApplication(ground) : ground.url;
      const db = await createDatabase({ schema, url });
      onTestFinished(() => db.close({ deadlineMs: 100 }));
      return { ...ground, db };
    },
  };
}

function isSecured(schema: Module): boolean {
  return securedTables(describeSchema(schema)).length > 0;
}

/** Roles belong to the server, which test files share. */
async function makeRole(admin: Connection, role: string): Promise<void> {
  await admin.script(`do $role$ begin create role ${quoteIdentifier(role)} nologin;
    exception when duplicate_object or unique_violation then null; end $role$`);
}

/** Everything that lies in a schema, and the extensions of the database. */
async function leftIn(connection: Connection, schema: string): Promise<readonly string[]> {
  const { rows } = await connection.query({
    text: `
select pg_describe_object(classid, objid, objsubid)
from (
  select 'pg_class'::regclass as classid, oid as objid, 0 as objsubid, relnamespace as space from pg_class
  union all select 'pg_type'::regclass, oid, 0, typnamespace from pg_type
  union all select 'pg_proc'::regclass, oid, 0, pronamespace from pg_proc
  union all select 'pg_constraint'::regclass, oid, 0, connamespace from pg_constraint
) o
where space = (select oid from pg_namespace where nspname = $1)
union all
select 'extension ' || extname from pg_extension where extname <> 'plpgsql'
order by 1`,
    values: [schema],
  });
  return rows.map(([what]) => what ?? "");
}
