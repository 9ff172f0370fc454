import { SchemaError, unknownName } from "../errors/index.ts";
import { refuseUnknownOptions, wordOf } from "./declared/registry.ts";
import type {
  ColumnDescription,
  EntityDescription,
  SearchDescription,
  SearchedColumn,
} from "./description.ts";
import type { ObjectDescription } from "./object-description.ts";
import { SEARCH_CONFIG_NAME, type SearchRules } from "./search-rules.ts";

const SEARCH_CONFIG_DEFAULT = "english";
const VECTOR = "search_vector";
const WEIGHTS = ["A", "B", "C", "D"] as const;
const TRIGRAMS = "pg_trgm";

/** What holds text as it is. `char(n)` is padded, and an enum's values are no words. */
const TEXT_TYPE = /^(text|varchar|character varying)\b/;

/**
 * Reads what an entity declares of its search.
 *
 * @throws {SCHEMA_INVALID} for a column that is unknown, secret, generated or no text, a configuration that is no name,
 * and a table that has a column of the name the search needs.
 */
export function describeSearch(
  { name, columns, byKey }: Pick<EntityDescription, "name" | "columns" | "byKey">,
  rules: SearchRules,
): SearchDescription {
  const what = `search of "${name}"`;
  refuseUnknownOptions(what, rules, ["columns", "config", "weights", "typos"]);
  const { columns: keys, config = SEARCH_CONFIG_DEFAULT, weights = {}, typos = false } = rules;
  if (!Array.isArray(keys) || keys.length === 0) throw new SchemaError(`${what} names no column`);
  if (new Set(keys).size < keys.length) throw new SchemaError(`${what} names a column twice`);
  if (typeof config !== "string" || !SEARCH_CONFIG_NAME.test(config)) {
    throw new SchemaError(`${what}: ${JSON.stringify(config)} is no name of a text search configuration`, {
      hint: 'Use one of PostgreSQL\'s, such as "english" or "simple", or one with its schema: "public.german_medical".',
    });
  }
  if (columns.some((column) => column.name === VECTOR)) {
    throw new SchemaError(`"${name}" has a column "${VECTOR}", which its search adds itself`, {
      hint: "Remove the column, or give it another name in the database.",
    });
  }
  const allowed = [...byKey.values()].filter(isSearchable).map(({ key }) => key);
  for (const key of Object.keys(weights)) {
    if (!keys.includes(key)) throw new SchemaError(`${what}, weights: ${unknownName("column", key, keys)}`);
  }
  const searched = keys.map((key, i): SearchedColumn => {
    const column = byKey.get(key);
    if (column === undefined) throw new SchemaError(`${what}: ${unknownName("column", key, allowed)}`);
    refuseUnsearchable(what, column);
    return { column, weight: wordOf(what, "weight", weights[key] ?? WEIGHTS[i] ?? "D", WEIGHTS) };
  });
  return { columns: searched, config, typos: typos === true, vector: VECTOR };
}

function isSearchable({ marks, sqlType, kind, generatedSql }: ColumnDescription): boolean {
  return marks.secret !== true && generatedSql === undefined && kind === "text" && TEXT_TYPE.test(sqlType);
}

function refuseUnsearchable(what: string, column: ColumnDescription): void {
  if (isSearchable(column)) return;
  if (column.marks.secret === true)
    throw new SchemaError(`${what}: "${column.key}" is secret, and a search would tell it word by word`);
  if (column.generatedSql !== undefined)
    throw new SchemaError(
      `${what}: "${column.key}" is generated, and has no value yet when its row is written`,
      {
        hint: "Search the columns it is made of.",
      },
    );
  throw new SchemaError(`${what}: "${column.key}" is ${column.sqlType}, and only text is searched`, {
    hint: "Columns of text and varchar have words to search for.",
  });
}

/**
 * Trigrams are an extension's.
 *
 * @throws {SCHEMA_INVALID} for a search that looks for similar words where the extension is not declared.
 */
export function refuseMissingTrigrams(
  entities: readonly EntityDescription[],
  objects: readonly ObjectDescription[],
): void {
  const needing = entities.find(({ search }) => search?.typos === true);
  if (needing === undefined || objects.some(isTrigrams)) return;
  throw new SchemaError(
    `search of "${needing.name}" says typos, which needs the extension ${TRIGRAMS}, and it is not declared`,
    { hint: `Declare it beside the tables: export const trigrams = app.extension("${TRIGRAMS}");` },
  );
}

/** The schema that the functions and operators of trigrams are in; `undefined` where they are not declared. */
export function trigramSchema(objects: readonly ObjectDescription[], home: string): string | undefined {
  const extension = objects.find(isTrigrams);
  return extension?.kind === "extension" ? (extension.target ?? home) : undefined;
}

function isTrigrams(object: ObjectDescription): boolean {
  return object.kind === "extension" && object.name === TRIGRAMS;
}
