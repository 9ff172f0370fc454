import { is } from "drizzle-orm";
import { isPgEnum, PgArray, type PgColumn, type PgColumnBuilderBase } from "drizzle-orm/pg-core";
import { type Declared, declaredAs } from "./registry.ts";

/** Built columns and the domain or composite type that is their type: Drizzle knows neither. */
const TYPES = new WeakMap<PgColumn, object>();

/** Makes every column that a builder builds remember its type, also as an item of an array. */
export function buildAs<B extends PgColumnBuilderBase>(builder: B, type: object): B {
  const building = builder as unknown as { build(table: object): PgColumn };
  const build = building.build;
  building.build = function buildAndNote(this: typeof building, table) {
    const column = build.call(this, table);
    TYPES.set(column, type);
    return column;
  };
  return builder;
}

/** The declared type of a built column, or `undefined` for one of PostgreSQL's own and for an enum. */
export function declaredTypeOf(column: PgColumn): Declared<string, unknown> | undefined {
  const type = TYPES.get(column);
  return type === undefined ? undefined : declaredAs(type);
}

/** What an array of any number of dimensions holds; a column that is no array, itself. */
export function itemOfColumn(column: PgColumn): PgColumn {
  return is(column, PgArray) ? itemOfColumn(column.baseColumn as PgColumn) : column;
}

/** The domain, composite type or enum that a column's type is made of. */
export function typeObjectsOf(column: PgColumn): readonly object[] {
  const item = itemOfColumn(column);
  const { enum: declared } = item as unknown as { readonly enum?: unknown };
  const type = TYPES.get(item);
  return [...(type === undefined ? [] : [type]), ...(isPgEnum(declared) ? [declared] : [])];
}
