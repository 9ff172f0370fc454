import { type SQLWrapper, sql, Table } from "drizzle-orm";
import type { BuildColumns, BuildExtraConfigColumns, ColumnBuilderBase } from "drizzle-orm/column-builder";
import {
  check,
  type PgColumnBuilderBase,
  type PgSchema,
  type PgTableExtraConfigValue,
  type PgTableWithColumns,
} from "drizzle-orm/pg-core";
import { SchemaError } from "../errors/index.ts";
import { quoteIdentifier, quoteLiteral } from "../sql/index.ts";
import { nameColumn } from "./column-name.ts";
import { softDeleteColumns } from "./columns.ts";
import { refuseUnfinished } from "./declared/constraints.ts";
import type { PartitionBy } from "./declared/partition-by.ts";
import { refuseUnknownOptions } from "./declared/registry.ts";
import type { HistoryRules } from "./history-rules.ts";
import { type ColumnMarks, type ManagedMark, marksOf, type SecretMark } from "./marks.ts";
import type { SearchRules } from "./search-rules.ts";
import { markTenant } from "./tenant-mark.ts";

/** Columns by property name, as given to `entity()`. */
export type ColumnMap = Record<string, PgColumnBuilderBase>;

/** What an entity's rows may be asked for as lists. */
export interface ListRules {
  /**
   * Properties a list may be sorted by, and those of rows that relations to one lead to: `project.name`. @default every
   * column that is not secret and has an order, and what the entities that relations to one lead to may be sorted by
   */
  readonly sort?: readonly string[];
  /** The order of a list that names none, `-` for descending. @default the primary key, ascending */
  readonly defaultSort?: string;
  /** Rows of a page that names no limit. @default 10 */
  readonly limit?: number;
  /** The most rows a page may ask for. @default 100 */
  readonly maxLimit?: number;
}

/** How an entity behaves, beside its columns. */
export interface EntityOptions<
  TColumns,
  TSearch extends string = string,
  THistory extends boolean | HistoryRules = boolean | HistoryRules,
  TTenant extends string = string,
> {
  /** Drizzle's indexes, checks, composite keys and foreign keys. */
  readonly constraints?: (columns: TColumns) => PgTableExtraConfigValue[];
  /**
   * `delete` stamps `deletedAt` and `deletedBy` instead of removing the row; nothing reads the dead but
   * `withDeleted()` and `onlyDeleted()`; unique keys hold among the living only; children follow their foreign
   * key's ON DELETE. Adds both columns to the row. @default false
   */
  readonly softDelete?: boolean;
  readonly list?: ListRules;
  /**
   * Rows are found by their words: `repo.tasks.search("release notes")`. Adds a column that PostgreSQL keeps itself, which
   * is no property of a row, and its index.
   */
  readonly search?: SearchRules<TSearch>;
  /**
   * Every change of a row is recorded, whoever makes it: what it was, who changed it, when and why. Adds a table,
   * `<name>_history`, and triggers. Secret columns are left out, and those that `except` names: of them it is
   * recorded only that they changed. @default false
   */
  readonly history?: THistory;
  /**
   * The property that says whose row it is. Rows are then seen and written by their tenant alone, the `tenantId` of
   * `db.as({ tenantId }, …)`: a new row takes it from there, nothing changes it, and no call takes a value for it. Row
   * security holds it for every client whose role does not bypass that. Primary key, foreign keys, unique keys and
   * b-tree indexes lead with it in the database; a caller names a row by its key as it is declared.
   */
  readonly tenant?: TTenant;
  /** Divides the table. Its primary key and unique keys must name the columns it is divided by. */
  readonly partitionBy?: PartitionBy<keyof TColumns & string>;
  /** What the table is for, in the database itself. Columns say it with `comment(column, "…")`. */
  readonly comment?: string;
  /** What the table was called: a migration renames it and keeps its rows. Means nothing else. */
  readonly renamedFrom?: string;
  /** Declared objects that have to be there before it and that its SQL does not show. */
  readonly dependsOn?: readonly object[];
}

/** What the types remember of an entity. */
export interface EntityTraits {
  readonly name: string;
  readonly columns: ColumnMap;
  readonly softDelete: boolean;
  /** The properties that are searched; never where there is no search. */
  readonly search: string;
  readonly history: boolean;
}

