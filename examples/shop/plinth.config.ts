import { defineConfig } from "plinth";

/** Where the command line finds the tables and the migrations. The database is DATABASE_URL's, or the embedded one. */
export default defineConfig({ schema: "./schema.ts", migrations: { folder: "./migrations" } });
