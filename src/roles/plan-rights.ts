import type { GrantDescription } from "../schema/index.ts";
import { quoteIdentifier } from "../sql/index.ts";
import { type Desired, desiredOn, desiredOnColumns } from "./desired.ts";
import type { Access, Holder, OwnedObject, Right } from "./model.ts";
import { granteeName, granteeSql, type Step } from "./step.ts";

/** Something that rights are on, as it is now and as it shall be. */
interface Target {
  /** As `grant … on` writes it: `table "tracker"."tasks"`. */
  readonly sql: string;
  /** For a reader: `table tracker.tasks`. */
  readonly object: string;
  readonly holder: Holder;
  readonly desired: Desired;
  readonly isAllowed: boolean;
  /** It has another owner than the owner role, and an earlier step changes that. */
  readonly changesOwner?: boolean;
  /** ` ("title")` behind each privilege. */
  readonly columns?: string;
  /** Grantees whose grant option is declared. */
  readonly mayHandOn?: ReadonlySet<string>;
  /** Given again though it is there, as an earlier step takes it. */
  readonly lost?: (grantee: string, privilege: string) => boolean;
}

/** The rights on the database, its schemas and everything in the application's. */
export function rightSteps(access: Access, declared: readonly GrantDescription[]): readonly Step[] {
  return [
    ...databaseSteps(access),
    ...schemaSteps(access),
    ...access.objects.flatMap((object) => objectSteps(access, object, declared)),
  ];
}

/** Whether the one who asks works with the owner's rights, or will while it works. */
export function actsAsOwner({ self }: Access): boolean {
  return self.isSuperuser || self.isOwnerMember || self.mayCreateRoles;
}

function databaseSteps(access: Access): readonly Step[] {
  const { database, databaseAccess, names } = access;
  const desired = new Map<string, ReadonlySet<string>>([
    ["", new Set<string>()],
    // Extensions and further schemas need `create`, what a migration sets aside `temporary`.
    [names.owner, new Set(["create", "temporary"])],
    ...[names.migrator, names.app, names.readOnly, names.backup, names.monitor].map(
      (name) => [name, new Set(["connect"])] as const,
    ),
  ]);
  return stepsOn(access, {
    sql: `database ${quoteIdentifier(database)}`,
    object: `database ${database}`,
    holder: databaseAccess,
    desired,
    isAllowed: databaseAccess.isOurs,
  });
}

function schemaSteps(access: Access): readonly Step[] {
  const { schemaName, names, home, publicSchema, self, databaseAccess } = access;
  const sql = `schema ${quoteIdentifier(schemaName)}`;
  const object = `schema ${schemaName}`;
  const isPublic = schemaName === "public";
  const steps: Step[] = [];
  if (home === undefined) {
    steps.push({
      rule: "schema-missing",
      level: "error",
      object,
      why: "it does not exist",
      statement: `create ${sql} authorization ${quoteIdentifier(names.owner)}`,
      isAllowed: self.mayCreateInDatabase || databaseAccess.isOurs,
    });
  } else if (!isPublic) steps.push(...ownerSteps(access, sql, object, home));
  const usage = new Set(["usage"]);
  const desired = new Map<string, ReadonlySet<string>>([
    ["", isPublic && home !== undefined ? everybodys(home) : new Set<string>()],
    // PostgreSQL's own `public` keeps its owner.
    ...(isPublic ? [[names.owner, new Set(["usage", "create"])] as const] : []),
    [names.app, usage],
    [names.readOnly, usage],
  ]);
  const changesOwner = home !== undefined && !isPublic && home.owner !== names.owner && isTaken(access, home);
  const holder = home ?? { owner: names.owner, isOurs: actsAsOwner(access), rights: [] };
  steps.push(
    ...stepsOn(access, {
      sql,
      object,
      holder,
      desired,
      isAllowed: holder.isOurs || isTaken(access, holder),
      changesOwner,
    }),
  );
  if (publicSchema !== undefined) {
    steps.push(
      ...stepsOn(access, {
        sql: "schema public",
        object: "schema public",
        holder: publicSchema,
        desired: new Map([["", everybodys(publicSchema)]]),
        isAllowed: publicSchema.isOurs,
      }),
    );
  }
  return steps;
}

/** What extensions have put into `public` may be used by everybody; where that was taken away it stays so. */
function everybodys({ rights }: Holder): ReadonlySet<string> {
  const own = rights.filter(({ grantee, privilege }) => grantee === "" && privilege === "usage");
  return new Set(own.map(({ privilege }) => privilege));
}

/** The objects come to the owner: an application that owns its tables is held by no policy and may drop them. */
function ownerSteps(access: Access, sql: string, object: string, { owner, isOurs }: Holder): readonly Step[] {
  const { names } = access;
  if (owner === names.owner) return [];
  return [
    {
      rule: "owner",
      level: "error",
      object,
      why: `it belongs to ${owner}`,
      statement: `alter ${sql} owner to ${quoteIdentifier(names.owner)}`,
      isAllowed: isOurs && actsAsOwner(access),
    },
  ];
}

/** Whether it is the owner's, now or after the step that gives it. */
function isTaken(access: Access, { owner, isOurs }: Holder): boolean {
  return (owner === access.names.owner || isOurs) && actsAsOwner(access);
}

