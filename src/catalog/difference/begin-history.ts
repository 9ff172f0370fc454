import { historyBeginText } from "../../sql/index.ts";
import { historyTables } from "../history-table.ts";
import type { TableObject } from "../model.ts";
import { type Ground, partitionsThere } from "./ground.ts";
import { RANK, type Step } from "./step.ts";

/** A history that is made notes when it began: as soon as every trigger that records is there, and not before. */
export function beginHistories(ground: Ground): readonly Step[] {
  return historyTables(ground.to.catalog.objects).flatMap((history): readonly Step[] => {
    const fate = ground.fateOf(history.id);
    if (fate !== "make" && fate !== "replace") return [];
    const needs = [
      history.id,
      ...partitionsThere(ground, history.id),
      ...[history, ...recorded(ground, history)].flatMap((table) => triggersOf(ground, table)),
    ];
    return [{ rank: RANK.fill, statements: [historyBeginText(ground.ref(history.id))], needs }];
  });
}

/** The table whose history it is, and its partitions. */
function recorded({ to }: Ground, history: TableObject): readonly TableObject[] {
  const entity = history.name.slice(0, -"_history".length);
  return to.catalog.objects.flatMap((object) => {
    const isIt = object.kind === "table" && object.name === entity && object.schema === history.schema;
    return isIt ? [object, ...(to.children.get(object.id) ?? [])] : [];
  });
}

function triggersOf({ to }: Ground, table: TableObject): readonly string[] {
  return (to.parts.get(table.id) ?? []).flatMap(({ kind, id }) => (kind === "trigger" ? [id] : []));
}
