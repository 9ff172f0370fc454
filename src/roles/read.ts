import type { Cell, Connection, StatementCall } from "../driver/index.ts";
import type {
  Access,
  DefaultRights,
  Holder,
  Membership,
  OwnedObject,
  RelationObject,
  Right,
  Role,
  RoleSetting,
  Self,
} from "./model.ts";
import type { RoleNames } from "./names.ts";
import {
  selectDatabase,
  selectDefaults,
  selectMemberships,
  selectOthers,
  selectRelations,
  selectRoles,
  selectRoutines,
  selectSchemas,
  selectSelf,
  selectSettings,
} from "./queries.ts";

type Row = readonly Cell[];

/**
 * Reads who may do what in an application's schema: its roles, their members and settings, owners and rights of
 * everything in it. One round trip; any role may ask. With `search_path` set to `pg_catalog`, so that types in the
 * names of functions are written in full.
 */
export async function readAccess(
  connection: Connection,
  schemaName: string,
  names: RoleNames,
): Promise<Access> {
  const all = [JSON.stringify(Object.values(names))];
  const call = (text: string, values: readonly string[]): StatementCall => ({ text, values });
  const answers = await connection.batch([
    call(selectSelf, [names.owner]),
    call(selectRoles, all),
    call(selectMemberships, all),
    call(selectSettings, all),
    call(selectDatabase, []),
    call(selectSchemas, [schemaName]),
    call(selectRelations, [schemaName]),
    call(selectRoutines, [schemaName]),
    call(selectOthers, [schemaName]),
    call(selectDefaults, [schemaName]),
  ]);
  const rows = (index: number): readonly Row[] => answers[index]?.rows ?? [];
  const [self = []] = rows(0);
  const schemas = rows(5);
  return {
    schemaName,
    names,
    serverVersion: Number(self[0]),
    database: text(self[1]),
    self: selfOf(self),
    roles: rows(1).map(roleOf),
    memberships: rows(2).map(membershipOf),
    settings: rows(3).map(settingOf),
    databaseAccess: holderOf(rows(4)[0] ?? [], 0),
    home: schemaOf(schemas, schemaName),
    publicSchema: schemaName === "public" ? undefined : schemaOf(schemas, "public"),
    objects: [...rows(6).map(relationOf), ...rows(7).map(routineOf), ...rows(8).map(otherOf)],
    defaults: rows(9).map(defaultsOf),
  };
}

function selfOf([
  ,
  ,
  name,
  loginName,
  superuser,
  createsRoles,
  bypasses,
  creates,
  member,
  grants,
]: Row): Self {
  return {
    name: text(name),
    loginName: text(loginName),
    isSuperuser: flag(superuser),
    mayCreateRoles: flag(superuser) || flag(createsRoles),
    bypassesRowSecurity: flag(bypasses),
    mayCreateInDatabase: flag(creates),
    isOwnerMember: flag(member),
    mayGrant: json<readonly string[]>(grants),
  };
}

function roleOf([
  name,
  bootstrap,
  superuser,
  login,
  inherits,
  roles,
  databases,
  replicates,
  bypasses,
]: Row): Role {
  return {
    name: text(name),
    isBootstrap: flag(bootstrap),
    isSuperuser: flag(superuser),
    canLogin: flag(login),
    inherits: flag(inherits),
    createsRoles: flag(roles),
    createsDatabases: flag(databases),
    replicates: flag(replicates),
    bypassesRowSecurity: flag(bypasses),
  };
}

function membershipOf([role, member, grantor, admin, inherits, maySet]: Row): Membership {
  return {
    role: text(role),
    member: text(member),
    grantor: text(grantor),
    hasAdmin: flag(admin),
    inherits: flag(inherits),
    maySet: flag(maySet),
  };
}

function settingOf([role, here, name, value]: Row): RoleSetting {
  return { role: text(role), isHere: flag(here), name: text(name), value: text(value) };
}

function schemaOf(rows: readonly Row[], name: string): Holder | undefined {
  const row = rows.find(([own]) => own === name);
  return row && holderOf(row, 1);
}

/** Owner, whether it is ours, and rights stand side by side. */
function holderOf(row: Row, at: number): Holder {
  return { owner: text(row[at]), isOurs: flag(row[at + 1]), rights: json<readonly Right[]>(row[at + 2]) };
}

const RELATION_KINDS: Readonly<Record<string, RelationObject["kind"]>> = {
  v: "view",
  m: "materialized view",
  f: "foreign table",
};

function relationOf(row: Row): OwnedObject {
  const [name, identity, kind, , , , part, secured, forced, invoker, history, reads, ofColumn, columns] = row;
  const base = { name: text(name), identity: text(identity), ...holderOf(row, 3) };
  if (kind === "S") return { kind: "sequence", ...base, isOfColumn: flag(ofColumn) };
  return {
    kind: RELATION_KINDS[text(kind)] ?? "table",
    ...base,
    isPart: flag(part),
    hasRowSecurity: flag(secured),
    forcesRowSecurity: flag(forced),
    isInvoker: flag(invoker),
    isHistory: flag(history),
    secured: json<RelationObject["secured"]>(reads),
    columns: json<RelationObject["columns"]>(columns),
  };
}

function routineOf(row: Row): OwnedObject {
  const [name, identity, , , , definer, path, trigger] = row;
  return {
    kind: "routine",
    name: text(name),
    identity: text(identity),
    ...holderOf(row, 2),
    isDefiner: flag(definer),
    hasSearchPath: flag(path),
    isTrigger: flag(trigger),
  };
}

function otherOf([sqlKind, identity, owner, ours]: Row): OwnedObject {
  return {
    kind: "other",
    name: text(identity),
    identity: text(identity),
    owner: text(owner),
    isOurs: flag(ours),
    rights: [],
    // The one word that `alter` does not take.
    sqlKind: text(sqlKind) === "statistics object" ? "statistics" : text(sqlKind),
  };
}

const MADE: Readonly<Record<string, DefaultRights["on"]>> = { r: "tables", S: "sequences", f: "functions" };

function defaultsOf([maker, home, on, ours, rights]: Row): DefaultRights {
  return {
    maker: text(maker),
    isHome: flag(home),
    on: MADE[text(on)] ?? "tables",
    isOurs: flag(ours),
    rights: json<readonly Right[]>(rights),
  };
}

function text(cell: Cell | undefined): string {
  return cell ?? "";
}

function flag(cell: Cell | undefined): boolean {
  return cell === "t";
}

/** What the queries of this folder have built themselves. */
function json<T>(cell: Cell | undefined): T {
  const value: T = JSON.parse(cell ?? "[]");
  return value;
}
