import type { EntityDescription, Visibility } from "../schema/index.ts";
import type { Select } from "../sql/index.ts";
import { callOf, intentFor, type RepositoryContext } from "./context.ts";
import { afterCursor, decodeCursor, encodeCursor } from "./cursor.ts";
import { refuse, refuseUnknownOptions } from "./options.ts";
import type { Intent } from "./query.ts";
import {
  countIn,
  counting,
  numberParameter,
  type ReadShape,
  rowsOf,
  type Selected,
  selectWhere,
} from "./selected.ts";
import { orderings, type SortColumn, totalOrder } from "./sort.ts";
import type { KeysetPage, Page } from "./types.ts";
import { conditionOf } from "./where.ts";

/** Rows a page has and may have at most, where the entity says nothing else. */
export const LIST_LIMIT_DEFAULT = 10;
export const LIST_LIMIT_MAX_DEFAULT = 100;

/** Fifteen digits, which a number holds exactly; a page past the end is empty. */
const PAGE_MAX = 999_999_999_999_999;

const LIST_OPTION_NAMES = ["with", "reveal", "where", "sort", "limit", "page", "after"];

type AnyRow = Record<string, unknown>;

export interface ListShape extends ReadShape {
  readonly where?: object;
  readonly sort?: unknown;
  readonly limit?: unknown;
  readonly page?: unknown;
  readonly after?: unknown;
}

/** Works out a page of rows, by number or after a cursor. */
export function intendList(
  context: RepositoryContext,
  entity: EntityDescription,
  visibility: Visibility,
  options: ListShape,
): Intent<Page<AnyRow> | KeysetPage<AnyRow>> {
  refuseUnknownOptions(options, LIST_OPTION_NAMES);
  const limit = listLimit(entity, options.limit);
  const order = totalOrder(entity, options.sort);
  const selected = selectWhere(context, entity, visibility, options, (table) =>
    conditionOf(entity, table, options.where === undefined ? {} : options.where),
  );
  const select: Select = { ...selected.select, orderBy: orderings(order, selected.table) };
  return options.after === undefined
    ? intendPage(select, selected, limit, listPage(options.page))
    : intendKeyset(entity, order, select, selected, limit, options);
}

/** The total rides along as a subselect that PostgreSQL runs once; only a page past the end has no row to carry it. */
function intendPage(
  select: Select,
  { map, selection }: Selected,
  limit: number,
  page: number,
): Intent<Page<AnyRow>> {
  const tree: Select = {
    ...select,
    projections: [...selection.projections, { kind: "value", of: { kind: "count-of", of: select } }],
    limit: numberParameter(limit),
    // A page far past the end has an offset that a number cannot hold exactly.
    offset: { kind: "parameter", value: String(BigInt(page - 1) * BigInt(limit)) },
  };
  return intentFor(tree, async ([outcome], again) => {
    const rows = rowsOf(outcome);
    let total = Number(rows[0]?.at(-1) ?? 0);
    if (rows.length === 0 && page > 1) total = countIn(await again(callOf(counting(select))));
    return { data: rows.map(map), meta: { page, limit, total, totalPages: Math.ceil(total / limit) } };
  });
}

/** One row more than the page holds tells whether there is a next page, without counting. */
function intendKeyset(
  entity: EntityDescription,
  order: readonly SortColumn[],
  select: Select,
  { map, selection, table }: Selected,
  limit: number,
  options: ListShape,
): Intent<KeysetPage<AnyRow>> {
  if (options.page !== undefined) refuse("page", "cannot be combined with after");
  const isFirst = options.after === null || options.after === "";
  const after = isFirst
    ? []
    : [{ condition: afterCursor(order, table, decodeCursor(entity, order, options.after)) }];
  const tree: Select = {
    ...select,
    filters: [...select.filters, ...after],
    limit: numberParameter(limit + 1),
  };
  const positions = order.map(({ column }) =>
    selection.slots.findIndex((slot) => slot.kind === "column" && slot.column === column),
  );
  return intentFor(tree, ([outcome]) => {
    const rows = rowsOf(outcome);
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    const hasNext = rows.length > limit && last !== undefined;
    const nextCursor = hasNext
      ? encodeCursor(
          entity,
          order,
          positions.map((i) => last[i] ?? null),
        )
      : null;
    return { data: page.map(map), meta: { limit, nextCursor } };
  });
}

function listLimit(entity: EntityDescription, limit: unknown): number {
  const max = entity.list.maxLimit ?? LIST_LIMIT_MAX_DEFAULT;
  if (limit === undefined) return Math.min(entity.list.limit ?? LIST_LIMIT_DEFAULT, max);
  if (typeof limit !== "number" || !Number.isInteger(limit) || limit < 1 || limit > max) {
    refuse("limit", `must be a whole number between 1 and ${max}`);
  }
  return limit;
}

function listPage(page: unknown): number {
  if (page === undefined) return 1;
  if (typeof page !== "number" || !Number.isInteger(page) || page < 1 || page > PAGE_MAX) {
    refuse("page", `must be a whole number from 1 to ${PAGE_MAX}`);
  }
  return page;
}
