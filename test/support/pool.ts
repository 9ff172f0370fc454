import { onTestFinished } from "vitest";
import { parseTarget, type SessionSettings } from "../../src/driver/index.ts";
import { createPool, type Pool, type PoolOptions, type PoolWarning } from "../../src/pool/index.ts";
import { isPooledRun, throughPooler } from "./pooler.ts";
import { expectQuiet } from "./quiet.ts";

let made = 0;

/** Opens `count` connections and leaves them idle. */
export async function fillPool(pool: Pool, count: number): Promise<void> {
  const leases = await Promise.all(Array.from({ length: count }, () => pool.acquire()));
  for (const lease of leases) lease.release();
}

/** `url` is of `directly`: it goes past the pooler of a pooled run. */
export type WatchedPoolOptions = Partial<PoolOptions> & {
  readonly session?: Partial<SessionSettings>;
  readonly url?: string;
};

/** A pool on `url` for one test: watched for warnings, closed at the end. */
export interface WatchedPool {
  readonly pool: Pool;
  readonly warnings: PoolWarning[];
  /** `application_name` of its sessions. */
  readonly name: string;
  /** The common assertions after a fault; see `expectQuiet`. */
  quiet(): Promise<void>;
}

export function watchedPool(url: string | (() => string), options: WatchedPoolOptions = {}): WatchedPool {
  const name = `pool-test-${process.pid}-${++made}`;
  const warnings: PoolWarning[] = [];
  const { session, url: directUrl, ...rest } = options;
  const urlNow = () => (typeof url === "string" ? url : url());
  const pool = createPool({
    target: () =>
      parseTarget(directUrl === undefined ? throughPooler(urlNow()) : urlNow(), {
        ...session,
        applicationName: name,
      }),
    onWarning: (warning) => {
      // Of the run's own pooler everybody knows.
      if (!isPooledRun() || warning.code !== "POOL_NO_SESSION_SETTINGS") warnings.push(warning);
    },
    ...rest,
  });
  onTestFinished(() => pool.close({ deadlineMs: 100 }));
  return { pool, warnings, name, quiet: () => expectQuiet(pool, urlNow(), name) };
}
