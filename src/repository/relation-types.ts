import type { AnyEntity, Many, One, RelationMap, Relations } from "../schema/index.ts";

/**
 * The relations a schema declares, by the name of their entity. Worked out once for a schema: looking through all of it
 * for each entity would cost a large one the square of its size.
 */
type RelationsByName<S> = {
  [K in keyof S as S[K] extends Relations<infer E, RelationMap>
    ? E["_"]["name"]
    : never]: S[K] extends Relations<AnyEntity, infer R> ? R : never;
};

/** The relations a schema declares for an entity. */
export type RelationsOf<S, E extends AnyEntity> =
  RelationsByName<S> extends infer N
    ? E["_"]["name"] extends keyof N
      ? N[E["_"]["name"]]
      : Record<never, never>
    : never;

/** The entity a relation leads to. */
export type TargetOf<R> = R extends One<infer T, boolean> ? T : R extends Many<infer T> ? T : never;
