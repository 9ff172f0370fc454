import { InputError, StatementError, unknownName } from "../errors/index.ts";
import type { ColumnDescription, ValueKind } from "../schema/index.ts";
import { decodeRecord, encodeRecord } from "../sql/index.ts";
import { type ArrayInput, type ArrayItems, decodeArray, encodeArray } from "./array-text.ts";
import { readInstant } from "./instant-text.ts";

/** What is wrong with a value, said without repeating it; `undefined` when nothing is. */
type Complaint = string;

class Refusal extends Error {}

/**
 * A value as PostgreSQL's text for a column. Only the types a column takes are accepted: an object with a
 * `toPostgres` method, an operator object or a stray array never reaches the wire.
 *
 * @param path where the value stood in the caller's input, for the error.
 * @throws {INVALID_VALUE} naming the path, never the value.
 */
export function encodeValue(column: ColumnDescription, value: unknown, path: string): string | Buffer | null {
  if (value === null) return null;
  try {
    return encode(column, column.kind, value);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new InputError("INVALID_VALUE", [{ path, message: error.message }]);
  }
}

function encode(column: ColumnDescription, kind: ValueKind, value: unknown): string | Buffer {
  switch (kind) {
    case "text":
      return encodeText(column, value);
    case "enum":
      return oneOfThese(column.enumValues ?? [], value);
    case "boolean":
      if (typeof value !== "boolean") refuse("must be true or false");
      return value ? "true" : "false";
    case "integer":
      return encodeInteger(column.sqlType, value);
    case "float":
      if (typeof value !== "number") refuse("must be a number");
      return Object.is(value, -0) ? "-0" : String(value);
    case "bigint":
    case "safe-bigint":
      return encodeBigint(column.castType, value);
    case "instant":
      return encodeInstant(value);
    case "instant-text":
    case "date":
      return encodeDateText(kind, value);
    case "json":
      return encodeJson(value);
    case "bytes":
      return encodeBytes(value);
    case "array":
      return encodeArray(encodeItems(column.item, value));
    case "composite":
      return encodeParts(column.fields ?? [], value);
    case "custom":
      return encodeCustom(column, value);
  }
}

function refuse(complaint: Complaint): never {
  throw new Refusal(complaint);
}

/** PostgreSQL refuses NUL, and Node would turn a lone surrogate into U+FFFD in silence. */
function encodeText(column: ColumnDescription, value: unknown): string {
  if (typeof value !== "string") refuse("must be a string");
  if (value.includes("\0")) refuse("must not contain the NUL character");
  if (!value.isWellFormed()) refuse("must not contain a lone surrogate (it is not valid Unicode)");
  const { oneOf } = column.marks;
  if (oneOf !== undefined) return oneOfThese(oneOf, value);
  if (column.sqlType === "uuid" && !UUID.test(value)) refuse("must be a UUID");
  return value;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function oneOfThese(allowed: readonly string[], value: unknown): string {
  if (typeof value !== "string" || !allowed.includes(value)) refuse(`must be one of ${allowed.join(", ")}`);
  return value;
}

function encodeInteger(sqlType: string, value: unknown): string {
  if (typeof value !== "number" || !Number.isInteger(value)) refuse("must be an integer");
  const limit = sqlType.startsWith("small") ? 32_767 : 2_147_483_647;
  if (value > limit || value < -limit - 1) refuse(`must be between ${-limit - 1} and ${limit}`);
  return String(value);
}

function encodeBigint(castType: string, value: unknown): string {
  if (typeof value === "bigint") {
    if (castType !== "numeric" && BigInt.asIntN(64, value) !== value) refuse("must fit in 64 bits");
    return String(value);
  }
  if (typeof value !== "number" || !Number.isSafeInteger(value)) refuse("must be a bigint or a safe integer");
  return String(value);
}

const FIRST_INSTANT = Date.parse("0001-01-01T00:00:00Z");
const LAST_INSTANT = Date.parse("9999-12-31T23:59:59.999Z");

function encodeInstant(value: unknown): string {
  if (!(value instanceof Date)) refuse("must be a Date");
  const time = value.getTime();
  if (Number.isNaN(time)) refuse("must be a valid Date");
  if (time < FIRST_INSTANT || time > LAST_INSTANT) refuse("must be between the years 1 and 9999");
  return value.toISOString();
}

/** A calendar day stays the day it is: it is checked and sent as text, and no time zone touches it. */
function encodeDateText(kind: "date" | "instant-text", value: unknown): string {
  if (typeof value !== "string")
    refuse(kind === "date" ? "must be a date as YYYY-MM-DD" : "must be a string");
  if (kind === "date" && !isCalendarDay(value)) refuse("must be a date as YYYY-MM-DD");
  if (value.includes("\0")) refuse("must not contain the NUL character");
  return value;
}

/** True for a day that exists, written `YYYY-MM-DD`. */
export function isCalendarDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || text.startsWith("0000")) return false;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

