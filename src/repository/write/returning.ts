import type { Outcome } from "../../driver/index.ts";
import { unknownName } from "../../errors/index.ts";
import type { ColumnDescription, EntityDescription } from "../../schema/index.ts";
import type { Projection, Tree } from "../../sql/index.ts";
import type { Slot } from "../../statement/index.ts";
import { recordsOf } from "../answer.ts";
import type { TableScope } from "../context.ts";
import { refuse } from "../options.ts";
import { type Plan, planOf, type ReadAnswer } from "../plan.ts";
import { refuseMissing } from "../read.ts";
import { publicColumns } from "../selection.ts";

/** What a write gives back of its rows. */
export interface Returned {
  /** None where the caller wants no rows. */
  readonly columns: readonly ColumnDescription[];
  /** What of it decides the text of a statement. */
  readonly shape: string;
}

/** @throws {INVALID_QUERY} for an unknown column, and for a secret one. */
export function returnedBy(entity: EntityDescription, returning: unknown, otherwise = true): Returned {
  const wanted = returning === undefined ? otherwise : returning;
  if (wanted === true) return wholeRow(entity);
  if (wanted === false) return NOTHING;
  const known = publicColumns(entity);
  if (!Array.isArray(wanted) || wanted.length === 0)
    refuse("returning", "must be true, false or a list of columns");
  const keys = known.map((column) => column.key);
  // Holes are visited too, as undefined, which is no column.
  for (const key of Array.from(wanted))
    if (!keys.includes(key)) refuse("returning", unknownName("column", key, keys));
  const columns = known.filter((column) => wanted.includes(column.key));
  return { columns, shape: columns.map(({ name }) => `${name.length}:${name}`).join("") };
}

const NOTHING: Returned = { columns: [], shape: "-" };
/** What nearly every call asks for, found once. */
const WHOLE_ROWS = new WeakMap<EntityDescription, Returned>();

function wholeRow(entity: EntityDescription): Returned {
  const known = WHOLE_ROWS.get(entity);
  if (known !== undefined) return known;
  const whole: Returned = { columns: publicColumns(entity), shape: "*" };
  WHOLE_ROWS.set(entity, whole);
  return whole;
}

/** The columns of the written row. */
export function projectionsOf(
  { table }: TableScope,
  { columns }: Pick<Returned, "columns">,
): readonly Projection[] {
  return columns.map((column) => ({
    kind: "value",
    of: { kind: "column", table, name: column.name },
  }));
}

/** What an answer's cells become. */
export function slotsOf({ columns }: Returned): readonly Slot[] {
  return columns.map((column) => ({ kind: "column", key: column.key, column }));
}

/** How many rows an answer is about, whether it brings them or not. */
export function touchedBy(outcome: Outcome | undefined): number {
  return outcome?.rowCount ?? 0;
}

/** A write of one row. `mayMiss`: it is the row with a key, which there may be none of. */
export function planOne(
  tree: Tree,
  entity: EntityDescription,
  returned: Returned,
  mayMiss: boolean,
): Plan<unknown> {
  const read: ReadAnswer<unknown> = ([outcome]) =>
    touchedBy(outcome) === 0 ? refuseMissing(entity) : rowOf(outcome);
  return planOf(tree, read, { mayRefuse: mayMiss, slots: slotsOf(returned) });
}

/** A write of any number of rows: they, or how many they are where none is wanted. */
export function planMany(tree: Tree, returned: Returned): Plan<unknown> {
  return planOf(tree, (outcomes) => rowsOrCount(outcomes, returned), { slots: slotsOf(returned) });
}

/** The row of an answer; `undefined` where nothing of it is wanted. */
export function rowOf(outcome: Outcome | undefined): unknown {
  return recordsOf(outcome)[0];
}

/** The rows of several answers, one after the other; how many there are, where none is wanted. */
export function rowsOrCount(outcomes: readonly Outcome[], { columns }: Returned): unknown {
  return columns.length === 0
    ? outcomes.reduce((count, outcome) => count + touchedBy(outcome), 0)
    : outcomes.flatMap(recordsOf);
}
