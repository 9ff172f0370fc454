import { randomBytes } from "node:crypto";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { type Connection, type ConnectionTarget, connect, parseTarget, retarget } from "../driver/index.ts";
import { quoteIdentifier, quoteLiteral } from "../sql/index.ts";
import {
  checkRoles,
  type RoleFinding,
  type RoleNames,
  roleNames,
  type SyncRolesOptions,
  syncRoles,
} from "./index.ts";

/** A database with a schema of its own and roles of its own names, as roles belong to the whole server. */
export interface Ground {
  readonly admin: Connection;
  readonly target: ConnectionTarget;
  readonly database: string;
  readonly schemaName: string;
  readonly names: RoleNames;
  sync(options?: Partial<SyncRolesOptions>): ReturnType<typeof syncRoles>;
  check(): Promise<readonly RoleFinding[]>;
  /** A session as one of the roles, with the password that `login` sets. */
  as(name: string): Promise<Connection>;
  /** Another role, dropped at the end. */
  role(attributes: string): Promise<string>;
  close(): Promise<void>;
}

const PASSWORD = "a pass'word\\ with $ things";

/** How a ground is made. */
export interface GroundOptions {
  /** What the schema's name begins with; something follows that makes it the test's own. @default "tracker" */
  readonly schemaStem?: string | undefined;
  /** What the names of the roles begin with. @default the schema's name */
  readonly prefix?: string | undefined;
  /** @default the one of the run, which lets everybody in without a password */
  readonly url?: string | undefined;
}

export async function openGround({
  schemaStem = "tracker",
  prefix,
  url,
}: GroundOptions = {}): Promise<Ground> {
  const server: TestServer = url === undefined ? await testServer() : { url, stop: async () => {} };
  const mark = randomBytes(4).toString("hex");
  const database = `roles_${mark}`;
  const keeper = await connect(parseTarget(server.url));
  await keeper.script(`create database ${database}`);
  const target = retarget(parseTarget(server.url), { database });
  const admin = await connect(target);
  const schemaName = `${schemaStem}_${mark}`;
  const names = roleNames(schemaName, prefix === undefined ? {} : { prefix: `${prefix}${mark}` });
  const others: string[] = [];
  const opened: Connection[] = [];
  const ground: Ground = {
    admin,
    target,
    database,
    schemaName,
    names,
    sync: (options = {}) => syncRoles({ connection: admin, schemaName, names, ...options }),
    check: () => checkRoles({ connection: admin, schemaName, names }),
    as: async (name) => {
      const role = quoteIdentifier(name);
      await keeper.script(`alter role ${role} password ${quoteLiteral(PASSWORD)}`);
      const connection = await connect(retarget(target, { user: name, password: PASSWORD }));
      opened.push(connection);
      return connection;
    },
    role: async (attributes) => {
      const name = `role_${mark}_${others.length}`;
      others.push(name);
      await keeper.script(`create role ${name} ${attributes}`);
      return name;
    },
    close: async () => {
      for (const connection of opened) await connection.close();
      await admin.close();
      await keeper.script(`drop database ${database} with (force)`);
      for (const name of [...Object.values(names).toReversed(), ...others.toReversed()]) {
        // What a role may do in the database `postgres` of the server is nobody's there.
        await keeper.script(`drop role if exists ${quoteIdentifier(name)}`);
      }
      await keeper.close();
      await server.stop();
    },
  };
  return ground;
}
