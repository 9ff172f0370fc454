import type { Call, Select } from "../sql/index.ts";
import type { Slot } from "../statement/index.ts";
import { afterCursor, type Cell, Cursors } from "./cursor.ts";
import { isMatchedByText } from "./follow-up.ts";
import { listLimit, pageLimit } from "./list-options.ts";
import type { KeysetPage } from "./list-types.ts";
import type { Plan } from "./plan.ts";
import { planRows, type Selected } from "./selected.ts";
import type { SortTerm } from "./sort.ts";

type AnyRow = Record<string, unknown>;

/** The terms of an order that tell one place in it from all others. */
export type KeysetOrder = readonly SortTerm[];

/** One row more than the page holds tells whether there is a next page, without counting. */
export function planKeyset(
  select: Select,
  selected: Selected,
  order: KeysetOrder,
  first: Call,
): Plan<KeysetPage<AnyRow>> {
  const { entity } = selected.scope;
  const cellsOf = ({ input: [, cells] }: Call): readonly Cell[] => (Array.isArray(cells) ? cells : []);
  const cells = cellsOf(first);
  const values = order.flatMap((_, i) => select.orderBy[i]?.of ?? []);
  const after = cells.length === 0 ? [] : [{ condition: afterCursor(order, values, cells, cellsOf) }];
  const tree: Select = {
    ...select,
    filters: [...select.filters, ...after],
    limit: pageLimit(entity, first, 1),
  };
  const cursors = new Cursors(entity, order);
  const shown = order.map((term) => shownBy(term, selected.selection.slots));
  const placeOf = (row: AnyRow, hidden: readonly Cell[]): readonly Cell[] => {
    let next = 0;
    return shown.map((key) => (key === undefined ? (hidden[next++] ?? null) : textOf(row[key])));
  };
  return planRows(selected, tree, {
    // The sort values as PostgreSQL's own text, where the rows do not show it: a cursor must lose nothing.
    extras: values.filter((_, i) => shown[i] === undefined),
    limitIn: (call) => listLimit(entity, call),
    finish(data, { call, rowCount, extras }) {
      const limit = listLimit(entity, call);
      const last = data[limit - 1];
      const hasMore = rowCount > limit && last !== undefined;
      const nextCursor = hasMore ? cursors.encode(placeOf(last, extras(limit - 1)), call) : null;
      return { data, meta: { limit, nextCursor } };
    },
  });
}

/** The property of the rows whose value is written as PostgreSQL writes it; undefined where none is. */
function shownBy({ through, column, computed, link }: SortTerm, slots: readonly Slot[]): string | undefined {
  const isOwn = through.length === 0 && computed === undefined && link === undefined;
  const isExact = isMatchedByText(column) || (column.kind === "text" && column.castType === "numeric");
  if (!isOwn || !isExact) return undefined;
  return slots.find((slot) => slot.kind === "column" && slot.column === column)?.key;
}

function textOf(value: unknown): Cell {
  return value === null || value === undefined ? null : String(value);
}
