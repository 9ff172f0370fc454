import { refuseUnknownKeys } from "../config/index.ts";
import { type CreateDatabaseOptions, createDatabase, type Database, type SchemaModule } from "../database.ts";
import { type Connection, parseTarget, retarget } from "../driver/index.ts";
import { dropDatabase, dropOrphans, dropOwned, type OwnedName, openKeeper } from "../shadow/index.ts";
import { declaredRecipe, migratedRecipe } from "./recipe.ts";
import { type TestServer, type TestServerOptions, testServer } from "./server.ts";
import { cloneOf } from "./template.ts";
import { dropTestRoles, makeTestRole, type TestRole } from "./test-roles.ts";

/** A test file seldom needs more at once, and many files share the server's limit. */
export const TEST_POOL_MAX_DEFAULT = 4;

const OPTION_NAMES = ["schema", "migrations", "setup", "directory", "url", "pool", "onWarning"];

/** What a test database is made of, and where. */
export interface TestDatabaseOptions<S extends SchemaModule>
  extends TestServerOptions,
    Pick<CreateDatabaseOptions<S>, "pool" | "onWarning"> {
  /** `import * as schema from "./schema.ts"` */
  readonly schema: S;
  /** Absolute path of the migrations folder, run by the real migrator. @default the schema's own DDL is applied */
  readonly migrations?: string | undefined;
  /** Runs on each new clone before it is given out: for data every test of the file starts from. */
  readonly setup?: ((db: Database<S>) => PromiseLike<unknown>) | undefined;
}

/** A database of a test file's own. */
export interface TestDatabase<S extends SchemaModule> {
  readonly db: Database<S>;
  /** Of the clone, with the password: for another process. */
  readonly url: string;
  /**
   * The same as the server's own role. Where the schema has row security, `db` and `url` are those of the role that
   * `plinth roles sync` makes for an application, and this one sees past the policies; elsewhere they are one.
   */
  readonly adminUrl: string;
  /** Closes the pool and drops the database. Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Gives a migrated, empty database that nobody else has: a clone of a template, in tens of milliseconds. The
 * template is built once, by whoever comes first, and again when schema or migrations change.
 *
 * Any number of files and processes may call it at once. A process that is killed leaves its clone behind; the next
 * call on that server drops it. Nothing but databases called `plinth_test_…`, `plinth_building_…` and
 * `plinth_template_…`, and roles called `plinth_test_…`, is ever touched.
 *
 * Costs one connection besides the pool's, on the server's own database.
 *
 * @throws {CONFIG_INVALID} when an option is unknown, or the role may not create databases.
 * @throws {MIGRATION_INVALID} {MIGRATION_FAILED} when the migrations cannot be applied.
 * @throws {LOCK_TIMEOUT} when another process builds the same template for more than five minutes.
 *
 * @example
 * ```ts
 * import * as schema from "./schema.ts";
 * const { db, close } = await testDatabase({ schema, migrations: join(import.meta.dirname, "migrations") });
 * afterAll(close);
 * // create database "plinth_test_…" template "plinth_template_…" strategy file_copy
 * ```
 */
export async function testDatabase<S extends SchemaModule>(
  options: TestDatabaseOptions<S>,
): Promise<TestDatabase<S>> {
  refuseUnknownKeys("", options, OPTION_NAMES);
  const { schema, migrations } = options;
  const recipe = migrations === undefined ? declaredRecipe(schema) : migratedRecipe(schema, migrations);
  const server = await testServer(options);
  const undo: (() => Promise<void>)[] = [() => server.release()];
  try {
    const target = parseTarget(server.url);
    const keeper = await openKeeper(target);
    undo.push(() => keeper.close());
    await dropOrphans(keeper);
    await dropTestRoles(keeper);
    const clone = await cloneOf(keeper, target, recipe);
    undo.push(() => dropClone(keeper, clone, server));
    const adminUrl = urlOf(server.url, clone.name);
    const role = await makeTestRole(schema, retarget(target, { database: clone.name }));
    const url = urlOf(server.url, clone.name, role);
    const db = await openClone(
      options,
      { url, adminUrl },
      server.poolerUrl && urlOf(server.poolerUrl, clone.name, role),
    );
    undo.push(() => db.close());
    await options.setup?.(db);
    let closed: Promise<void> | undefined;
    const close = (): Promise<void> => {
      closed ??= unwind(undo);
      return closed;
    };
    return Object.freeze({ db, url, adminUrl, close, [Symbol.asyncDispose]: close });
  } catch (error) {
    await unwind(undo);
    throw error;
  }
}

function openClone<S extends SchemaModule>(
  options: TestDatabaseOptions<S>,
  { url, adminUrl }: { readonly url: string; readonly adminUrl: string },
  pooled: string | undefined,
): Promise<Database<S>> {
  const { schema, directory, pool, onWarning } = options;
  return createDatabase({
    schema,
    url: pooled ?? url,
    directUrl: adminUrl,
    // The environment may hold production's numbers, so those that matter here are given.
    pool: { max: TEST_POOL_MAX_DEFAULT, min: 0, instances: 1, ...pool },
    ...(directory === undefined ? {} : { directory }),
    ...(onWarning === undefined ? {} : { onWarning }),
  });
}

/** A test may have restarted the server, and the keeper's session, but not its own duty to clean up, went with it. */
async function dropClone(keeper: Connection, clone: OwnedName, server: TestServer): Promise<void> {
  if (keeper.isOpen) {
    await dropOwned(keeper, clone);
    return dropTestRoles(keeper);
  }
  const other = await openKeeper(parseTarget(server.url));
  try {
    await dropDatabase(other, clone.name, true);
    await dropTestRoles(other);
  } finally {
    await other.close();
  }
}

/** Last in, first out, each of them whatever happened to the others; the first failure is thrown at the end. */
async function unwind(undo: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of undo.toReversed()) await step().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

function urlOf(server: string, database: string, role?: TestRole): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  if (role !== undefined) {
    url.username = role.name;
    url.password = role.password;
    url.searchParams.delete("user");
    url.searchParams.delete("password");
  }
  // The parameter would win over the path.
  url.searchParams.delete("dbname");
  return url.href;
}
