// The typed door to one entity
export { createRepository, type RepositoryContext } from "./repository.ts";
export type { BaseRepository, ListOptions, ReadOptions, ReadRow, StreamOptions, With } from "./types.ts";
export type { Repository, SoftDeleteRepository } from "./repository-types.ts";
export type {
  HistoryActor,
  HistoryChange,
  HistoryOperation,
  HistoryOptions,
  HistoryPage,
  HistoryRepository,
  HistoryRow,
  PastRepository,
  RowVersion,
} from "./history/types.ts";
export type {
  HighlightOptions,
  Highlights,
  SearchHit,
  SearchOptions,
  SearchPage,
  SearchRepository,
} from "./search-types.ts";
export type {
  ChangedRows,
  CreateManyOptions,
  GraphInput,
  GraphRow,
  ManyFilter,
  Patch,
  ReturnedRow,
  ReturnedRows,
  Returning,
  RowChange,
  UpdateOptions,
  UpsertOptions,
  UpsertPatch,
  WriteManyOptions,
  WriteOptions,
  Writes,
} from "./write-types.ts";
export type {
  EstimatedPage,
  KeysetPage,
  Page,
  Sort,
  SortKey,
  SortPath,
  SortTerm,
  TotalMode,
  UncountedPage,
} from "./list-types.ts";
export type {
  ByteSource,
  Copied,
  CopyBytesInOptions,
  CopyBytesOutOptions,
  CopyFormat,
  CopyInOptions,
  CopyOutOptions,
  CopyProgress,
  CopyRowsProgress,
} from "./copy/types.ts";
export type { Locking } from "./lock.ts";
export type { RelationsOf } from "./relation-types.ts";
export type {
  ArrayOperators,
  JsonbOperators,
  JsonOperators,
  JsonPath,
  JsonPathOperators,
  JsonScalar,
  JsonValue,
  NetworkOperators,
  Operators,
  RangeOperators,
  TextOperators,
  Where,
} from "./where-types.ts";
export { CallsByEntity } from "./entity-calls.ts";

// A call that has not run yet
export type { Addition, Intent, QueryRunner } from "./intent.ts";
export { Query, type QuerySql } from "./query.ts";
export type { ExplainOptions, Explanation } from "./explain/explain.ts";
export type { PlanNode, StatementPlan } from "./explain/plan-node.ts";

// Calls that travel together
export { ReadMerger } from "./merge.ts";
export { type BatchResults, runBatch } from "./batch.ts";

// Bytes in bulk
export { copyBytesIn, copyQueryOut } from "./copy/copy.ts";

// Conditions and values in an application's own SQL
export { condition, type SqlCondition } from "./where/sql-condition.ts";
export { type Computed, type ComputedTag, type ComputeMap, computed } from "./computed.ts";

// Changes of the values that are there
export {
  add,
  append,
  type Change,
  given,
  merge,
  multiply,
  now,
  remove,
  subtract,
  toggle,
} from "./write/change.ts";

// What people type, as a LIKE pattern
export { escapeLike } from "./where/patterns.ts";
