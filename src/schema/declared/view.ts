import type { ColumnsSelection, SQL } from "drizzle-orm";
import type { BuildColumns } from "drizzle-orm/column-builder";
import {
  type AnyIndexBuilder,
  type ExtraConfigColumn,
  ManualMaterializedViewBuilder,
  ManualViewBuilder,
  MaterializedViewBuilder,
  type PgMaterializedViewWithSelection,
  type PgViewWithSelection,
  type QueryBuilder,
  ViewBuilder,
} from "drizzle-orm/pg-core";
import type { TypedQueryBuilder } from "drizzle-orm/query-builders/query-builder";
import type { AddAliasToSelection } from "drizzle-orm/query-builders/select.types";
import { nameColumn } from "../column-name.ts";
import { declare, refuseUnknownOptions } from "./registry.ts";
import { refuseNonType, type TypeMap } from "./value-type.ts";

/** What Drizzle's view builders have no word for: the second argument of their `as`. */
export interface ViewOptions {
  readonly comment?: string;
  /** Declared objects that have to be there before it and that its SQL does not show. */
  readonly dependsOn?: readonly object[];
}

export interface MaterializedViewOptions<TFields> extends ViewOptions {
  /** Drizzle's `index()` and `uniqueIndex()`. `refresh … concurrently` needs a unique one on plain columns. */
  readonly indexes?: (columns: { readonly [K in keyof TFields]: ExtraConfigColumn }) => AnyIndexBuilder[];
}

export type ViewDeclaration = MaterializedViewOptions<Record<string, unknown>>;

type App = { readonly schemaName: string };
type Query<TFields extends ColumnsSelection> =
  | TypedQueryBuilder<TFields>
  | ((qb: QueryBuilder) => TypedQueryBuilder<TFields>);
type Columns<TName extends string, TColumns extends TypeMap> = BuildColumns<TName, TColumns, "pg">;

const VIEW_OPTIONS = ["comment", "dependsOn"];
const MATERIALIZED_OPTIONS = [...VIEW_OPTIONS, "indexes"];

/** Drizzle's builder of a view over a query; `as` notes the view on its schema. */
export class AppViewBuilder<TName extends string> extends ViewBuilder<TName> {
  readonly #app: App;

  constructor(app: App, name: TName) {
    super(name, app.schemaName);
    this.#app = app;
  }

  override as<TFields extends ColumnsSelection>(
    query: Query<TFields>,
    options: ViewOptions = {},
  ): PgViewWithSelection<TName, false, AddAliasToSelection<TFields, TName, "pg">> {
    return declareView(this.#app, "view", this.name, options, super.as(query));
  }
}

/** Drizzle's builder of a view whose columns are written down; `as` takes SQL. */
export class AppManualViewBuilder<TName extends string, TColumns extends TypeMap> extends ManualViewBuilder<
  TName,
  TColumns
> {
  readonly #app: App;

  constructor(app: App, name: TName, columns: TColumns) {
    super(name, named("view", name, columns), app.schemaName);
    this.#app = app;
  }

  override as(
    query: SQL,
    options: ViewOptions = {},
  ): PgViewWithSelection<TName, false, Columns<TName, TColumns>> {
    return declareView(this.#app, "view", this.name, options, super.as(query));
  }
}

/** As `AppViewBuilder`, for a view that keeps its rows until it is refreshed. */
export class AppMaterializedViewBuilder<TName extends string> extends MaterializedViewBuilder<TName> {
  readonly #app: App;

  constructor(app: App, name: TName) {
    super(name, app.schemaName);
    this.#app = app;
  }

  override as<TFields extends ColumnsSelection>(
    query: Query<TFields>,
    options: MaterializedViewOptions<TFields> = {},
  ): PgMaterializedViewWithSelection<TName, false, AddAliasToSelection<TFields, TName, "pg">> {
    return declareView(this.#app, "materialized view", this.name, options, super.as(query));
  }
}

/** As `AppManualViewBuilder`, for a view that keeps its rows until it is refreshed. */
export class AppManualMaterializedViewBuilder<
  TName extends string,
  TColumns extends TypeMap,
> extends ManualMaterializedViewBuilder<TName, TColumns> {
  readonly #app: App;

  constructor(app: App, name: TName, columns: TColumns) {
    super(name, named("materialized view", name, columns), app.schemaName);
    this.#app = app;
  }

  override as(
    query: SQL,
    options: MaterializedViewOptions<TColumns> = {},
  ): PgMaterializedViewWithSelection<TName, false, Columns<TName, TColumns>> {
    return declareView(this.#app, "materialized view", this.name, options, super.as(query));
  }
}

function declareView<T extends object>(
  app: App,
  kind: "view" | "materialized view",
  name: string,
  options: ViewOptions,
  view: T,
): T {
  const allowed = kind === "view" ? VIEW_OPTIONS : MATERIALIZED_OPTIONS;
  refuseUnknownOptions(`${kind} "${name}"`, options, allowed);
  return declare(app, view, { kind, name, options });
}

/** As `entity()` does it: `userId` is the column `user_id` of the query. */
function named<T extends TypeMap>(kind: string, name: string, columns: T): T {
  for (const [key, builder] of Object.entries(columns)) {
    refuseNonType(`"${key}" of ${kind} "${name}"`, builder, { notNull: true, default: false });
    nameColumn(builder, key);
  }
  return columns;
}
