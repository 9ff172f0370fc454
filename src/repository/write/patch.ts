import { InputError } from "../../errors/index.ts";
import type { ColumnDescription, EntityDescription } from "../../schema/index.ts";
import type { Assignment, Encoded, Expression, ParameterNode, TableReference } from "../../sql/index.ts";
import { encodeValue } from "../../statement/index.ts";
import { type EncodedRow, encodeChanges } from "../input.ts";
import { isPlainObject } from "../options.ts";
import { Change, type Operation } from "./change.ts";

/** What a call changes of a row. */
export interface EncodedPatch {
  /** The new values, and what operations work with. */
  readonly values: EncodedRow;
  /** What becomes of the columns that do not simply take the value. */
  readonly operations: ReadonlyMap<ColumnDescription, PlannedOperation>;
  /** What of it decides the text of a statement. */
  readonly shape: string;
}

interface PlannedOperation {
  readonly operation: Operation;
  /** It works with the value that an upsert's row was given with, not with one of its own. */
  readonly takesGiven: boolean;
}

/** `isUpsert` patches may take values of the row that was given. */
export interface PatchContext {
  readonly path?: string;
  readonly isUpsert?: boolean;
  /** What every value is taken for, if it is no change itself. */
  readonly operation?: Operation;
}

/**
 * The values of a patch: exactly what was given.
 *
 * @throws {INVALID_VALUE} with everything that is wrong at once.
 */
export function encodePatch(
  entity: EntityDescription,
  patch: object,
  { path = "", isUpsert = false, operation: implied }: PatchContext = {},
): EncodedPatch {
  const operations = new Map<ColumnDescription, PlannedOperation>();
  const values = encodeChanges(entity, patch, path, (column, value, place) => {
    const change =
      Change.contentOf(value) ?? (implied === undefined ? undefined : { operation: implied, operand: value });
    if (change === undefined) {
      if (value === null && column.notNull) invalid(place, "must not be null");
      return encodeValue(column, value, place);
    }
    const { operation, operand } = change;
    const takesGiven = operation === "given" || Change.contentOf(operand)?.operation === "given";
    const complaint =
      takesGiven && !isUpsert
        ? "takes the value of an upsert's row, and this is no upsert"
        : unfit(column, operation);
    if (complaint !== undefined) invalid(place, complaint);
    operations.set(column, { operation, takesGiven });
    return takesGiven ? null : operandOf(column, operation, operand, place);
  });
  let shape = "";
  for (const column of values.keys())
    shape += `${column.name.length}:${column.name}${markOf(operations.get(column))}`;
  return { values, operations, shape };
}

/** One letter for each operation, so that no name and no list of columns reads like another. */
const MARKS: Readonly<Record<Operation, string>> = {
  add: "a",
  subtract: "s",
  multiply: "m",
  toggle: "t",
  now: "n",
  append: "p",
  remove: "r",
  merge: "j",
  given: "g",
};

function markOf(planned: PlannedOperation | undefined): string {
  if (planned === undefined) return "=";
  const mark = MARKS[planned.operation];
  return planned.takesGiven ? mark.toUpperCase() : mark;
}

const NUMERIC = new Set(["integer", "float", "bigint", "safe-bigint"]);

/** Why a column cannot be changed so; `undefined` where it can. */
function unfit({ kind, castType }: ColumnDescription, operation: Operation): string | undefined {
  switch (operation) {
    case "add":
    case "subtract":
    case "multiply":
      return NUMERIC.has(kind) || castType === "numeric" ? undefined : "is not a number";
    case "toggle":
      return kind === "boolean" ? undefined : "is not a boolean";
    case "now":
      return /^(timestamp|date$)/.test(castType) ? undefined : "is not a time";
    case "append":
    case "remove":
      return kind === "array" ? undefined : "is not an array";
    case "merge":
      return kind === "json" && castType === "jsonb" ? undefined : "is not jsonb";
    case "given":
      return undefined;
  }
}

