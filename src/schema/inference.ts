import type { AnyEntity, TraitsOf } from "./entity.ts";
import type { CreateOnlyMark, ManagedMark, SecretMark } from "./marks.ts";

/** Flattens an intersection, so that an editor shows a plain object. */
export type Flat<T> = { [K in keyof T]: T[K] } & {};

type Columns<E extends AnyEntity> = TraitsOf<E>["columns"];

type KeysMarked<E extends AnyEntity, M> = {
  [K in keyof Columns<E>]: Columns<E>[K] extends M ? K : never;
}[keyof Columns<E>] &
  string;

/** Properties of secret columns. */
export type SecretKeys<E extends AnyEntity> = KeysMarked<E, SecretMark>;

/** Properties that are kept for the caller: never an input. */
export type ManagedKeys<E extends AnyEntity> = KeysMarked<E, ManagedMark>;

/** Every column of a row, secrets too. */
export type FullRow<E extends AnyEntity> = E["$inferSelect"];

/** A row as a repository gives it: without secrets. */
export type Row<E extends AnyEntity> = Flat<Omit<FullRow<E>, SecretKeys<E>>>;

/** Properties of a row that is read without asking for secrets. */
export type RowKeys<E extends AnyEntity> = keyof Row<E> & string;

/** What `create` takes: what has no default is required; what Plinth or the database keeps is absent. */
export type CreateInput<E extends AnyEntity> = Flat<Omit<E["$inferInsert"], ManagedKeys<E>>>;

/** What `update` takes: any part of a row that may change. Keys and creation facts may not. */
export type UpdateInput<E extends AnyEntity> = Flat<
  Partial<Omit<CreateInput<E>, PrimaryKeys<E> | KeysMarked<E, CreateOnlyMark>>>
>;

/** Properties of columns declared with `.primaryKey()`. */
export type PrimaryKeys<E extends AnyEntity> = {
  [K in keyof Columns<E>]: Columns<E>[K] extends { readonly _: { isPrimaryKey: true } } ? K : never;
}[keyof Columns<E>] &
  string;

/**
 * What identifies a row: the value of a single primary key, or an object of all its parts where the key is composite.
 * Declare a composite key with `.primaryKey()` on each of its columns; Drizzle's `primaryKey({ columns })` works as
 * well, but its types do not say which columns it has, so any part of the row is accepted there.
 */
export type Key<E extends AnyEntity> = [PrimaryKeys<E>] extends [never]
  ? Partial<Row<E>>
  : IsUnion<PrimaryKeys<E>> extends true
    ? Flat<Pick<FullRow<E>, PrimaryKeys<E> & keyof FullRow<E>>>
    : FullRow<E>[PrimaryKeys<E> & keyof FullRow<E>];

type IsUnion<T, All = T> = T extends unknown ? ([All] extends [T] ? false : true) : never;
