import { SchemaError } from "../errors/index.ts";

/** PostgreSQL cuts longer names in silence (NAMEDATALEN - 1 bytes), which makes two names one. */
export const IDENTIFIER_BYTES_LIMIT = 63;

/**
 * Quotes a name for SQL text. Every identifier Plinth writes goes through here, and none comes from a caller
 * at run time: they are taken from the declared schema.
 *
 * @throws {SCHEMA_INVALID} when the name is empty, holds a NUL, or is longer than 63 bytes.
 */
export function quoteIdentifier(name: string): string {
  if (name === "" || name.includes("\0")) {
    throw new SchemaError(`${JSON.stringify(name)} cannot be a name in PostgreSQL`);
  }
  if (Buffer.byteLength(name) > IDENTIFIER_BYTES_LIMIT) {
    throw new SchemaError(
      `the name ${JSON.stringify(name)} is longer than 63 bytes and PostgreSQL would cut it`,
      {
        hint: "Choose a shorter name.",
      },
    );
  }
  return `"${name.replaceAll('"', '""')}"`;
}

/** `"schema"."name"`, or `"name"` alone. */
export function qualifiedName(schema: string | undefined, name: string): string {
  return schema === undefined ? quoteIdentifier(name) : `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

/** Quotes text as an SQL literal: only for DDL, which takes no parameters. */
export function quoteLiteral(value: string): string {
  if (value.includes("\0")) throw new SchemaError("a literal cannot hold a NUL character");
  const escaped = value.replaceAll("'", "''");
  return escaped.includes("\\") ? ` E'${escaped.replaceAll("\\", "\\\\")}'` : `'${escaped}'`;
}

/** `dueDate` to `due_date`; `userID` to `user_id`; a name already in snake case stays. */
export function snakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1_$2")
    .toLowerCase();
}
