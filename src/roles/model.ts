import type { RoleNames } from "./names.ts";

/** What `readAccess` finds: roles, rights and owners, as far as they concern one schema. */
export interface Access {
  readonly schemaName: string;
  readonly names: RoleNames;
  readonly database: string;
  /** As in `server_version_num`. */
  readonly serverVersion: number;
  readonly self: Self;
  /** Those of the names that exist. */
  readonly roles: readonly Role[];
  readonly memberships: readonly Membership[];
  readonly settings: readonly RoleSetting[];
  readonly databaseAccess: Holder;
  /** The application's schema; undefined before the first sync or migration. */
  readonly home: Holder | undefined;
  /** The schema `public`, where there is one and it is not home. */
  readonly publicSchema: Holder | undefined;
  readonly objects: readonly OwnedObject[];
  readonly defaults: readonly DefaultRights[];
}

/** Who asks, and what it may do. */
export interface Self {
  readonly name: string;
  /** As whom it logged in; another one where the role has `set role`. */
  readonly loginName: string;
  readonly isSuperuser: boolean;
  readonly mayCreateRoles: boolean;
  readonly bypassesRowSecurity: boolean;
  readonly mayCreateInDatabase: boolean;
  /** It acts as the owner role: inherits its rights, and may `set role`. */
  readonly isOwnerMember: boolean;
  /** Of PostgreSQL's own roles, those it may hand out. */
  readonly mayGrant: readonly string[];
}

export interface Role {
  readonly name: string;
  readonly isBootstrap: boolean;
  readonly isSuperuser: boolean;
  readonly canLogin: boolean;
  readonly inherits: boolean;
  readonly createsRoles: boolean;
  readonly createsDatabases: boolean;
  readonly replicates: boolean;
  readonly bypassesRowSecurity: boolean;
}

/** `member` is in `role`. Before PostgreSQL 16 every member inherits and may `set role`. */
export interface Membership {
  readonly role: string;
  readonly member: string;
  readonly grantor: string;
  readonly hasAdmin: boolean;
  readonly inherits: boolean;
  readonly maySet: boolean;
}

/** A setting a role begins its sessions with. */
export interface RoleSetting {
  readonly role: string;
  /** In this database; false: in all. */
  readonly isHere: boolean;
  readonly name: string;
  readonly value: string;
}

/** One right that somebody was given. */
export interface Right {
  /** Empty for PUBLIC. */
  readonly grantee: string;
  readonly grantor: string;
  /** In lower case. */
  readonly privilege: string;
  readonly isGrantable: boolean;
}

/** Something that has an owner and rights. */
export interface Holder {
  readonly owner: string;
  /** The one who asks has the owner's rights. */
  readonly isOurs: boolean;
  readonly rights: readonly Right[];
}

/** Something in the application's schema. */
export type OwnedObject = RelationObject | SequenceObject | RoutineObject | OtherObject;

interface ObjectBase extends Holder {
  /** Quoted and qualified, as statements write it: `tracker.tasks`, `tracker.touch(integer)`. */
  readonly identity: string;
  /** Without schema, as it is. */
  readonly name: string;
}

export interface RelationObject extends ObjectBase {
  readonly kind: "table" | "view" | "materialized view" | "foreign table";
  /** Part of a partitioned table, or it inherits from one, or is the history of one, whose policies it does not have. */
  readonly isPart: boolean;
  readonly hasRowSecurity: boolean;
  readonly forcesRowSecurity: boolean;
  /** A view that reads with the rights of whoever asks. */
  readonly isInvoker: boolean;
  /** What history keeps: nobody but its trigger writes there. */
  readonly isHistory: boolean;
  /** Tables with row security that a view reads, also by way of others. */
  readonly secured: readonly { readonly table: string; readonly isForced: boolean }[];
  readonly columns: readonly { readonly name: string; readonly rights: readonly Right[] }[];
}

export interface SequenceObject extends ObjectBase {
  readonly kind: "sequence";
  /** It belongs to a column, and has the owner of its table. */
  readonly isOfColumn: boolean;
}

export interface RoutineObject extends ObjectBase {
  readonly kind: "routine";
  readonly isDefiner: boolean;
  readonly hasSearchPath: boolean;
  readonly isTrigger: boolean;
}

/** It has an owner, and rights that are nobody's business here: a type, a collation, an operator. */
export interface OtherObject extends ObjectBase {
  readonly kind: "other";
  /** As `alter … owner to` calls it. */
  readonly sqlKind: string;
}

/** What a role's new objects come with. */
export interface DefaultRights {
  readonly maker: string;
  /** Only in the application's schema; false: everywhere. */
  readonly isHome: boolean;
  readonly on: "tables" | "sequences" | "functions";
  readonly isOurs: boolean;
  readonly rights: readonly Right[];
}
