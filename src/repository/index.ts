// The typed door to one entity
export { createRepository } from "./repository.ts";
export type {
  BaseRepository,
  CreateManyOptions,
  KeysetOptions,
  KeysetPage,
  Operators,
  Page,
  PageOptions,
  ReadOptions,
  ReadRow,
  RelationsOf,
  Repository,
  SoftDeleteRepository,
  SortKey,
  UpsertOptions,
  Where,
  With,
} from "./types.ts";
export type { RepositoryContext } from "./context.ts";

// A call that has not run yet
export {
  type Addition,
  type Intent,
  Query,
  type QueryRunner,
  type QuerySql,
} from "./query.ts";

// Calls that travel together
export { type BatchResults, runBatch } from "./batch.ts";

// What people type, as a LIKE pattern
export { escapeLike } from "./where.ts";
