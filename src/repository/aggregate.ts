import { unknownName } from "../errors/index.ts";
import { type ColumnDescription, isSortable } from "../schema/index.ts";
import type { Call, Condition, Expression, Join, Ordering, Projection, Select } from "../sql/index.ts";
import type { Slot } from "../statement/index.ts";
import { recordsOf } from "./answer.ts";
import { columnPath } from "./column-path.ts";
import type { Scope, TableScope } from "./context.ts";
import { argument, type Given, partOf } from "./given.ts";
import type { Intent } from "./intent.ts";
import {
  countOfRows,
  MEASURE_NAMES,
  type Measure,
  type MeasureName,
  measureOf,
  type Subject,
} from "./measure.ts";
import { plainObject, refuse, refuseUnknownOptions } from "./options.ts";
import { createReach, ordering } from "./order.ts";
import { intentOf, type Plan, Plans, planOf } from "./plan.ts";
import { countingLimit } from "./related.ts";
import { NO_OPTIONS, selectWhere } from "./selected.ts";
import { shapeOf } from "./shape.ts";
import { askedTerms, unknownSort } from "./sort.ts";
import { valueCondition } from "./where/column-condition.ts";
import { propertiesOf } from "./where/properties.ts";
import { optionalCondition } from "./where.ts";

const OPTION_NAMES = ["where", "compute", "groupBy", "count", ...MEASURE_NAMES, "having", "sort", "limit"];
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
      refuseUnknownOptions(options, ["where", "compute", "limit"]);
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
  const { select, scope } = selectWhere(outside, computeOf(given), "rows", (at) =>
    optionalCondition(at, partOf(given, "where", "where")),
  );
  const subjects = createSubjects(scope);
  const groups = groupsOf(subjects, options, path);
  const measures = measuresOf(subjects, options);
  if (groups.length + measures.length === 0)
    refuse("options", `must ask for something: ${OPTION_NAMES.slice(2, -3).join(", ")}`);
  refuseSharedNames(groups, measures);
  const grouped: Pick<Select, "groupBy" | "having" | "orderBy" | "limit"> =
    groups.length === 0
      ? { orderBy: [] }
      : {
          groupBy: groups.map(({ of }) => of),
          having:
            options.having === undefined ? undefined : havingOf(measures, partOf(given, "having", "having")),
          orderBy: groupOrder(groups, measures, options.sort),
          limit: options.limit === undefined ? undefined : countingLimit(partOf(given, "limit", "limit")),
        };
  const tree: Select = {
    ...select,
    joins: subjects.joins(),
    projections: [...groups, ...measures].map(({ of }): Projection => ({ kind: "value", of })),
    ...grouped,
  };
  return planOf(tree, ([outcome]) => finish(recordsOf(outcome)), { slots: slotsOf(groups, measures) });
}

/** Of all options what is computed; the others have a meaning of their own here. */
function computeOf(given: Given): Given {
  const { value } = partOf(given, "compute", "compute");
  if (value === undefined) return NO_OPTIONS;
  return { ...given, value: { compute: value } };
}

/** Finds what callers name, and joins the related rows that it is in. */
interface Subjects {
  named(key: unknown, path: string, isFit: (column: ColumnDescription) => boolean): Subject;
  joins(): readonly Join[];
}

function createSubjects(scope: TableScope): Subjects {
  const reach = createReach(scope);
  const { computed, entity } = scope;
  return {
    named(key, path, isFit) {
      const own = typeof key === "string" ? computed?.get(key) : undefined;
      if (typeof key === "string" && own !== undefined && isFit(own.column))
        return { key, of: own.of, column: own.column, isNullable: !own.column.notNull };
      const besides = [...(computed ?? [])].filter(([, value]) => isFit(value.column)).map(([name]) => name);
      const refuseUnknown = (known: readonly string[]): never =>
        refuse(path, unknownName("column", key, [...known, ...besides]));
      if (typeof key !== "string")
        return refuseUnknown(entity.columns.filter(isFit).map((column) => column.key));
      const purpose = "groups and numbers are made";
      const { through, column } = columnPath(scope, key, { path, isFit, purpose, refuseUnknown });
      const of: Expression = { kind: "column", table: reach.to(through).table, name: column.name };
      return { key, of, column, isNullable: through.length > 0 || !column.notNull };
    },
    joins: reach.joins,
  };
}

function groupsOf(subjects: Subjects, options: Options, path: string): readonly Subject[] {
  const { groupBy } = options;
  if (groupBy === undefined) {
    const stray = GROUP_OPTION_NAMES.find((name) => options[name] !== undefined);
    if (stray !== undefined) refuse(stray, "needs groupBy: without it there is one row");
    return [];
  }
  const groups = subjectsNamed(subjects, groupBy, path, isGroupable);
  if (groups.length === 0) refuse(path, "must name a column");
  return groups;
}

function isGroupable(column: ColumnDescription): boolean {
  return isSortable(column) || (column.castType === "jsonb" && isVisible(column));
}

function isVisible({ marks }: ColumnDescription): boolean {
  return marks.secret !== true;
}

/** One name or several, each once. */
function subjectsNamed(
  subjects: Subjects,
  given: unknown,
  path: string,
  isFit: (column: ColumnDescription) => boolean,
): readonly Subject[] {
  const names: readonly unknown[] = Array.isArray(given) ? Array.from(given) : [given];
  return [...new Set(names)].map((name) => subjects.named(name, path, isFit));
}

function measuresOf(subjects: Subjects, options: Options): readonly Measure[] {
  const { count } = options;
  if (count !== undefined && typeof count !== "boolean") refuse("count", "must be true");
  const measures: Measure[] = count === true ? [countOfRows()] : [];
  for (const name of MEASURE_NAMES) {
    if (options[name] === undefined) continue;
    for (const subject of subjectsNamed(subjects, options[name], name, isVisible)) {
      if (name === "countDistinct" && !isSortable(subject.column))
        refuse(name, `cannot be of "${subject.key}", whose values cannot be told apart`);
      measures.push(measureOf(name, subject));
    }
  }
  return measures;
}

/** A group's value and a number would stand at one property of the row, or have one name to sort by. */
function refuseSharedNames(groups: readonly Subject[], measures: readonly Measure[]): void {
  for (const { key } of groups) {
    if (measures.some(({ path }) => path === key || path.split(".", 1)[0] === key))
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
  groups: readonly Subject[],
  measures: readonly Measure[],
  asked: unknown,
): readonly Ordering[] {
  const known = new Map<unknown, Pick<Subject, "of" | "isNullable">>([
    ...groups.map((group) => [group.key, group] as const),
    ...measures.map(({ path, of }) => [path, { of, isNullable: !path.startsWith("count") }] as const),
  ]);
  const order = new Map<unknown, Ordering>();
  for (const { by, ...way } of asked === undefined ? [] : askedTerms(asked, "sort")) {
    const found = known.get(by) ?? refuse("sort", unknownSort(by, [...known.keys()].map(String)));
    if (!order.has(by)) order.set(by, ordering(found.of, { ...way, isNullable: found.isNullable }));
  }
  for (const { key, of } of groups) {
    if (!order.has(key)) order.set(key, { of, descending: false });
  }
  return [...order.values()];
}

function slotsOf(groups: readonly Subject[], measures: readonly Measure[]): readonly Slot[] {
  const slots: Slot[] = groups.map(({ key, column }) => ({ kind: "column", key, column }));
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
