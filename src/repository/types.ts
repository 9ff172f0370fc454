import type { AnyEntity, Flat, FullRow, Key, Many, One, Row, RowKeys, SecretKeys } from "../schema/index.ts";
import type {
  AggregateOptions,
  AggregateResult,
  DistinctOptions,
  GroupKeys,
  RankedKeys,
  SummableKeys,
  ValueAt,
} from "./aggregate-types.ts";
import type { Computed, ComputeMap } from "./computed.ts";
import type { Copies } from "./copy/types.ts";
import type { Exact } from "./exact.ts";
import type { ListResult, OneOrMany, Sort, SortItem, SortTerm, TotalMode } from "./list-types.ts";
import type { Locking } from "./lock.ts";
import type { Query } from "./query.ts";
import type { RelationsOf, TargetOf } from "./relation-types.ts";
import type { Where } from "./where-types.ts";
import type { Writes } from "./write-types.ts";

// ---- Relations ----------------------------------------------------------------------------------------

/** Which relations to read along, each with its own rules. */
export type With<S, E extends AnyEntity> = {
  readonly [K in keyof RelationsOf<S, E>]?:
    | boolean
    | NestedRead<S, RelationsOf<S, E>[K]>
    | ComputingRead<S, RelationsOf<S, E>[K]>;
};

/** How one relation is read: `true` for all of it. */
type NestedRead<S, R> = NestedOptions<S, R> & {
  readonly where?: Where<TargetOf<R>, S>;
  readonly compute?: undefined;
};

/** Where it computes, its `where` and `sort` may name that too: which names there are, `ExactWith` says. */
type ComputingRead<S, R> = NestedOptions<S, R> & {
  readonly where?: object;
  /** SQL of your own that each related row gets besides, by name. */
  readonly compute: ComputeMap;
};

/** Any name, with those that are known offered to whoever types. */
type AnyName = string & {};

type NestedOptions<S, R> = {
  readonly with?: With<S, TargetOf<R>>;
  /** The columns to read. @default all but secrets */
  readonly columns?: readonly RowKeys<TargetOf<R>>[];
  readonly counts?: Counts<S, TargetOf<R>>;
} & (R extends Many<infer T, infer L>
  ? {
      readonly sort?: OneOrMany<SortItem<T, S, LinkPath<L>> | AnyName | SortTerm<AnyName>>;
      /** Columns of the row that links the two: the related row gains `link`. */
      readonly link?: readonly LinkKeys<L>[];
      /** The most rows of it. @default all */
      readonly limit?: number;
      /**
       * `statement` reads the rows of all parents in a second round trip, `json` along with their parents, as text.
       * @default "statement" right below a list, else "json"
       */
      readonly strategy?: "statement" | "json";
      /** Of `ancestors` and `descendants`: how many steps to go at most. @default all there are */
      readonly maxDepth?: number;
    }
  : {
      /** `join` reads the row's columns beside its parent's, `json` as one value. @default "join" */
      readonly strategy?: "join" | "json";
    });

/** Which relations to many are counted, with their own condition if they have one: rows gain `counts`. */
export type Counts<S, E extends AnyEntity> = {
  readonly [K in ManyKeys<S, E>]?: boolean | { readonly where?: Where<TargetOf<RelationsOf<S, E>[K]>, S> };
};

type ManyKeys<S, E extends AnyEntity> = {
  [K in keyof RelationsOf<S, E>]: RelationsOf<S, E>[K] extends Many<AnyEntity> ? K : never;
}[keyof RelationsOf<S, E>];

/** Properties of the rows between, where a relation goes through them. */
type LinkKeys<L> = [L] extends [never] ? never : L extends AnyEntity ? RowKeys<L> : never;
type LinkOf<R> = R extends Many<AnyEntity, infer L> ? L : never;
type LinkPath<L> = [L] extends [never] ? never : `link.${LinkKeys<L>}`;

/**
 * `With` as it was given, with `never` or what would fit where it names what there is not. Of `With` itself, which the compiler
 * puts in while it looks for the type of a literal, it is the same: intersected with another form of itself, each depth
 * would have the square of the alternatives of the one above.
 */
type ExactWith<S, E extends AnyEntity, W> = [With<S, E>] extends [W]
  ? W
  : {
      readonly [K in keyof W]: K extends keyof RelationsOf<S, E>
        ? ExactRead<S, RelationsOf<S, E>[K], W[K]>
        : never;
    };

type ExactRead<S, R, O> = O extends object
  ? { readonly [P in keyof O]: P extends OptionNames ? ExactOption<S, R, O, P> : never }
  : O;

type OptionNames = keyof NestedOptions<unknown, Many<AnyEntity>> | "where" | "compute";

