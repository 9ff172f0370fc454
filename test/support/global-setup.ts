import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chosenPostgres } from "./chosen-postgres.ts";
import { canPool, startPgBouncer } from "./pgbouncer.ts";
import { startPostgres } from "./postgres.ts";

/** Fewer than a test's pool, so that statements of one client meet several sessions. */
const POOLER_CONNECTIONS = 3;

/**
 * Starts the one server all tests of a run share, and tells the workers where it is in `PLINTH_TEST_URL`. Each
 * test file makes databases of its own on it. With `PLINTH_TEST_POOLER=1` a PgBouncer stands in front of it.
 */
export default async function globalSetup(): Promise<() => Promise<void>> {
  // Two workers, each with pools, templates and clones at once: the default of 100 is tight.
  const server = await startPostgres({ version: chosenPostgres(), settings: { max_connections: 200 } });
  process.env.PLINTH_TEST_URL = server.url;
  const stopPooler =
    process.env.PLINTH_TEST_POOLER === "1" && canPool() ? await startPooler(server.url) : undefined;
  return async () => {
    await stopPooler?.();
    await server.remove();
  };
}

async function startPooler(serverUrl: string): Promise<() => Promise<void>> {
  const pooler = await startPgBouncer(serverUrl, {
    poolSize: POOLER_CONNECTIONS,
    settings: { server_idle_timeout: 10 },
  });
  const folder = mkdtempSync(join(tmpdir(), "plinth-direct-"));
  const log = join(folder, "direct.txt");
  writeFileSync(log, "");
  process.env.PLINTH_TEST_POOLER_URL = pooler.urlOf(serverUrl);
  process.env.PLINTH_TEST_DIRECT_LOG = log;
  return async () => {
    const reasons = readFileSync(log, "utf8").split("\n").filter(Boolean);
    process.stderr.write(`\n${reasons.length} databases were opened past the pooler:\n`);
    for (const why of new Set(reasons)) process.stderr.write(`  ${why}\n`);
    rmSync(folder, { recursive: true, force: true });
    await pooler.stop();
  };
}
