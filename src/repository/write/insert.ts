import type { Outcome, StatementCall } from "../../driver/index.ts";
import type { ColumnDescription } from "../../schema/index.ts";
import type {
  Call,
  Conflict,
  Encoded,
  Insert,
  ParameterValue,
  TableReference,
  Tree,
} from "../../sql/index.ts";
import { encodeArray, type Slot } from "../../statement/index.ts";
import { recordsOf } from "../answer.ts";
import { openStatement, rewritten, type Scope } from "../context.ts";
import type { EncodedRow } from "../input.ts";
import { type Plan, Plans, planOf, statementOf } from "../plan.ts";
import { encodedIn, rowShapes } from "./patch.ts";
import { projectionsOf, type Returned, slotsOf } from "./returning.ts";

/** Rows of one insert statement; more are several statements in one flight, all or nothing. */
const CHUNK_ROWS = 10_000;
/** Values of one insert statement, in characters: a parameter of PostgreSQL's holds a gigabyte, a string of Node's half. */
const CHUNK_LENGTH = 32_000_000;

/** How rows are inserted, beside their values. */
export interface InsertOptions {
  readonly returned: Returned;
  /** Columns that come besides, as PostgreSQL writes them. A record then has its row in `row`, and these by position. */
  readonly raw?: readonly ColumnDescription[];
  readonly conflictOn?: ((table: TableReference) => Conflict) | undefined;
}

/** An insert of rows with the columns of `first`. They are the call's first argument: one row, or a list of them. */
export function insertTree(
  outside: Scope,
  first: EncodedRow,
  rows: "one" | "many",
  { returned, raw = [], conflictOn }: InsertOptions,
): Tree {
  const scope = openStatement(outside);
  const insert: Insert = {
    kind: "insert",
    into: scope.table,
    rows,
    columns: [...first.keys()].map((column) => ({
      kind: "per-row",
      name: column.name,
      type: column.castType,
      values: rows === "one" ? ownValue(column) : arrayOf(column),
    })),
    conflict: conflictOn?.(scope.table),
    returning: [...projectionsOf(scope, returned), ...projectionsOf(scope, { columns: raw })],
  };
  return rewritten(scope.context, scope.entity, insert);
}

function ownValue(column: ColumnDescription): ParameterValue {
  return ({ input: [row] }) => encodedIn(row, column);
}

function arrayOf(column: ColumnDescription): ParameterValue {
  return ({ input: [rows] }) =>
    encodeArray(Array.isArray(rows) ? rows.map((row) => encodedIn(row, column)) : []);
}

/** Rows of one statement, and where they stood in the caller's list. */
export interface RowGroup {
  readonly shape: string;
  readonly rows: EncodedRow[];
  readonly positions: number[];
}

interface Chunk extends RowGroup {
  length: number;
}

/** Rows that leave different columns to the database need different statements. `shapes` is by position. */
export function groupRows(
  rows: readonly EncodedRow[],
  positions: Iterable<number> = rows.keys(),
  shapes: readonly string[] = rowShapes(rows),
): readonly RowGroup[] {
  const groups = new Map<string, Chunk[]>();
  for (const position of positions) {
    const [row, shape] = [rows[position], shapes[position]];
    if (row === undefined || shape === undefined) continue;
    const chunks = groups.get(shape) ?? [];
    const length = lengthOf(row);
    let chunk = chunks.at(-1);
    // `default values` makes one row; a row of nothing but defaults is a statement of its own.
    const limit = row.size === 0 ? 1 : CHUNK_ROWS;
    if (chunk === undefined || chunk.rows.length >= limit || chunk.length + length > CHUNK_LENGTH) {
      chunk = { shape, rows: [], positions: [], length: 0 };
      chunks.push(chunk);
    }
    chunk.rows.push(row);
    chunk.positions.push(position);
    chunk.length += length;
    groups.set(shape, chunks);
  }
  return [...groups.values()].flat();
}

function lengthOf(row: EncodedRow): number {
  let length = 0;
  for (const value of row.values()) length += value === null ? 4 : value.length;
  return length;
}

/** The inserts of one entity, by shape. */
export class Inserts {
  readonly #plans = new Plans<undefined>();
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** `variant` is what of the call decides the text beside its columns. */
  plan({ shape, rows }: RowGroup, variant: string, options: InsertOptions): Plan<undefined> {
    const [first = new Map()] = rows;
    const form = rows.length === 1 ? "one" : "many";
    return this.#plans.find(`${shape}/${form}/${variant}`, () =>
      planOf(insertTree(this.#scope, first, form, options), () => undefined, { slots: slotsFor(options) }),
    );
  }
}

function slotsFor({ returned, raw }: InsertOptions): readonly Slot[] {
  const slots = slotsOf(returned);
  if (raw === undefined) return slots;
  return [
    { kind: "group", key: "row", slots, isOptional: false },
    ...raw.map((_, i): Slot => ({ kind: "raw", key: String(i) })),
  ];
}

/** One statement of a group, with further arguments of its call. */
export function statementFor(
  plan: Plan<undefined>,
  { rows }: RowGroup,
  call: Call,
  ...further: readonly unknown[]
): StatementCall {
  return statementOf(plan, { ...call, input: [rows.length === 1 ? rows[0] : rows, ...further] });
}

/** Each group's rows come back in the order they were sent; this puts the groups back between each other. */
export function inInputOrder(groups: readonly RowGroup[], outcomes: readonly Outcome[]): unknown[] {
  const rows: unknown[] = [];
  groups.forEach((group, i) => {
    const answered = recordsOf(outcomes[i]);
    group.positions.forEach((position, j) => {
      const row = answered[j];
      if (row !== undefined) rows[position] = row;
    });
  });
  // A trigger may have left some out.
  return rows.filter((row) => row !== undefined);
}

/** The text of a key's parts, the same for two rows that would meet each other. */
export function identityOf(row: EncodedRow, columns: readonly ColumnDescription[]): string {
  return JSON.stringify(columns.map((column) => textOf(row.get(column) ?? null, column)));
}

function textOf(value: Encoded, { castType }: ColumnDescription): string | null {
  if (value === null) return null;
  const text = typeof value === "string" ? value : value.toString("hex");
  // PostgreSQL writes and compares UUIDs in lower case, whatever it was given.
  return castType === "uuid" ? text.toLowerCase() : text;
}
