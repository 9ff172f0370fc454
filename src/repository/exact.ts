import type { SqlTemplate } from "./where/sql-template.ts";

/** What is compared as a whole: its properties are methods, or its own business. */
type Whole = Date | Uint8Array | SqlTemplate | ((...given: never) => unknown);

/** The properties that any member of a union has. */
type KeysOf<T> = T extends unknown ? keyof T : never;

/** What stands at a property, in any member of a union. */
type At<T, K> = T extends unknown ? (K extends keyof T ? NonNullable<T[K]> : never) : never;

type ItemOf<T> = T extends readonly (infer I)[] ? I : never;

/**
 * An inferred argument, with `never` where it has a property that its shape does not know, however deep. TypeScript looks
 * for unknown properties in object literals only where their type is not inferred from them.
 */
export type Exact<Shape, Given> = [Shape] extends [Given]
  ? Given
  : Given extends Whole
    ? Given
    : Given extends readonly unknown[]
      ? { readonly [I in keyof Given]: Exact<ItemOf<Shape>, Given[I]> }
      : Given extends object
        ? { readonly [K in keyof Given]: K extends KeysOf<Shape> ? Exact<At<Shape, K>, Given[K]> : never }
        : Given;
