import { SchemaError } from "../../errors/index.ts";
import type { ColumnDescription } from "../description.ts";
import { describeColumn } from "../drizzle-columns.ts";
import { isBuilder } from "./routine.ts";
import { buildTypes, refuseNonType, type TypeMap } from "./value-type.ts";

/**
 * A value that no table has, by its type: what `text().notNull()` says of it.
 *
 * @param what names the value in errors.
 * @throws {SCHEMA_INVALID} for what is no type, or says what only a column of a table can.
 */
export function describeType(what: string, type: TypeMap[string]): ColumnDescription {
  if (!isBuilder(type)) {
    throw new SchemaError(`${what} needs a type`, { hint: "Give it one as columns have them: text()." });
  }
  refuseNonType(what, type, { notNull: true, default: false });
  const [column] = buildTypes("public", "value", { value: type }).values();
  if (column === undefined) throw new TypeError(`Drizzle built no column for ${what}`);
  return describeColumn("value", column, "public");
}
