import type { RuleObject } from "../model.ts";
import { changedAttributes, targetOf } from "./attributes.ts";
import { altering, dropping, fromServer, making } from "./build.ts";
import { isTangled } from "./drop-table.ts";
import type { Ground } from "./ground.ts";
import { RANK, type Step } from "./step.ts";

export function createRule(ground: Ground, rule: RuleObject): readonly Step[] {
  return [making(ground, rule, RANK.rule, [fromServer(rule.definition)])];
}

export function alterRule(ground: Ground, from: RuleObject, to: RuleObject): readonly Step[] {
  return [
    altering(from, to, RANK.rule, [fromServer(to.definition, true)]),
    { rank: RANK.attributes, statements: changedAttributes(ground, from, to), needs: [to.id] },
  ];
}

export function dropRule(ground: Ground, rule: RuleObject): readonly Step[] {
  const fate = ground.fateOf(rule.table);
  const isView = ground.from.objects.get(rule.table)?.kind !== "table";
  if (isView && (fate === "drop" || fate === "replace")) return [];
  if (fate === "drop" && !isTangled(ground, rule)) return [];
  return [dropping(rule, RANK.dropRule, [`drop ${targetOf(ground, rule)}`])];
}
