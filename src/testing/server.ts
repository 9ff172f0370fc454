import { loadEnvironment } from "../config/index.ts";
import { startEmbedded } from "../embedded/index.ts";

/** Which server tests run on. */
export interface TestServerOptions {
  /** `postgres://user:password@host:port/database` of a role that may create databases. The database is only connected to. */
  readonly url?: string | undefined;
  /** The project's folder: where `.env` and the embedded server's data are. @default the working directory */
  readonly directory?: string | undefined;
}

/** A server for tests, and our share in it. */
export interface TestServer {
  /** With the password. */
  readonly url: string;
  /** Of a pooler in front of it (`PLINTH_TEST_POOLER_URL`), by which test databases are then opened. */
  readonly poolerUrl: string | undefined;
  /** Ends our share: the embedded server stops with its last user, any other is left alone. */
  release(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Finds the server for tests: `url`, else `PLINTH_TEST_URL`, else `DATABASE_URL`, else a second embedded server of
 * the project, apart from the one with your data and without its care for crashes.
 *
 * `testDatabase` calls it by itself. Call it in the global set-up of a run as well, and the embedded server starts
 * once, not with every file.
 *
 * @throws {EMBEDDED_MISSING} {EMBEDDED_FAILED} when the embedded server is needed and cannot start.
 *
 * @example
 * ```ts
 * // vitest: globalSetup
 * export default async function () {
 *   const server = await testServer({ directory: import.meta.dirname });
 *   process.env.PLINTH_TEST_URL = server.url;
 *   return () => server.release();
 * }
 * ```
 */
export async function testServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { url, directory = process.cwd() } = options;
  const { environment } = loadEnvironment({ directories: [directory], environment: process.env });
  const { PLINTH_TEST_URL: testUrl, PLINTH_TEST_POOLER_URL: poolerUrl, DATABASE_URL } = environment;
  // A server that is named otherwise is not the one the pooler stands in front of.
  if (url === undefined && testUrl) return shared(testUrl, async () => {}, poolerUrl || undefined);
  const given = url ?? (DATABASE_URL || undefined);
  if (given !== undefined) return shared(given, async () => {});
  const embedded = await startEmbedded({ directory, durable: false, name: "test" });
  return shared(embedded.url, () => embedded.release());
}

function shared(url: string, release: () => Promise<void>, poolerUrl?: string): TestServer {
  return Object.freeze({ url, poolerUrl, release, [Symbol.asyncDispose]: release });
}
