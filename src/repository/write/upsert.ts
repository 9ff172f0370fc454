import { InputError } from "../../errors/index.ts";
import type { ColumnDescription } from "../../schema/index.ts";
import type { Conflict, TableReference } from "../../sql/index.ts";
import type { Scope } from "../context.ts";
import { type EncodedRow, encodeNewRow } from "../input.ts";
import type { Intent } from "../intent.ts";
import { refuse, refuseUnknownOptions } from "../options.ts";
import { additionsOf, intentOf, Plans } from "../plan.ts";
import { callWith } from "./call.ts";
import {
  columnsOf,
  keyOn,
  refuseChangedKey,
  requireGiven,
  requireKey,
  shapeOfChange,
  type UpsertChange,
  upsertChange,
  upsertSet,
} from "./conflict.ts";
import {
  groupRows,
  Inserts,
  identityOf,
  inInputOrder,
  insertTree,
  type RowGroup,
  statementFor,
} from "./insert.ts";
import { rowShape } from "./patch.ts";
import { planOne, returnedBy, rowsOrCount } from "./returning.ts";

/** Untyped options of `upsert` and `upsertMany`. */
export interface UpsertShape {
  readonly on: unknown;
  readonly update?: unknown;
  readonly returning?: unknown;
}

/** Calls that make rows, or change those that hold their key. */
export interface Upserter {
  upsert(input: object, options: UpsertShape): Intent<unknown>;
  upsertMany(inputs: readonly object[], options: UpsertShape): Intent<unknown>;
}

const OPTION_NAMES = ["on", "update", "returning"];

export function createUpserter(scope: Scope): Upserter {
  const { entity } = scope;
  const upserts = new Plans<unknown>();
  const inserts = new Inserts(scope);
  const conflictOf =
    (row: EncodedRow, input: object, on: readonly ColumnDescription[], change: UpsertChange) =>
    (table: TableReference): Conflict => ({
      columns: on.map(({ name }) => name),
      set: upsertSet(entity, row, input, on, change, table),
    });
  return {
    upsert(input, options) {
      refuseUnknownOptions(options, OPTION_NAMES);
      const returned = returnedBy(entity, options.returning);
      const encoded = encodeNewRow(entity, input);
      const named = columnsOf(entity, options.on);
      requireKey(named, input);
      const on = keyOn(entity, named);
      const change = upsertChange(entity, options.update);
      requireGiven(change, input);
      const parts = [rowShape(encoded), shapeOfChange(change, encoded, input), keyShape(on), returned.shape];
      const plan = upserts.find(parts.join("/"), () => {
        const conflictOn = conflictOf(encoded, input, on, change);
        const tree = insertTree(scope, encoded, "one", { returned, conflictOn });
        return planOne(tree, entity, returned, false);
      });
      return intentOf(plan, callWith(scope, encoded, valuesOf(change)));
    },
    upsertMany(inputs, options) {
      if (!Array.isArray(inputs)) refuse("inputs", "must be a list");
      refuseUnknownOptions(options, OPTION_NAMES);
      const returned = returnedBy(entity, options.returning);
      const on = keyOn(entity, columnsOf(entity, options.on));
      const change = upsertChange(entity, options.update);
      refuseChangedKey(change, on);
      const given: readonly object[] = Array.from(inputs);
      const rows = given.map((input, i) => {
        const row = encodeNewRow(entity, input, { path: String(i) });
        requireKey(on, input, String(i));
        requireGiven(change, input, String(i));
        return row;
      });
      const groups = groupsByKey(rows, on, (row, i) => {
        const shape = shapeOfChange(change, row, given[i] ?? {});
        return `${rowShape(row)}/${shape}`;
      });
      const variant = `${keyShape(on)}/${returned.shape}`;
      const plans = groups.map((group) => {
        const [first = new Map(), position = 0] = [group.rows[0], group.positions[0]];
        const conflictOn = conflictOf(first, given[position] ?? {}, on, change);
        return inserts.plan(group, variant, { returned, conflictOn });
      });
      const call = callWith(scope);
      return {
        calls: groups.flatMap((group, i) => {
          const plan = plans[i];
          return plan === undefined ? [] : [statementFor(plan, group, call, valuesOf(change))];
        }),
        get additions() {
          return plans.slice(0, 1).flatMap(({ tree }) => additionsOf(tree));
        },
        read: (outcomes) =>
          returned.columns.length === 0 ? rowsOrCount(outcomes, returned) : inInputOrder(groups, outcomes),
      };
    },
  };
}

function keyShape(on: readonly ColumnDescription[]): string {
  return rowShape(new Map(on.map((column) => [column, null])));
}

function valuesOf(change: UpsertChange): EncodedRow | undefined {
  return change.kind === "change" ? change.patch.values : undefined;
}

/**
 * Rows go in the order of their keys, whatever order they were given in: two calls at once lock the rows that they share
 * in the same order, and one waits for the other instead of both for each other.
 */
function groupsByKey(
  rows: readonly EncodedRow[],
  on: readonly ColumnDescription[],
  shapeAt: (row: EncodedRow, position: number) => string,
): readonly RowGroup[] {
  const identities = rows.map((row) => identityOf(row, on));
  const order = [...rows.keys()].sort((a, b) => compare(identities[a] ?? "", identities[b] ?? ""));
  order.forEach((position, i) => {
    const before = order[i - 1];
    if (before === undefined || identities[before] !== identities[position]) return;
    const [first, second] = before < position ? [before, position] : [position, before];
    const key = on.map((column) => column.key).join(", ");
    // PostgreSQL refuses it too (21000), without saying which rows.
    throw new InputError("INVALID_VALUE", [
      { path: String(second), message: `has the same ${key} as row ${first}; each key may come once` },
    ]);
  });
  const shapes = rows.map(shapeAt);
  const groups = groupRows(rows, order, shapes);
  return [...groups].sort((a, b) => compare(a.shape, b.shape));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
