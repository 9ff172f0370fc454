/**
 * A runner in a process of its own, for tests that kill it: `URL SCHEMA FOLDER up|down`. Tells its parent when it begins
 * with a migration.
 */
import { parseTarget } from "../driver/index.ts";
import { createMigrator } from "./runner.ts";

const [url = "", schemaName = "", folder = "", command] = process.argv.slice(2);
const migrator = createMigrator({
  target: parseTarget(url),
  schemaName,
  folder,
  isProduction: false,
  onProgress: ({ kind }) => {
    if (kind === "started") process.send?.(kind);
  },
});
// The channel alone must not keep it alive.
process.channel?.unref();
const run = command === "down" ? await migrator.down() : await migrator.up();
process.stdout.write(`${JSON.stringify(run.ran.map((migration) => migration.fileName))}\n`);
