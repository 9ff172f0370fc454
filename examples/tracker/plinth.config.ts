import { defineConfig } from "plinth";

/** Where the command line finds the tracker's tables, migrations and seeds. The database is DATABASE_URL's, or the embedded one. */
export default defineConfig({
  schema: "./schema.ts",
  migrations: { folder: "./migrations" },
  seeds: { folder: "./seeds" },
});