function encodeJson(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value, refuseLoss);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    refuse("must be JSON (no cycles, no bigint)");
  }
  if (text === undefined) refuse("must be JSON");
  // JSON.stringify writes lone surrogates as escapes, and jsonb takes neither them nor NUL.
  if (/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/i.test(text)) {
    refuse("must not contain NUL or a lone surrogate");
  }
  return text;
}

/** `JSON.stringify` writes all of these as null, as `{}`, or not at all, without a word. */
function refuseLoss(this: unknown, _key: string, value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value))
    refuse("must not contain NaN or Infinity (JSON has neither)");
  if (typeof value === "function" || typeof value === "symbol")
    refuse("must be JSON (no functions, no symbols)");
  if (value === undefined && Array.isArray(this)) refuse("must not contain undefined in an array");
  if (value instanceof Map || value instanceof Set) refuse("must be JSON (no Map, no Set)");
  return value;
}

/** Arrays in an array are its dimensions; PostgreSQL refuses them when their lengths differ. */
function encodeItems(item: ColumnDescription | undefined, value: unknown): ArrayInput {
  if (!Array.isArray(value) || item === undefined) refuse("must be an array");
  // `Array.from` also visits holes, as undefined, which no column takes.
  return Array.from(value, (element: unknown) => {
    if (element === null) return null;
    return Array.isArray(element) && item.kind !== "json"
      ? encodeItems(item, element)
      : encode(item, item.kind, element);
  });
}

/** A part that is left out is null, as in a row; one that does not exist is a mistake. */
function encodeParts(fields: readonly ColumnDescription[], value: unknown): string {
  if (typeof value !== "object" || value === null || !isPlain(value)) refuse("must be an object");
  const given = new Map<string, unknown>(Object.entries(value));
  const known = fields.map((field) => field.key);
  for (const key of given.keys()) if (!known.includes(key)) refuse(unknownName("part", key, known));
  return encodeRecord(
    fields.map((field) => {
      const part = given.get(field.key) ?? null;
      if (part === null) return null;
      const encoded = encode(field, field.kind, part);
      return Buffer.isBuffer(encoded) ? `\\x${encoded.toString("hex")}` : encoded;
    }),
  );
}

/** A Date or a Map has no properties of its own, and would become a value of nulls. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function encodeCustom(column: ColumnDescription, value: unknown): string | Buffer {
  const mapped = customValue(column, value);
  if (typeof mapped === "string") return encodeText({ ...column, marks: {} }, mapped);
  if (typeof mapped === "number" || typeof mapped === "bigint" || typeof mapped === "boolean")
    return String(mapped);
  if (mapped instanceof Uint8Array) return encodeBytes(mapped);
  if (mapped instanceof Date) return encodeInstant(mapped);
  return refuse(`cannot be sent as ${column.sqlType}`);
}

/** The mapping is the application's code: its own complaint may quote the value, so it is not passed on. */
function customValue(column: ColumnDescription, value: unknown): unknown {
  try {
    return column.custom?.encode(value);
  } catch {
    return refuse(`cannot be sent as ${column.sqlType}`);
  }
}