type ExactOption<S, R, O, P extends keyof O> = P extends "with"
  ? ExactWith<S, TargetOf<R>, O[P]>
  : P extends "counts"
    ? Exact<Counts<S, TargetOf<R>>, O[P]>
    : P extends "where"
      ? ExactWhere<Where<TargetOf<R>, S, NestedCompute<O>>, O, O[P]>
      : P extends "sort"
        ? ExactSort<SortItem<TargetOf<R>, S, LinkPath<LinkOf<R>> | (keyof NestedCompute<O> & string)>, O[P]>
        : O[P];

/** Item by item, so that a mistake is shown where it is. */
type ExactSort<Item, G> = G extends readonly unknown[]
  ? { readonly [I in keyof G]: G[I] extends Item ? G[I] : Item }
  : G extends Item
    ? G
    : Item;

/** Of a relation that computes, nothing has looked at the values of its conditions yet. */
type ExactWhere<Shape, O, G> = O extends { readonly compute: ComputeMap }
  ? Shape & Exact<Shape, G>
  : Exact<Shape, G>;

type NestedWith<O> = O extends { readonly with: infer W } ? W : Record<never, never>;
type NestedColumns<O> = O extends { readonly columns: readonly (infer C)[] } ? C & string : never;
type NestedCounts<O> = O extends { readonly counts: infer N } ? N : Record<never, never>;
type NestedCompute<O> = O extends { readonly compute: infer X } ? X : Record<never, never>;
type NestedRow<S, T extends AnyEntity, O> = ReadRow<
  S,
  T,
  NestedWith<O>,
  never,
  NestedColumns<O>,
  NestedCounts<O>,
  NestedCompute<O>
>;

/** What the row between adds, where its columns were asked for. */
type Linked<L, O> = L extends AnyEntity
  ? O extends { readonly link: readonly (infer K)[] }
    ? { link: Pick<Row<L>, K & keyof Row<L>> }
    : unknown
  : unknown;

type Related<S, R, O> =
  R extends One<infer T, infer N>
    ? NestedRow<S, T, O> | (N extends false ? never : null)
    : R extends Many<infer T, infer L>
      ? O extends { readonly link: readonly unknown[] }
        ? Flat<NestedRow<S, T, O> & Linked<L, O>>[]
        : NestedRow<S, T, O>[]
      : never;

/** All columns, or those that were asked for by name. */
type ChosenColumns<E extends AnyEntity, C extends string> = [C] extends [never]
  ? Row<E>
  : Pick<Row<E>, C & keyof Row<E>>;

/** What was computed, by name. A condition, so that nobody infers `X` from the type that a call's result is wanted as. */
type ComputedValues<X> = keyof X extends never
  ? unknown
  : { -readonly [K in keyof X]: X[K] extends Computed<infer T> ? T : never };

type Counted<N> = keyof N extends never ? unknown : { counts: { [K in keyof N]: number } };

type Revealed<E extends AnyEntity, V> = [V] extends [never]
  ? unknown
  : Pick<FullRow<E>, V & keyof FullRow<E>>;

type RelatedRows<S, R, W> = keyof W extends never
  ? unknown
  : { [K in CertainKeys<R, W>]: Related<S, R[K], W[K]> } & {
      [K in PossibleKeys<R, W>]?: Related<S, R[K], true>;
    };

type CertainKeys<R, W> = {
  [K in keyof W & keyof R]: false extends W[K] ? never : K;
}[keyof W & keyof R];

type PossibleKeys<R, W> = {
  [K in keyof W & keyof R]: boolean extends W[K] ? K : never;
}[keyof W & keyof R];

/** A row with the relations that were asked for; one that was asked for by a `boolean` may be there or not. */
export type ReadRow<
  S,
  E extends AnyEntity,
  W,
  V extends string = never,
  C extends string = never,
  N = Record<never, never>,
  X = Record<never, never>,
> = Flat<
  ChosenColumns<E, C> & ComputedValues<X> & Counted<N> & Revealed<E, V> & RelatedRows<S, RelationsOf<S, E>, W>
>;

// ---- Calls --------------------------------------------------------------------------------------------

/** How one or several rows are read. */
export interface ReadOptions<
  S,
  E extends AnyEntity,
  W,
  V extends SecretKeys<E>,
  C extends RowKeys<E> = never,
  N = Record<never, never>,
  X extends ComputeMap = Record<never, never>,
> {
  /** Relations to read along. */
  readonly with?: W & ExactWith<S, E, W>;
  /** Related rows to count: the row gains `counts`. */
  readonly counts?: N & Exact<Counts<S, E>, N>;
  /** The columns to read; what was revealed comes besides. @default all but secrets */
  readonly columns?: readonly C[];
  /** SQL of your own that each row gets besides, by name: `` computed(text())`…` ``. `where` and `sort` know the names too. */
  readonly compute?: X;
  /** Secret columns to read as well, by name. */
  readonly reveal?: readonly V[];
}

