import type { ColumnDescription, EntityDescription, RelationDescription } from "../schema/index.ts";
import type { Filter, Join, ParameterNode, TableReference, Walk } from "../sql/index.ts";
import { behaviourFilters, type Scope, type TableScope } from "./context.ts";

/** The rows of a relation that belong to the row at hand: what to read them from, and which they are. */
export interface RelatedRows {
  readonly inside: TableScope;
  /** The table between the two, for a relation that goes through one. */
  readonly link: Join | undefined;
  /** Which rows of its own table are above or below, for a relation that walks a tree. */
  readonly walk: Walk | undefined;
  /** Which of them belong to the row of the outer table, and what behaviours add. */
  readonly filters: readonly Filter[];
}

/** Whoever asked for the dead sees their relations as they are; everybody else sees living rows at every depth. */
export function relatedRows(
  outer: TableScope,
  relation: RelationDescription,
  maxDepth?: ParameterNode,
): RelatedRows {
  const inside = within(outer, relation.target);
  const { link } = relation;
  const walk = walkOf(outer, relation, maxDepth);
  // Every step has asked for what behaviours ask, so the rows that it found need not again: unless two may have one key.
  if (walk !== undefined) {
    const filters = inside.entity.tenant === undefined ? [] : behaviourFilters(inside);
    return { inside, link: undefined, walk, filters };
  }
  if (link === undefined) {
    const filters = [...relatedConditions(outer, inside, relation), ...behaviourFilters(inside)];
    return { inside, link: undefined, walk, filters };
  }
  const between = within(outer, link.entity);
  return {
    inside: { ...inside, link: { entity: link.entity, table: between.table } },
    link: linkOf(between, inside, relation),
    walk,
    filters: [
      ...equalColumns(between.table, link.sourceColumns, outer.table, relation.sourceColumns),
      ...behaviourFilters(inside),
    ],
  };
}

function walkOf(
  outer: TableScope,
  { target, walk, sourceColumns, targetColumns }: RelationDescription,
  maxDepth: ParameterNode | undefined,
): Walk | undefined {
  if (walk === undefined) return undefined;
  const step = within(outer, target);
  return {
    alias: `${step.table.alias}w`,
    direction: walk,
    step: step.table,
    filters: behaviourFilters(step),
    outer: outer.table,
    key: sourceColumns,
    parent: targetColumns,
    maxDepth,
  };
}

/** The link table joined to the rows it leads to; a link that is dead links nothing. */
export function linkOf(between: TableScope, inside: TableScope, relation: RelationDescription): Join {
  const { link } = relation;
  const on =
    link === undefined
      ? []
      : equalColumns(between.table, link.targetColumns, inside.table, relation.targetColumns);
  return { table: between.table, on: [...on, ...behaviourFilters(between)] };
}

/** A further table of the same statement. */
export function within(outer: TableScope, entity: EntityDescription): TableScope {
  const visibility = outer.visibility === "living" ? "living" : "all";
  const table = outer.reference(entity);
  return { ...outer, entity, table, visibility, computed: undefined, link: undefined };
}

/** The related row's columns equal those of the row it belongs to. */
export function relatedConditions(
  outer: TableScope,
  inside: TableScope,
  { targetColumns, sourceColumns }: RelationDescription,
): readonly Filter[] {
  return equalColumns(inside.table, targetColumns, outer.table, sourceColumns);
}

function equalColumns(
  left: TableReference,
  leftColumns: readonly string[],
  right: TableReference,
  rightColumns: readonly string[],
): readonly Filter[] {
  return leftColumns.map((name, i) => ({
    condition: {
      kind: "comparison",
      operator: "=",
      left: { kind: "column", table: left, name },
      right: { kind: "column", table: right, name: rightColumns[i] ?? name },
    },
  }));
}

/** Whether at most one row can be found: a join would otherwise double the rows it is joined to. */
export function isJoinable({ target, targetColumns }: RelationDescription, { visibility }: Scope): boolean {
  const isKey = (columns: readonly ColumnDescription[]): boolean =>
    columns.length > 0 &&
    columns.every((column) => column === target.tenant || targetColumns.includes(column.name));
  return (
    isKey(target.primaryKey.columns) ||
    target.uniques.some((key) => isKey(key.columns) && (!key.livingOnly || visibility === "living")) ||
    target.indexes.some((index) => isKey(index.uniqueColumns ?? []))
  );
}
