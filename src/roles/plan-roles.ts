import { quoteIdentifier, quoteLiteral } from "../sql/index.ts";
import { type Attributes, desiredAttributes, desiredMemberships, desiredSettings } from "./desired.ts";
import type { Access, Membership, Role } from "./model.ts";
import { LOGIN_KINDS, ROLE_KINDS, type RoleKind } from "./names.ts";
import type { Step } from "./step.ts";

/** What makes the roles themselves right: that they are there, what they may, whom they belong to, their settings. */
export function roleSteps(access: Access): readonly Step[] {
  return [
    ...ROLE_KINDS.flatMap((kind) => attributeSteps(access, kind)),
    ...excessMemberships(access),
    ...missingMemberships(access),
    ...LOGIN_KINDS.flatMap((kind) => settingSteps(access, kind)),
  ];
}

const WORDS: readonly (readonly [keyof Attributes, string])[] = [
  ["isSuperuser", "superuser"],
  ["canLogin", "login"],
  ["inherits", "inherit"],
  ["createsRoles", "createrole"],
  ["createsDatabases", "createdb"],
  ["replicates", "replication"],
  ["bypassesRowSecurity", "bypassrls"],
];

function attributeSteps(access: Access, kind: RoleKind): readonly Step[] {
  const { self, roles, names } = access;
  const name = names[kind];
  const wanted = desiredAttributes(kind);
  const role = roles.find((one) => one.name === name);
  const base = { level: "error", object: `role ${name}`, role: name } as const;
  const word = (key: keyof Attributes, text: string): string => (wanted[key] ? text : `no${text}`);
  if (role === undefined) {
    // What only a superuser may give is a step of its own, which can be left.
    const words = WORDS.filter(
      ([key]) => key !== "bypassesRowSecurity" && key !== "isSuperuser" && key !== "replicates",
    );
    const create: Step = {
      ...base,
      rule: "role-missing",
      why: `the ${kind} role does not exist`,
      statement: `create role ${quoteIdentifier(name)} ${words.map(([key, text]) => word(key, text)).join(" ")}`,
      isAllowed: self.mayCreateRoles,
    };
    return wanted.bypassesRowSecurity ? [create, bypass(access, name)] : [create];
  }
  return WORDS.filter(([key]) => role[key] !== wanted[key]).map(([key, text]): Step => {
    if (key === "bypassesRowSecurity" && wanted[key]) return bypass(access, name);
    return {
      ...base,
      rule: "role-attribute",
      why: wanted[key] ? `it lacks ${text}` : excuse(key, text),
      statement: `alter role ${quoteIdentifier(name)} ${word(key, text)}`,
      isAllowed: key === "isSuperuser" || role.isSuperuser ? self.isSuperuser : self.mayCreateRoles,
    };
  });
}

function excuse(key: keyof Attributes, text: string): string {
  switch (key) {
    case "isSuperuser":
      return "it is a superuser: no right and no policy holds for it";
    case "bypassesRowSecurity":
      return "it has bypassrls: no policy holds for it";
    case "canLogin":
      return "somebody can log in as the owner of everything";
    default:
      return `it has ${text}, and needs it for nothing`;
  }
}

function bypass({ self, serverVersion }: Access, name: string): Step {
  return {
    rule: "role-attribute",
    level: "warning",
    object: `role ${name}`,
    role: name,
    why: "without bypassrls a dump fails at the first table with row security",
    statement: `alter role ${quoteIdentifier(name)} bypassrls`,
    // Since PostgreSQL 16 who has it and may create roles may give it on.
    isAllowed:
      self.isSuperuser || (serverVersion >= 160_000 && self.mayCreateRoles && self.bypassesRowSecurity),
  };
}

