import type { Call } from "../sql/index.ts";

/**
 * One value among a call's arguments: what it is in the call at hand, and where every other call of the same shape has
 * it. A plan is built from the first call's values and runs with those of all the others.
 */
export interface Given {
  readonly value: unknown;
  /** As errors name it: `where.title.contains`. */
  readonly path: string;
  readonly in: (call: Call) => unknown;
}

/** An argument of the call itself. */
export function argument(call: Call, position: number, path: string): Given {
  return { value: call.input[position], path, in: ({ input }) => input[position] };
}

/** A property of an object that was given, or an item of a list. */
export function partOf(given: Given, key: string | number, path = `${given.path}.${key}`): Given {
  return { value: propertyOf(given.value, key), path, in: (call) => propertyOf(given.in(call), key) };
}

function propertyOf(value: unknown, key: string | number): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return (value as Readonly<Record<string | number, unknown>>)[key];
}