function encodeBytes(value: unknown): Buffer {
  if (!(value instanceof Uint8Array)) refuse("must be bytes (a Buffer or Uint8Array)");
  return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

/** Reads a text cell of a column. Chosen once per column, called for every row. */
export function decoderOf(column: ColumnDescription): (cell: string) => unknown {
  return decoderFor(column, column.kind);
}

function decoderFor(column: ColumnDescription, kind: ValueKind): (cell: string) => unknown {
  switch (kind) {
    case "boolean":
      return (cell) => cell === "t" || cell === "true";
    case "integer":
    case "float":
      return Number;
    case "bigint":
      return (cell) => bigInteger(column, cell);
    case "safe-bigint":
      return (cell) => safeInteger(column, cell);
    case "instant":
      return (cell) => decodeInstant(column, cell);
    case "json":
      return (cell): unknown => JSON.parse(cell);
    case "bytes":
      return decodeBytes;
    case "array": {
      const { item } = column;
      const decode = item === undefined ? (cell: string) => cell : decoderOf(item);
      return (cell) => decodeItems(decodeArray(cell), decode);
    }
    case "composite": {
      const decoders = (column.fields ?? []).map((field) => [field.key, decoderOf(field)] as const);
      return (cell) => decodeParts(decodeRecord(cell), decoders);
    }
    case "custom": {
      const { custom } = column;
      const wire = wireDecoder(column.castType);
      return (cell) => custom?.decode(wire(cell));
    }
    case "text":
      // The cast to text that nested rows travel by writes a host's mask out; the type's own output does not.
      if (column.castType === "bpchar") return paddedTo(lengthOf(column.sqlType));
      return column.sqlType === "inet"
        ? (cell) => cell.replace(/^([\d.]+)\/32$|^([^/]*:[^/]*)\/128$/, "$1$2")
        : (cell) => cell;
    default:
      return (cell) => cell;
  }
}

/** The cast to text takes the blanks off that fill a `char(n)`; PostgreSQL counts characters, not UTF-16 units. */
function paddedTo(length: number): (cell: string) => string {
  return (cell) => cell + " ".repeat(Math.max(0, length - [...cell].length));
}

function lengthOf(sqlType: string): number {
  return Number(/\((\d+)\)/.exec(sqlType)?.[1] ?? 1);
}

function decodeItems(items: ArrayItems, decode: (cell: string) => unknown): unknown[] {
  return items.map((item) =>
    item === null ? null : typeof item === "string" ? decode(item) : decodeItems(item, decode),
  );
}

function decodeParts(
  cells: readonly (string | null)[],
  decoders: readonly (readonly [string, (cell: string) => unknown])[],
): Record<string, unknown> {
  const parts = decoders.map(([key, decode], i) => {
    const cell = cells[i] ?? null;
    return [key, cell === null ? null : decode(cell)] as const;
  });
  return Object.fromEntries(parts);
}

/** What a `pg` client hands to a custom type's `fromDriver`: Drizzle's documentation promises its types that. */
function wireDecoder(castType: string): (cell: string) => unknown {
  switch (castType) {
    case "bytea":
      return decodeBytes;
    case "json":
    case "jsonb":
      return (cell): unknown => JSON.parse(cell);
    case "boolean":
      return (cell) => cell === "t" || cell === "true";
    case "smallint":
    case "integer":
    case "real":
    case "double precision":
      return Number;
    default:
      return (cell) => cell;
  }
}

function decodeBytes(cell: string): Buffer {
  return Buffer.from(cell.slice(2), "hex");
}

function bigInteger(column: ColumnDescription, cell: string): bigint {
  // A numeric may hold a fraction, or NaN; BigInt's own error would quote it.
  if (/^-?\d+$/.test(cell)) return BigInt(cell);
  throw unreadable(column, "Declare the column as numeric() to read it as text.");
}

function safeInteger(column: ColumnDescription, cell: string): number {
  const value = Number(cell);
  if (Number.isSafeInteger(value)) return value;
  throw unreadable(column, 'Declare the column as bigint({ mode: "bigint" }).');
}

function decodeInstant(column: ColumnDescription, cell: string): Date {
  const date = readInstant(cell);
  if (date !== undefined) return date;
  throw unreadable(
    column,
    'Infinite, BC and far dates do not fit a Date: declare the column with mode: "string".',
  );
}

function unreadable(column: ColumnDescription, hint: string): StatementError {
  return new StatementError(
    "INVALID_DATA",
    `column ${column.name} holds a value that its declared type cannot represent`,
    { sqlstate: "22000", columns: [column.name] },
    { hint },
  );
}
