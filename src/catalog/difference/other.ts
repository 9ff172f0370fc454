import type { OtherObject, StatisticsObject } from "../model.ts";
import { targetOf } from "./attributes.ts";
import { dropping, fromServer, making } from "./build.ts";
import { isTangled } from "./drop-table.ts";
import type { Ground } from "./ground.ts";
import { RANK, type Step } from "./step.ts";

export function createStatistics(ground: Ground, statistics: StatisticsObject): readonly Step[] {
  return [making(ground, statistics, RANK.statistics, [fromServer(statistics.definition)])];
}

export function dropStatistics(ground: Ground, statistics: StatisticsObject): readonly Step[] {
  if (ground.fateOf(statistics.table) === "drop" && !isTangled(ground, statistics)) return [];
  return [dropping(statistics, RANK.dropStatistics, [`drop ${targetOf(ground, statistics)}`])];
}

/** What Plinth does not take apart is made as the server says, where it says it in statements. */
export function createOther(ground: Ground, object: OtherObject): readonly Step[] {
  if (!isStatement(object)) ground.irreversible.push(`${object.id}: it has to be made by hand`);
  const statements = isStatement(object) ? object.definition.split(/;\n/).map((one) => fromServer(one)) : [];
  return [making(ground, object, RANK.other, statements)];
}

export function dropOther(ground: Ground, object: OtherObject): readonly Step[] {
  if (!isStatement(object)) ground.irreversible.push(`${object.id}: it has to be dropped by hand`);
  const statements = isStatement(object) ? [`drop ${targetOf(ground, object)}`] : [];
  return [dropping(object, RANK.dropOther, statements)];
}

function isStatement({ definition }: OtherObject): boolean {
  return /^create /i.test(definition.trim());
}
