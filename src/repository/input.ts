import { InputError, type InputIssue, unknownName } from "../errors/index.ts";
import type { ColumnDescription, EntityDescription } from "../schema/index.ts";
import type { Encoded } from "../sql/index.ts";
import { encodeValue } from "../statement/index.ts";
import { Change } from "./write/change.ts";

/** A caller's values by column, encoded. */
export type EncodedRow = ReadonlyMap<ColumnDescription, Encoded>;

/** Where a new row stands in what a caller gave, and what else says something about it. */
export interface NewRowContext {
  /** In front of its properties, in errors. @default nothing */
  readonly path?: string;
  /** Columns whose values another row of the same call brings. */
  readonly filled?: readonly ColumnDescription[];
  /** Properties that are no columns, for suggestions. */
  readonly others?: readonly string[];
}

/**
 * The values of a new row: what was given, what Plinth makes (ids), nothing for what the database fills in, and null for
 * what another row will bring.
 *
 * @throws {INVALID_VALUE} with everything that is wrong at once.
 */
export function encodeNewRow(
  entity: EntityDescription,
  input: object,
  { path = "", filled = [], others = [] }: NewRowContext = {},
): Map<ColumnDescription, Encoded> {
  const sound = filled.length === 0 ? encodeSoundRow(entity, input) : undefined;
  if (sound !== undefined) return sound;
  const issues: InputIssue[] = [];
  const row = new Map<ColumnDescription, Encoded>();
  const given = encodeGiven(entity, input, {
    path,
    issues,
    encode: encodeNewValue,
    refusal: (column) =>
      filled.includes(column) ? "is taken from the row it belongs to" : refusal(entity, column, "create"),
    known: () => [...writableKeys(entity, "create"), ...others],
  });
  for (const column of entity.columns) {
    if (filled.includes(column)) continue;
    const value = given.get(column);
    if (value !== undefined) row.set(column, value);
    else if (column.produce !== undefined)
      row.set(column, encodeValue(column, column.produce(), at(path, column.key)));
    // A value that was given and refused has its complaint already.
    if (!hasValue(input, column.key) && isMissing(column, row.get(column)))
      issues.push({ path: at(path, column.key), message: "is required" });
  }
  if (issues.length > 0) throw new InputError("INVALID_VALUE", issues);
  for (const column of filled) row.set(column, null);
  return row;
}

/**
 * The same for a row that nothing is wrong with, as nearly all are, in half the time; undefined for any other, of which
 * `encodeNewRow` then tells all that is wrong.
 */
function encodeSoundRow(
  entity: EntityDescription,
  input: object,
): Map<ColumnDescription, Encoded> | undefined {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return undefined;
  const row = new Map<ColumnDescription, Encoded>();
  let left = Object.keys(input).length;
  try {
    for (const column of entity.columns) {
      const { key } = column;
      const isOwn = Object.hasOwn(input, key);
      const value = isOwn ? (input as Readonly<Record<string, unknown>>)[key] : undefined;
      if (isOwn) left -= 1;
      if (value !== undefined) {
        if (refusal(entity, column, "create") !== undefined) return undefined;
        row.set(column, encodeNewValue(column, value, key));
      } else if (column.produce !== undefined) {
        row.set(column, encodeValue(column, column.produce(), key));
      }
      if ((value === undefined || value === null) && isMissing(column, row.get(column))) return undefined;
    }
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
  // Something that is no column, or that its object hides.
  return left === 0 ? row : undefined;
}

/** A property that is undefined was not given: it changes nothing, and stands for no value. */
export function isGiven(input: object, key: string): boolean {
  return Object.hasOwn(input, key) && (input as Readonly<Record<string, unknown>>)[key] !== undefined;
}

/** Given, and not null. */
export function hasValue(input: object, key: string): boolean {
  return isGiven(input, key) && (input as Readonly<Record<string, unknown>>)[key] !== null;
}

/** How the values of a patch become parameters. */
export type EncodeValue = (column: ColumnDescription, value: unknown, path: string) => Encoded;

/** What a patch gives for columns that may change, encoded by `encode`. */
export function encodeChanges(
  entity: EntityDescription,
  patch: object,
  path: string,
  encode: EncodeValue,
): Map<ColumnDescription, Encoded> {
  const issues: InputIssue[] = [];
  const given = encodeGiven(entity, patch, {
    path,
    issues,
    encode,
    refusal: (column) => refusal(entity, column, "update"),
    known: () => writableKeys(entity, "update"),
  });
  if (issues.length > 0) throw new InputError("INVALID_VALUE", issues);
  return given;
}

interface Encoding {
  readonly path: string;
  readonly issues: InputIssue[];
  readonly encode: EncodeValue;
  readonly refusal: (column: ColumnDescription) => string | undefined;
  readonly known: () => readonly string[];
}

function encodeGiven(
  entity: EntityDescription,
  input: object,
  { path, issues, encode, refusal: refusalOf, known }: Encoding,
): Map<ColumnDescription, Encoded> {
  const encoded = new Map<ColumnDescription, Encoded>();
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw new InputError("INVALID_VALUE", [{ path, message: "must be an object of columns" }]);
  }
  for (const [key, value] of Object.entries(input)) {
    if (value === undefined) continue;
    const column = entity.byKey.get(key);
    const complaint = column === undefined ? unknownName("column", key, known()) : refusalOf(column);
    if (column === undefined || complaint !== undefined) {
      issues.push({ path: at(path, key), message: complaint ?? "is unknown" });
      continue;
    }
    try {
      encoded.set(column, encode(column, value, at(path, key)));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      issues.push(...error.issues);
    }
  }
  return encoded;
}

function encodeNewValue(column: ColumnDescription, value: unknown, path: string): Encoded {
  if (Change.contentOf(value) !== undefined) {
    throw new InputError("INVALID_VALUE", [
      { path, message: "changes the value that is there, and a new row has none" },
    ]);
  }
  return encodeValue(column, value, path);
}

function refusal(
  entity: EntityDescription,
  column: ColumnDescription,
  purpose: "create" | "update",
): string | undefined {
  if (column === entity.tenant) return "is the tenant, which db.as({ tenantId }) says, and takes no value";
  if (column.marks.writable === "never") return "is kept by Plinth and takes no value";
  if (column.identity === "always" || column.generatedSql !== undefined)
    return "is made by the database and takes no value";
  if (purpose === "create") return undefined;
  if (entity.primaryKey.columns.includes(column)) return "is the row's key and cannot change";
  if (column.marks.writable === "create") return "is set when the row is made and cannot change";
  return undefined;
}

function writableKeys(entity: EntityDescription, purpose: "create" | "update"): readonly string[] {
  return entity.columns
    .filter((column) => refusal(entity, column, purpose) === undefined)
    .map((column) => column.key);
}

function isMissing(column: ColumnDescription, value: Encoded | undefined): boolean {
  if (!column.notNull || column.marks.writable === "never") return false;
  return value === null || (value === undefined && !column.hasServerDefault);
}

/** Where a property stands, as errors name it. */
export function at(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}
