import type { Node } from "libpg-query";
import type { Index, Relation } from "../catalog-view.ts";
import { columnReferred, conjuncts } from "./predicates.ts";

/** An index that finds rows by one of these columns: it begins with it, and holds every row. */
export function indexBeginningWith(relation: Relation, columns: readonly string[]): Index | undefined {
  return relation.indexes.find(({ keys, predicate, isValid, method }) => {
    const first = keys[0]?.column;
    return (
      isValid &&
      predicate === undefined &&
      (method === "btree" || method === "hash") &&
      first !== undefined &&
      columns.includes(first)
    );
  });
}

/**
 * Without a planner: a statement on one table finds its rows by an index when its condition, or a part of it that `and`
 * joins, compares the first column of one with a value for equality.
 */
export function hasIndexFor(relation: Relation, tree: Node): boolean {
  const columns = conjuncts(conditionOf(tree)).flatMap((part) => {
    if (!("A_Expr" in part)) return [];
    const { kind, name, lexpr, rexpr } = part.A_Expr;
    const [word] = name ?? [];
    const isEqual =
      (kind === "AEXPR_OP" || kind === "AEXPR_IN") &&
      word !== undefined &&
      "String" in word &&
      word.String.sval === "=";
    const column = columnReferred(lexpr) ?? columnReferred(rexpr);
    return isEqual && column !== undefined ? [column] : [];
  });
  return indexBeginningWith(relation, columns) !== undefined;
}

function conditionOf(tree: Node): Node | undefined {
  if ("UpdateStmt" in tree) return tree.UpdateStmt.whereClause;
  if ("DeleteStmt" in tree) return tree.DeleteStmt.whereClause;
  return "SelectStmt" in tree ? tree.SelectStmt.whereClause : undefined;
}
