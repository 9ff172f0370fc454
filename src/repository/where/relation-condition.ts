import { unknownName } from "../../errors/index.ts";
import type { RelationDescription } from "../../schema/index.ts";
import type { Condition, Filter } from "../../sql/index.ts";
import type { TableScope } from "../context.ts";
import { type Given, partOf } from "../given.ts";
import { refuse } from "../options.ts";
import { relatedRows } from "../related-rows.ts";
import { propertiesOf } from "./properties.ts";

const OF_MANY = ["some", "none", "every"];
const OF_ONE = ["is", "isNot"];

/**
 * Conditions on related rows, each an `exists` of its own. Rows that the caller cannot see do not count, nor do links
 * that are dead. `inner` works out a condition on a related row.
 */
export function relationCondition(
  outer: TableScope,
  relation: RelationDescription,
  given: Given,
  inner: (inside: TableScope, given: Given) => Condition,
): Condition {
  const known = relation.kind === "many" ? OF_MANY : OF_ONE;
  const names = propertiesOf(given.value, given.path);
  if (names.length === 0) refuse(given.path, "is an empty condition; leave the property out instead");
  const parts = names.map((name): Condition => {
    const part = partOf(given, name);
    if (!known.includes(name)) refuse(part.path, unknownName("operator", name, known));
    if (part.value === undefined) refuse(part.path, "is undefined; leave the operator out instead");
    const { inside, link, walk, filters } = relatedRows(outer, relation);
    const exists = (negated: boolean, own: readonly Filter[]): Condition => ({
      kind: "exists",
      of: {
        kind: "select",
        from: inside.table,
        link,
        walk,
        projections: [],
        filters: [...filters, ...own],
        orderBy: [],
      },
      negated,
    });
    // No related row at all, or none that can be seen.
    if (part.value === null && relation.kind === "one") return exists(name === "is", []);
    const own = inner(inside, part);
    if (name === "every" && own.kind === "and" && own.of.length === 0) return own;
    // A row about which the condition says nothing (null) does not satisfy it.
    if (name === "every") return exists(true, [{ condition: { kind: "untrue", of: own } }]);
    return exists(name === "none" || name === "isNot", [{ condition: own }]);
  });
  return { kind: "and", of: parts };
}
