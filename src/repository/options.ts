import { InputError, unknownName } from "../errors/index.ts";

/**
 * Refuses what is no object of known options. A misspelt `where` would otherwise fall away in silence, and the call
 * would read or touch every row.
 *
 * @throws {INVALID_QUERY}
 */
export function refuseUnknownOptions(options: unknown, known: readonly string[], path = ""): void {
  const given = plainObject(options, path === "" ? "options" : path);
  for (const key of Object.keys(given)) {
    if (!known.includes(key)) refuse(path === "" ? key : `${path}.${key}`, unknownName("option", key, known));
  }
}

/**
 * A plain object, as literals and JSON make them. Arrays, dates, maps and class instances are refused: as a
 * condition they have no entries, and would mean "every row".
 *
 * @throws {INVALID_QUERY}
 */
export function plainObject(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (!isPlainObject(value)) refuse(path, "must be a plain object");
  return value;
}

export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** @throws {INVALID_QUERY} */
export function refuse(path: string, message: string): never {
  throw new InputError("INVALID_QUERY", [{ path, message }]);
}
