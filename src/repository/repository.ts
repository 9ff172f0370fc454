import { type AnyEntity, describeTable, type EntityDescription, type Visibility } from "../schema/index.ts";
import type { CopyRowsInShape, CopyRowsOutShape, Rows } from "./copy/copy.ts";
import type { CallsByEntity, EntityCalls } from "./entity-calls.ts";
import type { HistoryShape } from "./history/history.ts";
import type { Intent, QueryRunner } from "./intent.ts";
import type { ListShape } from "./list-options.ts";
import type { ReadMerger } from "./merge.ts";
import { Query } from "./query.ts";
import type { Repository } from "./repository-types.ts";
import type { SearchShape } from "./search.ts";
import type { StreamShape } from "./stream.ts";
import type { CreateManyShape, CreateShape } from "./write/create.ts";
import type { FilterShape } from "./write/filter.ts";
import type { ChangeShape, UpdateShape } from "./write/update.ts";
import type { UpsertShape } from "./write/upsert.ts";

/** What a repository needs of the database, or the transaction, it belongs to. */
export interface RepositoryContext {
  readonly calls: CallsByEntity;
  readonly runner: QueryRunner;
  /** Where single reads of one tick meet; undefined where each travels alone. */
  readonly merger: ReadMerger | undefined;
}

/** What can be asked of an entity, all of which only reads. */
function readMethods(
  { runner, merger }: RepositoryContext,
  { reader, stream }: Pick<EntityCalls, "reader" | "stream">,
) {
  const query = <T>(intent: () => Intent<T>): Query<T> => new Query(intent, runner, merger);
  return {
    find: (key: unknown, options?: ListShape) => query(() => reader.find(key, options)),
    get: (key: unknown, options?: ListShape) => query(() => reader.get(key, options)),
    findBy: (unique: object, options?: ListShape) => query(() => reader.findBy(unique, options)),
    findMany: (keys: readonly unknown[], options?: ListShape) => query(() => reader.findMany(keys, options)),
    list: (options: ListShape = {}) => query(() => reader.list(options)),
    stream: (options?: StreamShape) => stream(runner, options),
    count: (where?: object) => query(() => reader.count(where)),
    exists: (where: object) => query(() => reader.exists(where)),
    aggregate: (options: unknown) => query(() => reader.aggregate(options)),
    distinct: (column: unknown, options?: object) => query(() => reader.distinct(column, options)),
  };
}

/** The reads of an entity as it was. */
function pastRepository(
  context: RepositoryContext,
  entity: EntityDescription,
  moment: unknown,
  visibility: Visibility,
): object {
  const calls = context.calls.asOf(entity, visibility, moment);
  const seeing = (other: Visibility) => pastRepository(context, entity, moment, other);
  return Object.freeze({
    // As each moment has plans of its own, reads of different ones never travel as one statement.
    ...readMethods(context, calls),
    ...(entity.softDelete ? { withDeleted: () => seeing("all"), onlyDeleted: () => seeing("dead") } : {}),
  });
}

/**
 * Makes the repository of an entity: every call is a lazy `Query`. What it may do with a row follows from the
 * entity's declaration; what its types say of a row follows from the same declaration, which is why the one cast
 * at the end is sound: the calls below are the untyped body of `Repository<S, E>`.
 */
export function createRepository<S, E extends AnyEntity>(
  context: RepositoryContext,
  entity: E,
  visibility: Visibility = "living",
): Repository<S, E> {
  const description = describeTable(entity);
  const { runner, merger } = context;
  const calls = context.calls.of(description, visibility);
  const { writer, copier, historian, search } = calls;
  const query = <T>(intent: () => Intent<T>): Query<T> => new Query(intent, runner, merger);

  const methods = {
    ...readMethods(context, calls),
    copyIn: (source: Rows, options?: CopyRowsInShape) => copier.copyIn(runner, source, options),
    copyOut: (options?: CopyRowsOutShape) => copier.copyOut(runner, options),
    create: (input: object, options: CreateShape = {}) => query(() => writer.create(input, options)),
    createMany: (inputs: readonly object[], options: CreateManyShape = {}) =>
      query(() => writer.createMany(inputs, options)),
    createGraph: (input: object) => query(() => writer.createGraph(input)),
    update: (key: unknown, patch: object, options: UpdateShape = {}) =>
      query(() => writer.update(key, patch, options)),
    updateMany: (filter: FilterShape, patch: object, options: ChangeShape = {}) =>
      query(() => writer.updateMany(filter, patch, options)),
    updateEach: (changes: readonly unknown[], options: ChangeShape = {}) =>
      query(() => writer.updateEach(changes, options)),
    upsert: (input: object, options: UpsertShape) => query(() => writer.upsert(input, options)),
    upsertMany: (inputs: readonly object[], options: UpsertShape) =>
      query(() => writer.upsertMany(inputs, options)),
    increment: (key: unknown, by: object, options: ChangeShape = {}) =>
      query(() => writer.increment(key, by, options)),
    delete: (key: unknown, options: ChangeShape = {}) => query(() => writer.delete(key, options)),
    deleteMany: (filter: FilterShape, options: ChangeShape = {}) =>
      query(() => writer.deleteMany(filter, options)),
  };
  const searchMethods =
    search === undefined
      ? {}
      : { search: (text: unknown, options: SearchShape = {}) => query(() => search(text, options)) };
  const softDeleteMethods = {
    restore: (key: unknown, options: ChangeShape = {}) => query(() => writer.restore(key, options)),
    purge: (key: unknown, options: ChangeShape = {}) => query(() => writer.purge(key, options)),
    purgeMany: (filter: FilterShape, options: ChangeShape = {}) =>
      query(() => writer.purgeMany(filter, options)),
    withDeleted: () => createRepository<S, E>(context, entity, "all"),
    onlyDeleted: () => createRepository<S, E>(context, entity, "dead"),
  };
  const historyMethods =
    historian === undefined
      ? {}
      : {
          history: (key: unknown, options?: HistoryShape) => query(() => historian.history(key, options)),
          revert: (key: unknown, version: unknown) => query(() => historian.revert(key, version)),
          asOf: (moment: unknown) => pastRepository(context, description, moment, visibility),
        };
  const all: unknown = Object.freeze({
    ...methods,
    ...(description.softDelete ? softDeleteMethods : {}),
    ...searchMethods,
    ...historyMethods,
  });
  return all as Repository<S, E>;
}
