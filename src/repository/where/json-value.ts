import { InputError } from "../../errors/index.ts";

/**
 * A JSON value of a condition as text. `undefined` anywhere in it is refused: JSON leaves such a property out, and a
 * document contains everything that is left of `{ owner: undefined }`.
 *
 * @throws {INVALID_VALUE} with the path, never the value.
 */
export function encodeJsonValue(value: unknown, path: string): string {
  let complaint: string | undefined;
  let text: string | undefined;
  try {
    text = JSON.stringify(value, (key, part: unknown) => {
      complaint ??= complaintOf(key) ?? complaintOf(part);
      return part;
    });
  } catch {
    // A cycle, or a toJSON of the application's own, whose message may quote the value.
    complaint ??= "must be JSON (no cycles, not too deep)";
  }
  if (complaint !== undefined || text === undefined) refuse(path, complaint ?? "must be JSON");
  return text;
}

/** A value that has an order among its like. */
export function encodeJsonScalar(value: unknown, path: string): string {
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean")
    refuse(path, "must be a string, a number, true or false");
  return encodeJsonValue(value, path);
}

function complaintOf(part: unknown): string | undefined {
  switch (typeof part) {
    case "undefined":
      return "must not contain undefined; leave the property out instead";
    case "number":
      return Number.isFinite(part) ? undefined : "must not contain NaN or Infinity (JSON has neither)";
    case "bigint":
    case "function":
    case "symbol":
      return `must be JSON (no ${typeof part})`;
    case "string":
      return part.includes("\0") || !part.isWellFormed()
        ? "must not contain NUL or a lone surrogate"
        : undefined;
    default:
      return part instanceof Map || part instanceof Set ? "must be JSON (no Map, no Set)" : undefined;
  }
}

function refuse(path: string, message: string): never {
  throw new InputError("INVALID_VALUE", [{ path, message }]);
}
