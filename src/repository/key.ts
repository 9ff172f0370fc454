import type { ColumnDescription, EntityDescription, KeyDescription } from "../schema/index.ts";
import type { Call, Condition, Encoded, TableReference } from "../sql/index.ts";
import { encodeArray, encodeValue } from "../statement/index.ts";
import { plainObject, refuse } from "./options.ts";

/** The values of a key, in the order of the primary key's columns. */
export function keyValues(entity: EntityDescription, key: unknown, path = "key"): readonly unknown[] {
  const columns = entity.rowKey;
  const [only] = columns;
  if (columns.length === 1 && only !== undefined) {
    if (key === undefined || key === null) refuse(path, `must be the ${only.key} of a row`);
    return [key];
  }
  const names = columns.map((column) => column.key).join(", ");
  if (typeof key !== "object" || key === null) refuse(path, `must be an object of ${names}`);
  const given = key as Readonly<Record<string, unknown>>;
  return columns.map((column) => {
    const value = Object.hasOwn(given, column.key) ? given[column.key] : undefined;
    if (value === undefined || value === null) refuse(path, `must have ${names}`);
    return value;
  });
}

/** `id = $1`, or all parts of a composite key. The key is the call's first argument. */
export function keyCondition(entity: EntityDescription, table: TableReference): Condition {
  return equalAll(entity.rowKey, table, (_, i, { input: [key] }) => keyValues(entity, key)[i]);
}

/** A key's values as one text, the same for the key a caller asked with and the row that answers it. */
export function keyIdentity(entity: EntityDescription, values: readonly unknown[]): string {
  return JSON.stringify(
    entity.rowKey.map((column, i) => {
      const encoded = encodeValue(column, values[i], column.key);
      // PostgreSQL answers UUIDs in lower case, whatever it was asked with.
      return column.castType === "uuid" && typeof encoded === "string" ? encoded.toLowerCase() : encoded;
    }),
  );
}

/** What finds one row: the primary key, unique constraints, and unique indexes on all rows. A tenant finds its own anyway. */
export function uniqueKeys(
  entity: EntityDescription,
): readonly (KeyDescription & { readonly livingOnly: boolean })[] {
  const indexes = entity.indexes.flatMap(({ name, uniqueColumns }) =>
    uniqueColumns === undefined ? [] : [{ name, columns: uniqueColumns, livingOnly: false }],
  );
  return [{ ...entity.primaryKey, livingOnly: false }, ...entity.uniques, ...indexes].map((key) => ({
    ...key,
    columns: key.columns.filter((column) => column !== entity.tenant),
  }));
}

/** The unique key on exactly these columns. @throws {INVALID_QUERY} that lists the entity's keys. */
export function uniqueKeyOn(
  entity: EntityDescription,
  columns: readonly (ColumnDescription | undefined)[],
  path: string,
): KeyDescription & { readonly livingOnly: boolean } {
  const keys = uniqueKeys(entity);
  const found = keys.find(
    (key) => key.columns.length === columns.length && key.columns.every((column) => columns.includes(column)),
  );
  if (found?.columns.every((column) => column.marks.secret !== true)) return found;
  const known = keys
    .filter((key) => key.columns.every((column) => column.marks.secret !== true))
    .map((key) => key.columns.map((column) => column.key).join(" + "));
  return refuse(path, `must be a unique key, one of: ${[...new Set(known)].join("; ")}`);
}

/**
 * `id = any($1)`; of a composite key, one array for each part. The text is one for any number of keys, and no
 * number of them meets the protocol's limit of 65,535 parameters.
 */
export function keysCondition(entity: EntityDescription, table: TableReference): Condition {
  const columns = entity.rowKey;
  const [only] = columns;
  if (columns.length === 1 && only !== undefined) {
    return {
      kind: "any-of",
      of: { kind: "column", table, name: only.name },
      values: {
        kind: "parameter",
        value: (call) =>
          encodeArray(
            keysOf(call.input[0]).map((key, i) =>
              encodeValue(only, keyValues(entity, key, `keys.${i}`)[0], `keys.${i}`),
            ),
          ),
        type: `${only.castType}[]`,
      },
      negated: false,
    };
  }
  return {
    kind: "any-row-of",
    of: columns.map((column) => ({ kind: "column", table, name: column.name })),
    values: columns.map((column, part) => ({
      kind: "parameter",
      value: (call) =>
        encodeArray(
          keysOf(call.input[0]).map((key, i) =>
            encodeValue(column, keyValues(entity, key, `keys.${i}`)[part], `keys.${i}.${column.key}`),
          ),
        ),
      type: `${column.castType}[]`,
    })),
  };
}

/** The keys a call asks for. Holes are visited too, as undefined, which is no key. */
export function keysOf(keys: unknown): readonly unknown[] {
  if (!Array.isArray(keys)) refuse("keys", "must be a list");
  return Array.from(keys);
}

/** Conditions of a unique key given as an object, the call's first argument: `findBy({ email })`. */
export function uniqueCondition(entity: EntityDescription, table: TableReference, given: unknown): Condition {
  const { columns } = givenUniqueKey(entity, given);
  return equalAll(columns, table, ({ key }, _, { input: [unique] }) => plainObject(unique, "unique")[key]);
}

/** The unique key that the properties of an object make up. */
export function givenUniqueKey(entity: EntityDescription, given: unknown): ReturnType<typeof uniqueKeyOn> {
  const keys = Object.keys(plainObject(given, "unique"));
  return uniqueKeyOn(
    entity,
    keys.map((key) => entity.byKey.get(key)),
    "unique",
  );
}

function equalAll(
  columns: readonly ColumnDescription[],
  table: TableReference,
  valueIn: (column: ColumnDescription, position: number, call: Call) => unknown,
): Condition {
  const parts = columns.map((column, i): Condition => {
    const value = (call: Call): Encoded => {
      const given = valueIn(column, i, call);
      if (given === undefined || given === null) refuse(column.key, "must not be null or undefined");
      return encodeValue(column, given, column.key);
    };
    return {
      kind: "comparison",
      operator: "=",
      left: { kind: "column", table, name: column.name },
      right: { kind: "parameter", value },
    };
  });
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : { kind: "and", of: parts };
}
