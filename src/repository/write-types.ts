import type {
  AnyEntity,
  CreateInput,
  Flat,
  Key,
  Many,
  One,
  Row,
  RowKeys,
  TraitsOf,
  UpdateInput,
} from "../schema/index.ts";
import type { Query } from "./query.ts";
import type { RelationsOf, TargetOf } from "./relation-types.ts";
import type { Where } from "./where-types.ts";
import type { Change, Given } from "./write/change.ts";

// ---- What a write gives back -------------------------------------------------------------------------------------

/** What a write gives back of its rows: all columns but secrets, some of them, or nothing. */
export type Returning<E extends AnyEntity> = boolean | readonly RowKeys<E>[];

/** The written row, as it was asked for. */
export type ReturnedRow<E extends AnyEntity, R> = R extends true
  ? Row<E>
  : R extends readonly (infer C)[]
    ? Flat<Pick<Row<E>, C & keyof Row<E>>>
    : undefined;

/** The written rows, as they were asked for; how many they are, where nothing was. */
export type ReturnedRows<E extends AnyEntity, R> = R extends false ? number : ReturnedRow<E, R>[];

/** How a write of one row answers. */
export interface WriteOptions<E extends AnyEntity, R extends Returning<E>> {
  /** `false` for nothing; a list for those columns only. @default true */
  readonly returning?: R;
}

/** How a write of many rows answers. */
export interface WriteManyOptions<E extends AnyEntity, R extends Returning<E>> {
  /** `false` for the number of rows; `true` for the rows, a list for those columns of them. */
  readonly returning?: R;
}

// ---- What a write changes ----------------------------------------------------------------------------------------

type ColumnType<E extends AnyEntity, K> = K extends keyof TraitsOf<E>["columns"]
  ? TraitsOf<E>["columns"][K] extends { readonly _: { readonly columnType: infer C } }
    ? C
    : unknown
  : unknown;

type Numbers<V, C> = C extends "PgNumeric" ? string : V extends bigint ? bigint | number : V;

/** The changes that a column takes; `V` is its value without null, `C` Drizzle's name of its type, `G` what upserts add. */
type ChangeOf<V, C, G> =
  | (C extends "PgNumeric" ? Change<"number", Numbers<V, C> | G> : never)
  | (V extends number | bigint ? Change<"number", Numbers<V, C> | G> : never)
  | (V extends boolean ? Change<"boolean", undefined> : never)
  | (C extends `Pg${"Timestamp" | "Date"}${"" | "String"}` ? Change<"time", undefined> : never)
  | (C extends "PgArray"
      ? V extends readonly (infer I)[]
        ? Change<"list", readonly I[] | G> | Change<"item", I>
        : never
      : never)
  | (C extends "PgJsonb" ? Change<"document", (V extends object ? Partial<V> : object) | G> : never);

type Changeable<E extends AnyEntity, G> = {
  readonly [K in keyof UpdateInput<E>]?:
    | UpdateInput<E>[K]
    | ChangeOf<NonNullable<UpdateInput<E>[K]>, ColumnType<E, K>, G>
    | G;
};

/** New values of some columns, or changes of the values that are there: `{ title: "x", views: add(1) }`. */
export type Patch<E extends AnyEntity> = Changeable<E, never>;

/** The same for the row that an upsert meets, which may take values of the row that was given. */
export type UpsertPatch<E extends AnyEntity> = Changeable<E, Given>;

/** How one row is changed. */
export interface UpdateOptions<S, E extends AnyEntity, R extends Returning<E>> extends WriteOptions<E, R> {
  /** Changes the row only if it is like this, seen in the same statement; else `CONDITION_FAILED`. */
  readonly where?: Where<E, S>;
  /**
   * Changes the row only if its `version` is this, seen in the same statement; else `VERSION_CONFLICT`. Of entities with
   * `...versioned()`.
   */
  readonly ifVersion?: "version" extends RowKeys<E> ? number : never;
}

/** Which rows a write is about. `"all"` has to be said; nothing, and an empty condition, are refused. */
export interface ManyFilter<S, E extends AnyEntity> {
  readonly where: Where<E, S> | "all";
}

/** One row's part of `updateEach`. */
export interface RowChange<E extends AnyEntity> {
  readonly key: Key<E>;
  readonly patch: Patch<E>;
}

/** The rows of `updateEach`, as they were asked for, in its order. */
export type ChangedRows<E extends AnyEntity, R> = R extends false
  ? number
  : (ReturnedRow<E, R> | undefined)[];

/** What becomes of rows whose unique key is taken. */
export interface CreateManyOptions<E extends AnyEntity, R extends Returning<E>>
  extends WriteManyOptions<E, R> {
  /** `ignore` leaves out rows whose unique key is taken, and gives back the others. @default fail */
  readonly onConflict?: "ignore";
  /** The unique key that `ignore` is about; another that is taken still fails. @default any */
  readonly on?: RowKeys<E> | readonly RowKeys<E>[];
}

