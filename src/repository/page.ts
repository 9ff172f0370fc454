import type { Call, Select } from "../sql/index.ts";
import { countIn } from "./answer.ts";
import { estimateIn, planEstimate } from "./estimate.ts";
import { listLimit, listPage, pageLimit, pageOffset } from "./list-options.ts";
import type { EstimatedPage, Page, UncountedPage } from "./list-types.ts";
import { refuse } from "./options.ts";
import { type Plan, planOf, statementOf } from "./plan.ts";
import { counting, planRows, type Selected } from "./selected.ts";

type AnyRow = Record<string, unknown>;
export type NumberedPage = Page<AnyRow> | EstimatedPage<AnyRow> | UncountedPage<AnyRow>;

/** A page by its number, with as much of a total as was asked for. */
export function planPage(
  select: Select,
  selected: Selected,
  first: Call,
  total: unknown = "exact",
): Plan<NumberedPage> {
  const { entity } = selected.scope;
  const tree: Select = {
    ...select,
    limit: pageLimit(entity, first),
    offset: pageOffset(entity, first),
  };
  switch (total) {
    case "exact":
      return planCounted(select, tree, selected);
    case "estimated":
      return planEstimated(select, tree, selected);
    case "none":
      return planUncounted(tree, selected, first);
    default:
      return refuse("total", "must be exact, estimated or none");
  }
}

/** The total rides along as a subselect that PostgreSQL runs once; only a page past the end has no row to carry it. */
function planCounted(select: Select, tree: Select, selected: Selected): Plan<Page<AnyRow>> {
  const countAll = planOf(counting(select), ([outcome]) => countIn(outcome));
  return planRows(selected, tree, {
    extras: [{ kind: "count-of", of: select }],
    async finish(data, { ask, call, rowCount, extras }) {
      const [limit, page] = [listLimit(selected.scope.entity, call), listPage(call)];
      const [counted = "0"] = rowCount === 0 ? [] : extras(0);
      const isPastEnd = rowCount === 0 && page > 1;
      const total = isPastEnd ? countIn((await ask([statementOf(countAll, call)]))[0]) : Number(counted);
      return { data, meta: { page, limit, total, totalPages: Math.ceil(total / limit) } };
    },
  });
}

/** What the planner expects travels along; a page that is not full knows better. */
function planEstimated(select: Select, tree: Select, selected: Selected): Plan<EstimatedPage<AnyRow>> {
  const plan = planRows<EstimatedPage<AnyRow>>(selected, tree, {
    finish(data, { call, rowCount, others }) {
      const [limit, page] = [listLimit(selected.scope.entity, call), listPage(call)];
      const seen = (page - 1) * limit + rowCount;
      const isLast = rowCount < limit && (rowCount > 0 || page === 1);
      const expected = estimateIn(others[0]);
      const total = isLast ? seen : rowCount === 0 ? expected : Math.max(expected, seen);
      const totalPages = Math.ceil(total / limit);
      return { data, meta: { page, limit, total, totalPages, isEstimated: !isLast } };
    },
  });
  return { ...plan, companions: [{ plan: planEstimate(select), foundIn: () => [] }] };
}

/** One row more than the page holds tells whether there is a next page. */
function planUncounted(tree: Select, selected: Selected, first: Call): Plan<UncountedPage<AnyRow>> {
  const { entity } = selected.scope;
  const limitIn = (call: Call): number => listLimit(entity, call);
  return planRows(
    selected,
    { ...tree, limit: pageLimit(entity, first, 1) },
    {
      limitIn,
      finish(data, { call, rowCount }) {
        const limit = limitIn(call);
        return { data, meta: { page: listPage(call), limit, hasNextPage: rowCount > limit } };
      },
    },
  );
}
