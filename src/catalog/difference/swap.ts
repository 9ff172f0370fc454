import type { ConstraintObject, IndexObject } from "../model.ts";
import type { Ground } from "./ground.ts";

/**
 * Whether a key or index can be built beside the one it takes the place of: nothing that one of them stands on goes
 * or changes in between.
 */
export function canSwap(
  ground: Ground,
  from: ConstraintObject | IndexObject,
  to: ConstraintObject | IndexObject,
): boolean {
  const isSettled = (id: string): boolean => {
    const fate = ground.decisions.columns.get(id) ?? ground.fateOf(id);
    return fate !== "retype" && fate !== "anew" && fate !== "replace" && fate !== "retire";
  };
  return from.table === to.table && [...from.dependsOn, ...to.dependsOn].every(isSettled);
}
