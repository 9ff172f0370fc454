import { is, SQL } from "drizzle-orm";
import { isPgEnum, PgArray, type PgColumn, type PgTable } from "drizzle-orm/pg-core";
import { SchemaError } from "../errors/index.ts";
import { qualifiedName, quoteLiteral } from "../sql/index.ts";
import { configOf } from "./column-name.ts";
import type { CompositeTypeDeclaration } from "./declared/composite-type.ts";
import type { DomainDeclaration } from "./declared/domain.ts";
import { commentOf, oldValuesOf } from "./declared/notes.ts";
import { sequenceOptions } from "./declared/sequence-options.ts";
import { declaredTypeOf, itemOfColumn } from "./declared/type-of-column.ts";
import type { ColumnDescription, EnumDescription, ValueKind } from "./description.ts";
import { renderClause } from "./drizzle-sql.ts";
import type { ColumnMarks } from "./marks.ts";

/** The columns of a table of the schema `home`, in its order; `keyNames` are those of a composite primary key. */
export function describeColumns(
  table: PgTable,
  columns: readonly PgColumn[],
  home: string,
  marks: ReadonlyMap<string, ColumnMarks> | undefined,
  keyNames: readonly string[],
): readonly ColumnDescription[] {
  const keys = new Map<unknown, string>(Object.entries(table).map(([key, column]) => [column, key]));
  return columns.map((column) => {
    const key = keys.get(column) ?? column.name;
    const described = describeColumn(key, column, home, marks?.get(key) ?? {});
    // PostgreSQL makes every column of a primary key not null, whether the declaration says so or not.
    return keyNames.includes(column.name) ? { ...described, notNull: true } : described;
  });
}

export function describeColumn(
  key: string,
  column: PgColumn,
  home: string,
  marks: ColumnMarks = {},
): ColumnDescription {
  const kind = kindOf(column);
  const identity = column.generatedIdentity?.type;
  const sqlType = typeOf(column);
  const isSerial = /^(small|big)?serial$/.test(sqlType);
  return {
    key,
    name: column.name,
    sqlType,
    domain: domainOf(column)?.name,
    castType: castTypeOf(sqlType),
    kind,
    item: is(column, PgArray) ? describeColumn(key, itemOfColumn(column), home) : undefined,
    fields: fieldsOf(column, home),
    enumValues: enumOf(column)?.enumValues ?? column.enumValues,
    notNull: column.notNull || column.primary,
    hasServerDefault:
      isSerial ||
      column.default !== undefined ||
      identity !== undefined ||
      column.generated !== undefined ||
      domainOf(column)?.hasDefault === true,
    defaultSql: defaultOf(column, home),
    identity: identity === "always" ? "always" : identity === undefined ? undefined : "byDefault",
    identityOptions: identityOptionsOf(column),
    generatedSql: generatedOf(column, home),
    isPrimaryKey: column.primary,
    produce: column.defaultFn,
    marks,
    custom:
      kind === "custom"
        ? {
            encode: (value) => column.mapToDriverValue(value),
            decode: (value) => column.mapFromDriverValue(value),
          }
        : undefined,
  };
}

/** By Drizzle's own name of the column class: the only thing that tells a mode (`number`, `bigint`, `string`). */
const KINDS: Readonly<Record<string, ValueKind>> = {
  PgBoolean: "boolean",
  PgSmallInt: "integer",
  PgInteger: "integer",
  PgSerial: "integer",
  PgSmallSerial: "integer",
  PgReal: "float",
  PgDoublePrecision: "float",
  PgNumericNumber: "float",
  PgBigInt64: "bigint",
  PgNumericBigInt: "bigint",
  PgBigSerial64: "bigint",
  PgBigInt53: "safe-bigint",
  PgBigSerial53: "safe-bigint",
  PgTimestamp: "instant",
  PgTimestampString: "instant-text",
  PgDate: "instant",
  PgDateString: "date",
  PgEnumColumn: "enum",
  PgEnumObjectColumn: "enum",
  PgJson: "json",
  PgJsonb: "json",
  PgBytea: "bytes",
  PgArray: "array",
  PgText: "text",
  PgVarchar: "text",
  PgChar: "text",
  PgUUID: "text",
  PgNumeric: "text",
  PgTime: "text",
  PgInterval: "text",
  PgInet: "text",
  PgCidr: "text",
  PgMacaddr: "text",
  PgMacaddr8: "text",
};

function kindOf(column: PgColumn): ValueKind {
  if (declaredTypeOf(column)?.kind === "composite type") return "composite";
  return KINDS[column.columnType] ?? "custom";
}

