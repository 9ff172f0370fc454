import { unknownName } from "../errors/index.ts";
import { type ColumnDescription, isSortable } from "../schema/index.ts";
import type { Call, Condition, Expression, Ordering, Projection, Select } from "../sql/index.ts";
import type { Slot } from "../statement/index.ts";
import { recordsOf } from "./answer.ts";
import type { Scope, TableScope } from "./context.ts";
import { argument, type Given, partOf } from "./given.ts";
import type { Intent } from "./intent.ts";
import { countOfRows, MEASURE_NAMES, type Measure, type MeasureName, measureOf } from "./measure.ts";
import { plainObject, refuse, refuseUnknownOptions } from "./options.ts";
import { ordering } from "./order.ts";
import { intentOf, type Plan, Plans, planOf } from "./plan.ts";
import { countingParameter } from "./related.ts";
import { NO_OPTIONS, selectWhere } from "./selected.ts";
import { shapeOf } from "./shape.ts";
import { askedTerms, unknownSort } from "./sort.ts";
import { valueCondition } from "./where/column-condition.ts";
import { propertiesOf } from "./where/properties.ts";
import { optionalCondition } from "./where.ts";

const OPTION_NAMES = ["where", "groupBy", "count", ...MEASURE_NAMES, "having", "sort", "limit"];
/** What makes no sense of one row. */
const GROUP_OPTION_NAMES = ["having", "sort", "limit"];

type AnyRow = Record<string, unknown>;
type Options = Readonly<Record<string, unknown>>;

/** What is asked about the rows of an entity, instead of the rows. */
export interface Aggregator {
  aggregate(options: unknown): Intent<AnyRow | readonly AnyRow[]>;
  distinct(column: unknown, options?: object): Intent<readonly unknown[]>;
}

export function createAggregator(scope: Scope): Aggregator {
  const plans = new Plans<AnyRow | readonly AnyRow[]>();
  const distincts = new Plans<readonly unknown[]>();
  const callWith = (options: unknown): Call => ({ input: [options], actor: scope.context.actor() });
  return {
    aggregate(options) {
      const call = callWith(options);
      const plan = plans.find(shapeOf(options), () => {
        const isGrouped = plainObject(options, "options").groupBy !== undefined;
        return planGroups(scope, call, "groupBy", (rows) => (isGrouped ? rows : (rows[0] ?? {})));
      });
      return intentOf(plan, call);
    },
    distinct(column, options = {}) {
      refuseUnknownOptions(options, ["where", "limit"]);
      const call = callWith({ ...options, groupBy: [column] });
      const plan = distincts.find(shapeOf(call.input[0]), () =>
        planGroups(scope, call, "column", (rows) => rows.map((row) => row[String(column)])),
      );
      return intentOf(plan, call);
    },
  };
}

/** Numbers about all rows, or about each group of them. The options are the call's first argument. */
function planGroups<T>(
  outside: Scope,
  call: Call,
  path: string,
  finish: (rows: readonly AnyRow[]) => T,
): Plan<T> {
  const given = argument(call, 0, "options");
  refuseUnknownOptions(given.value, OPTION_NAMES);
  const options = plainObject(given.value, "options");
  const { select, scope } = selectWhere(outside, NO_OPTIONS, "rows", (at) =>
    optionalCondition(at, partOf(given, "where", "where")),
  );
  const groups = groupColumns(scope, options, path);
  const measures = measuresOf(scope, options);
  if (groups.length + measures.length === 0)
    refuse("options", `must ask for something: ${OPTION_NAMES.slice(1, -3).join(", ")}`);
  refuseSharedNames(groups, measures);
  const grouped: Pick<Select, "groupBy" | "having" | "orderBy" | "limit"> =
    groups.length === 0
      ? { orderBy: [] }
      : {
          groupBy: groups.map((column) => expressionOf(scope, column)),
          having:
            options.having === undefined ? undefined : havingOf(measures, partOf(given, "having", "having")),
          orderBy: groupOrder(scope, groups, measures, options.sort),
          limit: options.limit === undefined ? undefined : countingParameter(partOf(given, "limit", "limit")),
        };
  const projections = [
    ...groups.map((column) => expressionOf(scope, column)),
    ...measures.map(({ of }) => of),
  ];
  const tree: Select = {
    ...select,
    joins: [],
    projections: projections.map((of): Projection => ({ kind: "value", of })),
    ...grouped,
  };
  return planOf(tree, ([outcome]) => finish(recordsOf(outcome)), { slots: slotsOf(groups, measures) });
}

function expressionOf({ table }: TableScope, { name }: ColumnDescription): Expression {
  return { kind: "column", table, name };
}

