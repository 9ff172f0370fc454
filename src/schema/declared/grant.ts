import { is } from "drizzle-orm";
import { isPgSequence, PgRole, type PgSequence, type PgView } from "drizzle-orm/pg-core";
import { SchemaError, unknownName } from "../../errors/index.ts";
import { type AnyEntity, declarationOf, isEntity } from "../entity.ts";
import { declare, declaredAs, refuseUnknownOptions } from "./registry.ts";

/** Which rights there are on what. `all` is what the server's version makes of it. */
const PRIVILEGES = {
  table: ["select", "insert", "update", "delete", "truncate", "references", "trigger", "maintain", "all"],
  column: ["select", "insert", "update", "references"],
  sequence: ["usage", "select", "update", "all"],
  routine: ["execute", "all"],
  type: ["usage", "all"],
  // What writes there is the recorder; nobody else may, whatever is granted.
  history: ["select"],
} as const;

export type GrantTargetKind = Exclude<keyof typeof PRIVILEGES, "column" | "history">;
export type Privilege = (typeof PRIVILEGES)[keyof typeof PRIVILEGES][number];

/** A role by name, or Drizzle's `pgRole("…").existing()`; `public` is everybody. */
export type RoleName = string | PgRole;

export interface GrantOptions {
  /** An entity, view, function, procedure, sequence or declared type. */
  readonly on: AnyEntity | PgView | PgSequence | object;
  readonly to: RoleName | readonly RoleName[];
  readonly privileges: readonly [Privilege, ...Privilege[]];
  /** Properties: the rights are on these columns only. @default the whole table */
  readonly columns?: readonly string[];
  /**
   * The right is on the entity's history instead: what `history`, `revert` and `asOf` read. It is no part of the right to
   * read the table, because no policy of the table hides what its rows were. Only `select`. @default false
   */
  readonly history?: boolean;
  /** The role may hand its rights on. @default false */
  readonly withGrantOption?: boolean;
}

declare const GRANT: unique symbol;

/** A declared grant. */
export interface Grant {
  readonly [GRANT]: true;
}

const OPTIONS = ["on", "to", "privileges", "columns", "history", "withGrantOption"];

export function declareGrant(app: { readonly schemaName: string }, options: GrantOptions): Grant {
  const { on, privileges, columns, history = false } = options;
  refuseUnknownOptions("grant", options, OPTIONS);
  const kind = targetKindOf(on);
  if (kind === undefined) {
    throw new SchemaError("grant: on is nothing that rights are granted on here", {
      hint: "It takes an entity, a view, a function, a procedure, a sequence or a type. Rights on the schema itself are set up once per database, with its roles.",
    });
  }
  if (columns !== undefined && !isEntity(on))
    throw new SchemaError("grant: only an entity has columns to name");
  if (history && (!isEntity(on) || declarationOf(on)?.history === undefined))
    throw new SchemaError("grant: only an entity that keeps a history has one to grant rights on");
  if (history && columns !== undefined)
    throw new SchemaError("grant: a right on a history is on all of it, so it names no columns");
  const allowed: readonly string[] =
    PRIVILEGES[history ? "history" : columns === undefined ? kind : "column"];
  if (privileges.length === 0)
    throw new SchemaError("grant: privileges is empty", { hint: `Allowed: ${allowed.join(", ")}.` });
  for (const privilege of privileges) {
    if (!allowed.includes(privilege)) {
      throw new SchemaError(
        `grant on a ${history ? "history" : kind}: ${unknownName("privilege", privilege, allowed)}`,
      );
    }
  }
  if (rolesOf(options.to).length === 0) throw new SchemaError("grant: to names no role");
  return declare(app, {}, { kind: "grant", name: "", options }) as Grant;
}

/** What kind of rights an object has; `undefined` for what has none, or is not of Plinth. */
export function targetKindOf(on: object): GrantTargetKind | undefined {
  if (isEntity(on)) return "table";
  if (isPgSequence(on)) return "sequence";
  switch (declaredAs(on)?.kind) {
    case "view":
    case "materialized view":
      return "table";
    case "function":
    case "procedure":
      return "routine";
    case "enum":
    case "domain":
    case "composite type":
      return "type";
    default:
      return undefined;
  }
}

/** @throws {SCHEMA_INVALID} for a role of Drizzle's that is to be created: roles belong to the server, not to a schema. */
export function rolesOf(to: unknown): readonly string[] {
  const roles: readonly unknown[] = Array.isArray(to) ? to : [to];
  return roles.flatMap((role) => {
    if (Array.isArray(role)) return rolesOf(role);
    if (typeof role === "string" && role !== "") return [role];
    if (is(role, PgRole)) {
      refuseNewRole(role);
      return [role.name];
    }
    throw new SchemaError("a role is a name or Drizzle's pgRole(name).existing()");
  });
}

/** @throws {SCHEMA_INVALID} unless the role says `.existing()`. */
export function refuseNewRole(role: PgRole): void {
  if ((role as unknown as { readonly _existing?: boolean })._existing === true) return;
  throw new SchemaError(
    `the role "${role.name}" would have to be created, and roles belong to the whole server`,
    {
      hint: `Create it once on each server, and declare it as pgRole("${role.name}").existing().`,
    },
  );
}
