import { type AnyEntity, describeTable, type Visibility } from "../schema/index.ts";
import type { RepositoryContext } from "./context.ts";
import type { ListShape } from "./list.ts";
import { type Intent, Query } from "./query.ts";
import { createReader } from "./read.ts";
import type { Repository } from "./types.ts";
import { createWriter } from "./write.ts";

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
  const reader = createReader(context, description, visibility);
  const writer = createWriter(context, description, visibility);
  const query = <T>(intent: () => Intent<T>): Query<T> => new Query(intent, context.runner);

  const methods = {
    find: (key: unknown, options?: ListShape) => query(() => reader.find(key, options)),
    get: (key: unknown, options?: ListShape) => query(() => reader.get(key, options)),
    findBy: (unique: object, options?: ListShape) => query(() => reader.findBy(unique, options)),
    findMany: (keys: readonly unknown[], options?: ListShape) => query(() => reader.findMany(keys, options)),
    list: (options: ListShape = {}) => query(() => reader.list(options)),
    count: (where?: object) => query(() => reader.count(where)),
    exists: (where: object) => query(() => reader.exists(where)),
    create: (input: object) => query(() => writer.create(input)),
    createMany: (inputs: readonly object[], options: { readonly onConflict?: "ignore" } = {}) =>
      query(() => writer.createMany(inputs, options)),
    update: (key: unknown, patch: object) => query(() => writer.update(key, patch)),
    upsert: (input: object, options: { readonly on: unknown; readonly update?: readonly string[] }) =>
      query(() => writer.upsert(input, options)),
    increment: (key: unknown, by: object) => query(() => writer.increment(key, by)),
    delete: (key: unknown) => query(() => writer.delete(key)),
  };
  const softDeleteMethods = {
    restore: (key: unknown) => query(() => writer.restore(key)),
    withDeleted: () => createRepository<S, E>(context, entity, "all"),
    onlyDeleted: () => createRepository<S, E>(context, entity, "dead"),
  };
  const all: unknown = Object.freeze(description.softDelete ? { ...methods, ...softDeleteMethods } : methods);
  return all as Repository<S, E>;
}