function groupColumns({ entity }: TableScope, options: Options, path: string): readonly ColumnDescription[] {
  const { groupBy } = options;
  if (groupBy === undefined) {
    const stray = GROUP_OPTION_NAMES.find((name) => options[name] !== undefined);
    if (stray !== undefined) refuse(stray, "needs groupBy: without it there is one row");
    return [];
  }
  const groupable = entity.columns.filter(
    (column) => isSortable(column) || (column.castType === "jsonb" && column.marks.secret !== true),
  );
  const columns = columnsNamed(groupable, groupBy, path);
  if (columns.length === 0) refuse(path, "must name a column");
  return columns;
}

/** One name or several, each column once. */
function columnsNamed(
  known: readonly ColumnDescription[],
  given: unknown,
  path: string,
): readonly ColumnDescription[] {
  const names: readonly unknown[] = Array.isArray(given) ? Array.from(given) : [given];
  const columns = names.map((name) => {
    const keys = known.map(({ key }) => key);
    return known.find(({ key }) => key === name) ?? refuse(path, unknownName("column", name, keys));
  });
  return [...new Set(columns)];
}

function measuresOf({ entity, table }: TableScope, options: Options): readonly Measure[] {
  const visible = entity.columns.filter(({ marks }) => marks.secret !== true);
  const { count } = options;
  if (count !== undefined && typeof count !== "boolean") refuse("count", "must be true");
  const measures: Measure[] = count === true ? [countOfRows()] : [];
  for (const name of MEASURE_NAMES) {
    if (options[name] === undefined) continue;
    for (const column of columnsNamed(visible, options[name], name)) {
      if (name === "countDistinct" && !isSortable(column))
        refuse(name, `cannot be of "${column.key}", whose values cannot be told apart`);
      measures.push(measureOf(name, column, table));
    }
  }
  return measures;
}

/** A column's value and a number would stand at one property of the row. */
function refuseSharedNames(groups: readonly ColumnDescription[], measures: readonly Measure[]): void {
  for (const { key } of groups) {
    if (measures.some(({ path }) => path.split(".", 1)[0] === key))
      refuse("groupBy", `"${key}" is both a column and what the row's ${key} would be called`);
  }
}

/** `{ count: { gte: 2 }, sum: { hours: { gt: 10n } } }`: conditions on what is asked for. */
function havingOf(measures: readonly Measure[], given: Given): Condition {
  const known = measures.map(({ path }) => path);
  const conditions: Condition[] = [];
  for (const name of propertiesOf(given.value, given.path)) {
    const part = partOf(given, name);
    const isMeasure = MEASURE_NAMES.some((measure): measure is MeasureName => measure === name);
    const keys = isMeasure ? propertiesOf(part.value, part.path) : [undefined];
    for (const key of keys) {
      const operand = key === undefined ? part : partOf(part, key);
      const path = key === undefined ? name : `${name}.${key}`;
      const measure = measures.find((one) => one.path === path);
      if (measure === undefined) refuse(operand.path, unknownName("measure", path, known));
      if (operand.value === undefined) refuse(operand.path, "is undefined; leave the property out instead");
      conditions.push(valueCondition(measure.result, measure.of, operand));
    }
  }
  return { kind: "and", of: conditions };
}

/** Made total by the groups themselves, of which no two are alike. */
function groupOrder(
  scope: TableScope,
  groups: readonly ColumnDescription[],
  measures: readonly Measure[],
  asked: unknown,
): readonly Ordering[] {
  const known = new Map<unknown, { readonly of: Expression; readonly isNullable: boolean }>([
    ...groups.map(
      (column) => [column.key, { of: expressionOf(scope, column), isNullable: !column.notNull }] as const,
    ),
    ...measures.map(({ path, of }) => [path, { of, isNullable: !path.startsWith("count") }] as const),
  ]);
  const order = new Map<unknown, Ordering>();
  for (const { by, ...way } of asked === undefined ? [] : askedTerms(asked, "sort")) {
    const found = known.get(by) ?? refuse("sort", unknownSort(by, [...known.keys()].map(String)));
    if (!order.has(by)) order.set(by, ordering(found.of, { ...way, isNullable: found.isNullable }));
  }
  for (const column of groups) {
    if (!order.has(column.key)) order.set(column.key, { of: expressionOf(scope, column), descending: false });
  }
  return [...order.values()];
}

function slotsOf(groups: readonly ColumnDescription[], measures: readonly Measure[]): readonly Slot[] {
  const slots: Slot[] = groups.map((column) => ({ kind: "column", key: column.key, column }));
  if (measures.some(({ path }) => path === "count")) slots.push({ kind: "count", key: "count" });
  for (const name of MEASURE_NAMES) {
    const own = measures.filter(({ path }) => path.startsWith(`${name}.`));
    if (own.length === 0) continue;
    const values = own.map(
      ({ path, result: column }): Slot => ({ kind: "column", key: path.slice(name.length + 1), column }),
    );
    slots.push({ kind: "group", key: name, slots: values, isOptional: false });
  }
  return slots;
}
