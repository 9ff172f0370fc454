import type { Outcome } from "../driver/index.ts";
import type { Call, Condition, Expression, Filter, ParameterNode, Projection, Select } from "../sql/index.ts";
import type { Slot } from "../statement/index.ts";
import { recordsOf } from "./answer.ts";
import { computing } from "./computing.ts";
import { behaviourFilters, openStatement, type Scope, type TableScope } from "./context.ts";
import { canFollow, readRelated } from "./follow-up.ts";
import { argument, type Given } from "./given.ts";
import type { Ask } from "./intent.ts";
import { LOCK_OPTION_NAMES, lockOf } from "./lock.ts";
import { refuse, refuseUnknownOptions } from "./options.ts";
import { type Plan, planOf, type ReadAnswer } from "./plan.ts";
import { type Place, type Selection, selectionOf } from "./selection.ts";

type AnyRow = Record<string, unknown>;

/** MaxTupleAttributeNumber: https://www.postgresql.org/docs/current/limits.html */
const SELECT_COLUMNS_LIMIT = 1_664;

/** A read before its order and limits: the tree, and what its answer becomes. */
export interface Selected {
  readonly select: Select;
  readonly scope: TableScope;
  readonly selection: Selection;
}

/**
 * What a select reads. Related rows of many rows are worth a statement of their own, and so are those of a row whose key is
 * known: then it need not wait for the row.
 */
export type Reach = "row by key" | "row" | "rows";

const FOLLOWING: Readonly<Record<Reach, Place["mayFollow"]>> = {
  row: () => false,
  rows: canFollow,
  "row by key": (scope, relation, columns) =>
    canFollow(scope, relation, columns) &&
    relation.sourceColumns.length === scope.entity.rowKey.length &&
    scope.entity.rowKey.every(({ name }, i) => relation.sourceColumns[i] === name),
};

export function selectWhere(
  outside: Scope,
  options: Given,
  reach: Reach,
  condition: (scope: TableScope) => Condition,
): Selected {
  const scope = computing(openStatement(outside), options, "compute");
  const selection = selectionOf(scope, options, {
    depth: 0,
    mayFollow: FOLLOWING[reach],
    belongsTo: reach === "row by key" ? "one" : "many",
  });
  const filters: Filter[] = [{ condition: condition(scope) }, ...behaviourFilters(scope)];
  const { projections, joins } = selection;
  const lock = lockOf(options);
  if (lock !== undefined && scope.context.asOf !== undefined)
    refuse("lock", "is of rows as they are, and these are as they were");
  if (projections.length > SELECT_COLUMNS_LIMIT) {
    refuse(
      "columns",
      `must not be more than 1,664 of a row and those it brings along, PostgreSQL's limit, and are ${projections.length}; name those that are wanted`,
    );
  }
  return {
    select: { kind: "select", from: scope.table, joins, projections, filters, orderBy: [], lock },
    scope,
    selection,
  };
}

/** What an answer says beside its rows. */
export interface Answered {
  readonly call: Call;
  readonly ask: Ask;
  /** What the statements that travelled with it answered. */
  readonly others: readonly Outcome[];
  /** How many rows it has, wanted or not. */
  readonly rowCount: number;
  /** What one row of it carries besides, as PostgreSQL's text. */
  extras(row: number): readonly (string | null)[];
}

interface Finishing<T> {
  /** Values that each row of the answer carries and none shows. */
  readonly extras?: readonly Expression[];
  /** The most rows that are wanted. @default all of the answer */
  readonly limitIn?: (call: Call) => number;
  /** Makes the result of the rows, which have by then what belongs to them. */
  readonly finish: (rows: AnyRow[], answered: Answered) => T | Promise<T>;
}

/** A plan for the rows of a select, and what statements that follow bring to them. */
export function planRows<T>(
  { selection: { followUps, slots } }: Selected,
  tree: Select,
  { extras = [], limitIn, finish }: Finishing<T>,
): Plan<T> {
  const wide: readonly Slot[] = [
    { kind: "group", key: "row", slots, isOptional: false },
    ...extras.map((_, i) => ({ kind: "raw", key: `e${i}` }) as const),
  ];
  const read: ReadAnswer<T> = (outcomes, ask, call) => {
    const records = recordsOf(outcomes[0]);
    const wanted = limitIn === undefined ? records : records.slice(0, limitIn(call));
    const rows = extras.length === 0 ? [...wanted] : wanted.map(({ row }) => row as AnyRow);
    const answered: Answered = {
      call,
      ask,
      others: outcomes.slice(1),
      rowCount: records.length,
      extras: (i) => extras.map((_, n) => (records[i]?.[`e${n}`] as string | null | undefined) ?? null),
    };
    if (followUps.length === 0) return finish(rows, answered);
    return readRelated(rows, followUps, ask, call).then(() => finish(rows, answered));
  };
  const projections = [...tree.projections, ...extras.map((of): Projection => ({ kind: "value", of }))];
  const plan = planOf({ ...tree, projections }, read, { slots: extras.length === 0 ? slots : wide });
  return { ...plan, later: followUps.map(({ plan }) => plan) };
}

/** The same rows, counted instead of read. */
export function counting(select: Select): Select {
  return {
    ...select,
    projections: [{ kind: "value", of: { kind: "count" } }],
    lock: undefined,
    joins: [],
    orderBy: [],
    orderJoins: [],
  };
}

export const ONE: ParameterNode = { kind: "parameter", value: "1" };

/** What every read takes beside what says which rows it reads. */
export const READ_OPTION_NAMES = ["with", "counts", "columns", "compute", "reveal"];

/** Of a call that reads columns only. */
export const NO_OPTIONS: Given = { value: {}, path: "options", in: () => ({}) };

/** The options of a read by key: its second argument. */
export function readOptions(call: Call): Given {
  const options = argument(call, 1, "options");
  if (options.value === undefined) return NO_OPTIONS;
  refuseUnknownOptions(options.value, [...READ_OPTION_NAMES, ...LOCK_OPTION_NAMES]);
  return options;
}
