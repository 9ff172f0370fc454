import type { AnyEntity, Flat, One, Row, RowKeys, TraitsOf } from "../schema/index.ts";
import type { Computed, ComputeMap } from "./computed.ts";
import type { OneKeys, OneOrMany, SortPath, SortTerm } from "./list-types.ts";
import type { RelationsOf, TargetOf } from "./relation-types.ts";
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

/** Those of an entity and of the rows that relations to one lead to; the types know two. */
type PathsOfType<S, E extends AnyEntity, C> =
  | KeysOfType<E, C>
  | { [K in OneKeys<S, E>]: `${K}.${NextPath<S, TargetOf<RelationsOf<S, E>[K]>, C>}` }[OneKeys<S, E>];

type NextPath<S, E extends AnyEntity, C> =
  | KeysOfType<E, C>
  | { [K in OneKeys<S, E>]: `${K}.${KeysOfType<TargetOf<RelationsOf<S, E>[K]>, C>}` }[OneKeys<S, E>];

type ComputedOfType<X, C> = {
  [K in keyof X & string]: X[K] extends Computed<unknown, infer D> ? (D extends C ? K : never) : never;
}[keyof X & string];

/** What rows can be grouped by: their columns, those of rows they lead to, what is computed. */
export type GroupKeys<S, E extends AnyEntity, X> = SortPath<E, S> | (keyof X & string);

/** What can be added up: numbers and intervals. */
export type SummableKeys<S, E extends AnyEntity, X> =
  | PathsOfType<S, E, Summable>
  | ComputedOfType<X, Summable>;

/** What has a least and a greatest value: numbers, texts, enums, dates and times. */
export type RankedKeys<S, E extends AnyEntity, X> = PathsOfType<S, E, Ranked> | ComputedOfType<X, Ranked>;

// ---- What comes out -----------------------------------------------------------------------------------------------

/** Drizzle's name of a type, by the name that a caller knows the value by. */
type TypeAt<S, E extends AnyEntity, X, K> = K extends keyof X
  ? X[K] extends Computed<unknown, infer C>
    ? C
    : never
  : K extends RowKeys<E>
    ? ColumnType<E, K>
    : K extends `${infer R}.${infer P}`
      ? R extends keyof RelationsOf<S, E>
        ? TypeAt<S, TargetOf<RelationsOf<S, E>[R]>, Record<never, never>, P>
        : never
      : never;

/** The value itself. A column of a related row is null where there may be no such row, or a dead one. */
export type ValueAt<S, E extends AnyEntity, X, K> = K extends keyof X
  ? X[K] extends Computed<infer T>
    ? T
    : never
  : K extends keyof Row<E>
    ? Row<E>[K]
    : K extends `${infer R}.${infer P}`
      ? R extends keyof RelationsOf<S, E>
        ? ValueAt<S, TargetOf<RelationsOf<S, E>[R]>, Record<never, never>, P> | Missing<RelationsOf<S, E>[R]>
        : never
      : never;

type Missing<R> =
  R extends One<infer T, infer N>
    ? N extends false
      ? TraitsOf<T>["softDelete"] extends true
        ? null
        : never
      : null
    : never;

type SumOf<C> = C extends Small ? bigint : C extends Float ? number : string;
type AverageOf<C> = C extends Float ? number : string;

type Sums<S, E extends AnyEntity, X, K extends string> = { [P in K]: SumOf<TypeAt<S, E, X, P>> | null };
type Averages<S, E extends AnyEntity, X, K extends string> = {
  [P in K]: AverageOf<TypeAt<S, E, X, P>> | null;
};
type Extremes<S, E extends AnyEntity, X, K extends string> = { [P in K]: ValueAt<S, E, X, P> | null };

type Part<Name extends string, K, Value> = [K] extends [never] ? unknown : { [P in Name]: Flat<Value> };

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
export type AggregateRow<S, E extends AnyEntity, X, A extends Asked> = Flat<
  { [P in A["groups"]]: ValueAt<S, E, X, P> } & (A["count"] extends true ? { count: number } : unknown) &
    Part<"countDistinct", A["distinct"], { [P in A["distinct"]]: number }> &
    Part<"sum", A["sum"], Sums<S, E, X, A["sum"]>> &
    Part<"avg", A["avg"], Averages<S, E, X, A["avg"]>> &
    Part<"min", A["min"], Extremes<S, E, X, A["min"]>> &
    Part<"max", A["max"], Extremes<S, E, X, A["max"]>>
>;

/** One row, or one for each group. */
export type AggregateResult<S, E extends AnyEntity, X, A extends Asked> = [A["groups"]] extends [never]
  ? AggregateRow<S, E, X, A>
  : AggregateRow<S, E, X, A>[];

// ---- What goes in -------------------------------------------------------------------------------------------------

type Comparable<T> = NonNullable<T> | Operators<NonNullable<T>> | null;
type Comparables<T> = { readonly [K in keyof T]?: Comparable<T[K]> };

type Having<S, E extends AnyEntity, X, A extends Asked> = (A["count"] extends true
  ? { readonly count?: number | Operators<number> }
  : unknown) &
  Part2<"countDistinct", { [P in A["distinct"]]: number }> &
  Part2<"sum", Sums<S, E, X, A["sum"]>> &
  Part2<"avg", Averages<S, E, X, A["avg"]>> &
  Part2<"min", Extremes<S, E, X, A["min"]>> &
  Part2<"max", Extremes<S, E, X, A["max"]>>;

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
export interface AggregateOptions<S, E extends AnyEntity, X extends ComputeMap, A extends Asked> {
  /** Which rows count. */
  readonly where?: Where<E, S, NoInfer<X>>;
  /** SQL of your own by name, for all that follows: `` computed(text())`…` ``. */
  readonly compute?: X;
  /**
   * One row for each group of rows that are equal in these: columns, those of rows that relations to one lead to
   * (`project.name`), computed ones. Without it there is one row for all.
   */
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
  readonly having?: NoInfer<Having<S, E, X, A>>;
  /** `"-count"`, `"sum.hours"`, a column of the groups. The groups themselves break ties. */
  readonly sort?: NoInfer<OneOrMany<GroupSort<A> | `-${GroupSort<A>}` | SortTerm<GroupSort<A>>>>;
  /** The most groups. @default all */
  readonly limit?: number;
}

/** Which values of a column are wanted. */
export interface DistinctOptions<S, E extends AnyEntity, X extends ComputeMap> {
  readonly where?: Where<E, S, NoInfer<X>>;
  /** SQL of your own by name, of which the column may be one. */
  readonly compute?: X;
  /** The most values. @default all */
  readonly limit?: number;
}
