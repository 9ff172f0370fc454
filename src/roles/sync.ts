import { batchIndexOf, type Connection } from "../driver/index.ts";
import { ConfigError, isPlinthError, StatementError } from "../errors/index.ts";
import type { GrantDescription } from "../schema/index.ts";
import { quoteIdentifier, quoteLiteral } from "../sql/index.ts";
import type { Access } from "./model.ts";
import type { LoginKind, RoleNames } from "./names.ts";
import { LOGIN_KINDS } from "./names.ts";
import { planAccess } from "./plan.ts";
import { borrowing } from "./plan-roles.ts";
import { lockSync, selectPasswords } from "./queries.ts";
import { readAccess } from "./read.ts";
import { isPasswordOf, scramVerifier } from "./scram.ts";
import type { Step } from "./step.ts";

/** A password, and where it was found, for messages. */
export interface RolePassword {
  readonly password: string;
  /** `DATABASE_ROLES_APP_PASSWORD` */
  readonly source: string;
}

/** What is brought in order. */
export interface SyncRolesOptions {
  /** A session outside a transaction, of a superuser or a role that may create roles. */
  readonly connection: Connection;
  readonly schemaName: string;
  readonly names: RoleNames;
  /** What the schema declares with `app.grant`, and which is therefore no excess. @default none */
  readonly declared?: readonly GrantDescription[] | undefined;
  /** Set where they differ. Roles without one keep what they have; a new one has none, and cannot log in by password. */
  readonly passwords?: Partial<Record<LoginKind, RolePassword | undefined>> | undefined;
  /**
   * New tables come with their usual rights although a table has row security, so that a migration of a running program
   * needs no sync: for a developer's database, as a new partition is then open past its parent's policies until the next.
   *
   * @default false
   */
  readonly opensNewTables?: boolean | undefined;
  /** Reads and plans, and changes nothing. @default false */
  readonly dryRun?: boolean | undefined;
}

/** What a sync did, or would do. */
export interface SyncRolesResult {
  /** In the order they ran; empty when all was in order. In place of a password a remark. */
  readonly statements: readonly string[];
  /** What the role that asked may not do, to be run by one that may. */
  readonly left: readonly Step[];
}

/** How long an `alter table … owner to` waits for its lock before all is undone: others queue behind it. */
const LOCK_TIMEOUT_MS = 10_000;

/**
 * Brings roles, owners and rights of an application's schema to what `checkRoles` holds them to. What is right stays
 * untouched, so a second run does nothing. One transaction: all of it happens or none. Syncs of one database wait for each
 * other.
 *
 * Costs two round trips and one for the statements. Giving a table to another owner locks it as any `alter table` does.
 *
 * @throws {PERMISSION_DENIED} when roles are missing and the one who asks may create none.
 * @throws {LOCK_TIMEOUT} when a table that has another owner is in use for ten seconds. Nothing has happened then.
 * @throws {CONFIG_INVALID} when a name is that of the server's first role or of the one who asks, or a password cannot be set.
 *
 * @example
 * ```ts
 * const { statements, left } = await syncRoles({ connection, schemaName: "tracker", names: roleNames("tracker") });
 * // create role "tracker_owner" nologin inherit nocreaterole nocreatedb; …
 * ```
 */
export async function syncRoles(options: SyncRolesOptions): Promise<SyncRolesResult> {
  const { connection, schemaName, names, declared = [], passwords = {}, dryRun = false } = options;
  const { opensNewTables = false } = options;
  await connection.script(
    `begin; set local search_path to pg_catalog, pg_temp; set local lock_timeout to ${LOCK_TIMEOUT_MS}`,
  );
  try {
    if (!dryRun) await connection.query({ text: lockSync, values: [] });
    // Read committed: what a sync that was waited for has done is seen.
    const access = await readAccess(connection, schemaName, names);
    refuseOwnNames(access);
    const steps = [
      ...planAccess(access, declared, opensNewTables),
      ...(await passwordSteps(connection, access, passwords)),
    ];
    // A dry run may be somebody's who has the statements run by another.
    if (!dryRun) refuseHelpless(access, steps);
    const allowed = steps.filter(({ isAllowed }) => isAllowed);
    const borrowed = allowed.length === 0 ? undefined : borrowing(access);
    const statements = inOrder(allowed, borrowed);
    if (dryRun) await connection.script("rollback");
    else {
      await run(connection, statements);
      await connection.script("commit");
    }
    return {
      statements: statements.map(({ shown }) => shown),
      left: steps.filter(({ isAllowed }) => !isAllowed),
    };
  } catch (error) {
    if (connection.isOpen && connection.transactionStatus !== "idle") await connection.script("rollback");
    throw error;
  }
}

