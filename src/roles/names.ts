import { ConfigError } from "../errors/index.ts";
import { IDENTIFIER_BYTES_LIMIT } from "../sql/index.ts";

/** The roles of one application schema, each for one kind of work. */
export const ROLE_KINDS = ["owner", "migrator", "app", "readOnly", "backup", "monitor"] as const;
export type RoleKind = (typeof ROLE_KINDS)[number];

/** The roles that log in; the owner never does. */
export const LOGIN_KINDS = ["migrator", "app", "readOnly", "backup", "monitor"] as const;
export type LoginKind = (typeof LOGIN_KINDS)[number];

/** The name of each role on the server. */
export type RoleNames = Readonly<Record<RoleKind, string>>;

/** What a project may say about the names: what they begin with, and whole names. */
export interface RoleNameOptions extends Partial<Record<RoleKind, string | undefined>> {
  /** @default the name of the schema */
  readonly prefix?: string | undefined;
}

const SUFFIXES: Readonly<Record<RoleKind, string>> = {
  owner: "owner",
  migrator: "migrator",
  app: "app",
  readOnly: "readonly",
  backup: "backup",
  monitor: "monitor",
};

/** PostgreSQL reserves these, whatever the case in which they are quoted. */
const RESERVED = /^(pg_.*|public|none|current_role|current_user|session_user|user)$/;

/**
 * The names of a schema's roles: `tracker_owner`, `tracker_migrator`, `tracker_app`, `tracker_readonly`,
 * `tracker_backup`, `tracker_monitor`. Roles belong to the whole server, so two databases with a schema of one name
 * share them unless a prefix tells them apart.
 *
 * @throws {CONFIG_INVALID} for a name that PostgreSQL would cut or refuses, and for one that two roles have.
 */
export function roleNames(schemaName: string, options: RoleNameOptions = {}): RoleNames {
  const { prefix = schemaName } = options;
  const nameOf = (kind: RoleKind): string => {
    const name = options[kind] ?? `${prefix}_${SUFFIXES[kind]}`;
    const wrong = problemOf(name);
    if (wrong === undefined) return name;
    throw new ConfigError(`the ${kind} role cannot be called ${JSON.stringify(name)}: ${wrong}`, {
      path: `roles.${kind}`,
      hint: `Name it in plinth.config.ts: roles: { ${kind}: "…" }, or all of them: roles: { prefix: "…" }.`,
    });
  };
  const all = {
    owner: nameOf("owner"),
    migrator: nameOf("migrator"),
    app: nameOf("app"),
    readOnly: nameOf("readOnly"),
    backup: nameOf("backup"),
    monitor: nameOf("monitor"),
  };
  for (const [index, kind] of ROLE_KINDS.entries()) {
    const twin = ROLE_KINDS.slice(0, index).find((other) => all[other] === all[kind]);
    if (twin === undefined) continue;
    throw new ConfigError(
      `the ${twin} role and the ${kind} role are both called ${JSON.stringify(all[kind])}`,
      {
        path: `roles.${kind}`,
        hint: "Each has rights the other must not have; give them different names.",
      },
    );
  }
  return Object.freeze(all);
}

/**
 * The names of the roles that there can be: none where they could not be called so. For whoever only has to leave their
 * rights out of a comparison.
 */
export function possibleRoles(schemaName: string, options: RoleNameOptions = {}): readonly string[] {
  try {
    return Object.values(roleNames(schemaName, options));
  } catch (error) {
    if (error instanceof ConfigError) return [];
    throw error;
  }
}

function problemOf(name: string): string | undefined {
  if (name === "" || name.includes("\0")) return "it is no name";
  if (RESERVED.test(name)) return "PostgreSQL keeps that name to itself";
  if (Buffer.byteLength(name) <= IDENTIFIER_BYTES_LIMIT) return undefined;
  return `it has more than ${IDENTIFIER_BYTES_LIMIT} bytes, and PostgreSQL would cut it`;
}
