import { is, SQL } from "drizzle-orm";
import { isPgEnum, PgArray, type PgColumn, PgDialect, type PgTable } from "drizzle-orm/pg-core";
import { qualifiedName, quoteLiteral } from "../sql/index.ts";
import type { ColumnDescription, EnumDescription, ValueKind } from "./description.ts";
import type { ColumnMarks } from "./marks.ts";

const dialect = new PgDialect();

/** The columns of a table, in its order; `keyNames` are those of a composite primary key. */
export function describeColumns(
  table: PgTable,
  columns: readonly PgColumn[],
  marks: ReadonlyMap<string, ColumnMarks> | undefined,
  keyNames: readonly string[],
): readonly ColumnDescription[] {
  const keys = new Map<unknown, string>(Object.entries(table).map(([key, column]) => [column, key]));
  return columns.map((column) => {
    const key = keys.get(column) ?? column.name;
    const described = describeColumn(key, column, marks?.get(key) ?? {});
    // PostgreSQL makes every column of a primary key not null, whether the declaration says so or not.
    return keyNames.includes(column.name) ? { ...described, notNull: true } : described;
  });
}

function describeColumn(key: string, column: PgColumn, marks: ColumnMarks): ColumnDescription {
  const kind = kindOf(column);
  const identity = column.generatedIdentity?.type;
  const sqlType = typeOf(column);
  const isSerial = /^(small|big)?serial$/.test(sqlType);
  return {
    key,
    name: column.name,
    sqlType,
    castType: castTypeOf(sqlType),
    kind,
    item: is(column, PgArray) ? describeColumn(key, itemOf(column), {}) : undefined,
    enumValues: enumOf(column)?.enumValues ?? column.enumValues,
    notNull: column.notNull || column.primary,
    hasServerDefault:
      isSerial || column.default !== undefined || identity !== undefined || column.generated !== undefined,
    defaultSql: defaultOf(column),
    identity: identity === "always" ? "always" : identity === undefined ? undefined : "byDefault",
    generatedSql: generatedOf(column),
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
  return KINDS[column.columnType] ?? "custom";
}

interface EnumColumn {
  readonly enum: {
    readonly enumName: string;
    readonly schema: string | undefined;
    readonly enumValues: string[];
  };
}

function enumOf(column: PgColumn): EnumColumn["enum"] | undefined {
  const { enum: declared } = itemOf(column) as unknown as Partial<EnumColumn>;
  return isPgEnum(declared) ? declared : undefined;
}

/** What an array of any number of dimensions holds; a column that is no array, itself. */
function itemOf(column: PgColumn): PgColumn {
  return is(column, PgArray) ? itemOf(column.baseColumn as PgColumn) : column;
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
    return declared === undefined
      ? []
      : [{ name: declared.enumName, schema: declared.schema, values: declared.enumValues }];
  });
}

function defaultOf(column: PgColumn): string | undefined {
  const value: unknown = column.default;
  if (value === undefined) return undefined;
  if (is(value, SQL)) return render(value);
  const mapped: unknown = column.mapToDriverValue(value);
  if (typeof mapped === "number" || typeof mapped === "bigint" || typeof mapped === "boolean")
    return String(mapped);
  return quoteLiteral(typeof mapped === "string" ? mapped : JSON.stringify(mapped));
}

function generatedOf(column: PgColumn): string | undefined {
  const as: unknown = column.generated?.as;
  if (as === undefined) return undefined;
  const value: unknown = typeof as === "function" ? as() : as;
  return is(value, SQL) ? render(value) : quoteLiteral(String(value));
}

/** SQL of a declaration as DDL takes it: values inlined, columns by their bare name. */
export function render(fragment: SQL): string {
  return dialect.sqlToQuery(fragment.inlineParams(), "indexes").sql;
}
