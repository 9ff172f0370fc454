import { getTableColumns, is, SQL, Table, type View } from "drizzle-orm";
import {
  getMaterializedViewConfig,
  getTableConfig,
  getViewConfig,
  PgColumn,
  type PgMaterializedView,
  PgSchema,
  type PgView,
  text,
} from "drizzle-orm/pg-core";
import { SchemaError } from "../../errors/index.ts";
import { snakeCase } from "../../sql/index.ts";
import { describeIndex, storageParameters } from "../drizzle-indexes.ts";
import { referencesOf, renderQuery } from "../drizzle-sql.ts";
import type { ViewDescription } from "../object-description.ts";
import { refuseUnfinished } from "./constraints.ts";
import { dependencyIds, objectIds } from "./object-id.ts";
import { type Declared, wordOf } from "./registry.ts";
import type { ViewDeclaration } from "./view.ts";

/** What Drizzle keeps about either kind of view. */
interface ViewConfig {
  readonly query: SQL | undefined;
  readonly selectedFields: Readonly<Record<string, unknown>>;
  readonly with?: Readonly<Record<string, unknown>> | undefined;
  readonly using?: string | undefined;
  readonly tablespace?: string | undefined;
  readonly withNoData?: boolean | undefined;
}

/** @throws {SCHEMA_INVALID} for columns without a name or of one name, and for indexes that are none. */
export function describeView(view: View, declared: Declared<string, ViewDeclaration>): ViewDescription {
  const { schema, name, order, options } = declared;
  const isMaterialized = declared.kind === "materialized view";
  const what = `${declared.kind} "${name}"`;
  const config = configOf(view, isMaterialized);
  if (config.query === undefined) throw new SchemaError(`${what} has no query`);
  const columns = columnsOf(what, config.selectedFields);
  const { checkOption, ...parameters } = config.with ?? {};
  return {
    kind: isMaterialized ? "materialized view" : "view",
    schema,
    name,
    order,
    comment: options.comment,
    needs: [
      ...objectIds(referencesOf(config.query), schema),
      ...dependencyIds(what, options.dependsOn ?? [], schema),
    ],
    query: queryOf(what, config.query, schema),
    options: storageParameters(what, snakeCased(parameters)),
    checkOption:
      checkOption === undefined ? undefined : wordOf(what, "checkOption", checkOption, ["local", "cascaded"]),
    using: config.using,
    tablespace: config.tablespace,
    withData: config.withNoData !== true,
    indexes: indexesOf(what, declared, columns),
  };
}

function configOf(view: View, isMaterialized: boolean): ViewConfig {
  const config: unknown = isMaterialized
    ? getMaterializedViewConfig(view as PgMaterializedView)
    : getViewConfig(view as PgView);
  return config as ViewConfig;
}

function queryOf(what: string, query: SQL, schema: string): string {
  const rendered = renderQuery(query, schema).trim().replace(/;\s*$/, "");
  if (rendered !== "") return rendered;
  throw new SchemaError(`${what} has no query`);
}

function snakeCased(options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [snakeCase(key), value]));
}

/** The view's columns: property and name. Drizzle lets a selection nest; the columns of the view are flat. */
function columnsOf(what: string, fields: object, path = ""): ReadonlyMap<string, string> {
  const columns = new Map<string, string>();
  for (const key of Object.keys(fields)) {
    const property = `${path}${key}`;
    for (const [inner, name] of namesOf(what, property, () => Reflect.get(fields, key))) {
      const other = [...columns].find(([, taken]) => taken === name);
      if (other !== undefined) {
        throw new SchemaError(`${what} has two columns called "${name}": "${other[0]}" and "${inner}"`, {
          hint: 'Give one a name of its own: sql`…`.as("task_id").',
        });
      }
      columns.set(inner, name);
    }
  }
  return columns;
}

function namesOf(what: string, property: string, read: () => unknown): Iterable<readonly [string, string]> {
  let field: unknown;
  try {
    field = read();
  } catch {
    // Drizzle refuses to give a bare SQL field out of a view: it has no name.
    field = undefined;
  }
  if (is(field, PgColumn)) return [[property, field.name]];
  if (is(field, SQL.Aliased)) return [[property, field.fieldAlias]];
  if (is(field, Table)) return columnsOf(what, getTableColumns(field), `${property}.`);
  if (typeof field === "object" && field !== null && !is(field, SQL))
    return columnsOf(what, field, `${property}.`);
  throw new SchemaError(`column "${property}" of ${what} has no name in the query`, {
    hint: `Select a column, or give it one: sql\`…\`.as("${snakeCase(property)}").`,
  });
}

/** Drizzle builds indexes of tables only: the view stands in as one. */
function indexesOf(
  what: string,
  { schema, name, options }: Declared<string, ViewDeclaration>,
  columns: ReadonlyMap<string, string>,
): ViewDescription["indexes"] {
  const { indexes } = options;
  if (indexes === undefined) return [];
  const standIn = new PgSchema(schema).table(
    name,
    Object.fromEntries([...columns].map(([key, column]) => [key, text(column)])),
    (built) => [...refuseUnfinished(name, indexes(built))],
  );
  const config = getTableConfig(standIn);
  const others = [
    config.checks,
    config.foreignKeys,
    config.primaryKeys,
    config.uniqueConstraints,
    config.policies,
  ];
  if (others.some((list) => list.length > 0)) {
    throw new SchemaError(`${what} can have indexes and no constraints`, {
      hint: "Use uniqueIndex().on(…).",
    });
  }
  const relation = {
    name,
    schema,
    columns: [...columns.values()].map((column) => ({ name: column, notNull: false })),
    isPartitioned: false,
  };
  return config.indexes.map((index) => describeIndex(relation, index));
}
