import type { GrantDescription } from "../schema/index.ts";
import type { OwnedObject, RelationObject, Role } from "./model.ts";
import type { LoginKind, RoleKind, RoleNames } from "./names.ts";

/** Who shall have which rights on something: privileges by grantee, an empty one for PUBLIC. */
export type Desired = ReadonlyMap<string, ReadonlySet<string>>;

const ROWS = ["select", "insert", "update", "delete"];

/** Where the ledger is, which an application reads to know whether its migrations are applied. */
const LEDGER = "plinth_migrations";

/** A name that begins so is Plinth's own. */
const OWN = /^plinth_/;

/** The rights each role needs on one object. The owner has all; backup and monitor have theirs from PostgreSQL's roles. */
export function desiredOn(
  object: OwnedObject,
  names: RoleNames,
  declared: readonly GrantDescription[],
): Desired {
  const wanted = new Map<string, Set<string>>();
  const give = (grantee: string, privileges: readonly string[]): void => {
    const all = wanted.get(grantee) ?? new Set<string>();
    for (const privilege of privileges) all.add(privilege);
    wanted.set(grantee, all);
  };
  for (const [kind, privileges] of usual(object)) give(names[kind], privileges);
  for (const { grantee, grant } of grantsOn(object, declared)) {
    if (grant.columns.length === 0) give(grantee, expanded(grant.privileges, object));
  }
  return wanted;
}

/** Declared rights on single columns, by column and grantee. */
export function desiredOnColumns(
  object: RelationObject,
  declared: readonly GrantDescription[],
): ReadonlyMap<string, Desired> {
  const byColumn = new Map<string, Map<string, Set<string>>>();
  for (const { grantee, grant } of grantsOn(object, declared)) {
    for (const column of grant.columns) {
      const wanted = byColumn.get(column) ?? new Map<string, Set<string>>();
      byColumn.set(column, wanted);
      wanted.set(grantee, new Set([...(wanted.get(grantee) ?? []), ...grant.privileges]));
    }
  }
  return byColumn;
}

/** Whether a declared grant gives a right on an object, wholly or on columns, to a role Plinth does not know. */
export function isDeclared(
  object: OwnedObject,
  grantee: string,
  declared: readonly GrantDescription[],
): boolean {
  return grantsOn(object, declared).some((one) => one.grantee === grantee);
}

function usual(object: OwnedObject): readonly (readonly [RoleKind, readonly string[]])[] {
  switch (object.kind) {
    case "sequence":
      return OWN.test(object.name) ? [] : [["app", ["usage"]]];
    case "routine":
      // A trigger's function needs no right of whoever fires it.
      if (object.isTrigger) return [];
      // With its owner's rights a function may write, which whoever only reads must not.
      return object.isDefiner
        ? [["app", ["execute"]]]
        : [
            ["app", ["execute"]],
            ["readOnly", ["execute"]],
          ];
    case "other":
      return [];
    default:
      return onRelation(object);
  }
}

function onRelation(object: RelationObject): readonly (readonly [RoleKind, readonly string[]])[] {
  const readable = [
    ["app", ["select"]],
    ["readOnly", ["select"]],
  ] as const;
  // Whoever names a part meets the part's policies, which are none.
  if (object.isPart || opensPolicies(object) !== undefined) return [];
  if (object.name === LEDGER) return readable;
  if (OWN.test(object.name)) return [];
  if (object.isHistory || object.kind === "materialized view") return readable;
  if (object.kind === "view" && !object.isInvoker) return readable;
  return [
    ["app", ROWS],
    ["readOnly", ["select"]],
  ];
}

/**
 * How a view lets its readers past the policies of the tables it reads, if it does. One that reads as its owner does,
 * unless the policies hold for the owner as well.
 */
export function opensPolicies({
  kind,
  isInvoker,
  secured,
}: RelationObject): { readonly why: "copy" | "owner"; readonly tables: readonly string[] } | undefined {
  if (kind === "materialized view") {
    return secured.length === 0 ? undefined : { why: "copy", tables: secured.map(({ table }) => table) };
  }
  if (kind !== "view" || isInvoker) return undefined;
  const open = secured.filter(({ isForced }) => !isForced).map(({ table }) => table);
  return open.length === 0 ? undefined : { why: "owner", tables: open };
}

