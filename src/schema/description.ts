import type { ListRules } from "./entity.ts";
import type { ColumnMarks } from "./marks.ts";

/**
 * How a column's values look on both sides. `text` covers everything PostgreSQL sends as text that TypeScript
 * holds as a string: uuid, numeric, date, interval, inet and the like.
 */
export type ValueKind =
  | "text"
  | "boolean"
  | "integer"
  | "float"
  | "bigint"
  | "safe-bigint"
  | "instant"
  | "instant-text"
  | "date"
  | "enum"
  | "json"
  | "bytes"
  | "array"
  | "custom";

/** A column, read once from Drizzle's metadata. */
export interface ColumnDescription {
  /** The property in rows and inputs. */
  readonly key: string;
  /** The column in the database. */
  readonly name: string;
  /** The type as DDL writes it; an enum's is qualified. */
  readonly sqlType: string;
  /** The type as casts write it: without length and precision, which a cast would apply in silence. */
  readonly castType: string;
  readonly kind: ValueKind;
  /** What an array of any number of dimensions holds. */
  readonly item: ColumnDescription | undefined;
  readonly enumValues: readonly string[] | undefined;
  readonly notNull: boolean;
  /** The server fills it in when an insert leaves it out. */
  readonly hasServerDefault: boolean;
  /** The default as DDL writes it. */
  readonly defaultSql: string | undefined;
  readonly identity: "always" | "byDefault" | undefined;
  readonly generatedSql: string | undefined;
  readonly isPrimaryKey: boolean;
  /** Makes a value when a caller gives none. */
  readonly produce: (() => unknown) | undefined;
  readonly marks: ColumnMarks;
  /** For custom Drizzle types: their own mapping, with what a `pg` client would give them on the wire side. */
  readonly custom: { encode(value: unknown): unknown; decode(value: unknown): unknown } | undefined;
}

export interface KeyDescription {
  readonly name: string;
  readonly columns: readonly ColumnDescription[];
}

export interface UniqueDescription extends KeyDescription {
  readonly nullsNotDistinct: boolean;
  /** Holds among living rows only, as a partial unique index: the entity is soft-deleted. */
  readonly livingOnly: boolean;
}

export type ReferentialAction = "cascade" | "restrict" | "no action" | "set null" | "set default";

export interface ForeignKeyDescription extends KeyDescription {
  readonly target: EntityDescription;
  readonly targetColumns: readonly ColumnDescription[];
  readonly onDelete: ReferentialAction;
  readonly onUpdate: ReferentialAction;
}

export interface IndexDescription {
  readonly name: string;
  readonly isUnique: boolean;
  readonly method: string;
  /** Each part as DDL writes it: a column or an expression, with order and operator class. */
  readonly parts: readonly string[];
  /** The columns of a unique index on nothing but columns, of all rows: a key like any other. */
  readonly uniqueColumns: readonly ColumnDescription[] | undefined;
  readonly where: string | undefined;
}

export interface CheckDescription {
  readonly name: string;
  readonly expression: string;
}

export interface EnumDescription {
  readonly name: string;
  readonly schema: string | undefined;
  readonly values: readonly string[];
}

/** A table and how it behaves: the model that everything below the schema works on. */
export interface EntityDescription {
  readonly name: string;
  readonly schema: string;
  readonly columns: readonly ColumnDescription[];
  readonly byKey: ReadonlyMap<string, ColumnDescription>;
  readonly byRole: ReadonlyMap<string, ColumnDescription>;
  readonly primaryKey: KeyDescription;
  readonly uniques: readonly UniqueDescription[];
  readonly foreignKeys: readonly ForeignKeyDescription[];
  readonly indexes: readonly IndexDescription[];
  readonly checks: readonly CheckDescription[];
  readonly enums: readonly EnumDescription[];
  readonly softDelete: boolean;
  readonly list: ListRules;
}