/** A page of a list: by number, or after a cursor. */
export interface ListOptions<
  S,
  E extends AnyEntity,
  W,
  V extends SecretKeys<E>,
  C extends RowKeys<E> = never,
  N = Record<never, never>,
  A extends string | null = never,
  T extends TotalMode = "exact",
  X extends ComputeMap = Record<never, never>,
> extends ReadOptions<S, E, W, V, C, N, X>,
    Locking {
  readonly where?: Where<E, S, NoInfer<X>>;
  /** @default the entity's `list.defaultSort`. The primary key breaks ties. */
  readonly sort?: Sort<E, S, NoInfer<keyof X & string>>;
  /**
   * Of the rows that are equal in these columns only the first: the latest task of each project. `sort` has to begin with
   * them; they come first where there is none.
   */
  readonly distinctOn?: OneOrMany<RowKeys<E>>;
  /** Rows per page. @default the entity's `list.limit`, 10. Limit: its `list.maxLimit`, 100. */
  readonly limit?: number;
  /** The place to go on from, `meta.nextCursor` of the page before; `""` or null for the first page. */
  readonly after?: A;
  /** @default 1 */
  readonly page?: [A] extends [never] ? number : never;
  /**
   * `exact` counts all rows. `estimated` takes what PostgreSQL's planner expects, at no cost; `meta.isEstimated` is false
   * where the page itself tells. `none` says no more than whether there is a next page. @default "exact"
   */
  readonly total?: [A] extends [never] ? T : never;
}

/** Which rows a stream gives, and how. */
export interface StreamOptions<
  S,
  E extends AnyEntity,
  W,
  V extends SecretKeys<E>,
  C extends RowKeys<E> = never,
  N = Record<never, never>,
  X extends ComputeMap = Record<never, never>,
> extends ReadOptions<S, E, W, V, C, N, X> {
  readonly where?: Where<E, S, NoInfer<X>>;
  readonly sort?: Sort<E, S, NoInfer<keyof X & string>>;
  /** Rows fetched at once. @default 1,000. Limit: 100,000. */
  readonly batchSize?: number;
  /** Aborting it stops the stream, on the server too. */
  readonly signal?: AbortSignal;
}

/** What every repository can do. */
export interface BaseRepository<S, E extends AnyEntity> extends Writes<S, E>, Copies<S, E> {
  /** The row with this key, or `undefined`. One round trip. */
  find<
    const W extends With<S, E> = Record<never, never>,
    const V extends SecretKeys<E> = never,
    const C extends RowKeys<E> = never,
    const N extends Counts<S, E> = Record<never, never>,
    const X extends ComputeMap = Record<never, never>,
  >(
    key: Key<E>,
    options?: ReadOptions<S, E, W, V, C, N, X> & Locking,
  ): Query<ReadRow<S, E, W, V, C, N, X> | undefined>;

  /** The row with this key. @throws {NOT_FOUND} when there is none. One round trip. */
  get<
    const W extends With<S, E> = Record<never, never>,
    const V extends SecretKeys<E> = never,
    const C extends RowKeys<E> = never,
    const N extends Counts<S, E> = Record<never, never>,
    const X extends ComputeMap = Record<never, never>,
  >(key: Key<E>, options?: ReadOptions<S, E, W, V, C, N, X> & Locking): Query<ReadRow<S, E, W, V, C, N, X>>;

  /**
   * The row whose unique key has these values, or `undefined`. One round trip.
   * @throws {INVALID_QUERY} when the properties are no unique key.
   */
  findBy<
    const W extends With<S, E> = Record<never, never>,
    const V extends SecretKeys<E> = never,
    const C extends RowKeys<E> = never,
    const N extends Counts<S, E> = Record<never, never>,
    const X extends ComputeMap = Record<never, never>,
  >(
    unique: Partial<Row<E>>,
    options?: ReadOptions<S, E, W, V, C, N, X> & Locking,
  ): Query<ReadRow<S, E, W, V, C, N, X> | undefined>;

  /** The rows with these keys, in their order; `undefined` where there is none. One round trip for any number. */
  findMany<
    const W extends With<S, E> = Record<never, never>,
    const V extends SecretKeys<E> = never,
    const C extends RowKeys<E> = never,
    const N extends Counts<S, E> = Record<never, never>,
    const X extends ComputeMap = Record<never, never>,
  >(
    keys: readonly Key<E>[],
    options?: ReadOptions<S, E, W, V, C, N, X> & Locking,
  ): Query<(ReadRow<S, E, W, V, C, N, X> | undefined)[]>;

