import type { RelationDescription } from "../schema/index.ts";
import type { Call, Filter, Ordering, ParameterNode, Select, Walk } from "../sql/index.ts";
import type { TableScope } from "./context.ts";
import { type Given, partOf } from "./given.ts";
import { isUsualLimit } from "./limit.ts";
import { refuse, refuseUnknownOptions } from "./options.ts";
import { type JoinedRows, placeOrder } from "./order.ts";
import type { RelatedRows } from "./related-rows.ts";
import { totalOrder } from "./sort.ts";
import { conditionOf } from "./where.ts";

/**
 * How related rows come along: `join` puts a row's columns beside those of the row it belongs to, `json` brings rows as
 * one JSON value, `statement` asks for them in a second round trip.
 */
export type Strategy = "join" | "json" | "statement";

interface NestedOptions {
  readonly with?: object;
  readonly where?: object;
  readonly sort?: unknown;
  readonly limit?: unknown;
  readonly strategy?: unknown;
  readonly maxDepth?: unknown;
}

const ONE_OPTION_NAMES = ["with", "where", "columns", "compute", "counts", "strategy"];
const MANY_OPTION_NAMES = [...ONE_OPTION_NAMES, "sort", "limit"];
const LINKED_OPTION_NAMES = [...MANY_OPTION_NAMES, "link"];
const WALK_OPTION_NAMES = [...MANY_OPTION_NAMES, "maxDepth"];

export function nestedOptions(relation: RelationDescription, { value, path }: Given): NestedOptions {
  if (value === true) return {};
  if (typeof value !== "object" || value === null) refuse(path, "must be true or an object of options");
  refuseUnknownOptions(value, optionNames(relation), path);
  return value;
}

function optionNames({ kind, walk, link }: RelationDescription): readonly string[] {
  if (kind === "one") return ONE_OPTION_NAMES;
  if (walk !== undefined) return WALK_OPTION_NAMES;
  return link === undefined ? MANY_OPTION_NAMES : LINKED_OPTION_NAMES;
}

/** Related rows as a select of their own, within the statement of the rows they belong to. */
export function relatedSelect(
  { inside, link, walk, filters }: RelatedRows,
  relation: RelationDescription,
  given: Given,
  { joins, joined, projections }: Pick<Select, "joins" | "projections"> & { readonly joined: JoinedRows },
): Select {
  return {
    kind: "select",
    from: inside.table,
    link,
    walk,
    joins,
    projections,
    ...narrowed(inside, relation, given, filters, joined, walk),
  };
}

/** The caller's own condition, order and limit of related rows. */
export function narrowed(
  inside: TableScope,
  relation: RelationDescription,
  given: Given,
  filters: readonly Filter[],
  joined: JoinedRows,
  walk?: Walk,
): Pick<Select, "filters" | "orderBy" | "orderJoins" | "limit"> {
  const { where, sort, limit } = nestedOptions(relation, given);
  const own = where === undefined ? [] : [{ condition: conditionOf(inside, partOf(given, "where")) }];
  const all = [...filters, ...own];
  if (relation.kind === "one") return { filters: all, orderBy: [] };
  const order = placeOrder(inside, totalOrder(inside, sort, `${given.path}.sort`), joined);
  // Unless another order was asked for, the nearest come first.
  const nearest: readonly Ordering[] =
    walk === undefined || sort !== undefined
      ? []
      : [{ of: { kind: "walk-depth", alias: walk.alias }, descending: false }];
  return {
    filters: all,
    orderBy: [...nearest, ...order.orderBy],
    orderJoins: order.orderJoins,
    limit: limit === undefined ? undefined : countingLimit(partOf(given, "limit")),
  };
}

/** A limit: a whole number, one or more. */
export function countingLimit(given: Given): Select["limit"] {
  return isUsualLimit(given.value) ? given.value : countingParameter(given);
}

/** A whole number, one or more. */
export function countingParameter(given: Given): ParameterNode {
  const number = (call: Call): string => {
    const value = given.in(call);
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1) {
      refuse(given.path, "must be a whole number, 1 or more");
    }
    return String(value);
  };
  return { kind: "parameter", value: number };
}
