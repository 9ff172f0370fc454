import type { ViewObject } from "../model.ts";
import { changedAttributes } from "./attributes.ts";
import { altering, dropping, making } from "./build.ts";
import type { Ground } from "./ground.ts";
import { lowerCase, refTo } from "./names.ts";
import { namesOf } from "./sides.ts";
import { RANK, type Step } from "./step.ts";

/** A materialized view fills itself at once; where others would wait for that, it does so by itself afterwards. */
export function createView(ground: Ground, view: ViewObject): readonly Step[] {
  const isLater = view.kind === "materialized view" && ground.online && !ground.isQuiet();
  const rows = view.dependsOn.map((id) => `rows of ${ground.to.columns.get(id)?.table.id ?? id}`);
  const text = creation(view, false);
  const step = making(ground, view, RANK.view, [isLater ? `${text}\nwith no data` : text]);
  const made = { ...step, needs: [...(step.needs ?? []), ...rows] };
  if (!isLater) return [made];
  const refresh = `do $$\nbegin\n  refresh materialized view ${refTo(view)};\n  commit;\nend\n$$`;
  return [made, { rank: RANK.fill, statements: [refresh], needs: [view.id] }];
}

function creation(view: ViewObject, isReplacing: boolean): string {
  const options = view.options.length === 0 ? "" : ` with (${view.options.join(", ")})`;
  const start = isReplacing ? "create or replace" : "create";
  return `${start} ${view.kind} ${refTo(view)}${options} as\n${lowerCase(view.query)}`;
}

export function alterView(ground: Ground, from: ViewObject, to: ViewObject): readonly Step[] {
  const attributes: Step = {
    rank: RANK.attributes,
    statements: changedAttributes(ground, from, to),
    needs: [to.id],
  };
  if (to.kind === "view" && from.query !== to.query) {
    return [altering(from, to, RANK.view, [creation(to, true)]), attributes];
  }
  const names = (options: readonly string[]): readonly string[] =>
    options.map((option) => option.split("=")[0] ?? option);
  const set = to.options.filter((option) => !from.options.includes(option));
  const reset = names(from.options).filter((name) => !names(to.options).includes(name));
  const target = `alter ${to.kind} ${refTo(to)}`;
  return [
    altering(from, to, RANK.view, [
      ...(set.length === 0 ? [] : [`${target} set (${set.join(", ")})`]),
      ...(reset.length === 0 ? [] : [`${target} reset (${reset.join(", ")})`]),
    ]),
    attributes,
  ];
}

/** With its triggers, rules and indexes. */
export function dropView(ground: Ground, view: ViewObject): readonly Step[] {
  const parts = ground.from.parts.get(view.id) ?? [];
  const step = dropping(view, RANK.dropView, [`drop ${view.kind} ${refTo(view)}`]);
  return [
    {
      ...step,
      drops: [view.id, ...parts.map(({ id }) => id)],
      frees: [...(step.frees ?? []), ...parts.flatMap(({ dependsOn }) => dependsOn)].filter(
        (id) => id !== view.id,
      ),
      givesUp: [view, ...parts].flatMap(namesOf),
    },
  ];
}
