import type { Outcome } from "../driver/index.ts";
import type { EntityDescription, Visibility } from "../schema/index.ts";
import type { Condition, Filter, ParameterNode, Select, TableReference } from "../sql/index.ts";
import { createMapper } from "../statement/index.ts";
import { behaviourFilters, createReferences, type RepositoryContext } from "./context.ts";
import { type Selection, selectionOf } from "./selection.ts";

type AnyRow = Record<string, unknown>;

/** What a read may ask for besides its rows. */
export interface ReadShape {
  readonly with?: object | undefined;
  readonly reveal?: readonly string[] | undefined;
}

/** A read before its order and limits: the tree, and what its answer becomes. */
export interface Selected {
  readonly select: Select;
  readonly table: TableReference;
  readonly selection: Selection;
  readonly map: (cells: readonly (string | null)[]) => AnyRow;
}

export function selectWhere(
  context: RepositoryContext,
  entity: EntityDescription,
  visibility: Visibility,
  options: ReadShape,
  condition: ((table: TableReference) => Condition) | undefined,
): Selected {
  const reference = createReferences();
  const table = reference(entity);
  const selection = selectionOf(context, entity, table, reference, options, visibility);
  const own: Filter[] = condition === undefined ? [] : [{ condition: condition(table) }];
  const filters = [...own, ...behaviourFilters(context, entity, table, visibility)];
  return {
    select: { kind: "select", from: table, projections: selection.projections, filters, orderBy: [] },
    table,
    selection,
    map: createMapper(selection.slots),
  };
}

/** The same rows, counted instead of read. */
export function counting(select: Select): Select {
  return { ...select, projections: [{ kind: "value", of: { kind: "count" } }], orderBy: [] };
}

export function countIn(outcome: Outcome | undefined): number {
  return Number(rowsOf(outcome)[0]?.[0] ?? 0);
}

export function rowsOf(outcome: Outcome | undefined): Outcome["rows"] {
  return outcome?.rows ?? [];
}

/** The first row of an answer, mapped; `undefined` when it has none. */
export function firstRow<T>(
  outcome: Outcome | undefined,
  map: (cells: readonly (string | null)[]) => T,
): T | undefined {
  const [cells] = rowsOf(outcome);
  return cells === undefined ? undefined : map(cells);
}

export function numberParameter(value: number): ParameterNode {
  return { kind: "parameter", value: String(value) };
}
