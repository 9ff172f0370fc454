import type { Call, Condition, Filter } from "../../sql/index.ts";
import { behaviourFilters, type TableScope } from "../context.ts";
import { argument, type Given, partOf } from "../given.ts";
import { plainObject, refuse, refuseUnknownOptions } from "../options.ts";
import { valuesShapeOf } from "../shape.ts";
import { propertiesOf } from "../where/properties.ts";
import { conditionOf } from "../where.ts";

/** What a write of many rows is said to be about: the call's first argument. */
export interface FilterShape {
  readonly where: unknown;
}

/** What of a filter decides the text of a statement. @throws {INVALID_QUERY} where it says nothing. */
export function filterShape(filter: unknown): string | undefined {
  refuseUnknownOptions(filter, ["where"], "filter");
  // A getter could say "all" the second time.
  propertiesOf(filter, "filter");
  const { where } = plainObject(filter, "filter");
  if (where === undefined || where === null) refuse("where", NOTHING_SAID);
  if (where === "all") return "all";
  const shape = valuesShapeOf(where);
  return shape === undefined ? undefined : `where ${shape}`;
}

const NOTHING_SAID = 'must say which rows; "all" means every row';

/** The rows that the call's first argument is about, as far as the caller can see them. */
export function manyFilters(scope: TableScope, call: Call): readonly Filter[] {
  const given = partOf(argument(call, 0, "filter"), "where", "where");
  const own = given.value === "all" ? [] : [{ condition: sayingCondition(scope, given, NOTHING_SAID) }];
  return [...own, ...behaviourFilters(scope)];
}

/** A condition that some row could fail: one that fell empty by accident would be about every row. */
export function sayingCondition(scope: TableScope, given: Given, complaint: string): Condition {
  const condition = conditionOf(scope, given);
  if (always(condition) === true) refuse(given.path, complaint);
  return condition;
}

/** What a condition is for every row, as its form alone tells; `undefined` where rows decide. */
function always(condition: Condition): boolean | undefined {
  switch (condition.kind) {
    case "and": {
      const parts = condition.of.map(always);
      if (parts.includes(false)) return false;
      return parts.every((part) => part === true) ? true : undefined;
    }
    case "or": {
      const parts = condition.of.map(always);
      if (parts.includes(true)) return true;
      return parts.every((part) => part === false) ? false : undefined;
    }
    case "not":
    case "untrue": {
      const inner = always(condition.of);
      return inner === undefined ? undefined : !inner;
    }
    default:
      return undefined;
  }
}
