import type { AnyEntity, One, RowKeys } from "../schema/index.ts";
import type { RelationsOf, TargetOf } from "./relation-types.ts";

// ---- Sorting -----------------------------------------------------------------------------------------------------

/** Relations to one row: what a list can be sorted through. */
export type OneKeys<S, E extends AnyEntity> = {
  [K in keyof RelationsOf<S, E>]: RelationsOf<S, E>[K] extends One<AnyEntity, boolean> ? K : never;
}[keyof RelationsOf<S, E>] &
  string;

/** A property, or one of a related row: `project.name`, `project.owner.name`. The types know two relations. */
export type SortPath<E extends AnyEntity, S = unknown> =
  | RowKeys<E>
  | {
      [K in OneKeys<S, E>]: `${K}.${RelatedPath<TargetOf<RelationsOf<S, E>[K]>, S>}`;
    }[OneKeys<S, E>];

type RelatedPath<E extends AnyEntity, S> =
  | RowKeys<E>
  | { [K in OneKeys<S, E>]: `${K}.${RowKeys<TargetOf<RelationsOf<S, E>[K]>>}` }[OneKeys<S, E>];

/** A property to sort by, `-` for descending; a related row's where the schema `S` is known. */
export type SortKey<E extends AnyEntity, S = unknown> = SortPath<E, S> | `-${SortPath<E, S>}`;

/** The long form, which also says where nulls go. */
export interface SortTerm<K extends string> {
  readonly by: K;
  /** @default "asc" */
  readonly direction?: "asc" | "desc";
  /** @default "last", and "first" when descending */
  readonly nulls?: "first" | "last";
}

/**
 * What a list is sorted by: a key, a term, or several of them, the first deciding first. `K` is what the call itself names
 * besides: computed columns, those of a link.
 */
export type Sort<E extends AnyEntity, S = unknown, K extends string = never> = OneOrMany<SortItem<E, S, K>>;

export type SortItem<E extends AnyEntity, S, K extends string> =
  | SortKey<E, S>
  | K
  | `-${K}`
  | SortTerm<SortPath<E, S> | K>;

export type OneOrMany<T> = T | readonly T[];

// ---- Lists -------------------------------------------------------------------------------------------------------

/** How a page by number says how many rows there are. */
export type TotalMode = "exact" | "estimated" | "none";

/** What a list gives: after a cursor, or by number with its kind of total. */
export type ListResult<R, A, T extends TotalMode> = [A] extends [never]
  ? { exact: Page<R>; estimated: EstimatedPage<R>; none: UncountedPage<R> }[T]
  : KeysetPage<R>;

export interface Page<T> {
  readonly data: T[];
  readonly meta: {
    readonly page: number;
    readonly limit: number;
    readonly total: number;
    readonly totalPages: number;
  };
}

/** A page with a total that nobody counted. */
export interface EstimatedPage<T> {
  readonly data: T[];
  readonly meta: Page<T>["meta"] & {
    /** False where the page itself tells how many rows there are. */
    readonly isEstimated: boolean;
  };
}

/** A page without a total. */
export interface UncountedPage<T> {
  readonly data: T[];
  readonly meta: { readonly page: number; readonly limit: number; readonly hasNextPage: boolean };
}

export interface KeysetPage<T> {
  readonly data: T[];
  /** `nextCursor` is null on the last page. */
  readonly meta: { readonly limit: number; readonly nextCursor: string | null };
}
