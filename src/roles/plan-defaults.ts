import { quoteIdentifier } from "../sql/index.ts";
import type { Access, DefaultRights } from "./model.ts";
import { actsAsOwner } from "./plan-rights.ts";
import { granteeName, granteeSql, type Step } from "./step.ts";

/** Rights that new objects come with: on what, where, for whom. */
interface Wanted {
  readonly on: DefaultRights["on"];
  readonly grantee: string;
  readonly privileges: readonly string[];
}

/**
 * What the owner makes later comes with the rights that a sync would give. Tables do not where one has row security: a new
 * partition would be open past its parent's policies, so there the next sync gives them.
 */
export function defaultSteps(access: Access, opensNewTables: boolean): readonly Step[] {
  const { names, defaults } = access;
  const isSecured = access.objects.some((object) => "hasRowSecurity" in object && object.hasRowSecurity);
  const tables: readonly Wanted[] = [
    { on: "tables", grantee: names.app, privileges: ["select", "insert", "update", "delete"] },
    { on: "tables", grantee: names.readOnly, privileges: ["select"] },
  ];
  const wanted: readonly Wanted[] = [
    ...(isSecured && !opensNewTables ? [] : tables),
    { on: "sequences", grantee: names.app, privileges: ["usage"] },
    { on: "functions", grantee: names.app, privileges: ["execute"] },
  ];
  return [
    ...everybodysFunctions(access),
    ...defaults.flatMap((one) => excess(access, one, wanted)),
    ...wanted.flatMap((one) => missing(access, one)),
  ];
}

/** Everybody may execute a new function unless the owner says otherwise for all schemas. */
function everybodysFunctions(access: Access): readonly Step[] {
  const { names, defaults } = access;
  const said = defaults.find(
    ({ maker, isHome, on }) => maker === names.owner && !isHome && on === "functions",
  );
  if (said !== undefined) return [];
  return [
    {
      ...baseOf(access, names.owner, false, "functions"),
      role: names.owner,
      why: "everybody (PUBLIC) may execute each new function",
      statement: statement(access, names.owner, false, "revoke execute on functions from public"),
      isAllowed: actsAsOwner(access),
    },
  ];
}

function excess(access: Access, one: DefaultRights, wanted: readonly Wanted[]): readonly Step[] {
  const { names } = access;
  const { maker, isHome, on, rights } = one;
  const isOwners = maker === names.owner;
  const known = new Set(Object.values(names));
  const grantees = new Set(rights.map(({ grantee }) => grantee));
  return [...grantees].flatMap((grantee): readonly Step[] => {
    // For what others make elsewhere, everybody's rights are their own affair.
    const isOurs = grantee === "" ? isOwners || isHome : known.has(grantee);
    if (grantee === maker || !isOurs) return [];
    const kept =
      isOwners && isHome ? wanted.find((want) => want.on === on && want.grantee === grantee)?.privileges : [];
    const surplus = rights
      .filter((right) => right.grantee === grantee && (right.isGrantable || !kept?.includes(right.privilege)))
      .map(({ privilege }) => privilege);
    if (surplus.length === 0) return [];
    return [
      {
        ...baseOf(access, maker, isHome, on),
        role: grantee,
        why: `${granteeName(grantee)} gets ${surplus.join(", ")} on new ${on} of ${maker}`,
        statement: statement(
          access,
          maker,
          isHome,
          `revoke ${surplus.join(", ")} on ${on} from ${granteeSql(grantee)} cascade`,
        ),
        isAllowed: isOwners ? actsAsOwner(access) : one.isOurs,
      },
    ];
  });
}

function missing(access: Access, { on, grantee, privileges }: Wanted): readonly Step[] {
  const { names, defaults } = access;
  const said = defaults.find((one) => one.maker === names.owner && one.isHome && one.on === on);
  const has = (privilege: string): boolean =>
    said?.rights.some(
      (right) => right.grantee === grantee && right.privilege === privilege && !right.isGrantable,
    ) === true;
  const lacking = privileges.filter((privilege) => !has(privilege));
  if (lacking.length === 0) return [];
  return [
    {
      ...baseOf(access, names.owner, true, on),
      role: grantee,
      why: `${grantee} gets no ${lacking.join(", ")} on new ${on}`,
      statement: statement(
        access,
        names.owner,
        true,
        `grant ${lacking.join(", ")} on ${on} to ${granteeSql(grantee)}`,
      ),
      isAllowed: actsAsOwner(access),
    },
  ];
}

function baseOf({ schemaName }: Access, maker: string, isHome: boolean, on: string) {
  const where = isHome ? ` in schema ${schemaName}` : "";
  return { rule: "default-rights", level: "error", object: `new ${on} of ${maker}${where}` } as const;
}

function statement({ schemaName }: Access, maker: string, isHome: boolean, action: string): string {
  const where = isHome ? ` in schema ${quoteIdentifier(schemaName)}` : "";
  return `alter default privileges for role ${quoteIdentifier(maker)}${where} ${action}`;
}
