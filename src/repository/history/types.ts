import type { AnyEntity, Key, Row, TraitsOf } from "../../schema/index.ts";
import type { Query } from "../query.ts";
import type { BaseRepository } from "../types.ts";
import type { ReturnedRow } from "../write-types.ts";

/** What happened to a row. `delete` and `restore` are said of soft deletion too, which is an update to PostgreSQL. */
export type HistoryOperation = "insert" | "update" | "delete" | "restore" | "truncate";

/** On whose behalf a row was changed; null where nobody said. */
export interface HistoryActor {
  readonly userId: string | null;
  readonly tenantId: string | null;
  readonly requestId: string | null;
  readonly reason: string | null;
  /** The role that the session had logged in as. Only this is the database's own word: a client says the rest of itself. */
  readonly role: string;
}

/** A column of a change, before and after it; null where there was no row, or none any more. */
export interface HistoryChange<T> {
  readonly from: T | null;
  readonly to: T | null;
}

/**
 * A row as it was: the columns that were recorded. Secret ones are not, and one that was added since is absent where the
 * row had ended by then.
 */
export type HistoryRow<E extends AnyEntity> = Partial<Row<E>>;

/** One change of a row. */
export interface RowVersion<E extends AnyEntity> {
  /** Grows with every change of the table. */
  readonly version: bigint;
  readonly operation: HistoryOperation;
  /** When its transaction began, by the database's clock. */
  readonly at: Date;
  readonly transactionId: bigint;
  readonly actor: HistoryActor;
  /** The row before it; null where there was none. */
  readonly before: HistoryRow<E> | null;
  /** The row after it; null where there was none any more. */
  readonly after: HistoryRow<E> | null;
  /** What differs. A column that the schema does not have any more is there by its name in the database. */
  readonly changes: { readonly [K in keyof Row<E>]?: HistoryChange<Row<E>[K]> };
  /** Properties that changed as well, and whose values are not recorded. */
  readonly concealed: readonly string[];
}

/** Which versions of a row to read. */
export interface HistoryOptions {
  /** @default 20. Limit: 1,000. */
  readonly limit?: number;
  /** `meta.nextCursor` of the page before; null or `""` for the first page. */
  readonly after?: string | null;
}

/** Versions of a row, the newest first. */
export interface HistoryPage<E extends AnyEntity> {
  readonly data: RowVersion<E>[];
  readonly meta: {
    readonly limit: number;
    readonly nextCursor: string | null;
    /**
     * From when on every change of the entity is here, as text to the microsecond, which `asOf` takes. Null where nothing
     * says when the history began.
     */
    readonly knownSince: string | null;
    /** Changes from before `knownSince` were pruned; otherwise the history began then. */
    readonly isPruned: boolean;
  };
}

/** The calls that only read. */
type Reads =
  | "find"
  | "get"
  | "findBy"
  | "findMany"
  | "list"
  | "stream"
  | "count"
  | "exists"
  | "aggregate"
  | "distinct";

/** An entity as it was at a moment. */
export type PastRepository<S, E extends AnyEntity> = Pick<BaseRepository<S, E>, Reads> &
  (TraitsOf<E>["softDelete"] extends true
    ? {
        /** The same, seeing those that were dead then as well. */
        withDeleted(): PastRepository<S, E>;
        /** The same, seeing those that were dead then only. */
        onlyDeleted(): PastRepository<S, E>;
      }
    : unknown);

/** What a repository can do besides where the entity keeps its history. */
export interface HistoryRepository<S, E extends AnyEntity> {
  /**
   * The entity as it was at a moment: every read there is, of related entities too, whose rows are read as of the same moment.
   * The past of T shows the transactions that had begun by T, whole. A `Date` stands for its whole millisecond; a text such as
   * `2026-11-21T09:30:00.123456Z` says it to the microsecond. Costs what has changed since, not what there was before. Secret
   * and excepted columns are null. Each entity of a read has to know the moment, the related ones too; that is found out in the
   * statement itself, without a round trip, by some 0.1 ms of the server's time for each.
   *
   * @throws {HISTORY_UNKNOWN} for a moment before an entity's history began, or before what was pruned of it; `knownSince` says
   * from when on it is known. Inside a transaction that ends it, as every error of the server does.
   * @throws {INVALID_VALUE} for what is no moment.
   * @throws {INVALID_QUERY} for a relation to an entity without history, and for a lock: there is nothing to keep.
   *
   * @example
   * ```ts
   * const before = repo.tasks.asOf(new Date("2026-11-01T00:00:00Z"));
   * await before.list({ where: { status: "open" }, with: { comments: true } });
   * // select … from (… what has changed since, undone …) t0 where t0."status" = $2
   * ```
   */
  asOf(moment: Date | string): PastRepository<S, E>;
  /**
   * What happened to a row, the newest change first; also of one that is gone. Empty where nothing was recorded;
   * `meta.knownSince` says from when on everything is. One round trip.
   *
   * @throws {INVALID_CURSOR} for a cursor that is none.
   *
   * @example
   * ```ts
   * const { data } = await repo.tasks.history(id);
   * data[0].changes;   // { status: { from: "open", to: "done" } }
   * data[0].actor;     // { userId: "u7", reason: "release", role: "app", … }
   * ```
   */
  history(key: Key<E>, options?: HistoryOptions): Query<HistoryPage<E>>;
  /**
   * Writes a row back as a version left it: an update, or an insert where the row is gone. It is recorded like any other
   * change, signed by whoever does it. Columns that are not recorded stay as they are. A transaction of its own, or a
   * savepoint: reads the version, then writes; two or three round trips.
   *
   * @throws {INVALID_QUERY} for what is no version of this row, or was pruned, and for one that ended it.
   * @throws {UNIQUE_VIOLATION} and the other constraints' errors, where the row does not fit any more.
   *
   * @example
   * ```ts
   * const { data: [, before] } = await repo.tasks.history(id);
   * await repo.tasks.revert(id, before.version);
   * ```
   */
  revert(key: Key<E>, version: bigint): Query<ReturnedRow<E, true>>;
}
