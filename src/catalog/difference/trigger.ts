import type { TriggerObject } from "../model.ts";
import { changedAttributes, targetOf } from "./attributes.ts";
import { altering, dropping, fromServer, making } from "./build.ts";
import { isTangled } from "./drop-table.ts";
import type { Ground } from "./ground.ts";
import { sqlName } from "./names.ts";
import { RANK, type Step } from "./step.ts";

export function createTrigger(ground: Ground, trigger: TriggerObject): readonly Step[] {
  if (trigger.isInherited) return inheritedState(ground, trigger);
  const statements = [fromServer(trigger.definition), ...enabling(ground, "origin", trigger)];
  const step = making(ground, trigger, RANK.trigger, statements);
  return [{ ...step, needs: [...(step.needs ?? []), `rows of ${trigger.table}`] }];
}

/** A partition's copy is born as its parent's trigger was. */
function inheritedState(ground: Ground, trigger: TriggerObject): readonly Step[] {
  const above = parentTrigger(ground, trigger);
  const statements = enabling(ground, above?.enabled ?? "origin", trigger);
  const needs = [trigger.table, ...(above === undefined ? [] : [above.id]), `attached ${trigger.table}`];
  return [{ rank: RANK.attributes, statements, needs }];
}

function parentTrigger(ground: Ground, trigger: TriggerObject): TriggerObject | undefined {
  const table = ground.to.objects.get(trigger.table);
  const parent = table?.kind === "table" ? table.partitionOf?.parent : undefined;
  const parts = ground.to.parts.get(parent ?? "") ?? [];
  return parts.find((part): part is TriggerObject => part.kind === "trigger" && part.name === trigger.name);
}

const STATES: Readonly<Record<TriggerObject["enabled"], string>> = {
  origin: "enable",
  disabled: "disable",
  replica: "enable replica",
  always: "enable always",
};

function enabling(ground: Ground, from: TriggerObject["enabled"], trigger: TriggerObject): readonly string[] {
  if (from === trigger.enabled) return [];
  const words = `${STATES[trigger.enabled]} trigger ${sqlName(trigger.name)}`;
  return [`alter table ${ground.ref(trigger.table)} ${words}`];
}

/** One that is replaced fires again, whatever it was set to. */
export function alterTrigger(ground: Ground, from: TriggerObject, to: TriggerObject): readonly Step[] {
  const attributes: Step = {
    rank: RANK.attributes,
    statements: changedAttributes(ground, from, to),
    needs: [to.id],
  };
  if (to.isInherited) {
    const above = parentTrigger(ground, to);
    const old = ground.from.objects.get(above?.id ?? "");
    const isHanded = above !== undefined && (old?.kind !== "trigger" || old.enabled !== above.enabled);
    const start = isHanded ? above.enabled : from.enabled;
    const needs = above === undefined ? [] : [above.id];
    return [{ rank: RANK.attributes, statements: enabling(ground, start, to), needs }, attributes];
  }
  const isReplaced = from.definition !== to.definition;
  const statements = isReplaced
    ? [fromServer(to.definition, true), ...enabling(ground, "origin", to)]
    : enabling(ground, from.enabled, to);
  return [altering(from, to, RANK.trigger, statements), attributes];
}

export function dropTrigger(ground: Ground, trigger: TriggerObject): readonly Step[] {
  const owner = ground.from.objects.get(trigger.table);
  const fate = ground.fateOf(trigger.table);
  const isView = owner !== undefined && owner.kind !== "table";
  if (isView && (fate === "drop" || fate === "replace")) return [];
  if (fate === "drop" && !isTangled(ground, trigger)) return [];
  // It goes with its parent's, and when the partition is detached.
  if (trigger.isInherited) return [];
  return [dropping(trigger, RANK.dropTrigger, [`drop ${targetOf(ground, trigger)}`])];
}
