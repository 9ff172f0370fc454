import type { AnyEntity, Key, TraitsOf } from "../schema/index.ts";
import type { Query } from "./query.ts";
import type { SearchRepository } from "./search-types.ts";
import type { BaseRepository } from "./types.ts";
import type { ReturnedRow, Returning, WriteOptions } from "./write-types.ts";

/** What a soft-deleting repository can do besides. */
export interface SoftDeleteRepository<S, E extends AnyEntity> {
  /** Brings a dead row back. @throws {NOT_FOUND} when no dead row has the key. @throws {UNIQUE_VIOLATION} when a living row has taken its unique key. */
  restore<const R extends Returning<E> = true>(
    key: Key<E>,
    options?: WriteOptions<E, R>,
  ): Query<ReturnedRow<E, R>>;
  /** The same repository, seeing the dead as well. */
  withDeleted(): Repository<S, E>;
  /** The same repository, seeing the dead only. */
  onlyDeleted(): Repository<S, E>;
}

/** The typed door to one entity: methods exist where the entity declares the behaviour. */
export type Repository<S, E extends AnyEntity> = BaseRepository<S, E> &
  (TraitsOf<E>["softDelete"] extends true ? SoftDeleteRepository<S, E> : unknown) &
  ([TraitsOf<E>["search"]] extends [never] ? unknown : SearchRepository<S, E>);
