import type { AnyEntity, Flat, Row, RowKeys, TraitsOf } from "../schema/index.ts";
import type { OneOrMany, SortTerm } from "./list-types.ts";
import type { Operators, Where } from "./where-types.ts";

// ---- Which columns ------------------------------------------------------------------------------------------------

type ColumnType<E extends AnyEntity, K> = K extends keyof TraitsOf<E>["columns"]
  ? TraitsOf<E>["columns"][K] extends { readonly _: { readonly columnType: infer C } }
    ? C
    : never
  : never;

type Small = "PgSmallInt" | "PgInteger" | "PgSerial" | "PgSmallSerial";
type Exact = "PgBigInt53" | "PgBigInt64" | "PgBigSerial53" | "PgBigSerial64" | NumericTypes;
type NumericTypes = "PgNumeric" | "PgNumericNumber" | "PgNumericBigInt";
type Float = "PgReal" | "PgDoublePrecision";
type Summable = Small | Exact | Float | "PgInterval";
type Ranked =
  | Summable
  | "PgText"
  | "PgVarchar"
  | "PgChar"
  | "PgEnumColumn"
  | "PgEnumObjectColumn"
  | "PgDate"
  | "PgDateString"
  | "PgTime"
  | "PgTimestamp"
  | "PgTimestampString"
  | "PgInet";

type KeysOfType<E extends AnyEntity, C> = {
  [K in RowKeys<E>]: ColumnType<E, K> extends C ? K : never;
}[RowKeys<E>];

/** Properties of columns that can be added up: numbers and intervals. */
export type SummableKeys<E extends AnyEntity> = KeysOfType<E, Summable>;

/** Properties of columns that have a least and a greatest value: numbers, texts, enums, dates and times. */
export type RankedKeys<E extends AnyEntity> = KeysOfType<E, Ranked>;

// ---- What comes out -----------------------------------------------------------------------------------------------

type SumOf<C> = C extends Small ? bigint : C extends Float ? number : string;
type AverageOf<C> = C extends Float ? number : string;

type Sums<E extends AnyEntity, K extends string> = { [P in K]: SumOf<ColumnType<E, P>> | null };
type Averages<E extends AnyEntity, K extends string> = { [P in K]: AverageOf<ColumnType<E, P>> | null };
type Extremes<E extends AnyEntity, K extends string> = { [P in K & RowKeys<E>]: Row<E>[P] | null };

type Part<Name extends string, K, Value> = [K] extends [never] ? unknown : { [P in Name]: Value };

/** What was asked of an aggregate: the columns of each part of it. */
export interface Asked {
  readonly groups: string;
  readonly count: boolean;
  readonly distinct: string;
  readonly sum: string;
  readonly avg: string;
  readonly min: string;
  readonly max: string;
}

/**
 * One row of an aggregate. Nothing is lost: the sum of an `integer` is a bigint, that of a `bigint` or `numeric` and every
 * average of whole numbers is the text of a numeric, that of a float is a number. Null where no row has a value.
 */
export type AggregateRow<E extends AnyEntity, A extends Asked> = Flat<
  Pick<Row<E>, A["groups"] & keyof Row<E>> &
    (A["count"] extends true ? { count: number } : unknown) &
    Part<"countDistinct", A["distinct"], { [P in A["distinct"]]: number }> &
    Part<"sum", A["sum"], Sums<E, A["sum"]>> &
    Part<"avg", A["avg"], Averages<E, A["avg"]>> &
    Part<"min", A["min"], Extremes<E, A["min"]>> &
    Part<"max", A["max"], Extremes<E, A["max"]>>
>;

/** One row, or one for each group. */
export type AggregateResult<E extends AnyEntity, A extends Asked> = [A["groups"]] extends [never]
  ? AggregateRow<E, A>
  : AggregateRow<E, A>[];

// ---- What goes in -------------------------------------------------------------------------------------------------

type Comparable<T> = NonNullable<T> | Operators<NonNullable<T>> | null;
type Comparables<T> = { readonly [K in keyof T]?: Comparable<T[K]> };

type Having<E extends AnyEntity, A extends Asked> = (A["count"] extends true
  ? { readonly count?: number | Operators<number> }
  : unknown) &
  Part2<"countDistinct", { [P in A["distinct"]]: number }> &
  Part2<"sum", Sums<E, A["sum"]>> &
  Part2<"avg", Averages<E, A["avg"]>> &
  Part2<"min", Extremes<E, A["min"]>> &
  Part2<"max", Extremes<E, A["max"]>>;

type Part2<Name extends string, T> = { readonly [P in Name]?: Comparables<T> };

type MeasurePath<A extends Asked> =
  | (A["count"] extends true ? "count" : never)
  | `countDistinct.${A["distinct"]}`
  | `sum.${A["sum"]}`
  | `avg.${A["avg"]}`
  | `min.${A["min"]}`
  | `max.${A["max"]}`;

type GroupSort<A extends Asked> = A["groups"] | MeasurePath<A>;

/** What is asked of the rows of an entity, all together or in groups. */
export interface AggregateOptions<E extends AnyEntity, S, A extends Asked> {
  /** Which rows count. */
  readonly where?: Where<E, S>;
  /** One row for each group of rows that are equal in these. Without it there is one row for all. */
  readonly groupBy?: OneOrMany<A["groups"]>;
  /** How many rows. */
  readonly count?: A["count"];
  /** How many different values; null is none. */
  readonly countDistinct?: OneOrMany<A["distinct"]>;
  readonly sum?: OneOrMany<A["sum"]>;
  readonly avg?: OneOrMany<A["avg"]>;
  readonly min?: OneOrMany<A["min"]>;
  readonly max?: OneOrMany<A["max"]>;
  /** Which groups are wanted, by what was asked of them: `{ count: { gte: 2 } }`. */
  readonly having?: NoInfer<Having<E, A>>;
  /** `"-count"`, `"sum.hours"`, a column of the groups. The groups themselves break ties. */
  readonly sort?: NoInfer<OneOrMany<GroupSort<A> | `-${GroupSort<A>}` | SortTerm<GroupSort<A>>>>;
  /** The most groups. @default all */
  readonly limit?: number;
}

/** Which values of a column are wanted. */
export interface DistinctOptions<E extends AnyEntity, S> {
  readonly where?: Where<E, S>;
  /** The most values. @default all */
  readonly limit?: number;
}
