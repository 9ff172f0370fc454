import type {
  AnyEntity,
  CreateInput,
  Flat,
  FullRow,
  Key,
  Many,
  One,
  RelationMap,
  Relations,
  Row,
  RowKeys,
  SecretKeys,
  TraitsOf,
  UpdateInput,
} from "../schema/index.ts";
import type { Query } from "./query.ts";

// ---- Conditions ---------------------------------------------------------------------------------------

/** What one column may be compared with. Several operators of one object must all hold. */
export type Operators<T> = {
  readonly equals?: T | null;
  readonly not?: T | null;
  readonly in?: readonly T[];
  readonly notIn?: readonly T[];
  readonly gt?: T;
  readonly gte?: T;
  readonly lt?: T;
  readonly lte?: T;
} & (T extends string
  ? {
      /** Literal text: `%`, `_` and `\` mean themselves. */
      readonly startsWith?: string;
      readonly contains?: string;
      readonly endsWith?: string;
      /** `insensitive` ignores case in the three above. @default "sensitive" */
      readonly mode?: "sensitive" | "insensitive";
    }
  : unknown);

/** A condition on an entity's own columns. Every property must hold; null means `is null`. */
export type Where<E extends AnyEntity> = {
  readonly [K in RowKeys<E>]?: Row<E>[K] | Operators<NonNullable<Row<E>[K]>>;
} & {
  readonly and?: readonly Where<E>[];
  readonly or?: readonly Where<E>[];
  readonly not?: Where<E>;
};

/** A property to sort by, `-` for descending. */
export type SortKey<E extends AnyEntity> = RowKeys<E> | `-${RowKeys<E>}`;

// ---- Relations ----------------------------------------------------------------------------------------

/** The relations a schema declares for an entity. */
export type RelationsOf<S, E extends AnyEntity> = {
  [K in keyof S]: S[K] extends Relations<infer X, infer R>
    ? X["_"]["name"] extends E["_"]["name"]
      ? R
      : never
    : never;
}[keyof S] extends infer R
  ? [R] extends [never]
    ? Record<never, never>
    : R extends RelationMap
      ? R
      : Record<never, never>
  : never;

type TargetOf<R> = R extends One<infer T, boolean> ? T : R extends Many<infer T> ? T : never;

/** Which relations to read along, each with its own rules. */
export type With<S, E extends AnyEntity> = {
  readonly [K in keyof RelationsOf<S, E>]?: boolean | NestedRead<S, RelationsOf<S, E>[K]>;
};

/** How one relation is read: `true` for all of it. */
type NestedRead<S, R> = {
  readonly with?: With<S, TargetOf<R>>;
  readonly where?: Where<TargetOf<R>>;
} & (R extends Many<infer T>
  ? {
      readonly sort?: SortKey<T> | readonly SortKey<T>[];
      /** The most rows of it. @default all */
      readonly limit?: number;
    }
  : unknown);

type NestedWith<O> = O extends { readonly with: infer W } ? W : Record<never, never>;

type Related<S, R, O> =
  R extends One<infer T, infer N>
    ? ReadRow<S, T, NestedWith<O>> | (N extends false ? never : null)
    : R extends Many<infer T>
      ? ReadRow<S, T, NestedWith<O>>[]
      : never;

/** A row with the relations that were asked for; one that was asked for by a `boolean` may be there or not. */
export type ReadRow<S, E extends AnyEntity, W, V extends string = never> = Flat<
  Row<E> &
    Pick<FullRow<E>, V & keyof FullRow<E>> & {
      [K in keyof W & keyof RelationsOf<S, E> as false extends W[K] ? never : K]: Related<
        S,
        RelationsOf<S, E>[K],
        W[K]
      >;
    } & {
      [K in keyof W & keyof RelationsOf<S, E> as true extends W[K]
        ? false extends W[K]
          ? K
          : never
        : never]?: Related<S, RelationsOf<S, E>[K], true>;
    }
>;

// ---- Calls --------------------------------------------------------------------------------------------

/** How one or several rows are read. */
export interface ReadOptions<S, E extends AnyEntity, W extends With<S, E>, V extends SecretKeys<E>> {
  readonly with?: W;
  /** Secret columns to read as well, by name. */
  readonly reveal?: readonly V[];
}

interface ListBase<S, E extends AnyEntity, W extends With<S, E>, V extends SecretKeys<E>>
  extends ReadOptions<S, E, W, V> {
  readonly where?: Where<E>;
  readonly sort?: SortKey<E> | readonly SortKey<E>[];
  /** Rows per page. @default the entity's `list.limit`, 10. Limit: its `list.maxLimit`, 100. */
  readonly limit?: number;
}

/** A page by number. */
export interface PageOptions<S, E extends AnyEntity, W extends With<S, E>, V extends SecretKeys<E>>
  extends ListBase<S, E, W, V> {
  /** @default 1 */
  readonly page?: number;
}

/** A page after a cursor; `""` or null for the first one. */
export interface KeysetOptions<S, E extends AnyEntity, W extends With<S, E>, V extends SecretKeys<E>>
  extends ListBase<S, E, W, V> {
  readonly after: string | null;
}

export interface Page<T> {
  readonly data: T[];
  readonly meta: {
    readonly page: number;
    readonly limit: number;
    readonly total: number;
    readonly totalPages: number;
  };
}

export interface KeysetPage<T> {
  readonly data: T[];
  /** `nextCursor` is null on the last page. */
  readonly meta: { readonly limit: number; readonly nextCursor: string | null };
}

export interface CreateManyOptions {
  /** `ignore` leaves out rows whose unique key is taken, and gives back the others. @default fail */
  readonly onConflict?: "ignore";
}

