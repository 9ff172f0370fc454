import type { AnyEntity, Key, TraitsOf } from "../schema/index.ts";
import type { HistoryRepository } from "./history/types.ts";
import type { Query } from "./query.ts";
import type { SearchRepository } from "./search-types.ts";
import type { BaseRepository } from "./types.ts";
import type {
  ManyFilter,
  ReturnedRow,
  ReturnedRows,
  Returning,
  WriteManyOptions,
  WriteOptions,
} from "./write-types.ts";

/** What a soft-deleting repository can do besides. */
export interface SoftDeleteRepository<S, E extends AnyEntity> {
  /**
   * Brings a dead row back, and by its CASCADE keys what died with it. What SET NULL and SET DEFAULT emptied when it died stays
   * empty: its children are not linked to it again. One round trip.
   *
   * @throws {NOT_FOUND} when no dead row has the key.
   * @throws {UNIQUE_VIOLATION} when a living row has taken its unique key, or that of a row that would come back with it:
   * `table`, `constraint` and `columns` say which.
   */
  restore<const R extends Returning<E> = true>(
    key: Key<E>,
    options?: WriteOptions<E, R>,
  ): Query<ReturnedRow<E, R>>;
  /**
   * Removes a dead row for good, in one round trip; a living one too, through `withDeleted()`. Its foreign keys decide as they
   * do for every DELETE: CASCADE removes the rows below it, dead and living, RESTRICT and NO ACTION refuse while a row
   * refers to it, though it be dead.
   *
   * @throws {NOT_FOUND} when no dead row has the key.
   * @throws {RESTRICT_VIOLATION} {FOREIGN_KEY_VIOLATION} while rows refer to it: purge those first. The latter for NO ACTION,
   * and before PostgreSQL 18.
   *
   * @example
   * ```ts
   * await repo.tasks.delete(id);
   * await repo.tasks.purge(id); // there is nothing to restore any more
   * ```
   */
  purge<const R extends Returning<E> = true>(
    key: Key<E>,
    options?: WriteOptions<E, R>,
  ): Query<ReturnedRow<E, R>>;
  /**
   * The same for all dead rows that are like `where`, in one statement; gives how many there were. `plinth purge` does it in
   * batches, below their parents first.
   *
   * @default returning false
   * @throws {INVALID_QUERY} for an empty condition; all dead rows are `where: "all"`.
   */
  purgeMany<const R extends Returning<E> = false>(
    filter: ManyFilter<S, E>,
    options?: WriteManyOptions<E, R>,
  ): Query<ReturnedRows<E, R>>;
  /** The same repository, seeing the dead as well. */
  withDeleted(): Repository<S, E>;
  /** The same repository, seeing the dead only. */
  onlyDeleted(): Repository<S, E>;
}

/** The typed door to one entity: methods exist where the entity declares the behaviour. */
export type Repository<S, E extends AnyEntity> = BaseRepository<S, E> &
  (TraitsOf<E>["softDelete"] extends true ? SoftDeleteRepository<S, E> : unknown) &
  (TraitsOf<E>["history"] extends true ? HistoryRepository<S, E> : unknown) &
  ([TraitsOf<E>["search"]] extends [never] ? unknown : SearchRepository<S, E>);