function domainOf(column: PgColumn): { readonly name: string; readonly hasDefault: boolean } | undefined {
  const type = declaredTypeOf(itemOfColumn(column));
  if (type?.kind !== "domain") return undefined;
  const { base } = type.options as DomainDeclaration;
  const name = qualifiedName(type.schema, type.name);
  return is(column, PgArray)
    ? { name: `${name}[]`, hasDefault: false }
    : { name, hasDefault: configOf(base).default !== undefined };
}

function fieldsOf(column: PgColumn, home: string): readonly ColumnDescription[] | undefined {
  const type = declaredTypeOf(column);
  if (type?.kind !== "composite type") return undefined;
  const { attributes } = type.options as CompositeTypeDeclaration;
  return [...attributes].map(([key, attribute]) => describeColumn(key, attribute, home));
}

function identityOptionsOf(column: PgColumn): ColumnDescription["identityOptions"] {
  const { sequenceName, sequenceOptions: options = {} } = column.generatedIdentity ?? {};
  const what = `the identity of column "${column.name}"`;
  return column.generatedIdentity === undefined ? undefined : sequenceOptions(what, options, sequenceName);
}

interface EnumColumn {
  readonly enum: {
    readonly enumName: string;
    readonly schema: string | undefined;
    readonly enumValues: string[];
  };
}

function enumOf(column: PgColumn): EnumColumn["enum"] | undefined {
  const { enum: declared } = itemOfColumn(column) as unknown as Partial<EnumColumn>;
  return isPgEnum(declared) ? declared : undefined;
}

function typeOf(column: PgColumn): string {
  const declared = enumOf(column);
  if (declared === undefined) return column.getSQLType();
  // PostgreSQL does not tell arrays of different dimensions apart.
  return qualifiedName(declared.schema, declared.enumName) + (is(column, PgArray) ? "[]" : "");
}

/**
 * The type without length and precision. An explicit cast to `varchar(3)` or `numeric(9, 2)` cuts and rounds in
 * silence, where storing the same value is an error; `char` and `bit` alone mean one character.
 * Source: https://www.postgresql.org/docs/current/datatype-character.html
 */
function castTypeOf(sqlType: string): string {
  if (sqlType.includes('"')) return sqlType;
  return sqlType
    .replace(/\s*\([^)]*\)/g, "")
    .replace(
      /^(char|character|bit|smallserial|serial|bigserial)(?=$|\[)/,
      (name) => BARE_TYPES[name] ?? name,
    );
}

const BARE_TYPES: Readonly<Record<string, string>> = {
  char: "bpchar",
  character: "bpchar",
  bit: "varbit",
  smallserial: "smallint",
  serial: "integer",
  bigserial: "bigint",
};

export function describeEnums(columns: readonly PgColumn[]): readonly EnumDescription[] {
  return columns.flatMap((column) => {
    const declared = enumOf(column);
    return declared === undefined ? [] : [describeEnum(declared)];
  });
}

/** An enum of Drizzle's. */
export function describeEnum(declared: EnumColumn["enum"]): EnumDescription {
  const { enumName, schema, enumValues } = declared;
  return {
    name: enumName,
    schema,
    values: enumValues,
    comment: commentOf(declared),
    oldValues: oldValuesOf(declared),
  };
}

function defaultOf(column: PgColumn, home: string): string | undefined {
  const value: unknown = column.default;
  if (value === undefined) return undefined;
  return is(value, SQL) ? renderClause(value, home) : literalOf(column, value);
}

/**
 * A value of a column as DDL writes it.
 *
 * @throws {SCHEMA_INVALID} for one that has no text.
 */
export function literalOf(column: PgColumn, value: unknown): string {
  if (value === null) return "null";
  const mapped: unknown = column.mapToDriverValue(value);
  if (typeof mapped === "number" || typeof mapped === "bigint" || typeof mapped === "boolean")
    return String(mapped);
  if (typeof mapped === "string") return quoteLiteral(mapped);
  if (mapped instanceof Uint8Array) return quoteLiteral(`\\x${Buffer.from(mapped).toString("hex")}`);
  if (mapped instanceof Date) return quoteLiteral(mapped.toISOString());
  const text: string | undefined = JSON.stringify(mapped);
  if (text === undefined)
    throw new SchemaError(`a value of column "${column.name}" cannot be written as SQL`);
  return quoteLiteral(text);
}

function generatedOf(column: PgColumn, home: string): string | undefined {
  const as = generationOf(column);
  if (as === undefined) return undefined;
  return is(as, SQL) ? renderClause(as, home) : literalOf(column, as);
}

/** The expression of a generated column, which Drizzle may keep as a function. */
function generationOf(column: PgColumn): unknown {
  const as: unknown = column.generated?.as;
  return typeof as === "function" ? as() : as;
}

/** The SQL of a column's own clauses. */
export function clausesOf(column: PgColumn): readonly SQL[] {
  return [column.default, generationOf(column)].filter((clause): clause is SQL => is(clause, SQL));
}
