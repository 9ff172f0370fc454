import type { ColumnDescription, EntityDescription } from "../schema/index.ts";
import type { Call, Select } from "../sql/index.ts";
import { computing } from "./computing.ts";
import { openStatement, type Scope } from "./context.ts";
import { type Cell, Cursors } from "./cursor.ts";
import { argument, partOf } from "./given.ts";
import type { Intent } from "./intent.ts";
import { type KeysetOrder, planKeyset } from "./keyset.ts";
import { type ListShape, listOptions } from "./list-options.ts";
import type { KeysetPage } from "./list-types.ts";
import { LOCK_OPTION_NAMES } from "./lock.ts";
import { refuse, refuseUnknownOptions } from "./options.ts";
import { placeOrder } from "./order.ts";
import { type NumberedPage, planPage } from "./page.ts";
import { ByShape, intentOf, type Plan, Plans } from "./plan.ts";
import { READ_OPTION_NAMES, selectWhere } from "./selected.ts";
import { shapeOf } from "./shape.ts";
import { type SortScope, type SortTerm, totalOrder } from "./sort.ts";
import { optionalCondition } from "./where.ts";

const LIST_OPTION_NAMES = [
  ...READ_OPTION_NAMES,
  ...LOCK_OPTION_NAMES,
  "where",
  "sort",
  "distinctOn",
  "limit",
  "page",
  "total",
  "after",
];

type AnyRow = Record<string, unknown>;
type AnyPage = NumberedPage | KeysetPage<AnyRow>;

/** Works out a page of rows, by number or after a cursor. */
export function createLister(outside: Scope): (options: ListShape) => Intent<AnyPage> {
  const plans = new Plans<AnyPage>();
  const cursors = new ByShape<Cursors>();
  const { context } = outside;
  return (options) => {
    const shape = shapeOf(options);
    const cells = cursorCells(options, (asked) => cursors.find(shape, () => cursorsOf(outside, asked)));
    const call: Call = { input: [options, cells], actor: context.actor() };
    // Which of a cursor's values are null decides the form of "comes after these".
    const nulls = cells?.map((cell) => (cell === null ? "0" : "v")).join("");
    const key = shape === undefined || nulls === undefined ? shape : `${shape}${nulls}`;
    return intentOf(
      plans.find(key, () => planList(outside, call)),
      call,
    );
  };
}

function planList(outside: Scope, call: Call): Plan<AnyPage> {
  const options = argument(call, 0, "options");
  const { after, page, total } = listOptions(call);
  refuseUnknownOptions(options.value, LIST_OPTION_NAMES);
  const selected = selectWhere(outside, options, "rows", (scope) =>
    optionalCondition(scope, partOf(options, "where", "where")),
  );
  const { scope, selection } = selected;
  const order = listOrder(scope, listOptions(call));
  if (order.distinctOn !== undefined && selected.select.lock !== undefined) {
    refuse("lock", "cannot be combined with distinctOn: PostgreSQL does not lock what it has picked from");
  }
  const select: Select = {
    ...selected.select,
    ...placeOrder(scope, order.terms, selection.joined),
    distinctOn: order.distinctOn?.map(({ name }) => ({ kind: "column", table: scope.table, name })),
  };
  if (after === undefined) return planPage(select, selected, call, total);
  for (const [name, given] of Object.entries({ page, total })) {
    if (given !== undefined) refuse(name, "cannot be combined with after");
  }
  return planKeyset(select, selected, keysetOrder(order), call);
}

interface ListOrder {
  readonly terms: readonly SortTerm[];
  readonly distinctOn: readonly ColumnDescription[] | undefined;
}

/** PostgreSQL takes the first of equal rows in an order that begins with what they are equal in. */
function listOrder(scope: SortScope, { sort, distinctOn }: ListShape): ListOrder {
  if (distinctOn === undefined) return { terms: totalOrder(scope, sort), distinctOn };
  const columns = distinctColumns(scope.entity, distinctOn);
  const keys = columns.map(({ key }) => key);
  const terms = totalOrder(scope, sort ?? [...keys, scope.entity.list.defaultSort ?? []].flat());
  const isFirst = terms
    .slice(0, columns.length)
    .every(({ through, column }) => through.length === 0 && columns.includes(column));
  if (!isFirst) refuse("sort", `must begin with what distinctOn names: ${keys.join(", ")}`);
  return { terms, distinctOn: columns };
}

function distinctColumns({ byKey }: EntityDescription, given: unknown): readonly ColumnDescription[] {
  const names: readonly unknown[] = Array.isArray(given) ? Array.from(given) : [given];
  const columns = names.map((name) => {
    const column = typeof name === "string" ? byKey.get(name) : undefined;
    // Whether the column may be sorted by, and so seen, is asked where the order is made.
    return column ?? refuse("distinctOn", "must be a column, or a list of columns");
  });
  if (columns.length === 0) refuse("distinctOn", "must name a column");
  return [...new Set(columns)];
}

/** Of equal rows only the first is shown, and a page goes on after all of them. */
function keysetOrder({ terms, distinctOn }: ListOrder): KeysetOrder {
  return distinctOn === undefined ? terms : terms.slice(0, distinctOn.length);
}

/** The place a keyset page begins after; undefined for the first one and for pages by number. */
function cursorCells(options: ListShape, cursorsIn: (call: Call) => Cursors): readonly Cell[] | undefined {
  const call: Call = { input: [options], actor: undefined };
  const { after } = listOptions(call);
  if (after === undefined || after === null || after === "") return undefined;
  return cursorsIn(call).decode(after, call);
}

function cursorsOf(outside: Scope, call: Call): Cursors {
  const scope = computing(openStatement(outside), argument(call, 0, "options"), "compute");
  return new Cursors(scope.entity, keysetOrder(listOrder(scope, listOptions(call))));
}
