import { plainObject, refuse } from "../options.ts";

/**
 * The names of a plain object's properties, each of which holds its value. A getter may answer otherwise every time, and
 * the first answers decide a statement that others run too. Looked for where a statement is made, and not in every call.
 *
 * @throws {INVALID_QUERY}
 */
export function propertiesOf(value: unknown, path: string): readonly string[] {
  const given = plainObject(value, path);
  const names = Object.keys(given);
  for (const name of names) {
    if (Object.getOwnPropertyDescriptor(given, name)?.get === undefined) continue;
    refuse(`${path}.${name}`, "is a getter; give the value itself");
  }
  return names;
}