function grantsOn(
  object: OwnedObject,
  declared: readonly GrantDescription[],
): readonly { readonly grantee: string; readonly grant: GrantDescription }[] {
  return declared
    .filter(({ on }) => on.name === object.name && isKind(on.kind, object.kind))
    .flatMap((grant) =>
      grant.roles.flatMap((role) => {
        const grantee = granteeOf(role);
        return grantee === undefined ? [] : [{ grantee, grant }];
      }),
    );
}

function isKind(declared: GrantDescription["on"]["kind"], kind: OwnedObject["kind"]): boolean {
  if (declared === "function" || declared === "procedure") return kind === "routine";
  if (declared === "table") return kind !== "sequence" && kind !== "routine" && kind !== "other";
  return declared === kind;
}

/** Declared roles stand as DDL writes them. Who `current_user` was, only the migration that ran it knew. */
function granteeOf(role: string): string | undefined {
  if (role.startsWith('"')) return role.slice(1, -1).replaceAll('""', '"');
  return role.toLowerCase() === "public" ? "" : undefined;
}

function expanded(privileges: readonly string[], { kind }: OwnedObject): readonly string[] {
  if (!privileges.includes("all")) return privileges;
  if (kind === "sequence") return ["select", "update", "usage"];
  if (kind === "routine") return ["execute"];
  return [...ROWS, "truncate", "references", "trigger"];
}

/** What a role is like. */
export interface Attributes extends Omit<Role, "name" | "isBootstrap"> {}

/**
 * All but one may do nothing special. A dump of tables with row security fails for a role that policies hold for, so the
 * backup bypasses them; it does not replicate, as a base backup holds every database of the server and its passwords.
 */
export function desiredAttributes(kind: RoleKind): Attributes {
  return {
    isSuperuser: false,
    canLogin: kind !== "owner",
    inherits: true,
    createsRoles: false,
    createsDatabases: false,
    replicates: false,
    bypassesRowSecurity: kind === "backup",
  };
}

/** Which role is in which. */
export function desiredMemberships(
  names: RoleNames,
): readonly { readonly kind: LoginKind; readonly member: string; readonly role: string }[] {
  return [
    { kind: "migrator", member: names.migrator, role: names.owner },
    { kind: "backup", member: names.backup, role: "pg_read_all_data" },
    { kind: "monitor", member: names.monitor, role: "pg_monitor" },
  ];
}

/** A setting that a role begins its sessions with, in this database. */
export interface DesiredSetting {
  readonly name: string;
  readonly value: string;
  /** Another value is no opinion but a fault. */
  readonly isFixed: boolean;
}

/**
 * What the migrator makes shall be the owner's, so its sessions are the owner's from the start. Time-outs are a floor for
 * programs that bring none: a value that somebody has chosen stays.
 */
export function desiredSettings(kind: LoginKind, names: RoleNames): readonly DesiredSetting[] {
  const usually = (name: string, value: string): DesiredSetting => ({ name, value, isFixed: false });
  const readsOnly = usually("default_transaction_read_only", "on");
  switch (kind) {
    case "migrator":
      return [{ name: "role", value: names.owner, isFixed: true }, usually("lock_timeout", "5s")];
    case "app":
      return [
        usually("statement_timeout", "30s"),
        usually("lock_timeout", "10s"),
        usually("idle_in_transaction_session_timeout", "60s"),
      ];
    case "readOnly":
      return [
        readsOnly,
        usually("statement_timeout", "60s"),
        usually("lock_timeout", "10s"),
        usually("idle_in_transaction_session_timeout", "60s"),
      ];
    case "backup":
      return [readsOnly];
    case "monitor":
      return [readsOnly, usually("statement_timeout", "15s"), usually("lock_timeout", "2s")];
  }
}
