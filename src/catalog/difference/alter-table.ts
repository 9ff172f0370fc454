import type { TableObject } from "../model.ts";
import { allowing } from "./allow.ts";
import { changedAttributes } from "./attributes.ts";
import { columnSteps } from "./columns.ts";
import { attachStep, validChecks } from "./create-table.ts";
import type { Ground } from "./ground.ts";
import { refTo, sqlName } from "./names.ts";
import { hasIndex } from "./sides.ts";
import { RANK, type Step } from "./step.ts";

/** Brings a table that stays to what it is to be. */
export function alterTable(ground: Ground, from: TableObject, to: TableObject): readonly Step[] {
  return [
    ...columnSteps(ground, from, to),
    ...movePartition(ground, from, to),
    ...changeHeirs(ground, from, to),
    ...tableSettings(ground, from, to),
    ...attributeStep(ground, from, to),
  ];
}

function attributeStep(ground: Ground, from: TableObject, to: TableObject): readonly Step[] {
  const statements = changedAttributes(ground, from, to);
  const needs = to.columns.map(({ id }) => id);
  return statements.length === 0 ? [] : [{ rank: RANK.attributes, statements, needs }];
}

/** Options, where rows are kept, row security, replica identity: from the defaults, for a new table. */
export function tableSettings(
  ground: Ground,
  from: TableObject | undefined,
  to: TableObject,
): readonly Step[] {
  const target = `alter table ${refTo(to)}`;
  const needs = [to.id, `rows of ${to.id}`];
  const settings: string[] = from === undefined ? [] : optionChanges(target, from, to);
  if (from !== undefined && from.isUnlogged !== to.isUnlogged) {
    const statement = `${target} set ${to.isUnlogged ? "unlogged" : "logged"}`;
    settings.push(
      allowing(ground.isBusy(to.id), "lock/storage", "PostgreSQL has no other way to change it", statement),
    );
  }
  const security: string[] = [];
  if ((from?.rowSecurity ?? false) !== to.rowSecurity)
    security.push(`${target} ${to.rowSecurity ? "enable" : "disable"} row level security`);
  if ((from?.forceRowSecurity ?? false) !== to.forceRowSecurity)
    security.push(`${target} ${to.forceRowSecurity ? "" : "no "}force row level security`);
  return [
    ...(settings.length === 0 ? [] : [{ rank: RANK.alterTable, statements: settings, needs }]),
    ...(security.length === 0 ? [] : [{ rank: RANK.rowSecurity, statements: security, needs }]),
    ...replicaIdentity(ground, from, to, target),
  ];
}

function optionChanges(target: string, from: TableObject, to: TableObject): string[] {
  const names = (options: readonly string[]): readonly string[] =>
    options.map((option) => option.split("=")[0] ?? option);
  const set = to.options.filter((option) => !from.options.includes(option));
  const reset = names(from.options).filter((name) => !names(to.options).includes(name));
  return [
    ...(set.length === 0 ? [] : [`${target} set (${set.join(", ")})`]),
    ...(reset.length === 0 ? [] : [`${target} reset (${reset.join(", ")})`]),
  ];
}

/** It is lost with the index it speaks of, which may be made anew. */
function replicaIdentity(
  ground: Ground,
  from: TableObject | undefined,
  to: TableObject,
  target: string,
): readonly Step[] {
  const wanted = to.replicaIdentity;
  const index = wanted.startsWith("index ") ? wanted.slice("index ".length) : undefined;
  const holder = (ground.to.parts.get(to.id) ?? []).find(
    (part) =>
      part.name === index && (part.kind === "index" || (part.kind === "constraint" && hasIndex(part))),
  );
  const isHolderNew = holder !== undefined && !ground.isKept(holder.id);
  if ((from?.replicaIdentity ?? "default") === wanted && !isHolderNew) return [];
  const words = index === undefined ? wanted : `using index ${sqlName(index)}`;
  return [
    {
      rank: RANK.attributes,
      statements: [`${target} replica identity ${words}`],
      needs: [to.id, ...(holder === undefined ? [] : [holder.id, `swapped ${holder.id}`])],
    },
  ];
}

/** A partition that goes to another table, or gets other bounds, stands alone in between. */
function movePartition(ground: Ground, from: TableObject, to: TableObject): readonly Step[] {
  const [before, after] = [from.partitionOf, to.partitionOf];
  if (before?.parent === after?.parent && before?.bound === after?.bound) return [];
  const detach: Step | undefined =
    before === undefined
      ? undefined
      : {
          rank: RANK.detach,
          statements: [`alter table ${ground.ref(before.parent)} detach partition ${refTo(to)}`],
          frees: [before.parent],
          makes: [`detached ${to.id}`],
        };
  return [
    ...(detach === undefined ? [] : [detach]),
    ...(after === undefined ? [] : [attachStep(ground, to)]),
  ];
}

function changeHeirs(ground: Ground, from: TableObject, to: TableObject): readonly Step[] {
  const target = `alter table ${refTo(to)}`;
  const left = from.inherits.filter((id) => !to.inherits.includes(id));
  const joined = to.inherits.filter((id) => !from.inherits.includes(id));
  return [
    ...left.map((id) => ({
      rank: RANK.detach,
      statements: [`${target} no inherit ${ground.ref(id)}`],
      frees: [id],
      makes: [`detached ${to.id}`],
    })),
    ...joined.map((id) => ({
      rank: RANK.attach,
      statements: [`${target} inherit ${ground.ref(id)}`],
      needs: [id, ...to.columns.map((column) => column.id), ...validChecks(ground, to)],
    })),
  ];
}
