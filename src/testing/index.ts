// A database for each test file
export {
  TEST_POOL_MAX_DEFAULT,
  type TestDatabase,
  type TestDatabaseOptions,
  testDatabase,
} from "./test-database.ts";

// The server they live on
export { type TestServer, type TestServerOptions, testServer } from "./server.ts";

// A transaction for each test
export { withRollback } from "./rollback.ts";

// Rows for tests
export { type Factory, type FactoryDefaults, type FactoryRepository, factory } from "./factory.ts";

// Migrations against the schema
export {
  type CatalogDifferencesOptions,
  catalogDifferences,
  type SchemaDifference,
} from "./catalog-differences.ts";
