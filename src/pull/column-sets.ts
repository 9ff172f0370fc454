import type { IndexObject, TableObject } from "../catalog/index.ts";
import { snakeCase } from "../sql/index.ts";
import type { PullContext } from "./context.ts";
import { list, member, quoted } from "./literal.ts";
import { inParentheses, literalText, namesIn, splitTop } from "./scan.ts";

/** What of a table is said in Plinth's own words. */
export interface ColumnSets {
  readonly softDelete: boolean;
  /** What stands in the place of a column: `...timestamps(),`, or nothing. */
  readonly columns: ReadonlyMap<string, string>;
  /** What stands in the place of a column's type: `oneOf(["a", "b"])`. */
  readonly types: ReadonlyMap<string, string>;
  /** `.unique()` of soft-deleted rows, whose key is a partial index. */
  readonly uniqueColumns: ReadonlyMap<string, string>;
  /** The same for keys of several columns, as items of `constraints`. */
  readonly uniques: readonly string[];
  /** Ids of constraints and indexes that are said so. */
  readonly handled: ReadonlySet<string>;
}

export function columnSetsOf(context: PullContext, table: TableObject): ColumnSets {
  const { timestamps = false, softDelete = false } = context.behaviours.get(table.id) ?? {};
  const columns = new Map<string, string>();
  if (timestamps) {
    columns.set("created_at", `...${context.file.use("timestamps")}(),`).set("updated_at", "");
  }
  if (softDelete) columns.set("deleted_at", "").set("deleted_by", "");
  const oneOfs = oneOfColumns(context, table);
  const keys = softDelete ? livingKeys(context, table) : [];
  return {
    softDelete,
    columns,
    types: new Map(oneOfs.map(({ column, source }) => [column, source])),
    uniqueColumns: new Map(
      keys.flatMap(({ column, source }) => (column === undefined ? [] : [[column, source]])),
    ),
    uniques: keys.flatMap(({ column, source }) => (column === undefined ? [source] : [])),
    handled: new Set([...oneOfs, ...keys].map(({ id }) => id)),
  };
}

interface Found {
  readonly id: string;
  readonly source: string;
}

/** A check that is called and written as `oneOf()` does it, on a column of text that takes its name by itself. */
function oneOfColumns(
  context: PullContext,
  table: TableObject,
): readonly (Found & { readonly column: string })[] {
  const properties = context.propertiesOf(table.id);
  return context.lookup.partsOf(table.id).constraints.flatMap((constraint) => {
    const [column = ""] = constraint.columns;
    const isPlain =
      constraint.type === "check" &&
      constraint.isValid &&
      constraint.comment === undefined &&
      constraint.name === `${table.name}_${column}_one_of`;
    const type = table.columns.find(({ name }) => name === column)?.type;
    const values = isPlain && type === "text" ? valuesOf(constraint.definition, column) : undefined;
    if (values === undefined || snakeCase(properties.get(column) ?? "") !== column) return [];
    return [
      { id: constraint.id, column, source: `${context.file.use("oneOf")}(${list(values.map(quoted))})` },
    ];
  });
}

/** `CHECK ((language = ANY (ARRAY['text'::text, 'sql'::text])))`; with one value, `CHECK ((language = 'text'::text))`. */
function valuesOf(definition: string, column: string): readonly string[] | undefined {
  const several = /^CHECK \(\((\S+) = ANY \(ARRAY\[(.*)\]\)\)\)$/s.exec(definition);
  const single = /^CHECK \(\((\S+) = ('.*'::text)\)\)$/s.exec(definition);
  const [, name, literals] = several ?? single ?? [];
  if (name !== column || literals === undefined) return undefined;
  const parts = splitTop(literals, ",");
  const values = parts.flatMap((part) => {
    const text = part.endsWith("::text") ? literalText(part.slice(0, -"::text".length)) : undefined;
    return text === undefined || text.includes("\\") ? [] : [text];
  });
  return values.length === parts.length ? values : undefined;
}

interface LivingKey extends Found {
  /** Undefined for a key of several columns. */
  readonly column: string | undefined;
}

/** Unique keys among living rows: `create unique index … (slug) where deleted_at is null`. */
function livingKeys(context: PullContext, table: TableObject): readonly LivingKey[] {
  const properties = context.propertiesOf(table.id);
  return context.lookup.partsOf(table.id).indexes.flatMap((index): readonly LivingKey[] => {
    const read = livingKeyOf(index);
    if (read === undefined) return [];
    const keys = read.columns.map((name) => properties.get(name) ?? name);
    const [only = ""] = read.columns;
    const name = index.name === `${table.name}_${read.columns.join("_")}_unique` ? "" : quoted(index.name);
    if (read.columns.length === 1) {
      const nulls = read.isNotDistinct ? `${name || "undefined"}, { nulls: "not distinct" }` : name;
      return [{ id: index.id, column: only, source: `.unique(${nulls})` }];
    }
    const nulls = read.isNotDistinct ? ".nullsNotDistinct()" : "";
    const on = keys.map((key) => member("t", key)).join(", ");
    return [
      { id: index.id, column: undefined, source: `${context.file.use("unique")}(${name}).on(${on})${nulls}` },
    ];
  });
}

function livingKeyOf(
  index: IndexObject,
): { readonly columns: readonly string[]; readonly isNotDistinct: boolean } | undefined {
  const { isUnique, isValid, definition, method, comment, columns } = index;
  if (!isUnique || !isValid || method !== "btree" || comment !== undefined || columns.includes(undefined))
    return undefined;
  const using = definition.indexOf(" USING btree (");
  const parts = using < 0 ? undefined : inParentheses(definition, using + " USING btree ".length);
  if (parts === undefined) return undefined;
  const names = namesIn(parts.inner);
  const rest = definition.slice(parts.end);
  const isNotDistinct = rest.startsWith(" NULLS NOT DISTINCT");
  const isLiving = rest.replace(" NULLS NOT DISTINCT", "") === " WHERE deleted_at IS NULL";
  return isLiving && names.join() === columns.join() ? { columns: names, isNotDistinct } : undefined;
}