/** Properties of text that anybody may see. */
type SearchableKeys<TColumns extends ColumnMap> = {
  [K in keyof TColumns]: TColumns[K] extends SecretMark
    ? never
    : TColumns[K]["_"]["data"] extends string
      ? K
      : never;
}[keyof TColumns] &
  string;

type AllColumns<TColumns extends ColumnMap, TSoft extends boolean> = TSoft extends true
  ? TColumns & ReturnType<typeof softDeleteColumns>
  : TColumns;

/** The tenant is no input: a row takes it from whoever makes it. */
type TenantKept<TColumns extends ColumnMap, TTenant extends string> = [TTenant] extends [never]
  ? TColumns
  : { [K in keyof TColumns]: K extends TTenant ? TColumns[K] & ManagedMark : TColumns[K] };

declare const TRAITS: unique symbol;

/** A Drizzle table that knows how it behaves. Use it wherever Drizzle wants a table. */
export type Entity<
  TName extends string,
  TColumns extends ColumnMap,
  TSoft extends boolean,
  TSearch extends string = never,
  THistory extends boolean = false,
  TTenant extends string = never,
> = PgTableWithColumns<{
  name: TName;
  schema: string;
  columns: BuildColumns<TName, AllColumns<TColumns, TSoft>, "pg">;
  dialect: "pg";
}> & {
  readonly [TRAITS]: {
    readonly name: TName;
    readonly columns: AllColumns<TenantKept<TColumns, TTenant>, TSoft>;
    readonly softDelete: TSoft;
    readonly search: TSearch;
    readonly history: THistory;
  };
};

/**
 * Any entity: what generic code takes. It is a Drizzle table to the compiler, which takes the word of `any` for the parts
 * that depend on columns: against Drizzle's own `Table` it would compare every column of every entity, at each use.
 */
export interface AnyEntity extends SQLWrapper {
  // biome-ignore-start lint/suspicious/noExplicitAny: see above
  readonly _: any;
  readonly $inferSelect: any;
  readonly $inferInsert: any;
  // biome-ignore-end lint/suspicious/noExplicitAny: see above
  readonly [TRAITS]: EntityTraits;
}

/** The traits of an entity's type. */
export type TraitsOf<E extends AnyEntity> = E[typeof TRAITS];

/** What the run time remembers of an entity. */
export interface EntityDeclaration {
  readonly softDelete: boolean;
  readonly list: ListRules;
  readonly search: SearchRules | undefined;
  readonly history: HistoryRules | true | undefined;
  readonly marks: ReadonlyMap<string, ColumnMarks>;
  readonly partitionBy: PartitionBy<string> | undefined;
  readonly comment: string | undefined;
  readonly renamedFrom: string | undefined;
  readonly dependsOn: readonly object[];
}

const DECLARATIONS = new WeakMap<object, EntityDeclaration>();
const OPTION_NAMES = [
  "constraints",
  "softDelete",
  "list",
  "search",
  "history",
  "tenant",
  "partitionBy",
  "comment",
  "renamedFrom",
  "dependsOn",
];

/**
 * Declares a table and how it behaves, side by side. Columns are Drizzle's; names become snake case by
 * themselves; behaviours add the columns and database objects they need.
 *
 * @throws {SCHEMA_INVALID} for an unknown option or a column name that a behaviour adds itself.
 *
 * @example
 * ```ts
 * export const projects = entity(app, "projects", {
 *   id: ulidKey(),
 *   ownerId: text().notNull().references((): AnyPgColumn => users.id, { onDelete: "restrict" }),
 *   name: text().notNull(),
 *   ...timestamps(),
 * }, { softDelete: true, list: { sort: ["createdAt", "name"], defaultSort: "-createdAt" } });
 * ```
 */
export function entity<
  TName extends string,
  TColumns extends ColumnMap,
  const TSoft extends boolean = false,
  const TSearch extends SearchableKeys<TColumns> = never,
  const THistory extends boolean | HistoryRules<keyof TColumns & string> = false,
  const TTenant extends keyof TColumns & string = never,
