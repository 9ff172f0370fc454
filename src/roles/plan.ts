import type { GrantDescription } from "../schema/index.ts";
import type { Access } from "./model.ts";
import { defaultSteps } from "./plan-defaults.ts";
import { rightSteps } from "./plan-rights.ts";
import { roleSteps } from "./plan-roles.ts";
import type { Step } from "./step.ts";

/** Everything that brings a database from what was read to what shall be, in an order that runs. */
export function planAccess(
  access: Access,
  declared: readonly GrantDescription[],
  opensNewTables = false,
): readonly Step[] {
  const rights = rightSteps(access, declared);
  return [
    ...roleSteps(access),
    // Owners first: what a role that no longer owns a table has given goes over to the owner.
    ...rights.filter(({ rule }) => rule === "schema-missing" || rule === "owner"),
    ...rights.filter(({ rule }) => rule !== "schema-missing" && rule !== "owner"),
    ...defaultSteps(access, opensNewTables),
  ];
}
