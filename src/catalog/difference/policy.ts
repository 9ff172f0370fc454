import type { PolicyObject } from "../model.ts";
import { changedAttributes, roleName, targetOf } from "./attributes.ts";
import { altering, dropping, making } from "./build.ts";
import { bracketed } from "./column-text.ts";
import { isTangled } from "./drop-table.ts";
import type { Ground } from "./ground.ts";
import { lowerCase } from "./names.ts";
import { RANK, type Step } from "./step.ts";

export function createPolicy(ground: Ground, policy: PolicyObject): readonly Step[] {
  const words = [
    `create ${targetOf(ground, policy)}`,
    ...(policy.isPermissive ? [] : ["as restrictive"]),
    ...(policy.command === "all" ? [] : [`for ${policy.command}`]),
    ...roles(policy),
    ...expressions(policy),
  ];
  return [making(ground, policy, RANK.policy, [words.join(" ")])];
}

function roles({ roles: names }: PolicyObject): readonly string[] {
  return names.length === 0 || names.join() === "public" ? [] : [`to ${names.map(roleName).join(", ")}`];
}

function expressions({ using, check }: PolicyObject): readonly string[] {
  return [
    ...(using === undefined ? [] : [`using ${bracketed(lowerCase(using))}`]),
    ...(check === undefined ? [] : [`with check ${bracketed(lowerCase(check))}`]),
  ];
}

export function alterPolicy(ground: Ground, from: PolicyObject, to: PolicyObject): readonly Step[] {
  const isEverybody = roles(to).length === 0 && roles(from).length > 0;
  const words = [
    `alter ${targetOf(ground, to)}`,
    ...(isEverybody ? ["to public"] : roles(to)),
    ...expressions(to),
  ];
  return [
    altering(from, to, RANK.policy, [words.join(" ")]),
    { rank: RANK.attributes, statements: changedAttributes(ground, from, to), needs: [to.id] },
  ];
}

export function dropPolicy(ground: Ground, policy: PolicyObject): readonly Step[] {
  if (ground.fateOf(policy.table) === "drop" && !isTangled(ground, policy)) return [];
  return [dropping(policy, RANK.dropPolicy, [`drop ${targetOf(ground, policy)}`])];
}