/** What one of the roles belongs to and must not. */
function excessMemberships({ memberships, names, self, serverVersion }: Access): readonly Step[] {
  const own = new Set(Object.values(names));
  const wanted = desiredMemberships(names);
  return memberships
    .filter(({ member }) => own.has(member))
    .flatMap((held): readonly Step[] => {
      const isWanted = wanted.some(({ member, role }) => member === held.member && role === held.role);
      if (isWanted && !held.hasAdmin) return [];
      const what = isWanted ? "admin option for " : "";
      const by = serverVersion >= 160_000 ? ` granted by ${quoteIdentifier(held.grantor)}` : "";
      return [
        {
          rule: "role-member",
          level: "error",
          object: `role ${held.member}`,
          role: held.member,
          why: isWanted ? `it may make others a member of ${held.role}` : `it has the rights of ${held.role}`,
          statement: `revoke ${what}${quoteIdentifier(held.role)} from ${quoteIdentifier(held.member)}${by} cascade`,
          isAllowed: self.isSuperuser || self.mayCreateRoles,
        },
      ];
    });
}

function missingMemberships(access: Access): readonly Step[] {
  const { memberships, names, self, serverVersion } = access;
  return desiredMemberships(names).flatMap(({ kind, member, role }): readonly Step[] => {
    const needsSet = kind === "migrator";
    const isThere = memberships.some(
      (held) => held.member === member && held.role === role && held.inherits && (held.maySet || !needsSet),
    );
    if (isThere) return [];
    const options = serverVersion >= 160_000 ? " with inherit true, set true" : "";
    return [
      {
        rule: "role-member",
        level: "error",
        object: `role ${member}`,
        role: member,
        why: `it is no member of ${role}`,
        statement: `grant ${quoteIdentifier(role)} to ${quoteIdentifier(member)}${options}`,
        isAllowed: role === names.owner ? self.mayCreateRoles : self.mayGrant.includes(role),
      },
    ];
  });
}

function settingSteps(
  { names, settings, database, self }: Access,
  kind: (typeof LOGIN_KINDS)[number],
): readonly Step[] {
  const name = names[kind];
  return desiredSettings(kind, names).flatMap((wanted): readonly Step[] => {
    const set = settings.filter((one) => one.role === name && one.name === wanted.name);
    // What is said for this database counts before what is said for all.
    const held = (set.find(({ isHere }) => isHere) ?? set[0])?.value;
    if (wanted.isFixed ? held === wanted.value : held !== undefined) return [];
    return [
      {
        rule: "role-setting",
        level: wanted.isFixed ? "error" : "warning",
        object: `role ${name}`,
        role: name,
        why: wanted.isFixed
          ? `its sessions do not begin as ${wanted.value}, so what it makes would be its own`
          : `its sessions begin without ${wanted.name}`,
        statement: `alter role ${quoteIdentifier(name)} in database ${quoteIdentifier(database)} set ${wanted.name} to ${quoteLiteral(wanted.value).trim()}`,
        isAllowed: self.mayCreateRoles,
      },
    ];
  });
}

/**
 * Who may create roles acts as the owner while it works, and no longer. Since PostgreSQL 16 whoever made a role may hand
 * it out, itself included, but has nothing of it.
 */
export function borrowing({
  self,
  names,
  serverVersion,
}: Access): { readonly take: string; readonly giveBack: string } | undefined {
  if (self.isSuperuser || self.isOwnerMember || !self.mayCreateRoles) return undefined;
  const [owner, name] = [quoteIdentifier(names.owner), quoteIdentifier(self.name)];
  const options = serverVersion >= 160_000 ? " with inherit true, set true" : "";
  return { take: `grant ${owner} to ${name}${options}`, giveBack: `revoke ${owner} from ${name}` };
}

/** Members of the owner role that are none of the roles, who can do anything to the tables. */
export function strangersIn({ memberships, names, self }: Access): readonly Membership[] {
  const own = new Set(Object.values(names));
  return memberships.filter(
    ({ role, member, inherits, maySet }) =>
      role === names.owner && !own.has(member) && member !== self.loginName && (inherits || maySet),
  );
}

/** @returns the names that no role has. */
export function missingRoles({ roles, names }: Access): ReadonlySet<string> {
  const there = new Set(roles.map(({ name }: Role) => name));
  return new Set(Object.values(names).filter((name) => !there.has(name)));
}
