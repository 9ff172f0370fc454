/** A runner in a process of its own, for tests that kill it: `URL SCHEMA FOLDER up|down`. */
import { parseTarget } from "../driver/index.ts";
import { createMigrator } from "./index.ts";

const [url = "", schemaName = "", folder = "", command] = process.argv.slice(2);
const migrator = createMigrator({ target: parseTarget(url), schemaName, folder, isProduction: false });
const run = command === "down" ? await migrator.down() : await migrator.up();
process.stdout.write(`${JSON.stringify(run.ran.map((migration) => migration.fileName))}\n`);
