import { Column, is, SQL, Subquery, Table, View } from "drizzle-orm";
import { getViewConfig, PgDialect, type PgView } from "drizzle-orm/pg-core";
import { SchemaError } from "../errors/index.ts";
import { quoteIdentifier } from "../sql/index.ts";

/** Stands for the home schema while SQL is written. No SQL text can hold a NUL, so it is never a text of the user's. */
const HOME = "\0home\0";

const dialects = new Map<string, PgDialect>();

/** Drizzle's own dialect does not double the quotes inside a name, nor refuse one that PostgreSQL would cut. */
function dialectOf(home: string): PgDialect {
  const known = dialects.get(home);
  if (known !== undefined) return known;
  const dialect = new PgDialect();
  dialect.escapeName = (name) => (name === home ? HOME : quoteIdentifier(name));
  dialects.set(home, dialect);
  return dialect;
}

/**
 * SQL of a declaration as DDL takes it: values written out, columns of the one table it is about by their bare name,
 * and nothing qualified with the home schema, because migrations run with `search_path` set to it.
 *
 * @throws {SCHEMA_INVALID} for a placeholder, and for a value that has no literal.
 */
export function renderClause(fragment: SQL, home: string): string {
  return write(fragment, home, "indexes");
}

/** A body likewise; columns keep the name of their table. */
export function renderBody(fragment: SQL, home: string): string {
  return write(fragment, home, undefined);
}

/**
 * A view's query likewise.
 *
 * @throws {SCHEMA_INVALID} as `renderClause`, and for a column or alias that has the name of the home schema: taking
 * the schema out of `"tracker"."id"` would take the alias out as well.
 */
export function renderQuery(fragment: SQL, home: string): string {
  const text = write(fragment, home, undefined);
  if (!hasBareHome(fragment, home)) return text;
  throw new SchemaError(`the query has a column or an alias called "${home}", as its schema is`, {
    hint: "Give it another name.",
  });
}

function hasBareHome(fragment: SQL, home: string): boolean {
  const { sql } = dialectOf(home).sqlToQuery(fragment.inlineParams());
  return /(?<!\.)\0home\0(?!\.)/.test(sql);
}

/** A query or body with every name qualified: for what runs under a search_path that is not the home schema's. */
export function renderQualified(fragment: SQL): string {
  return write(fragment, "", undefined);
}

function write(fragment: SQL, home: string, source: "indexes" | undefined): string {
  let query: { readonly sql: string; readonly params: readonly unknown[] };
  try {
    query = dialectOf(home).sqlToQuery(fragment.inlineParams(), source);
  } catch (error) {
    if (error instanceof SchemaError) throw error;
    throw new SchemaError("a value in a declaration's SQL cannot be written as a literal", {
      hint: 'Write it as text, with a cast where it needs one: sql.raw("12::bigint").',
      cause: error,
    });
  }
  if (query.params.length > 0) {
    throw new SchemaError("a declaration's SQL holds a placeholder, and there is nobody to fill it", {
      hint: "Write the value itself.",
    });
  }
  return withoutHome(query.sql, home);
}

/** `home.tasks` is `tasks`; a table, column or alias that happens to have the schema's name keeps it. */
function withoutHome(text: string, home: string): string {
  if (!text.includes(HOME)) return text;
  const bare = text.replaceAll(/(?<!\.)\0home\0\./g, "");
  return bare.replaceAll(HOME, quoteIdentifier(home));
}

/** The tables, views and declared objects that a fragment mentions by `${…}`. */
export function referencesOf(fragment: SQL, found: Set<object> = new Set()): ReadonlySet<object> {
  for (const chunk of fragment.queryChunks as readonly unknown[]) visit(chunk, found);
  return found;
}

function visit(chunk: unknown, found: Set<object>): void {
  if (typeof chunk === "function") found.add(chunk);
  if (typeof chunk !== "object" || chunk === null) return;
  if (Array.isArray(chunk)) {
    for (const item of chunk) visit(item, found);
  } else if (is(chunk, SQL)) {
    referencesOf(chunk, found);
  } else if (is(chunk, SQL.Aliased)) {
    referencesOf(chunk.sql, found);
  } else if (is(chunk, Subquery)) {
    referencesOf(chunk._.sql, found);
  } else if (is(chunk, Column)) {
    found.add(chunk.table);
  } else if (is(chunk, Table) || is(chunk, View)) {
    found.add(chunk);
  } else if (!found.has(chunk)) {
    found.add(chunk);
    visitWrapped(chunk, found);
  }
}

/** A builder, or something of the user's that can be written as SQL. */
function visitWrapped(chunk: object, found: Set<object>): void {
  if (!("getSQL" in chunk) || typeof chunk.getSQL !== "function") return;
  const inner: unknown = chunk.getSQL();
  if (is(inner, SQL)) referencesOf(inner, found);
}

/** A table or view that a fragment mentions, by schema and name: an alias is not the object it stands for. */
export function nameOfRelation(
  relation: object,
): { readonly schema: string | undefined; readonly name: string } | undefined {
  if (is(relation, Table)) {
    const symbols = (Table as unknown as { Symbol: Record<"Schema" | "OriginalName", symbol> }).Symbol;
    const read = relation as unknown as Record<symbol, string | undefined>;
    return { schema: read[symbols.Schema], name: read[symbols.OriginalName] ?? "" };
  }
  if (!is(relation, View)) return undefined;
  const { schema, originalName } = getViewConfig(relation as PgView) as {
    readonly schema: string | undefined;
    readonly originalName: string;
  };
  return { schema, name: originalName };
}
