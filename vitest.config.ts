import { fileURLToPath } from "node:url";
import { configDefaults, defineConfig } from "vitest/config";
import { canRunOn, chosenPostgres } from "./test/support/chosen-postgres.ts";

const src = fileURLToPath(new URL("./src/", import.meta.url));
const version = chosenPostgres();
const isRunnable = canRunOn(version);

/**
 * The second run, on the oldest supported server, repeats what speaks to a server. These do not, or bring the
 * embedded 18 in any case.
 */
const SAME_ON_EVERY_SERVER = ["test/contract/**", "src/{errors,config,sql,schema,embedded,cli,make}/**"];

export default defineConfig({
  resolve: {
    alias: [
      { find: /^plinth$/, replacement: `${src}index.ts` },
      { find: /^plinth\/(.+)$/, replacement: `${src}$1/index.ts` },
    ],
  },
  test: {
    include: isRunnable ? ["{src,test,examples}/**/*.test.ts"] : [],
    exclude: [...configDefaults.exclude, ...(version === 18 ? [] : SAME_ON_EVERY_SERVER)],
    passWithNoTests: !isRunnable,
    globalSetup: "./test/support/global-setup.ts",
    // Real processes: workers are killed, sockets are counted and environments differ.
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
