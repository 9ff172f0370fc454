import { chosenPostgres } from "./chosen-postgres.ts";
import { startPostgres } from "./postgres.ts";

/**
 * Starts the one server all tests of a run share, and tells the workers where it is in `PLINTH_TEST_URL`. Each
 * test file makes databases of its own on it.
 */
export default async function globalSetup(): Promise<() => Promise<void>> {
  // Two workers, each with pools, templates and clones at once: the default of 100 is tight.
  const server = await startPostgres({ version: chosenPostgres(), settings: { max_connections: 200 } });
  process.env.PLINTH_TEST_URL = server.url;
  return () => server.remove();
}
