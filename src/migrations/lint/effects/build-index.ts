import type { Constraint, IndexElem, IndexStmt, Node } from "libpg-query";
import type { Index, Relation } from "../catalog-view.ts";
import { stringsIn } from "../names.ts";
import type { EffectSet } from "./effect-set.ts";
import { isPartition } from "./family.ts";

/** An index to be built, as far as another one may stand in for it. */
export interface IndexPlan {
  readonly method: string;
  readonly isUnique: boolean;
  readonly nullsNotDistinct: boolean;
  /** Columns of its keys. Undefined when it is more than columns: an expression, a predicate, an operator class. */
  readonly columns: readonly string[] | undefined;
  readonly included: readonly string[];
}

export function statementIndex(statement: IndexStmt): IndexPlan {
  const elements = (statement.indexParams ?? []).flatMap((node) =>
    "IndexElem" in node ? [node.IndexElem] : [],
  );
  const isPlain = statement.whereClause === undefined && elements.every(isPlainElement);
  return {
    method: statement.accessMethod ?? "btree",
    isUnique: statement.unique === true,
    nullsNotDistinct: statement.nulls_not_distinct === true,
    columns: isPlain ? elements.map(({ name }) => name ?? "") : undefined,
    included: elementNames(statement.indexIncludingParams),
  };
}

export function constraintIndex(constraint: Constraint): IndexPlan {
  return {
    method: constraint.access_method ?? "btree",
    isUnique: constraint.contype !== "CONSTR_EXCLUSION",
    nullsNotDistinct: constraint.nulls_not_distinct === true,
    columns: constraint.contype === "CONSTR_EXCLUSION" ? undefined : stringsIn(constraint.keys),
    included: stringsIn(constraint.including),
  };
}

function isPlainElement({ name, collation, opclass }: IndexElem): boolean {
  return name !== undefined && collation === undefined && opclass === undefined;
}

function elementNames(nodes: readonly Node[] | undefined): readonly string[] {
  return (nodes ?? []).flatMap((node) => ("IndexElem" in node ? [node.IndexElem.name ?? ""] : []));
}

/**
 * Reads every table of the family to build the index. A part that has the same one already only hands it over, and keeps
 * its lock.
 */
export function buildIndex(effects: EffectSet, family: readonly Relation[], plan: IndexPlan): void {
  for (const relation of family) {
    effects.lock(relation, "ShareLock");
    const ready = isPartition(relation) && relation !== family[0] ? readyIndex(relation, plan) : undefined;
    if (ready === undefined) effects.scan(relation);
    else effects.lock(ready, "ShareLock");
  }
}

/** An index of a part that can become a part of the new one. */
function readyIndex(relation: Relation, plan: IndexPlan): Index | undefined {
  return relation.indexes.find(
    (index) =>
      index.parentId === undefined &&
      index.isValid &&
      index.method === plan.method &&
      index.isUnique === plan.isUnique &&
      index.nullsNotDistinct === plan.nullsNotDistinct &&
      index.predicate === undefined &&
      !index.isExclusion &&
      plan.columns !== undefined &&
      sameList(
        index.keys.map(({ column }) => column ?? ""),
        plan.columns,
      ) &&
      sameList(index.included, plan.included),
  );
}

export function sameList(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((item, at) => item === right[at]);
}
