/** Numbers about rows, added up one by one. */
import { type Decimal, decimalOf, decimalText, plus, rounded } from "./decimal.ts";
import { type EntityName, kindOf, type Row } from "./model.ts";
import type { Order } from "./orders.ts";

/** What an aggregate asks, as callers write it. */
export interface Measures {
  readonly where?: unknown;
  readonly compute?: unknown;
  readonly groupBy?: readonly string[];
  readonly count?: true;
  readonly countDistinct?: readonly string[];
  readonly sum?: readonly string[];
  readonly avg?: readonly string[];
  readonly min?: readonly string[];
  readonly max?: readonly string[];
  readonly having?: { readonly count: { readonly gte: number } };
  readonly sort?: unknown;
  readonly limit?: number;
}

/** An average that is exact: its digits behind the point are the database's choice. */
export class Average {
  readonly #sum: Decimal;
  readonly #count: number;

  constructor(sum: Decimal, count: number) {
    this.#sum = sum;
    this.#count = count;
  }

  /** With as many digits as another text of it. */
  like(text: unknown): string {
    const digits = String(text).split(".")[1] ?? "";
    return decimalText(rounded(this.#sum, BigInt(this.#count), digits.length));
  }
}

/** One row for each group, in the order of the groups; or one for all rows. */
export function aggregated(entity: EntityName, rows: readonly Row[], asked: Measures): readonly Row[] {
  const { groupBy, having, sort, limit } = asked;
  if (groupBy === undefined) return [measured(entity, rows, asked)];
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const id = JSON.stringify(groupBy.map((column) => textOf(row[column])));
    groups.set(id, [...(groups.get(id) ?? []), row]);
  }
  return [...groups.values()]
    .filter((group) => group.length >= (having?.count.gte ?? 0))
    .sort((a, b) => {
      const byCount = sort === "-count" ? b.length - a.length : sort === "count" ? a.length - b.length : 0;
      return byCount || byColumns(entity, groupBy, a[0] ?? {}, b[0] ?? {});
    })
    .slice(0, limit)
    .map((group) => ({
      ...Object.fromEntries(groupBy.map((column) => [column, group[0]?.[column]])),
      ...measured(entity, group, asked),
    }));
}

/** The different values of a column, null the last. */
export function distinctValues(entity: EntityName, rows: readonly Row[], column: string): readonly unknown[] {
  return aggregated(entity, rows, { groupBy: [column] }).map((row) => row[column]);
}

function byColumns(entity: EntityName, columns: readonly string[], a: Row, b: Row): number {
  for (const column of columns) {
    const [x, y] = [a[column] ?? null, b[column] ?? null];
    const order =
      x === null || y === null
        ? Number(x === null) - Number(y === null)
        : (kindOf(entity, column).order?.(x, y) ?? 0);
    if (order !== 0) return order;
  }
  return 0;
}

/** Values are the same where their texts are. */
function textOf(value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  return value instanceof Date ? value.getTime() : value;
}

function measured(entity: EntityName, rows: readonly Row[], asked: Measures): Row {
  const valuesOf = (column: string): readonly unknown[] =>
    rows.map((row) => row[column] ?? null).filter((value) => value !== null);
  const each = (columns: readonly string[] | undefined, of: (column: string) => unknown): unknown =>
    columns === undefined ? undefined : Object.fromEntries(columns.map((column) => [column, of(column)]));
  const orderOf = (column: string): Order => kindOf(entity, column).order ?? (() => 0);
  const parts = {
    count: asked.count === undefined ? undefined : rows.length,
    countDistinct: each(asked.countDistinct, (column) => differing(orderOf(column), valuesOf(column)).length),
    sum: each(asked.sum, (column) => sumOf(entity, column, valuesOf(column))),
    avg: each(asked.avg, (column) => averageOf(entity, column, valuesOf(column))),
    min: each(asked.min, (column) => [...valuesOf(column)].sort(orderOf(column))[0] ?? null),
    max: each(asked.max, (column) => [...valuesOf(column)].sort(orderOf(column)).at(-1) ?? null),
  };
  return Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined));
}

function differing(order: Order, values: readonly unknown[]): readonly unknown[] {
  return values.filter((value, i) => values.findIndex((other) => order(value, other) === 0) === i);
}

function sumOf(entity: EntityName, column: string, values: readonly unknown[]): unknown {
  if (values.length === 0) return null;
  const { sum } = kindOf(entity, column);
  if (sum === "float") return values.reduce<number>((total, value) => total + Number(value), 0);
  const total = exactSum(values);
  return sum === "bigint" ? BigInt(decimalText(total)) : decimalText(total);
}

function averageOf(entity: EntityName, column: string, values: readonly unknown[]): unknown {
  if (values.length === 0) return null;
  if (kindOf(entity, column).sum !== "float") return new Average(exactSum(values), values.length);
  return values.reduce<number>((total, value) => total + Number(value), 0) / values.length;
}

function exactSum(values: readonly unknown[]): Decimal {
  return values.map(decimalOf).reduce(plus);
}