  /**
   * A page of rows, always in a total order: the primary key breaks ties. By `page` (the default) the answer says how many
   * rows there are, as `total` asks; with `after`, it has a cursor for the next page instead, and each row comes once
   * while rows arrive. One round trip (a page past the end takes a second, to count).
   *
   * @throws {INVALID_QUERY} for an unknown column, a sort that is not allowed, a page or limit out of range.
   * @throws {INVALID_CURSOR} for a cursor that Plinth did not make, or made for another sort.
   *
   * @example
   * ```ts
   * await repo.tasks.list({ where: { status: "pending" }, sort: "-createdAt", page: 2, limit: 20, with: { project: true } });
   * await repo.tasks.list({ after: cursor, sort: ["project.name", { by: "dueDate", nulls: "first" }] });
   * await repo.tasks.list({ distinctOn: "projectId", sort: ["projectId", "-createdAt"], total: "none" });
   * ```
   */
  list<
    const W extends With<S, E> = Record<never, never>,
    const V extends SecretKeys<E> = never,
    const C extends RowKeys<E> = never,
    const N extends Counts<S, E> = Record<never, never>,
    A extends string | null = never,
    const T extends TotalMode = "exact",
    const X extends ComputeMap = Record<never, never>,
  >(options?: ListOptions<S, E, W, V, C, N, A, T, X>): Query<ListResult<ReadRow<S, E, W, V, C, N, X>, A, T>>;

  /**
   * All rows, one after the other, in the order of a list: the next batch is fetched while the last one is worked on. Outside
   * a transaction it holds one connection until the last row, a `break` or an error.
   *
   * @throws {INVALID_QUERY} as `list` does, when the first row is asked for.
   *
   * @example
   * ```ts
   * for await (const task of repo.tasks.stream({ where: { status: "done" }, sort: "id" })) await archive(task);
   * ```
   */
  stream<
    const W extends With<S, E> = Record<never, never>,
    const V extends SecretKeys<E> = never,
    const C extends RowKeys<E> = never,
    const N extends Counts<S, E> = Record<never, never>,
    const X extends ComputeMap = Record<never, never>,
  >(options?: StreamOptions<S, E, W, V, C, N, X>): AsyncIterable<ReadRow<S, E, W, V, C, N, X>>;

  /** How many rows there are. One round trip. */
  count(where?: Where<E, S>): Query<number>;

  /** Whether there is any such row. One round trip. */
  exists(where: Where<E, S>): Query<boolean>;

  /**
   * Numbers about rows: one row of them, or with `groupBy` a list with one for each group, in the order of the groups. Sums
   * and averages lose nothing: see `AggregateRow`. One round trip.
   *
   * @throws {INVALID_QUERY} for an unknown column, and one whose type has no such number.
   *
   * @example
   * ```ts
   * await repo.tasks.aggregate({ where: { projectId }, count: true, sum: "hours", max: "dueDate" });
   * // { count: 12, sum: { hours: 31n }, max: { dueDate: "2026-12-24" } }
   * await repo.tasks.aggregate({ groupBy: "status", count: true, having: { count: { gte: 2 } }, sort: "-count" });
   * // [{ status: "open", count: 9 }, { status: "done", count: 3 }]
   * await repo.tasks.aggregate({ groupBy: "project.owner.name", count: true });
   * // [{ "project.owner.name": "Ann", count: 12 }]
   * ```
   */
  aggregate<
    const G extends GroupKeys<S, E, X> = never,
    const B extends boolean = false,
    const D extends GroupKeys<S, E, X> = never,
    const A extends SummableKeys<S, E, X> = never,
    const V extends SummableKeys<S, E, X> = never,
    const L extends RankedKeys<S, E, X> = never,
    const M extends RankedKeys<S, E, X> = never,
    const X extends ComputeMap = Record<never, never>,
  >(
    options: AggregateOptions<S, E, X, { groups: G; count: B; distinct: D; sum: A; avg: V; min: L; max: M }>,
  ): Query<AggregateResult<S, E, X, { groups: G; count: B; distinct: D; sum: A; avg: V; min: L; max: M }>>;

  /**
   * The different values of a column, in their order; null, the last, where there is a row without one. One round trip.
   *
   * @example
   * ```ts
   * await repo.tasks.distinct("status", { where: { projectId } });   // ["done", "open"]
   * ```
   */
  distinct<const K extends GroupKeys<S, E, X>, const X extends ComputeMap = Record<never, never>>(
    column: K,
    options?: DistinctOptions<S, E, X>,
  ): Query<ValueAt<S, E, X, K>[]>;
}
