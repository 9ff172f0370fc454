import type {
  EntityDescription,
  GrantDescription,
  PolicyDescription,
  RoutineDescription,
} from "../../schema/index.ts";
import { quoteIdentifier } from "../../sql/index.ts";
import type { Names } from "./names.ts";
import type { Part } from "./part.ts";
import { signatureOf } from "./routines.ts";

/** Row security where it is declared, and the policies. */
export function policyParts(
  entities: readonly EntityDescription[],
  policies: readonly PolicyDescription[],
): readonly Part[] {
  // Of a tenant's table it is enabled already, and forced.
  const secured = entities.filter(
    ({ tenant, rowSecurity, name }) =>
      tenant === undefined && (rowSecurity || policies.some((policy) => policy.table === name)),
  );
  const enabling = secured.map(({ name }): Part => {
    const table = `alter table ${quoteIdentifier(name)}`;
    return {
      ids: [],
      rank: "policy",
      up: [`${table} enable row level security`],
      down: [`${table} disable row level security`],
      needs: [],
      owner: `relation ${name}`,
    };
  });
  return [...enabling, ...policies.map(policyPart)];
}

function policyPart(policy: PolicyDescription): Part {
  const name = quoteIdentifier(policy.name);
  const table = quoteIdentifier(policy.table);
  const clauses = [
    ...(policy.using === undefined ? [] : [`using (${policy.using})`]),
    ...(policy.check === undefined ? [] : [`with check (${policy.check})`]),
  ];
  const kind = policy.isPermissive ? "" : " as restrictive";
  const create = [
    `create policy ${name} on ${table}${kind} for ${policy.command} to ${policy.roles.join(", ")}`,
    ...clauses,
  ].join("\n  ");
  return {
    ids: [],
    rank: "policy",
    up: [create],
    down: [`drop policy ${name} on ${table}`],
    needs: [],
    text: clauses.join(" "),
    owner: `relation ${policy.table}`,
  };
}

/** Rights go with what they are on, so there is no way back to write. */
export function grantSql(
  grant: GrantDescription,
  routines: ReadonlyMap<string, RoutineDescription>,
  names: Names,
): string {
  const columns = grant.columns.length === 0 ? "" : ` (${grant.columns.map(quoteIdentifier).join(", ")})`;
  const privileges = grant.privileges.map((privilege) => privilege + columns).join(", ");
  const { kind, name } = grant.on;
  const routine = routines.get(name);
  const isRoutine = (kind === "function" || kind === "procedure") && routine !== undefined;
  const target = isRoutine ? signatureOf(routine, names) : quoteIdentifier(name);
  const option = grant.withGrantOption ? " with grant option" : "";
  return `grant ${privileges} on ${kind} ${target} to ${grant.roles.join(", ")}${option}`;
}