/** Which unique key an upsert meets on, and what it changes in the row that is there. */
export interface UpsertOptions<E extends AnyEntity, R extends Returning<E> = boolean>
  extends WriteOptions<E, R> {
  readonly on: RowKeys<E> | readonly RowKeys<E>[];
  /**
   * Properties to take from the given row, or changes of the row that is there. @default all that were given and may
   * change
   */
  readonly update?: readonly (keyof UpdateInput<E> & string)[] | UpsertPatch<E>;
}

/** Properties of numeric columns. */
export type NumericKeys<E extends AnyEntity> = {
  [K in keyof UpdateInput<E>]-?: NonNullable<UpdateInput<E>[K]> extends number | bigint ? K : never;
}[keyof UpdateInput<E>] &
  string;

// ---- Rows inside rows --------------------------------------------------------------------------------------------

/** The rows that belong to a new one, by relation. */
type Branches<S, E extends AnyEntity> = {
  readonly [K in keyof RelationsOf<S, E>]?: RelationsOf<S, E>[K] extends Many<infer T>
    ? readonly GraphChild<S, T>[]
    : RelationsOf<S, E>[K] extends One<infer T, boolean>
      ? GraphChild<S, T>
      : never;
};

/** Any of its properties may be left out here, as types do not know which of them the row around it fills. */
type GraphChild<S, E extends AnyEntity> = Partial<CreateInput<E>> & Branches<S, E>;

/**
 * A new row and those that belong to it, to any depth: `{ title, tasks: [{ title, comments: [{ text }] }] }`. A key that
 * names the row around it is filled in, and may not be given.
 */
export type GraphInput<S, E extends AnyEntity> = Partial<CreateInput<E>> & Branches<S, E>;

/** Refuses, in its place, each property that is neither a column nor a relation. */
type Known<S, E extends AnyEntity, I> = {
  readonly [K in keyof I]: K extends keyof RelationsOf<S, E>
    ? KnownBranch<S, TargetOf<RelationsOf<S, E>[K]>, NonNullable<I[K]>> | Extract<I[K], undefined>
    : K extends keyof CreateInput<E>
      ? unknown
      : never;
};

type KnownBranch<S, T extends AnyEntity, I> = I extends readonly (infer C)[]
  ? readonly Known<S, T, C>[]
  : Known<S, T, I>;

/** A row that was made with those that belong to it. */
export type GraphRow<S, E extends AnyEntity, I> = Flat<
  Row<E> & {
    [K in keyof I & keyof RelationsOf<S, E>]:
      | GraphBranch<S, TargetOf<RelationsOf<S, E>[K]>, NonNullable<I[K]>>
      | Extract<I[K], undefined>;
  }
>;

type GraphBranch<S, T extends AnyEntity, I> = I extends readonly (infer C)[]
  ? GraphRow<S, T, C>[]
  : GraphRow<S, T, I>;

// ---- Calls -------------------------------------------------------------------------------------------------------

/** Calls that write, on every repository. */
export interface Writes<S, E extends AnyEntity> {
  /**
   * Makes a row. One round trip.
   * @throws {INVALID_VALUE} for unknown, missing or unfit values: all of them at once, each with its path.
   * @throws {UNIQUE_VIOLATION} {FOREIGN_KEY_VIOLATION} {CHECK_VIOLATION} as the constraints say.
   */
  create<const R extends Returning<E> = true>(
    input: CreateInput<E>,
    options: WriteOptions<E, R>,
  ): Query<ReturnedRow<E, R>>;
  // Last, as this is the one that a function which takes a repository is inferred from.
  create(input: CreateInput<E>): Query<Row<E>>;

  /**
   * Makes any number of rows in one statement (several, all or nothing, past 10,000 rows or 32 MB of values). In input
   * order. @default returning true
   */
  createMany<const R extends Returning<E> = true>(
    inputs: readonly CreateInput<E>[],
    options: CreateManyOptions<E, R>,
  ): Query<ReturnedRows<E, R>>;
  createMany(inputs: readonly CreateInput<E>[]): Query<Row<E>[]>;

  /**
   * Makes a row with those that belong to it, to any depth along the relations of the schema, all or nothing. Gives them
   * back as they were given, in one tree. One insert for each entity and level, with the keys of the level above; all
   * in one round trip where Plinth makes the keys (`ulidKey`, `uuidKey`), else one for each level, in a transaction.
   *
   * A relation through a link table makes the rows and their links. A relation to one that this row's own foreign key
   * stands for makes that row first.
   *
   * @throws {INVALID_VALUE} with everything that is wrong at any depth, by path: `tasks.0.title`.
   *
   * @example
   * ```ts
   * const project = await repo.projects.createGraph({
   *   name: "Move", ownerId,
   *   tasks: [{ title: "Pack", comments: [{ text: "boxes are here" }] }, { title: "Drive" }],
   * });
   * project.tasks[0].comments[0].id;
   * // insert into "projects" …; insert into "tasks" … from unnest(…); insert into "comments" …
   * ```
   */
  createGraph<I extends GraphInput<S, E>>(input: I & Known<S, E, I>): Query<GraphRow<S, E, I>>;

