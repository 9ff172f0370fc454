import { connect, parseTarget } from "../driver/index.ts";
import type { GrantDescription } from "../schema/index.ts";
import type { LoginKind, RoleNames } from "./names.ts";
import { type RolePassword, type SyncRolesResult, syncRoles } from "./sync.ts";

/** `embeddedRoleUrl`, given by whoever has loaded the embedded server: production installs leave it out. */
type RoleUrl = (serverUrl: string, role: string) => string;

/** Where roles are made on an embedded server. */
export interface EmbeddedRolesOptions {
  /** The server's own URL, of its superuser. */
  readonly serverUrl: string;
  readonly roleUrl: RoleUrl;
  readonly schemaName: string;
  readonly names: RoleNames;
  readonly declared?: readonly GrantDescription[] | undefined;
}

/** The passwords of an embedded server's roles, which follow from the server's own. */
export function embeddedPasswords(
  serverUrl: string,
  roleUrl: RoleUrl,
  names: RoleNames,
): Readonly<Record<LoginKind, RolePassword>> {
  const of = (kind: LoginKind): RolePassword => ({
    password: new URL(roleUrl(serverUrl, names[kind])).password,
    source: ".plinth/password",
  });
  return {
    migrator: of("migrator"),
    app: of("app"),
    readOnly: of("readOnly"),
    backup: of("backup"),
    monitor: of("monitor"),
  };
}

/**
 * Makes the roles of a schema on an embedded server, with passwords that `roleUrl` knows: so that an application
 * with row security starts with nothing installed, as a role that policies hold for. One connection.
 */
export async function syncEmbeddedRoles(options: EmbeddedRolesOptions): Promise<SyncRolesResult> {
  const { serverUrl, roleUrl, schemaName, names, declared } = options;
  const connection = await connect(
    parseTarget(serverUrl, { applicationName: "plinth roles", statementTimeoutMs: 0 }),
  );
  try {
    const passwords = embeddedPasswords(serverUrl, roleUrl, names);
    return await syncRoles({ connection, schemaName, names, declared, passwords, opensNewTables: true });
  } finally {
    await connection.close();
  }
}
