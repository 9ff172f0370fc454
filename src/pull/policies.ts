import type { PolicyObject } from "../catalog/index.ts";
import type { PullContext } from "./context.ts";
import { call, list, object, quoted, template } from "./literal.ts";
import { partlyDeclared } from "./model.ts";
import { bare } from "./scan.ts";

/** Drizzle's `pgPolicy`. */
export function policySource({ file, report }: PullContext, policy: PolicyObject): string {
  const { command, isPermissive, roles, using, check, comment } = policy;
  const isEverybody = roles.length === 1 && roles[0] === "public";
  const names = roles.map((role) => quoted(role));
  if (comment !== undefined) report(partlyDeclared(policy.id, "the comment of a policy has no declaration"));
  const options = object([
    ["as", isPermissive ? undefined : quoted("restrictive")],
    ["for", command === "all" ? undefined : quoted(command)],
    ["to", isEverybody ? undefined : names.length === 1 ? names[0] : list(names)],
    ["using", using === undefined ? undefined : file.use("sql") + template(bare(using))],
    ["withCheck", check === undefined ? undefined : file.use("sql") + template(bare(check))],
  ]);
  return call(file.use("pgPolicy"), quoted(policy.name), options === "{}" ? undefined : options);
}
