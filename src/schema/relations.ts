import type { AnyEntity } from "./entity.ts";
import type { FullRow, Row } from "./inference.ts";

/** One related row, or null. */
export interface One<T extends AnyEntity, TNullable extends boolean> {
  readonly kind: "one";
  readonly target: T;
  readonly via: string | undefined;
  readonly nullable?: TNullable;
}

/** Any number of related rows. */
export interface Many<T extends AnyEntity> {
  readonly kind: "many";
  readonly target: T;
  readonly via: string | undefined;
}

export type Relation = One<AnyEntity, boolean> | Many<AnyEntity>;
export type RelationMap = Record<string, Relation>;

/** The relations of one entity, to be exported from the schema file. */
export interface Relations<E extends AnyEntity, R extends RelationMap> {
  readonly entity: E;
  readonly relations: R;
}

/** Declares one kind of relation each. */
export interface RelationBuilder<E extends AnyEntity> {
  /**
   * One row: the parent that a foreign key of this entity names, or the only child whose key is this one's.
   *
   * `via` is the property of the foreign key's column, on whichever side has it; needed when two foreign keys
   * join the same tables, and it makes the type exact: not null when that column is not null.
   */
  one<T extends AnyEntity, V extends string = never>(
    target: T,
    options?: { readonly via?: V },
  ): One<T, IsNullable<E, V>>;
  /** All rows of `target` whose foreign key names this entity. */
  many<T extends AnyEntity>(target: T, options?: { readonly via?: keyof Row<T> & string }): Many<T>;
}

type IsNullable<E extends AnyEntity, V extends string> = [V] extends [never]
  ? true
  : V extends keyof FullRow<E>
    ? null extends FullRow<E>[V]
      ? true
      : false
    : true;

const RELATIONS = new WeakSet<object>();

/**
 * Declares what an entity can be read `with`. Apart from the table, so that two entities may refer to each
 * other. The columns come from the foreign keys.
 *
 * @example
 * ```ts
 * export const projectRelations = relations(projects, (r) => ({
 *   owner: r.one(users, { via: "ownerId" }),
 *   tasks: r.many(tasks),
 * }));
 * await repo.projects.list({ with: { owner: true, tasks: true } });
 * ```
 */
export function relations<E extends AnyEntity, R extends RelationMap>(
  entity: E,
  define: (r: RelationBuilder<E>) => R,
): Relations<E, R> {
  const declared = {
    entity,
    relations: define({
      one: (target, options) => ({ kind: "one", target, via: options?.via }),
      many: (target, options) => ({ kind: "many", target, via: options?.via }),
    }),
  };
  RELATIONS.add(declared);
  return declared;
}

/** True for what `relations()` made. */
export function isRelations(value: unknown): value is Relations<AnyEntity, RelationMap> {
  return typeof value === "object" && value !== null && RELATIONS.has(value);
}