  /**
   * Writes the given fields, and nothing else; with none, reads the row. One round trip. Values of the row itself are
   * changed by `add`, `subtract`, `multiply`, `toggle`, `now`, `append`, `remove` and `merge`.
   *
   * With `where`, the row is changed only if it is like that in the very statement: what others do meanwhile is seen.
   *
   * @throws {NOT_FOUND} when there is no such (living) row. @throws {INVALID_VALUE} for an unknown field.
   * @throws {CONDITION_FAILED} when there is one, and it is not as `where` says: a second statement has looked.
   * @throws {VERSION_CONFLICT} when there is one, and its version is not `ifVersion`: a second statement has looked.
   *
   * @example
   * ```ts
   * await repo.books.update(id, { stock: subtract(1) }, { where: { stock: { gt: 0 } } });
   * // update … set "stock" = t0."stock" - $1::integer where t0."id" = $2 and (t0."stock" > $3)
   * ```
   */
  update<const R extends Returning<E> = true>(
    key: Key<E>,
    patch: Patch<E>,
    options?: UpdateOptions<S, E, R>,
  ): Query<ReturnedRow<E, R>>;

  /**
   * Changes all rows that are like `where`, in one statement; gives how many there were. Which rows has to be said:
   * `where: "all"` means all of them, and an empty condition is refused.
   *
   * @default returning false
   * @throws {INVALID_QUERY} for an empty condition. @throws {INVALID_VALUE} for an unknown field, or none.
   *
   * @example
   * ```ts
   * await repo.tasks.updateMany({ where: { status: "open", dueDate: { lt: today } } }, { status: "late" });   // 3
   * await repo.tasks.updateMany({ where: "all" }, { priority: add(1) }, { returning: ["id", "priority"] });
   * ```
   */
  updateMany<const R extends Returning<E> = false>(
    filter: ManyFilter<S, E>,
    patch: Patch<E>,
    options?: WriteManyOptions<E, R>,
  ): Query<ReturnedRows<E, R>>;

  /**
   * Changes several rows, each in its own way, in one statement (several, all or nothing, where they change different
   * columns, and past 10,000); gives how many there were, or the rows in the order of the changes, `undefined` where
   * there is none. PostgreSQL chooses the order in which it locks them: two calls at once over the same rows may fail
   * with `DEADLOCK`.
   *
   * @default returning false
   * @throws {INVALID_QUERY} when two changes are of one row. @throws {INVALID_VALUE} for an unknown field.
   *
   * @example
   * ```ts
   * await repo.tasks.updateEach(order.map((id, position) => ({ key: id, patch: { position } })));
   * // update … set "position" = k.c3::integer from unnest($1::text[], …) as k(c1, c2, c3) where t0."id" = k.c2::text …
   * ```
   */
  updateEach<const R extends Returning<E> = false>(
    changes: readonly RowChange<E>[],
    options?: WriteManyOptions<E, R>,
  ): Query<ChangedRows<E, R>>;

  /**
   * Makes the row, or updates the one that holds the unique key. One round trip, one statement, no race. A dead
   * row that holds the primary key comes back to life.
   *
   * @example
   * ```ts
   * await repo.visits.upsert({ page, day, count: 1 }, { on: ["page", "day"], update: { count: add(1) } });
   * // insert … on conflict ("page", "day") do update set "count" = t0."count" + $4::integer …
   * ```
   */
  upsert<const R extends Returning<E> = true>(
    input: CreateInput<E>,
    options: UpsertOptions<E, R>,
  ): Query<ReturnedRow<E, R>>;

  /**
   * The same for any number of rows, in one statement (several, all or nothing, where rows give different columns, and
   * past 10,000). Gives them back in input order. Rows are sent in the order of their keys, so that two calls over the
   * same keys wait for each other and do not deadlock, as long as their rows give the same columns.
   *
   * @default returning true
   * @throws {INVALID_VALUE} when two inputs have the same key.
   */
  upsertMany<const R extends Returning<E> = true>(
    inputs: readonly CreateInput<E>[],
    options: UpsertOptions<E, R>,
  ): Query<ReturnedRows<E, R>>;

  /** Adds to numeric columns in the database, so that concurrent calls all count. One round trip. */
  increment<const R extends Returning<E> = true>(
    key: Key<E>,
    by: { readonly [K in NumericKeys<E>]?: number | bigint },
    options?: WriteOptions<E, R>,
  ): Query<ReturnedRow<E, R>>;

  /** Deletes the row (stamps it, where soft delete is declared) and gives it back. @throws {NOT_FOUND} */
  delete<const R extends Returning<E> = true>(
    key: Key<E>,
    options?: WriteOptions<E, R>,
  ): Query<ReturnedRow<E, R>>;

  /**
   * Deletes (or stamps) all rows that are like `where`, in one statement; gives how many there were. As in `updateMany`,
   * all of them is `where: "all"`.
   *
   * @default returning false
   * @throws {INVALID_QUERY} for an empty condition.
   */
  deleteMany<const R extends Returning<E> = false>(
    filter: ManyFilter<S, E>,
    options?: WriteManyOptions<E, R>,
  ): Query<ReturnedRows<E, R>>;
}
