import type { PgColumnBuilderBase } from "drizzle-orm/pg-core";
import type { ValueOf } from "./declared/value-type.ts";
import type { AnyEntity, TraitsOf } from "./entity.ts";
import type { CreateOnlyMark, ManagedMark, SecretMark } from "./marks.ts";

/*
 * How these types stay cheap in a schema of hundreds of tables:
 *
 * - They start from the column builders. The columns that Drizzle makes of them know their table, so the compiler would
 *   begin anew with each; `text().notNull()` is one type in all tables.
 * - What is asked of a column is an alias of its builder (and its name), which the compiler answers once for all tables.
 *   An alias of the entity it answers for each.
 * - No mapped type has an `as` clause. The compiler works one out for all keys at once, and again each time it meets
 *   the type.
 */

/** Flattens an intersection, so that an editor shows a plain object. */
export type Flat<T> = { [K in keyof T]: T[K] } & {};

// ---- Columns -----------------------------------------------------------------------------------------------------

/** The column builders of an entity, by property. */
type Columns<E extends AnyEntity> = TraitsOf<E>["columns"];

type Marked<K, B, M> = B extends M ? K : never;

type KeysMarked<E extends AnyEntity, M> = {
  [K in keyof Columns<E>]: Marked<K, Columns<E>[K], M>;
}[keyof Columns<E>] &
  string;

/** Properties of secret columns. */
export type SecretKeys<E extends AnyEntity> = KeysMarked<E, SecretMark>;

/** Properties that are kept for the caller: never an input. */
export type ManagedKeys<E extends AnyEntity> = KeysMarked<E, ManagedMark>;

interface PrimaryMark {
  readonly _: { readonly isPrimaryKey: true };
}

/** Properties of columns declared with `.primaryKey()`. */
export type PrimaryKeys<E extends AnyEntity> = KeysMarked<E, PrimaryMark>;

/** The column builders that a row shows: all but secrets. */
export type RowColumns<E extends AnyEntity> = [SecretKeys<E>] extends [never]
  ? Columns<E>
  : Omit<Columns<E>, SecretKeys<E>>;

// ---- Rows --------------------------------------------------------------------------------------------------------

/** Every column of a row, secrets too. */
export type FullRow<E extends AnyEntity> = Values<Columns<E>>;

/** A row as a repository gives it: without secrets. */
export type Row<E extends AnyEntity> = Values<RowColumns<E>>;

/** Properties of a row that is read without asking for secrets. */
export type RowKeys<E extends AnyEntity> = keyof RowColumns<E> & string;

/** Over `keyof C` itself and `& {}`, as in `Flat`, so that an editor shows an object and not the name of its type. */
type Values<C> = { -readonly [K in keyof C]: Value<C[K]> } & {};
type Value<B> = B extends PgColumnBuilderBase ? ValueOf<B> : never;

// ---- Inputs ------------------------------------------------------------------------------------------------------

/** Whether a new row has to give a column, may, or must not. */
type Presence<B extends PgColumnBuilderBase> = B extends ManagedMark
  ? "never"
  : B["_"] extends { generated: object } | { identity: "always" }
    ? "never"
    : B["_"] extends { hasDefault: true }
      ? "optional"
      : B["_"] extends { notNull: true }
        ? "required"
        : "optional";

type Given<K, B extends PgColumnBuilderBase, P> = Presence<B> extends P ? K : never;

type GivenKeys<E extends AnyEntity, P> = {
  [K in keyof Columns<E>]: Given<K, Columns<E>[K], P>;
}[keyof Columns<E>];

type OptionalValues<C> = { -readonly [K in keyof C]?: Value<C[K]> | undefined };

/** What `create` takes: what has no default is required; what Plinth or the database keeps is absent. */
export type CreateInput<E extends AnyEntity> = Flat<
  Values<Pick<Columns<E>, GivenKeys<E, "required">>> &
    OptionalValues<Pick<Columns<E>, GivenKeys<E, "optional">>>
>;

/** What `update` takes: any part of a row that may change. Keys and creation facts may not. */
export type UpdateInput<E extends AnyEntity> = Flat<
  Partial<Omit<CreateInput<E>, PrimaryKeys<E> | KeysMarked<E, CreateOnlyMark>>>
>;

// ---- Keys --------------------------------------------------------------------------------------------------------

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
