import type { Call, Select } from "../sql/index.ts";
import { afterCursor, type Cell, encodeCursor } from "./cursor.ts";
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
  return planRows(selected, tree, {
    // The sort values as PostgreSQL's own text: a cursor must lose nothing.
    extras: values,
    limitIn: (call) => listLimit(entity, call),
    finish(data, { call, rowCount, extras }) {
      const limit = listLimit(entity, call);
      const nextCursor = rowCount > limit ? encodeCursor(entity, order, extras(limit - 1), call) : null;
      return { data, meta: { limit, nextCursor } };
    },
  });
}
