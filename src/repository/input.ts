import { InputError, type InputIssue, unknownName } from "../errors/index.ts";
import type { ColumnDescription, EntityDescription } from "../schema/index.ts";
import { encodeValue } from "../statement/index.ts";

type Encoded = string | Buffer | null;

/** A caller's values by column, encoded. */
export type EncodedRow = ReadonlyMap<ColumnDescription, Encoded>;

/**
 * The values of a new row: what was given, what Plinth makes (ids), nothing for what the database fills in.
 *
 * @throws {INVALID_VALUE} with everything that is wrong at once.
 */
export function encodeNewRow(entity: EntityDescription, input: object, path = ""): EncodedRow {
  const issues: InputIssue[] = [];
  const given = encodeGiven(entity, input, path, issues, "create");
  const row = new Map<ColumnDescription, Encoded>();
  for (const column of entity.columns) {
    const value = given.get(column);
    if (value !== undefined) row.set(column, value);
    else if (column.produce !== undefined)
      row.set(column, encodeValue(column, column.produce(), at(path, column.key)));
    // A value that was given and refused has its complaint already.
    if (!hasValue(input, column.key) && isMissing(column, row.get(column)))
      issues.push({ path: at(path, column.key), message: "is required" });
  }
  if (issues.length > 0) throw new InputError("INVALID_VALUE", issues);
  return row;
}

/** A property that is undefined was not given: it changes nothing, and stands for no value. */
export function isGiven(input: object, key: string): boolean {
  return Object.hasOwn(input, key) && (input as Readonly<Record<string, unknown>>)[key] !== undefined;
}

/** Given, and not null. */
export function hasValue(input: object, key: string): boolean {
  return isGiven(input, key) && (input as Readonly<Record<string, unknown>>)[key] !== null;
}

/** The values of a patch: exactly what was given. */
export function encodePatch(entity: EntityDescription, patch: object): EncodedRow {
  const issues: InputIssue[] = [];
  const given = encodeGiven(entity, patch, "", issues, "update");
  for (const [column, value] of given) {
    if (value === null && column.notNull) issues.push({ path: column.key, message: "must not be null" });
  }
  if (issues.length > 0) throw new InputError("INVALID_VALUE", issues);
  return given;
}

function encodeGiven(
  entity: EntityDescription,
  input: object,
  path: string,
  issues: InputIssue[],
  purpose: "create" | "update",
): Map<ColumnDescription, Encoded> {
  const encoded = new Map<ColumnDescription, Encoded>();
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw new InputError("INVALID_VALUE", [{ path, message: "must be an object of columns" }]);
  }
  for (const [key, value] of Object.entries(input)) {
    if (value === undefined) continue;
    const column = entity.byKey.get(key);
    const complaint =
      column === undefined
        ? unknownName("column", key, writableKeys(entity, purpose))
        : refusal(entity, column, purpose);
    if (column === undefined || complaint !== undefined) {
      issues.push({ path: at(path, key), message: complaint ?? "is unknown" });
      continue;
    }
    try {
      encoded.set(column, encodeValue(column, value, at(path, key)));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      issues.push(...error.issues);
    }
  }
  return encoded;
}

function refusal(
  entity: EntityDescription,
  column: ColumnDescription,
  purpose: "create" | "update",
): string | undefined {
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

function at(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}
