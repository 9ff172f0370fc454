import type { Connection } from "../driver/index.ts";
import type { GrantDescription } from "../schema/index.ts";
import { quoteIdentifier } from "../sql/index.ts";
import { isDeclared, opensPolicies } from "./desired.ts";
import type { Access, RelationObject } from "./model.ts";
import type { RoleNames } from "./names.ts";
import { planAccess } from "./plan.ts";
import { missingRoles, strangersIn } from "./plan-roles.ts";
import { readAccess } from "./read.ts";
import { granteeSql, type RoleRule, type Step } from "./step.ts";

/** Something about roles or rights that is not as it shall be. */
export interface RoleFinding {
  readonly rule: RoleRule;
  readonly level: "error" | "warning";
  /** `role tracker_app`, `table tracker.tasks`. */
  readonly object: string;
  readonly why: string;
  /** SQL to paste, or what to do. */
  readonly fix: string;
}

/** What is looked at. */
export interface CheckRolesOptions {
  /** Any role may ask. Outside a transaction. */
  readonly connection: Connection;
  readonly schemaName: string;
  readonly names: RoleNames;
  /** What the schema declares with `app.grant`. @default none */
  readonly declared?: readonly GrantDescription[] | undefined;
  /** As the sync was told. @default false */
  readonly opensNewTables?: boolean | undefined;
}

/**
 * Compares roles, owners and rights of an application's schema with what each role needs, and tells what is missing and
 * what is too much; what opens a table with row security comes along, whoever made it. Writes nothing. Two round trips.
 *
 * @example
 * ```ts
 * const findings = await checkRoles({ connection, schemaName: "tracker", names: roleNames("tracker") });
 * findings[0]; // { rule: "right-excess", object: "table tracker.tasks", why: "tracker_app has truncate", fix: "revoke …" }
 * ```
 */
export async function checkRoles(options: CheckRolesOptions): Promise<readonly RoleFinding[]> {
  const { connection, schemaName, names, declared = [], opensNewTables = false } = options;
  await connection.script("begin read only; set local search_path to pg_catalog, pg_temp");
  try {
    const access = await readAccess(connection, schemaName, names);
    return findingsOf(access, declared, opensNewTables);
  } finally {
    if (connection.isOpen) await connection.script("rollback");
  }
}

/** What a sync would do, as findings, and what only people can decide. */
export function findingsOf(
  access: Access,
  declared: readonly GrantDescription[],
  opensNewTables: boolean,
): readonly RoleFinding[] {
  const missing = missingRoles(access);
  const isNews = ({ rule, role }: Step): boolean =>
    rule === "role-missing" || role === undefined || !missing.has(role);
  return [
    ...planAccess(access, declared, opensNewTables).filter(isNews).map(findingOf),
    ...strangersIn(access).map(
      ({ member, role }): RoleFinding => ({
        rule: "owner-member",
        level: "warning",
        object: `role ${member}`,
        why: `it is a member of ${role}, and so may change and drop every table`,
        fix: `revoke ${quoteIdentifier(role)} from ${quoteIdentifier(member)};`,
      }),
    ),
    ...unknownGrantees(access, declared),
    ...access.objects.flatMap((object): readonly RoleFinding[] => {
      if (object.kind === "routine") {
        if (!object.isDefiner || object.hasSearchPath) return [];
        return [
          {
            rule: "definer-search-path",
            level: "error",
            object: `routine ${object.identity}`,
            why: "it runs with its owner's rights on whatever the caller's search_path finds",
            fix: `alter routine ${object.identity} set search_path to pg_catalog, ${quoteIdentifier(access.schemaName)}, pg_temp;`,
          },
        ];
      }
      if (object.kind === "sequence" || object.kind === "other") return [];
      return [...viewFindings(object), ...forceFindings(object)];
    }),
  ];
}

/** The same finding for the program that shows it, wherever a step could not be run. */
export function findingOf({ rule, level, object, why, statement, shownAs }: Step): RoleFinding {
  return { rule, level, object, why, fix: `${shownAs ?? statement};` };
}

function viewFindings(object: RelationObject): readonly RoleFinding[] {
  const open = opensPolicies(object);
  if (open === undefined) return [];
  const isCopy = open.why === "copy";
  return [
    {
      rule: "view-past-policies",
      level: "error",
      object: `${object.kind} ${object.identity}`,
      why: isCopy
        ? `it is a copy of ${open.tables.join(", ")}, and no policy holds for the copy`
        : `it reads ${open.tables.join(", ")} as its owner, whom no policy holds for`,
      fix: isCopy
        ? "Read the tables instead, or keep the copy where only the owner reads it; the roles get no right on it."
        : `alter view ${object.identity} set (security_invoker = true);`,
    },
  ];
}

function forceFindings(object: RelationObject): readonly RoleFinding[] {
  const { identity, hasRowSecurity, forcesRowSecurity, isHistory } = object;
  // A history is written by a trigger that runs as its owner.
  if (!hasRowSecurity || forcesRowSecurity || isHistory) return [];
  return [
    {
      rule: "policies-not-forced",
      level: "warning",
      object: `table ${identity}`,
      why: "its policies do not hold for its owner, nor for functions and views that run as the owner",
      fix: `alter table ${identity} force row level security;`,
    },
  ];
}

/** Roles Plinth does not know with rights nobody declared: one finding each, so that a hundred tables are not a hundred. */
function unknownGrantees(
  { objects, names, home, schemaName }: Access,
  declared: readonly GrantDescription[],
): readonly RoleFinding[] {
  const known = new Set(["", ...Object.values(names)]);
  const found = new Map<string, string[]>();
  const note = (grantee: string, what: string): void => {
    const seen = found.get(grantee) ?? [];
    found.set(grantee, seen.includes(what) ? seen : [...seen, what]);
  };
  for (const { grantee } of home?.rights ?? []) {
    if (!known.has(grantee) && grantee !== home?.owner) note(grantee, `schema ${schemaName}`);
  }
  for (const object of objects) {
    const columns = "columns" in object ? object.columns.flatMap(({ rights }) => rights) : [];
    for (const { grantee } of [...object.rights, ...columns]) {
      if (known.has(grantee) || grantee === object.owner || isDeclared(object, grantee, declared)) continue;
      note(grantee, `${object.kind} ${object.identity}`);
    }
  }
  return [...found].map(([grantee, things]): RoleFinding => {
    const role = granteeSql(grantee);
    const schema = quoteIdentifier(schemaName);
    const kinds = ["tables", "sequences", "routines"].map(
      (kind) => `revoke all on all ${kind} in schema ${schema} from ${role};`,
    );
    return {
      rule: "unknown-grantee",
      level: "warning",
      object: `role ${grantee}`,
      why: `it has rights that nobody declared on ${things.slice(0, 3).join(", ")}${things.length > 3 ? ` and ${things.length - 3} more` : ""}`,
      fix: [...kinds, `revoke all on schema ${schema} from ${role};`].join(" "),
    };
  });
}
