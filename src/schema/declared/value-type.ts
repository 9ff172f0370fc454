/** Drizzle's column builders used as types: of arguments, results, domains, attributes. */
import type { ColumnBuilderBase } from "drizzle-orm/column-builder";
import { getTableConfig, type PgColumn, type PgColumnBuilderBase, PgSchema } from "drizzle-orm/pg-core";
import { SchemaError } from "../../errors/index.ts";
import { configOf, nameColumn } from "../column-name.ts";
import { marksOf } from "../marks.ts";

/** Columns by property name: what stands between the parentheses of a type, a function or a table. */
export type TypeMap = Record<string, PgColumnBuilderBase>;

/** The value of a type, without null. */
export type DataOf<B extends PgColumnBuilderBase> = B["_"] extends { $type: infer T } ? T : B["_"]["data"];

/**
 * The value of a type, with null unless it says `.notNull()`. Not a union at its top: an editor would show the union's name,
 * `ValueOf<…>`, in place of `string | null`.
 */
export type ValueOf<B extends PgColumnBuilderBase> = B["_"] extends { notNull: true }
  ? DataOf<B>
  : DataOf<B> | null;

/** What a type may say besides being one. */
export interface TypeRules {
  readonly notNull: boolean;
  readonly default: boolean;
  readonly mode?: boolean;
}

/**
 * Refuses what a column may say and a type cannot: a key, a reference, a secret. PostgreSQL has no place for it, so it
 * would be dropped in silence.
 *
 * @throws {SCHEMA_INVALID}
 */
export function refuseNonType(what: string, builder: ColumnBuilderBase, rules: TypeRules): void {
  const config = configOf(builder);
  const { foreignKeyConfigs = [] } = builder as { readonly foreignKeyConfigs?: readonly unknown[] };
  const { role, secret, writable, oneOf, comment, renamedFrom, mode } = marksOf(builder);
  const breaches: readonly (readonly [string, boolean])[] = [
    [".primaryKey()", config.primaryKey],
    [".unique()", config.isUnique],
    [".references()", foreignKeyConfigs.length > 0],
    [".generatedAlwaysAs()", config.generated !== undefined],
    [".generatedAlwaysAsIdentity()", config.generatedIdentity !== undefined],
    [".$defaultFn()", config.defaultFn !== undefined],
    [".notNull()", config.notNull && !rules.notNull],
    [".default()", config.default !== undefined && !rules.default],
    ["secret()", secret === true],
    ["oneOf()", oneOf !== undefined],
    ["a column set of Plinth", role !== undefined || writable !== undefined],
    ["comment()", comment !== undefined],
    ["renamedFrom()", renamedFrom !== undefined],
    ["out() or inOut()", mode !== undefined && rules.mode !== true],
  ];
  for (const [name, isBreach] of breaches) {
    if (isBreach) {
      throw new SchemaError(`${what} cannot say ${name}`, {
        hint: "It is a type here, not a column of a table.",
      });
    }
  }
  if (/^Pg(Small|Big)?Serial/.test(config.columnType)) {
    throw new SchemaError(`${what} cannot be serial, which is a column with a sequence`, {
      hint: "Use integer() or bigint().",
    });
  }
}

/**
 * The types as Drizzle columns of a table that nobody creates, so that one adapter reads them all. The builders keep
 * no name of it: one may serve two functions.
 */
export function buildTypes(schema: string, name: string, types: TypeMap): ReadonlyMap<string, PgColumn> {
  const entries = Object.entries(types);
  const named = entries.filter(([, builder]) => configOf(builder).name === "");
  for (const [key, builder] of entries) nameColumn(builder, key);
  const { columns } = getTableConfig(new PgSchema(schema).table(name, types));
  for (const [, builder] of named) configOf(builder).name = "";
  const built = new Map(entries.map(([key], i) => [key, columnAt(columns, i, name)]));
  refuseSharedNames(name, built);
  return built;
}

function refuseSharedNames(name: string, built: ReadonlyMap<string, PgColumn>): void {
  const keys = new Map<string, string>();
  for (const [key, column] of built) {
    const other = keys.get(column.name);
    if (other !== undefined) {
      throw new SchemaError(`"${other}" and "${key}" of "${name}" are both called "${column.name}"`);
    }
    keys.set(column.name, key);
  }
}

function columnAt(columns: readonly PgColumn[], i: number, name: string): PgColumn {
  const column = columns[i];
  if (column === undefined) throw new TypeError(`Drizzle built ${columns.length} columns of "${name}"`);
  return column;
}
