import { type Catalog, compareCatalogs, readCatalog } from "../catalog/index.ts";
import { refuseUnknownKeys } from "../config/index.ts";
import type { SchemaModule } from "../database.ts";
import { type Connection, type ConnectionTarget, connect, parseTarget, retarget } from "../driver/index.ts";
import { dropOrphans, dropOwned, openKeeper } from "../shadow/index.ts";
import { declaredRecipe, migratedRecipe, type Recipe, schemaNameOf } from "./recipe.ts";
import { type TestServerOptions, testServer } from "./server.ts";
import { cloneOf } from "./template.ts";

/** What to compare, and on which server. */
export interface CatalogDifferencesOptions extends TestServerOptions {
  /** `import * as schema from "./schema.ts"` */
  readonly schema: SchemaModule;
  /** Absolute path of the migrations folder. */
  readonly migrations: string;
}

/** One object that the migrations and the schema do not agree on. */
export interface SchemaDifference {
  /** `table`, `column`, `constraint`, `index`, `trigger`, `function`, `enum`, … */
  readonly kind: string;
  /** Within the schema; a part of a table as `table.part`. */
  readonly name: string;
  /** As the migrations leave it, in the server's words; `undefined` where they do not make it. */
  readonly migrated: string | undefined;
  /** As the schema declares it; `undefined` where it does not. */
  readonly declared: string | undefined;
}

/**
 * Compares the database that the migrations make with the one that the schema declares, object by object. Empty
 * means that they are equal. Both are real databases, made for the comparison and dropped after it.
 *
 * @throws what `testDatabase` throws.
 *
 * @example
 * ```ts
 * it("migrates to what the schema declares", async () => {
 *   expect(await catalogDifferences({ schema, migrations })).toEqual([]);
 * });
 * ```
 */
export async function catalogDifferences(
  options: CatalogDifferencesOptions,
): Promise<readonly SchemaDifference[]> {
  refuseUnknownKeys("", options, ["schema", "migrations", "url", "directory"]);
  const { schema, migrations } = options;
  const server = await testServer(options);
  try {
    const target = parseTarget(server.url);
    const keeper = await openKeeper(target);
    try {
      await dropOrphans(keeper);
      const read = (recipe: Recipe): Promise<Catalog> =>
        catalogOf(keeper, target, recipe, schemaNameOf(schema));
      const migrated = await read(migratedRecipe(schema, migrations));
      const declared = await read(declaredRecipe(schema));
      return compareCatalogs(migrated, declared).map(({ kind, name, left, right }) => ({
        kind,
        name,
        migrated: left,
        declared: right,
      }));
    } finally {
      await keeper.close();
    }
  } finally {
    await server.release();
  }
}

async function catalogOf(
  keeper: Connection,
  server: ConnectionTarget,
  recipe: Recipe,
  schemaName: string,
): Promise<Catalog> {
  const clone = await cloneOf(keeper, server, recipe);
  try {
    const connection = await connect(retarget(server, { database: clone.name }));
    try {
      return await readCatalog(connection, schemaName);
    } finally {
      await connection.close();
    }
  } finally {
    await dropOwned(keeper, clone);
  }
}