>(
  app: PgSchema,
  name: TName,
  columns: TColumns,
  options: EntityOptions<BuildExtraConfigColumns<TName, TColumns, "pg">, TSearch, THistory, TTenant> & {
    readonly softDelete?: TSoft;
  } = {},
): Entity<TName, TColumns, TSoft, TSearch, THistory extends false ? false : true, TTenant> {
  refuseUnknownOptions(`entity "${name}"`, options, OPTION_NAMES);
  const all = withBehaviourColumns(name, columns, options.softDelete === true);
  refuseTooManyColumns(name, all);
  const marks = new Map<string, ColumnMarks>();
  for (const [key, builder] of Object.entries(all)) {
    nameColumn(builder, key);
    refuseMarkedItems(name, key, builder);
    marks.set(key, marksOf(builder));
  }
  if (options.tenant !== undefined) markTenant(name, options.tenant, marks);
  const table = app.table(name, all, (built) => [
    // Drizzle builds the same columns whatever this function's generic parameters are called.
    ...refuseUnfinished(
      name,
      options.constraints?.(built as BuildExtraConfigColumns<TName, TColumns, "pg">) ?? [],
    ),
    ...oneOfChecks(name, all, marks),
  ]);
  DECLARATIONS.set(table, {
    softDelete: options.softDelete === true,
    list: options.list ?? {},
    search: options.search,
    history: historyOf(name, options.history),
    marks,
    partitionBy: options.partitionBy,
    comment: options.comment,
    renamedFrom: options.renamedFrom,
    dependsOn: options.dependsOn ?? [],
  });
  return table as unknown as Entity<
    TName,
    TColumns,
    TSoft,
    TSearch,
    THistory extends false ? false : true,
    TTenant
  >;
}

function historyOf(
  entityName: string,
  given: boolean | HistoryRules | undefined,
): HistoryRules | true | undefined {
  if (given === undefined || given === false) return undefined;
  if (given === true || (typeof given === "object" && given !== null)) return given;
  throw new SchemaError(`history of "${entityName}" must be true, or an object with except`);
}

/** What was declared beside a table's columns, or `undefined` for a plain Drizzle table. */
export function declarationOf(table: object): EntityDeclaration | undefined {
  return DECLARATIONS.get(table);
}

/** True for a table made by `entity()`. */
export function isEntity(value: unknown): value is AnyEntity {
  return value instanceof Table && DECLARATIONS.has(value);
}

/** MaxHeapAttributeNumber: https://www.postgresql.org/docs/current/limits.html */
const TABLE_COLUMNS_LIMIT = 1_600;

function refuseTooManyColumns(entityName: string, columns: ColumnMap): void {
  const { length } = Object.keys(columns);
  if (length <= TABLE_COLUMNS_LIMIT) return;
  throw new SchemaError(`entity "${entityName}" has ${length} columns, and a table takes at most 1,600`, {
    hint: "Split it into entities with a relation to one row, or keep what is seldom asked for in a jsonb column.",
  });
}

function withBehaviourColumns(entityName: string, columns: ColumnMap, softDelete: boolean): ColumnMap {
  if (!softDelete) return { ...columns };
  const added: ColumnMap = softDeleteColumns();
  for (const key of Object.keys(added)) {
    if (key in columns) {
      throw new SchemaError(`entity "${entityName}" declares "${key}", which softDelete adds itself`, {
        hint: `Remove the column; the row has it.`,
      });
    }
  }
  return { ...columns, ...added };
}

/** `.array()` makes another builder, without the notes of the first: `secret(text()).array()` would be no secret. */
function refuseMarkedItems(entityName: string, key: string, builder: ColumnBuilderBase): void {
  const { config } = builder as unknown as { config: { baseBuilder?: object } };
  if (config.baseBuilder === undefined || Object.keys(marksOf(config.baseBuilder)).length === 0) return;
  throw new SchemaError(
    `"${key}" of entity "${entityName}" is an array of a column that Plinth keeps notes of`,
    {
      hint: "Put secret() around the whole: secret(text().array()). oneOf() and publicId() have no array form.",
    },
  );
}

function oneOfChecks(
  table: string,
  columns: ColumnMap,
  marks: ReadonlyMap<string, ColumnMarks>,
): PgTableExtraConfigValue[] {
  const checks: PgTableExtraConfigValue[] = [];
  for (const [key, { oneOf }] of marks) {
    if (oneOf === undefined) continue;
    const { config } = columns[key] as unknown as { config: { name: string } };
    const values = oneOf.map(quoteLiteral).join(", ");
    checks.push(
      check(`${table}_${config.name}_one_of`, sql.raw(`${quoteIdentifier(config.name)} in (${values})`)),
    );
  }
  return checks;
}
