import type { SearchDescription } from "../schema/index.ts";
import type { Call, Expression, Select } from "../sql/index.ts";
import { countIn } from "./answer.ts";
import type { Scope, TableScope } from "./context.ts";
import { argument, partOf } from "./given.ts";
import type { Ask, Intent } from "./intent.ts";
import { type ListShape, listLimit, listOptions, listPage, pageLimit, pageOffset } from "./list-options.ts";
import { refuse, refuseUnknownOptions } from "./options.ts";
import { intentOf, type Plan, Plans, planOf, statementOf } from "./plan.ts";
import {
  asHtml,
  createMarkSecret,
  createWireMarks,
  headlineOptions,
  headlines,
  highlightingOf,
  type WireMarks,
} from "./search-highlight.ts";
import { typedQuery } from "./search-text.ts";
import type { SearchPage } from "./search-types.ts";
import { similarWay, type Way, wordsWay } from "./search-ways.ts";
import { counting, planRows, READ_OPTION_NAMES, selectWhere } from "./selected.ts";
import { shapeOf } from "./shape.ts";
import { conditionOf } from "./where.ts";

type AnyRow = Record<string, unknown>;

interface AnyHit {
  readonly row: AnyRow;
  readonly rank: number;
  readonly highlights?: Readonly<Record<string, string | null>>;
}

type AnyPage = SearchPage<AnyHit>;
type Extras = readonly (string | null)[];

/** Options of a search call as they come. */
export interface SearchShape extends ListShape {
  readonly prefix?: unknown;
  readonly highlight?: unknown;
}

const SEARCH_OPTION_NAMES = [...READ_OPTION_NAMES, "where", "limit", "page", "prefix", "highlight"];

/** Works out a page of the rows that a text finds. */
export function createSearcher(
  scope: Scope,
  search: SearchDescription,
): (text: unknown, options: SearchShape) => Intent<AnyPage> {
  const plans = new Plans<AnyPage>();
  return (text, options) => {
    const call: Call = { input: [options, text, createMarkSecret()], actor: scope.context.actor() };
    return intentOf(
      plans.find(shapeOf(options), () => planSearch(scope, search, call)),
      call,
    );
  };
}

function planSearch(scope: Scope, search: SearchDescription, call: Call): Plan<AnyPage> {
  refuseUnknownOptions(call.input[0], SEARCH_OPTION_NAMES);
  const { prefix = true } = searchOptions(call);
  if (typeof prefix !== "boolean") refuse("prefix", "must be true or false");
  const typed = typedQuery(search, prefix);
  const words = wordsWay(search, typed);
  const similar = similarWay(scope, search, typed);
  if (similar === undefined) return planWay(scope, search, call, words);
  const fallback = planWay(scope, search, call, similar);
  const plan = planWay(scope, search, call, words, async (ask, at) => {
    const outcome = await similar.ask(ask, statementOf(fallback, at));
    return fallback.read(outcome === undefined ? [] : [outcome], ask, at);
  });
  return { ...plan, later: [...(plan.later ?? []), fallback, ...(fallback.later ?? [])] };
}

/** The rows that one way of searching finds; where there are none, what `fallback` brings. */
function planWay(
  outside: Scope,
  search: SearchDescription,
  first: Call,
  way: Way,
  fallback?: (ask: Ask, call: Call) => Promise<AnyPage>,
): Plan<AnyPage> {
  const options = argument(first, 0, "options");
  const { where, highlight } = searchOptions(first);
  const own = partOf(options, "where", "where");
  const selected = selectWhere(outside, options, "rows", (scope) => ({
    kind: "and",
    of: [way.condition(scope), ...(where === undefined ? [] : [conditionOf(scope, own)])],
  }));
  const { scope, select } = selected;
  const marked = highlightingOf(search, highlight);
  const rank = way.rank(scope);
  const countAll = planOf(counting(select), ([outcome]) => countIn(outcome));
  return planRows<AnyPage>(selected, paged(select, scope, rank, first), {
    extras: [
      rank,
      { kind: "count-of", of: select },
      ...headlines(search, scope.table, way.marked, marked, headlineOptionsIn(search)),
    ],
    async finish(rows, { ask, call, rowCount, extras }) {
      const [limit, page] = [listLimit(outside.entity, call), listPage(call)];
      const isPastEnd = rowCount === 0 && page > 1;
      const total = isPastEnd
        ? countIn(await way.ask(ask, statementOf(countAll, call)))
        : Number(rowCount === 0 ? 0 : extras(0)[1]);
      if (total === 0 && fallback !== undefined) return fallback(ask, call);
      const hit = hitsIn(search, call);
      const data = rows.map((row, i) => hit(row, extras(i)));
      const totalPages = Math.ceil(total / limit);
      return { data, meta: { page, limit, total, totalPages, matched: way.matched } };
    },
  });
}

/** The best first, and of equal ones always the same. */
function paged(select: Select, { entity, table }: TableScope, rank: Expression, call: Call): Select {
  const keys = entity.rowKey.map(({ name }) => ({
    of: { kind: "column", table, name } as const,
    descending: false,
  }));
  return {
    ...select,
    orderBy: [{ of: rank, descending: true }, ...keys],
    limit: pageLimit(entity, call),
    offset: pageOffset(entity, call),
  };
}

/** What each hit is made of; the first two of its extras are the rank and the total. */
function hitsIn(search: SearchDescription, call: Call): (row: AnyRow, extras: Extras) => AnyHit {
  const { keys, marks } = highlightingOf(search, searchOptions(call).highlight);
  const wire = wireMarksOf(call);
  return (row, [rank, , ...texts]) => {
    const hit: AnyHit = { row, rank: Number(rank) };
    if (keys.length === 0) return hit;
    const highlights = keys.map((key, i) => {
      const text = texts[i] ?? null;
      return [key, text === null ? null : asHtml(text, wire, marks)] as const;
    });
    return { ...hit, highlights: Object.fromEntries(highlights) };
  };
}

function headlineOptionsIn(search: SearchDescription): (call: Call) => string {
  return (call) => headlineOptions(highlightingOf(search, searchOptions(call).highlight), wireMarksOf(call));
}

function searchOptions(call: Call): SearchShape {
  return listOptions(call);
}

/** From the third of a call's arguments, which `createSearcher` adds. */
function wireMarksOf({ input: [, , secret] }: Call): WireMarks {
  return createWireMarks(String(secret));
}