/** Which unique key an upsert meets on, and what it changes in the row that is there. */
export interface UpsertOptions<E extends AnyEntity> {
  readonly on: RowKeys<E> | readonly RowKeys<E>[];
  /** Properties to take from the given row. @default all that were given and may change */
  readonly update?: readonly (keyof UpdateInput<E> & string)[];
}

/** Properties of numeric columns. */
export type NumericKeys<E extends AnyEntity> = {
  [K in keyof UpdateInput<E>]-?: NonNullable<UpdateInput<E>[K]> extends number | bigint ? K : never;
}[keyof UpdateInput<E>] &
  string;

/** What every repository can do. */
export interface BaseRepository<S, E extends AnyEntity> {
  /** The row with this key, or `undefined`. One round trip. */
  find<const W extends With<S, E> = Record<never, never>, const V extends SecretKeys<E> = never>(
    key: Key<E>,
    options?: ReadOptions<S, E, W, V>,
  ): Query<ReadRow<S, E, W, V> | undefined>;

  /** The row with this key. @throws {NOT_FOUND} when there is none. One round trip. */
  get<const W extends With<S, E> = Record<never, never>, const V extends SecretKeys<E> = never>(
    key: Key<E>,
    options?: ReadOptions<S, E, W, V>,
  ): Query<ReadRow<S, E, W, V>>;

  /**
   * The row whose unique key has these values, or `undefined`. One round trip.
   * @throws {INVALID_QUERY} when the properties are no unique key.
   */
  findBy<const W extends With<S, E> = Record<never, never>, const V extends SecretKeys<E> = never>(
    unique: Partial<Row<E>>,
    options?: ReadOptions<S, E, W, V>,
  ): Query<ReadRow<S, E, W, V> | undefined>;

  /** The rows with these keys, in their order; `undefined` where there is none. One round trip for any number. */
  findMany<const W extends With<S, E> = Record<never, never>>(
    keys: readonly Key<E>[],
    options?: ReadOptions<S, E, W, never>,
  ): Query<(ReadRow<S, E, W> | undefined)[]>;

  /**
   * A page of rows, always in a total order: the primary key breaks ties. With `page` (the default), the answer
   * counts all rows; with `after`, it has a cursor for the next page instead, and each row comes once while rows
   * arrive. One round trip (a page past the end takes a second, to count).
   *
   * @throws {INVALID_QUERY} for an unknown column, a sort that is not allowed, a page or limit out of range.
   * @throws {INVALID_CURSOR} for a cursor that Plinth did not make, or made for another sort.
   *
   * @example
   * ```ts
   * await repo.tasks.list({ where: { status: "pending" }, sort: "-createdAt", page: 2, limit: 20, with: { project: true } });
   * await repo.tasks.list({ after: cursor, sort: "dueDate" });
   * ```
   */
  list<const W extends With<S, E> = Record<never, never>, const V extends SecretKeys<E> = never>(
    options: KeysetOptions<S, E, W, V>,
  ): Query<KeysetPage<ReadRow<S, E, W, V>>>;
  list<const W extends With<S, E> = Record<never, never>, const V extends SecretKeys<E> = never>(
    options?: PageOptions<S, E, W, V>,
  ): Query<Page<ReadRow<S, E, W, V>>>;

  /** How many rows there are. One round trip. */
  count(where?: Where<E>): Query<number>;

  /** Whether there is any such row. One round trip. */
  exists(where: Where<E>): Query<boolean>;

  /**
   * Makes a row. One round trip.
   * @throws {INVALID_VALUE} for unknown, missing or unfit values: all of them at once, each with its path.
   * @throws {UNIQUE_VIOLATION} {FOREIGN_KEY_VIOLATION} {CHECK_VIOLATION} as the constraints say.
   */
  create(input: CreateInput<E>): Query<Row<E>>;

  /** Makes any number of rows in one statement (several, all or nothing, past 10,000). In input order. */
  createMany(inputs: readonly CreateInput<E>[], options?: CreateManyOptions): Query<Row<E>[]>;

  /**
   * Writes the given fields, and nothing else; with none, reads the row. One round trip.
   * @throws {NOT_FOUND} when there is no such (living) row. @throws {INVALID_VALUE} for an unknown field.
   */
  update(key: Key<E>, patch: UpdateInput<E>): Query<Row<E>>;

  /**
   * Makes the row, or updates the one that holds the unique key. One round trip, one statement, no race. A dead
   * row that holds the primary key comes back to life.
   */
  upsert(input: CreateInput<E>, options: UpsertOptions<E>): Query<Row<E>>;

  /** Adds to numeric columns in the database, so that concurrent calls all count. One round trip. */
  increment(key: Key<E>, by: { readonly [K in NumericKeys<E>]?: number | bigint }): Query<Row<E>>;

  /** Deletes the row (stamps it, where soft delete is declared) and gives it back. @throws {NOT_FOUND} */
  delete(key: Key<E>): Query<Row<E>>;
}

/** What a soft-deleting repository can do besides. */
export interface SoftDeleteRepository<S, E extends AnyEntity> {
  /** Brings a dead row back. @throws {NOT_FOUND} when no dead row has the key. @throws {UNIQUE_VIOLATION} when a living row has taken its unique key. */
  restore(key: Key<E>): Query<Row<E>>;
  /** The same repository, seeing the dead as well. */
  withDeleted(): Repository<S, E>;
  /** The same repository, seeing the dead only. */
  onlyDeleted(): Repository<S, E>;
}

/** The typed door to one entity: methods exist where the entity declares the behaviour. */
export type Repository<S, E extends AnyEntity> = BaseRepository<S, E> &
  (TraitsOf<E>["softDelete"] extends true ? SoftDeleteRepository<S, E> : unknown);
