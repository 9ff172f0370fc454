import { InputError } from "../errors/index.ts";
import { type ArrayInput, encodeArray } from "./array-text.ts";

/**
 * A value without a column, for `db.sql` and `db.drizzle`: only what has one obvious text is taken. Objects are
 * refused, so that neither `{ toPostgres }` nor an operator object of a request body becomes SQL's business.
 *
 * @throws {INVALID_VALUE} naming the position, never the value.
 */
export function encodePlainValue(value: unknown, path: string): string | Buffer | null {
  switch (typeof value) {
    case "string":
      if (value.includes("\0")) refuse(path, "must not contain the NUL character");
      if (!value.isWellFormed()) refuse(path, "must not contain a lone surrogate");
      return value;
    case "number":
    case "bigint":
    case "boolean":
      return Object.is(value, -0) ? "-0" : String(value);
    case "object":
      if (value === null) return null;
      if (value instanceof Date) return instant(value, path);
      if (Buffer.isBuffer(value)) return value;
      if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      if (Array.isArray(value)) return encodeArray(plainItems(value, path));
      return refuse(path, "is an object; pass JSON.stringify(value) for a json column");
    case "undefined":
      return refuse(path, "is undefined; use null for SQL's NULL");
    default:
      return refuse(path, `is a ${typeof value}, which cannot be sent`);
  }
}

function plainItems(values: readonly unknown[], path: string): ArrayInput {
  return Array.from(values, (item, i) =>
    Array.isArray(item) ? plainItems(item, `${path}[${i}]`) : encodePlainValue(item, `${path}[${i}]`),
  );
}

function instant(value: Date, path: string): string {
  if (Number.isNaN(value.getTime())) refuse(path, "must be a valid Date");
  return value.toISOString();
}

function refuse(path: string, message: string): never {
  throw new InputError("INVALID_VALUE", [{ path, message }]);
}