interface Statement {
  readonly sql: string;
  readonly shown: string;
}

/** What is borrowed is taken once the owner exists, and given back at the end. */
function inOrder(steps: readonly Step[], borrowed: ReturnType<typeof borrowing>): readonly Statement[] {
  const write = ({ statement, shownAs }: Step): Statement => ({
    sql: statement,
    shown: shownAs ?? statement,
  });
  if (borrowed === undefined) return steps.map(write);
  const asIs = (sql: string): Statement => ({ sql, shown: sql });
  const roles = steps.filter(({ rule }) => rule.startsWith("role-"));
  const rest = steps.filter(({ rule }) => !rule.startsWith("role-"));
  return [...roles.map(write), asIs(borrowed.take), ...rest.map(write), asIs(borrowed.giveBack)];
}

async function passwordSteps(
  connection: Connection,
  access: Access,
  passwords: SyncRolesOptions["passwords"] = {},
): Promise<readonly Step[]> {
  const given = LOGIN_KINDS.flatMap((kind) => {
    const one = passwords[kind];
    return one === undefined ? [] : [{ name: access.names[kind], ...one }];
  });
  if (given.length === 0) return [];
  const { self } = access;
  const held = new Map<string, string>();
  if (self.isSuperuser) {
    const values = [JSON.stringify(given.map(({ name }) => name))];
    const { rows } = await connection.query({ text: selectPasswords, values });
    for (const [name, verifier] of rows) held.set(name ?? "", verifier ?? "");
  }
  return given.flatMap(({ name, password, source }): readonly Step[] => {
    // Refuses what cannot be set, whether or not it is.
    const verifier = scramVerifier(password, source);
    if (isPasswordOf(held.get(name) ?? "", password)) return [];
    const role = quoteIdentifier(name);
    return [
      {
        rule: "password",
        level: "warning",
        object: `role ${name}`,
        role: name,
        why: `it has not the password of ${source}`,
        statement: `alter role ${role} password ${quoteLiteral(verifier).trim()}`,
        shownAs: `-- alter role ${role} password …, which ${source} holds; not shown`,
        isAllowed: self.mayCreateRoles,
      },
    ];
  });
}

/** @throws {CONFIG_INVALID} Taking the rights of whoever asks, or of the server's first role, ends in being locked out. */
function refuseOwnNames({ roles, names, self }: Access): void {
  for (const [kind, name] of Object.entries(names)) {
    const isFirst = roles.some((role) => role.name === name && role.isBootstrap);
    // The migrator, who works as the owner, may bring rights in order.
    const isSelf = name === self.loginName && (self.isSuperuser || kind !== "migrator");
    if (!isFirst && !isSelf) continue;
    throw new ConfigError(
      `the ${kind} role is called ${name}, which is ${isFirst ? "the server's first superuser" : "the role that asks"}`,
      {
        path: `roles.${kind}`,
        hint: "Give the role a name of its own in plinth.config.ts, or connect as another.",
      },
    );
  }
}

/** @throws {PERMISSION_DENIED} when nothing can be done for want of roles. */
function refuseHelpless({ self }: Access, steps: readonly Step[]): void {
  const missing = steps.filter(({ rule, isAllowed }) => rule === "role-missing" && !isAllowed);
  if (missing.length === 0) return;
  throw denied(
    `${missing.map(({ role }) => role).join(", ")} ${missing.length === 1 ? "is" : "are"} missing, and ${self.name} may not create roles`,
  );
}

function denied(message: string, cause?: unknown): StatementError {
  return new StatementError(
    "PERMISSION_DENIED",
    message,
    { sqlstate: "42501" },
    {
      hint: "Run it as a superuser, or as a role with createrole that made the roles: DATABASE_DIRECT_URL=postgres://admin@… plinth roles sync",
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

/** So many travel in one flight. */
const FLIGHT = 200;

async function run(connection: Connection, statements: readonly Statement[]): Promise<void> {
  for (let at = 0; at < statements.length; at += FLIGHT) {
    const flight = statements.slice(at, at + FLIGHT);
    try {
      await connection.batch(flight.map(({ sql }) => ({ text: sql, values: [] })));
    } catch (error) {
      if (!isPlinthError(error) || error.code !== "PERMISSION_DENIED") throw error;
      const failed = flight[batchIndexOf(error) ?? 0]?.shown ?? "";
      throw denied(`the server refused, so nothing was changed: ${failed}`, error);
    }
  }
}