function objectSteps(
  access: Access,
  object: OwnedObject,
  declared: readonly GrantDescription[],
): readonly Step[] {
  const { identity } = object;
  const alterKind = object.kind === "other" ? object.sqlKind : object.kind;
  const label = `${alterKind} ${identity}`;
  const sql = `${alterKind} ${identity}`;
  // A column's sequence goes with its table.
  const follows = object.kind === "sequence" && object.isOfColumn;
  const steps: Step[] = follows ? [] : [...ownerSteps(access, sql, label, object)];
  if (object.kind === "other") return steps;
  const isAllowed = isTaken(access, object);
  const mayHandOn = new Set(
    declared.flatMap((grant) => (grant.withGrantOption && grant.on.name === object.name ? grant.roles : [])),
  );
  const on = object.kind === "sequence" || object.kind === "routine" ? object.kind : "table";
  const desired = desiredOn(object, access.names, declared);
  const target = {
    changesOwner: isAllowed && object.owner !== access.names.owner,
    sql: `${on} ${identity}`,
    object: label,
    holder: object,
    desired,
    isAllowed,
    mayHandOn,
  };
  const whole = stepsOn(access, target);
  steps.push(...whole);
  if (on !== "table" || !("columns" in object)) return steps;
  const wanted = desiredOnColumns(object, declared);
  const names = new Set([...wanted.keys(), ...object.columns.map(({ name }) => name)]);
  for (const column of names) {
    const rights = object.columns.find(({ name }) => name === column)?.rights ?? [];
    steps.push(
      ...stepsOn(access, {
        ...target,
        object: `column ${identity}.${column}`,
        holder: { ...object, rights },
        desired: wanted.get(column) ?? new Map(),
        columns: ` (${quoteIdentifier(column)})`,
        // Taking a right on a table takes it from its columns as well.
        lost: (grantee, privilege) =>
          object.rights.some(
            (right) =>
              right.grantee === grantee &&
              right.privilege === privilege &&
              !desired.get(grantee)?.has(privilege),
          ),
      }),
    );
  }
  return steps;
}

/** Rights by grantee that have to be given or taken. Rights of roles that Plinth does not know are left alone. */
function stepsOn(access: Access, target: Target): readonly Step[] {
  const { names } = access;
  const { holder, desired, sql, object, isAllowed, columns = "", mayHandOn, lost } = target;
  const owner = holder.owner;
  const isSettled = !desired.has(names.owner) || holder.owner === names.owner;
  // What the owner role was given on something it owns, or is about to own, are its own rights by then.
  const known = ["", ...Object.values(names)].filter((name) => !isSettled || name !== names.owner);
  // The owner's own rights are no grants; what it has given changes hands with the object.
  const others = holder.rights.filter(({ grantee }) => grantee !== owner);
  const own = others.filter(({ grantor }) => grantor === owner);
  const list = (privileges: readonly string[]): string => privileges.map((one) => one + columns).join(", ");
  const base = { level: "error", object, isAllowed } as const;
  const steps: Step[] = [];
  const revoke = (grantee: string, privileges: readonly string[], why: string, option = ""): void => {
    if (privileges.length === 0) return;
    steps.push({
      ...base,
      rule: "right-excess",
      role: grantee,
      why: `${granteeName(grantee)} ${why} ${privileges.join(", ")}`,
      statement: `revoke ${option}${list(privileges)} on ${sql} from ${granteeSql(grantee)} cascade`,
    });
  };
  for (const grantee of known) {
    const wanted = desired.get(grantee);
    const excess = others.filter((right) => right.grantee === grantee && !wanted?.has(right.privilege));
    revoke(grantee, namesOf(excess.filter(({ grantor }) => grantor === owner)), "has");
    for (const grantor of new Set(excess.map((right) => right.grantor))) {
      // Only the one who gave it could take it back; so it loses the leave to give, and what it gave goes along.
      const given = grantor === owner ? [] : excess.filter((right) => right.grantor === grantor);
      revoke(grantor, namesOf(given), `gave ${granteeName(grantee)}`, "grant option for ");
    }
    if (mayHandOn?.has(granteeSql(grantee)) === true) continue;
    const handed = own.filter(
      (right) => right.grantee === grantee && right.isGrantable && wanted?.has(right.privilege) === true,
    );
    revoke(grantee, namesOf(handed), "may hand on", "grant option for ");
  }
  for (const [grantee, wanted] of desired) {
    // Who owned it until a step ago has nothing left.
    if (grantee === owner && target.changesOwner !== true) continue;
    const has = new Set(own.filter((right) => right.grantee === grantee).map(({ privilege }) => privilege));
    const missing = [...wanted].filter((one) => !has.has(one) || lost?.(grantee, one) === true);
    if (missing.length === 0) continue;
    steps.push({
      ...base,
      rule: "right-missing",
      role: grantee,
      why: `${granteeName(grantee)} lacks ${missing.join(", ")}`,
      statement: `grant ${list(missing)} on ${sql} to ${granteeSql(grantee)}`,
    });
  }
  return steps;
}

function namesOf(rights: readonly Right[]): readonly string[] {
  return [...new Set(rights.map(({ privilege }) => privilege))];
}
