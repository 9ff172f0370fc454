import type { ListRules } from "./entity.ts";
import type { ColumnMarks } from "./marks.ts";
import type { SearchWeight } from "./search-rules.ts";

/** What must be there before something else: `type stage`, `relation tasks`, `routine touch`, `extension pg_trgm`. */
export type ObjectId = `${"type" | "relation" | "routine" | "extension"} ${string}`;

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
  | "composite"
  | "custom";

/** A column, read once from Drizzle's metadata. */
export interface ColumnDescription {
  /** The property in rows and inputs. */
  readonly key: string;
  /** The column in the database. */
  readonly name: string;
  /** The type as DDL writes it; an enum's is qualified. Of a domain the type below it. */
  readonly sqlType: string;
  /** The domain that is the type in DDL, qualified; `undefined` for most. */
  readonly domain: string | undefined;
  /** The type as casts write it: without length and precision, which a cast would apply in silence. */
  readonly castType: string;
  readonly kind: ValueKind;
  /** What an array of any number of dimensions holds. */
  readonly item: ColumnDescription | undefined;
  /** What a composite value is made of, in its order. */
  readonly fields: readonly ColumnDescription[] | undefined;
  readonly enumValues: readonly string[] | undefined;
  readonly notNull: boolean;
  /** The server fills it in when an insert leaves it out. */
  readonly hasServerDefault: boolean;
  /** The default as DDL writes it. */
  readonly defaultSql: string | undefined;
  readonly identity: "always" | "byDefault" | undefined;
  /** What the sequence of an identity column says beside its defaults. */
  readonly identityOptions: SequenceOptions | undefined;
  readonly generatedSql: string | undefined;
  readonly isPrimaryKey: boolean;
  /** Makes a value when a caller gives none. */
  readonly produce: (() => unknown) | undefined;
  readonly marks: ColumnMarks;
  /** For custom Drizzle types: their own mapping, with what a `pg` client would give them on the wire side. */
  readonly custom: { encode(value: unknown): unknown; decode(value: unknown): unknown } | undefined;
}

/** What a sequence says; whole numbers as text, as they may be larger than a `number` holds. */
export interface SequenceOptions {
  /** Of an identity column: the sequence's own name. */
  readonly name?: string | undefined;
  readonly increment?: string | undefined;
  readonly minValue?: string | undefined;
  readonly maxValue?: string | undefined;
  readonly startWith?: string | undefined;
  readonly cache?: string | undefined;
  readonly cycle?: boolean | undefined;
}

export interface KeyDescription {
  readonly name: string;
  readonly columns: readonly ColumnDescription[];
  readonly comment?: string | undefined;
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
  /** Its first columns are the tenants of both sides: it leads to rows of the same tenant only, and never empties that. */
  readonly carriesTenant: boolean;
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
  /** Storage parameters as DDL writes them: `fillfactor = 70`. */
  readonly options: readonly string[];
  readonly comment: string | undefined;
}

export interface CheckDescription {
  readonly name: string;
  readonly expression: string;
  readonly comment?: string | undefined;
}

export interface EnumDescription {
  readonly name: string;
  readonly schema: string | undefined;
  readonly values: readonly string[];
  readonly comment?: string | undefined;
  /** New values with the names they had. */
  readonly oldValues?: Readonly<Record<string, string>> | undefined;
}

/** How a table is divided, and what its parts are. */
export interface PartitioningDescription {
  readonly strategy: "range" | "list" | "hash";
  readonly columns: readonly ColumnDescription[];
  readonly partitions: readonly PartitionDescription[];
}

export interface PartitionDescription {
  readonly name: string;
  /** As DDL writes it: `for values from ('2026-01-01') to ('2027-01-01')`, `default`. */
  readonly bound: string;
  readonly comment: string | undefined;
}

/** A row-security policy, as Drizzle's `pgPolicy` declares it. */
export interface PolicyDescription {
  readonly table: string;
  readonly name: string;
  readonly isPermissive: boolean;
  readonly command: "all" | "select" | "insert" | "update" | "delete";
  /** As DDL writes them: a quoted role, `public`, `current_user`. */
  readonly roles: readonly string[];
  readonly using: string | undefined;
  readonly check: string | undefined;
  readonly comment: string | undefined;
}

/** A search as it was declared, checked and complete. */
export interface SearchDescription {
  readonly columns: readonly SearchedColumn[];
  readonly config: string;
  readonly typos: boolean;
  /** The column in the database that holds the words of a row; no property of it. */
  readonly vector: string;
}

export interface SearchedColumn {
  readonly column: ColumnDescription;
  readonly weight: SearchWeight;
}

/** Where an entity's history is, and what is recorded there. */
export interface HistoryDescription {
  /** The table with its versions: `tasks_history`. */
  readonly table: string;
  /** Columns whose values are recorded. */
  readonly kept: readonly ColumnDescription[];
  /** Columns of which only that they changed is recorded. */
  readonly concealed: readonly ColumnDescription[];
}

/** A table and how it behaves: the model that everything below the schema works on. */
export interface EntityDescription {
  readonly name: string;
  readonly schema: string;
  readonly columns: readonly ColumnDescription[];
  readonly byKey: ReadonlyMap<string, ColumnDescription>;
  readonly byRole: ReadonlyMap<string, ColumnDescription>;
  /** As the database has it: where there is a tenant, that leads it, as it leads every key and foreign key. */
  readonly primaryKey: KeyDescription;
  /** What a caller names a row by: the primary key without the tenant. */
  readonly rowKey: readonly ColumnDescription[];
  /** Whose row it is; absent where rows belong to nobody. */
  readonly tenant: ColumnDescription | undefined;
  readonly uniques: readonly UniqueDescription[];
  readonly foreignKeys: readonly ForeignKeyDescription[];
  readonly indexes: readonly IndexDescription[];
  readonly checks: readonly CheckDescription[];
  readonly enums: readonly EnumDescription[];
  readonly policies: readonly PolicyDescription[];
  /** Rows are hidden by policies: it has some, or says `enableRLS()`. */
  readonly rowSecurity: boolean;
  readonly partitioning: PartitioningDescription | undefined;
  readonly comment: string | undefined;
  readonly renamedFrom: string | undefined;
  /** What must be there before the table: types, functions in defaults and checks, what it says it depends on. */
  readonly needs: readonly ObjectId[];
  /** Everything its SQL mentions by `${…}`, in indexes and policies too. */
  readonly references: readonly object[];
  readonly softDelete: boolean;
  readonly list: ListRules;
  /** What its rows are searched by. */
  readonly search: SearchDescription | undefined;
  /** What is recorded of its rows' past. */
  readonly history: HistoryDescription | undefined;
}
