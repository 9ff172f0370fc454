import type { Condition, Select } from "../../sql/index.ts";

/** The subselects of a condition: related rows that have to be there, or must not. */
export function selectsIn(condition: Condition): readonly Select[] {
  switch (condition.kind) {
    case "exists":
      return [condition.of];
    case "and":
    case "or":
      return condition.of.flatMap(selectsIn);
    case "not":
    case "untrue":
    case "truth":
      return selectsIn(condition.of);
    default:
      return [];
  }
}
