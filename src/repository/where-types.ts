import type { AnyEntity, Many, One, RowColumns, TypeMap, ValueOf } from "../schema/index.ts";
import type { Computed } from "./computed.ts";
import type { RelationsOf } from "./relation-types.ts";
import type { SqlCondition } from "./where/sql-condition.ts";

// ---- Operators: those of one object must all hold ----------------------------------------------------------------

interface Equality<T> {
  readonly equals?: T | null;
  /** As in SQL, null answers no comparison: rows without a value are left out. `not: null` finds those with one. */
  readonly not?: T | null;
}

interface Order<T> {
  readonly gt?: T;
  readonly gte?: T;
  readonly lt?: T;
  readonly lte?: T;
  /** Both ends belong to it. */
  readonly between?: readonly [from: T, to: T];
}

/** What a column of nearly any type may be compared with. */
export interface Operators<T> extends Equality<T>, Order<T> {
  /** Any number of values; none of them null. */
  readonly in?: readonly T[];
  readonly notIn?: readonly T[];
}

/** What a column of text may be asked besides. */
export interface TextOperators {
  /** Literal text: `%`, `_` and `\` mean themselves. */
  readonly startsWith?: string;
  readonly contains?: string;
  readonly endsWith?: string;
  /** `insensitive` ignores case in the three above. @default "sensitive" */
  readonly mode?: "sensitive" | "insensitive";
  /**
   * Words as people type them: all of them, `"a phrase"`, `or`, `-without`. Any text is taken.
   * Source: https://www.postgresql.org/docs/current/textsearch-controls.html#TEXTSEARCH-PARSING-QUERIES
   */
  readonly matches?: string;
  /** The text search configuration of `matches`, for words of a language: `english`. @default "simple" */
  readonly config?: string;
}

/** What a column of inet or cidr may be asked besides. */
export interface NetworkOperators {
  /** An address or network inside the column's, or the same. */
  readonly contains?: string;
  /** A network that the column's is in, or is: `10.0.0.0/8`. */
  readonly containedBy?: string;
}

/** What a column of a range type may be asked besides, with another range of its type; PostgreSQL's `[5,5]` for one value. */
export interface RangeOperators<T> {
  readonly contains?: T;
  readonly containedBy?: T;
  readonly overlaps?: T;
}

/** What an array column may be asked. A null in an array is found by none of these. */
export interface ArrayOperators<T> extends Equality<T>, Order<T> {
  readonly has?: ItemOf<T>;
  /** All of these, in any order. An empty list holds for every array. */
  readonly hasEvery?: readonly ItemOf<T>[];
  /** One of these at least. An empty list holds for none. */
  readonly hasSome?: readonly ItemOf<T>[];
  /** Nothing but these. */
  readonly containedBy?: readonly ItemOf<T>[];
  readonly isEmpty?: boolean;
}

/** What an array of any number of dimensions holds. */
type ItemOf<T> = T extends readonly (infer I)[] ? ItemOf<I> : NonNullable<T>;

/** A value in a JSON document. */
export type JsonValue = JsonScalar | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** A value in a JSON document that has an order among its like. */
export type JsonScalar = string | number | boolean;

/** Keys of objects and positions in lists, from the outside in; -1 is the last of a list. */
export type JsonPath = readonly (string | number)[];

/** What stands at a path of a JSON document. Where there is nothing, only `exists: false` holds. */
export interface JsonPathOperators {
  readonly path: JsonPath;
  /** The same JSON value; null is JSON's own. */
  readonly equals?: JsonValue;
  readonly not?: JsonValue;
  readonly in?: readonly JsonValue[];
  readonly notIn?: readonly JsonValue[];
  /** Of the same type only: a number is neither above nor below a string. */
  readonly gt?: JsonScalar;
  readonly gte?: JsonScalar;
  readonly lt?: JsonScalar;
  readonly lte?: JsonScalar;
  readonly between?: readonly [from: JsonScalar, to: JsonScalar];
  /** What `@>` calls containing: an object with these properties, a list with these items. */
  readonly contains?: JsonValue;
  readonly exists?: boolean;
}

