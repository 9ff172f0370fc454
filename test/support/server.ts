import { startPostgres } from "./postgres.ts";

/** A running server a test file may use, shared with other files: make databases of your own on it. */
export interface TestServer {
  /** A superuser's URL of the `postgres` database. */
  readonly url: string;
  /** Ends it when it was started for this file; leaves a shared one alone. */
  stop(): Promise<void>;
}

/** The server of the whole run (`PLINTH_TEST_URL`, set by the global set-up), else one for this file. */
export async function testServer(): Promise<TestServer> {
  const url = process.env.PLINTH_TEST_URL;
  if (url !== undefined) return { url, stop: async () => {} };
  const cluster = await startPostgres();
  return { url: cluster.url, stop: () => cluster.remove() };
}
