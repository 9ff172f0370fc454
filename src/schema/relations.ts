import type { AnyEntity } from "./entity.ts";
import type { FullRow, Row } from "./inference.ts";

/** One related row, or null. */
export interface One<T extends AnyEntity, TNullable extends boolean> {
  readonly kind: "one";
  readonly target: T;
  readonly via: string | undefined;
  readonly nullable?: TNullable;
}

/** Any number of related rows; `L` is the entity between the two, `never` where there is none. */
export interface Many<T extends AnyEntity, L extends AnyEntity = AnyEntity> {
  readonly kind: "many";
  readonly target: T;
  readonly via: string | undefined;
  /** The entity between the two, whose rows link them. */
  readonly through?: Through | undefined;
  /** That entity, for types alone. */
  readonly link?: L;
  /** The rows above or below in a tree, however far. */
  readonly walk?: "up" | "down" | undefined;
}

/** The entity that links two others, and the properties of its foreign keys to each. */
export interface Through {
  readonly entity: AnyEntity;
  readonly from: string | undefined;
  readonly to: string | undefined;
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
   * The rows above one in a tree of one table: its parent first, then its parent's, up to the root. `via` is the property
   * that names a row's parent, needed where several do. A row that its caller cannot see ends the way, and a circle
   * ends where it closes.
   *
   * @example
   * ```ts
   * export const categoryRelations = relations(categories, (r) => ({ path: r.ancestors(), below: r.descendants() }));
   * await repo.categories.get(id, { with: { below: { maxDepth: 2 } } });
   * ```
   */
  ancestors(options?: { readonly via?: keyof Row<E> & string }): Many<E, never>;
  /** The rows below one in a tree of one table, the nearest first; see `ancestors`. */
  descendants(options?: { readonly via?: keyof Row<E> & string }): Many<E, never>;
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
  many<T extends AnyEntity>(target: T, options?: { readonly via?: keyof Row<T> & string }): Many<T, never>;
  /**
   * All rows of `target` that the rows of `through` link to this entity: many to many. A row that is linked twice comes
   * twice. `from` and `to` are properties of `through`: the foreign keys that name this entity and the target, needed
   * where two of them name the same table. A read sorts by columns of `through` as `link.…`, and shows them by `link`.
   *
   * @example
   * ```ts
   * export const taskRelations = relations(tasks, (r) => ({ tags: r.many(tags, { through: taskTags }) }));
   * await repo.tasks.get(id, { with: { tags: { sort: "link.position", link: ["position"] } } });
   * export const userRelations = relations(users, (r) => ({
   *   followers: r.many(users, { through: follows, from: "followeeId", to: "followerId" }),
   * }));
   * ```
   */
  many<T extends AnyEntity, L extends AnyEntity>(
    target: T,
    options: {
      readonly through: L;
      readonly from?: keyof FullRow<L> & string;
      readonly to?: keyof FullRow<L> & string;
    },
  ): Many<T, L>;
}

type IsNullable<E extends AnyEntity, V extends string> = [V] extends [never]
  ? true
  : V extends keyof FullRow<E>
    ? null extends FullRow<E>[V]
      ? true
      : false
    : true;

interface ManyOptions {
  readonly via?: string;
  readonly through?: AnyEntity;
  readonly from?: string;
  readonly to?: string;
}

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
      ancestors: (options) => ({ kind: "many", target: entity, via: options?.via, walk: "up" }),
      descendants: (options) => ({ kind: "many", target: entity, via: options?.via, walk: "down" }),
      one: (target, options) => ({ kind: "one", target, via: options?.via }),
      many: <T extends AnyEntity>(target: T, options: ManyOptions = {}): Many<T, never> => ({
        kind: "many",
        target,
        via: options.via,
        through:
          options.through === undefined
            ? undefined
            : { entity: options.through, from: options.from, to: options.to },
      }),
    }),
  };
  RELATIONS.add(declared);
  return declared;
}

/** True for what `relations()` made. */
export function isRelations(value: unknown): value is Relations<AnyEntity, RelationMap> {
  return typeof value === "object" && value !== null && RELATIONS.has(value);
}