/** What a jsonb column may be asked as a whole. */
export interface JsonbOperators<T> extends Equality<T> {
  readonly path?: never;
  /** A part of the document, as `@>` has it: what a GIN index finds. */
  readonly contains?: JsonPart<T>;
  readonly containedBy?: JsonValue;
  /** A key of the outermost object, or a string of the outermost list. */
  readonly hasKey?: string;
}

/** What a json column may be asked as a whole: PostgreSQL cannot compare its values. */
export interface JsonOperators {
  readonly path?: never;
  readonly equals?: null;
  readonly not?: null;
}

/** Some of the properties, at any depth, and some of the items. */
type JsonPart<T> = unknown extends T
  ? JsonValue
  : T extends readonly (infer I)[]
    ? readonly JsonPart<I>[]
    : T extends object
      ? { readonly [K in keyof T]?: JsonPart<T[K]> }
      : T;

// ---- Conditions --------------------------------------------------------------------------------------------------

/** `T` is the column's value without null, `C` Drizzle's name of its type. */
type ColumnCondition<T, N, C> = C extends "PgJsonb"
  ? null | JsonbOperators<T> | JsonPathOperators
  : C extends "PgJson"
    ? null | JsonOperators | JsonPathOperators
    : C extends "PgArray"
      ? T | N | ArrayOperators<T>
      : C extends "PgText" | "PgVarchar" | "PgChar"
        ? T | N | (Operators<T> & TextOperators)
        : C extends "PgInet" | "PgCidr"
          ? T | N | (Operators<T> & NetworkOperators)
          : C extends "PgCustomColumn"
            ? T | N | CustomOperators<T>
            : T | N | Operators<T>;

/** What PostgreSQL makes of a custom type only the application knows. */
type CustomOperators<T> = Operators<T> &
  (T extends string ? TextOperators | NetworkOperators | RangeOperators<T> : RangeOperators<T>);

/** What a column takes. An alias of its builder alone: the compiler answers it once for all tables. */
type ConditionOn<B> = B extends TypeMap[string]
  ? ColumnCondition<NonNullable<ValueOf<B>>, Extract<ValueOf<B>, null>, B["_"]["columnType"]>
  : never;

/** Conditions on related rows. Rows the caller cannot see, such as the deleted, do not count. */
type RelationCondition<S, R> =
  R extends One<infer T, boolean>
    ? {
        /** There is one, and it is like this; null: there is none. */
        readonly is?: Where<T, S> | null;
        /** There is none, or it is not like this; null: there is one. */
        readonly isNot?: Where<T, S> | null;
      }
    : R extends Many<infer T>
      ? {
          /** At least one of them. */
          readonly some?: Where<T, S>;
          readonly none?: Where<T, S>;
          /** No one that is not like this; so also where there are none. */
          readonly every?: Where<T, S>;
        }
      : never;

/**
 * A condition on an entity's columns and, where the schema `S` is known, on its relations; `X` is what the call computes
 * besides. Every property must hold; null means `is null`. The empty `and: []` holds, the empty `or: []` does not.
 *
 * @example
 * ```ts
 * where: { status: "open", tags: { has: "urgent" }, project: { is: { name: { startsWith: "P" } } } }
 * where: { or: [{ dueDate: null }, { dueDate: { lt: "2026-12-24" } }], comments: { none: {} } }
 * ```
 */
export type Where<E extends AnyEntity, S = unknown, X = Record<never, never>> =
  | WhereProperties<E, S, X>
  | SqlCondition;

type WhereProperties<E extends AnyEntity, S, X> = {
  readonly [K in keyof RowColumns<E>]?: ConditionOn<RowColumns<E>[K]>;
} & {
  readonly [K in keyof RelationsOf<S, E>]?: RelationCondition<S, RelationsOf<S, E>[K]>;
} & ComputedConditions<X> & {
    readonly and?: readonly Where<E, S, X>[];
    readonly or?: readonly Where<E, S, X>[];
    readonly not?: Where<E, S, X>;
  };

/** An empty object among the parts would let any value through. */
type ComputedConditions<X> = [keyof X] extends [never]
  ? unknown
  : { readonly [K in keyof X]?: ComputedCondition<X[K]> };

type ComputedCondition<V> =
  V extends Computed<infer T, infer C> ? ColumnCondition<NonNullable<T>, Extract<T, null>, C> : never;
