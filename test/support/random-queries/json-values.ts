/** What PostgreSQL says of JSON values. Source: https://www.postgresql.org/docs/current/datatype-json.html#JSON-CONTAINMENT */
import { byNumber, byText, type Order } from "./orders.ts";

type Properties = Readonly<Record<string, unknown>>;

function isProperties(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The order of properties is no part of a document. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, i) => sameJson(item, b[i]));
  if (isProperties(a) && isProperties(b)) {
    const [left, right] = [Object.keys(a), Object.keys(b)];
    return (
      left.length === right.length && left.every((key) => Object.hasOwn(b, key) && sameJson(a[key], b[key]))
    );
  }
  return a === b;
}

/** Undefined where nothing stands there. */
export function jsonAt(value: unknown, path: readonly unknown[]): unknown {
  let found: unknown = value ?? undefined;
  for (const step of path.map(String)) {
    if (Array.isArray(found)) found = /^-?\d+$/.test(step) ? found.at(Number(step)) : undefined;
    else found = isProperties(found) && Object.hasOwn(found, step) ? found[step] : undefined;
  }
  return found;
}

/** `@>`: a list contains a single value too, on the outside only. */
export function containsJson(value: unknown, wanted: unknown, isInside = false): boolean {
  if (Array.isArray(value)) {
    if (Array.isArray(wanted))
      return wanted.every((one) => value.some((item) => containsJson(item, one, true)));
    return !isInside && !isProperties(wanted) && value.some((item) => item === wanted);
  }
  if (!isProperties(value)) return value === wanted;
  return (
    isProperties(wanted) &&
    Object.entries(wanted).every(
      ([key, part]) => Object.hasOwn(value, key) && containsJson(value[key], part, true),
    )
  );
}

export function hasJsonKey(value: unknown, key: string): boolean {
  if (Array.isArray(value)) return value.includes(key);
  return isProperties(value) ? Object.hasOwn(value, key) : value === key;
}

/** Of two values of one type. */
export const jsonOrder: Order = (a, b) => (typeof a === "string" ? byText(a, b) : byNumber(a, b));
