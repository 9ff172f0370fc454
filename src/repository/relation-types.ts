import type { AnyEntity, Many, One, RelationMap, Relations, TraitsOf } from "../schema/index.ts";

/**
 * The relations a schema declares, by the name of their entity. The condition holds for every `S`: it is there because the
 * compiler keeps its answer to a conditional type for each `S`, and would otherwise gather all exports of the schema
 * at each use. A mapped type with an `as` clause would be worse: it is gone through twice whenever it is met.
 */
type RelationsByName<S> = [S] extends [unknown] ? All<ByName<S[keyof S]>> : never;

/** Of each export of the schema; never, where it declares no relations. */
type ByName<D> =
  D extends Relations<AnyEntity, RelationMap>
    ? { readonly [N in TraitsOf<D["entity"]>["name"]]: D["relations"] }
    : never;

/** The members of a union, all at once. */
type All<U> = (U extends unknown ? (one: U) => void : never) extends (all: infer I) => void ? I : never;

/** The relations a schema declares for an entity. */
export type RelationsOf<S, E extends AnyEntity> = Named<RelationsByName<S>, TraitsOf<E>["name"]>;

type Named<T, N> = N extends keyof T ? T[N] : Record<never, never>;

/** The entity a relation leads to. */
export type TargetOf<R> = R extends One<infer T, boolean> ? T : R extends Many<infer T> ? T : never;