function operandOf(column: ColumnDescription, operation: Operation, operand: unknown, path: string): Encoded {
  switch (operation) {
    case "toggle":
    case "now":
      return null;
    case "remove":
      if (operand === null || operand === undefined) invalid(path, "must be an item to remove");
      return encodeValue(column.item ?? column, operand, path);
    case "merge":
      if (!isPlainObject(operand)) invalid(path, "must be an object to merge");
      return encodeValue(column, operand, path);
    case "append":
      if (operand === null) invalid(path, "must be a list to append");
      return encodeValue(column, operand, path);
    default:
      // Null would make null of what is there.
      if (operand === null) invalid(path, `must be a number to ${operation}`);
      return encodeValue(column, operand, path);
  }
}

function invalid(path: string, message: string): never {
  throw new InputError("INVALID_VALUE", [{ path, message }]);
}

/** What a patch sets in a row of `table`. `valueFor` says where a call has the column's value. */
export function assignmentsOf(
  { values, operations }: Pick<EncodedPatch, "values" | "operations">,
  table: TableReference,
  valueFor: (column: ColumnDescription) => Expression,
): readonly Assignment[] {
  return [...values.keys()].map((column) => {
    const planned = operations.get(column);
    if (planned === undefined) return { name: column.name, value: valueFor(column) };
    const operand: Expression = planned.takesGiven
      ? { kind: "excluded", name: column.name }
      : typed(valueFor(column), planned.operation === "remove" ? column.item : column);
    return { name: column.name, value: changed(column, planned.operation, table, operand) };
  });
}

function typed(value: Expression, column: ColumnDescription | undefined): Expression {
  return value.kind === "parameter" && column !== undefined ? { ...value, type: column.castType } : value;
}

function changed(
  column: ColumnDescription,
  operation: Operation,
  table: TableReference,
  operand: Expression,
): Expression {
  const present: Expression = { kind: "column", table, name: column.name };
  const or = (empty: string): Expression => {
    if (column.notNull) return present;
    const nothing: ParameterNode = { kind: "parameter", value: empty, type: column.castType };
    return { kind: "coalesce", of: [present, nothing] };
  };
  switch (operation) {
    case "add":
      // Null plus one is null: a counter that was never set would lose every call.
      return { kind: "arithmetic", operator: "+", left: or("0"), right: operand };
    case "subtract":
      return { kind: "arithmetic", operator: "-", left: or("0"), right: operand };
    case "multiply":
      return { kind: "arithmetic", operator: "*", left: present, right: operand };
    case "append":
    case "merge":
      return { kind: "arithmetic", operator: "||", left: or("{}"), right: operand };
    case "remove":
      return { kind: "function", name: "array_remove", of: [present, operand] };
    case "toggle":
      return { kind: "negation", of: present };
    case "now":
      return { kind: "now" };
    case "given":
      return operand;
  }
}

/** A column's value in the map that a call has at this position of its arguments. */
export function valueIn(position: number): (column: ColumnDescription) => ParameterNode {
  return (column) => ({
    kind: "parameter",
    value: ({ input }) => encodedIn(input[position], column),
  });
}

export function encodedIn(row: unknown, column: ColumnDescription): Encoded {
  return row instanceof Map ? ((row as EncodedRow).get(column) ?? null) : null;
}

export function rowShape(row: EncodedRow): string {
  let shape = "";
  for (const { name } of row.keys()) shape += `${name.length}:${name}`;
  return shape;
}

/** The shape of each row. Most rows are like the one before, and take its text: that of a new one would be hashed anew. */
export function rowShapes(rows: readonly EncodedRow[]): readonly string[] {
  let columns: readonly ColumnDescription[] | undefined;
  let shape = "";
  return rows.map((row) => {
    if (columns === undefined || !hasColumns(row, columns)) {
      columns = [...row.keys()];
      shape = rowShape(row);
    }
    return shape;
  });
}

function hasColumns(row: EncodedRow, columns: readonly ColumnDescription[]): boolean {
  if (row.size !== columns.length) return false;
  let i = 0;
  for (const column of row.keys()) if (column !== columns[i++]) return false;
  return true;
}
