// Lending connections
export { createPool } from "./create-pool.ts";
export type { AcquireOptions, Lease, Pool, PoolStats, PoolVerification } from "./pool.ts";

// How a pool behaves
export {
  emitWarning,
  POOL_ACQUIRE_TIMEOUT_MS_DEFAULT,
  POOL_IDLE_TIMEOUT_MS_DEFAULT,
  POOL_INSTANCES_DEFAULT,
  POOL_LEAK_WARNING_MS_DEFAULT,
  POOL_MAX_DEFAULT,
  POOL_MAX_LIFETIME_MS_DEFAULT,
  POOL_MAX_LIMIT,
  POOL_MIN_DEFAULT,
  POOL_PROBE_AFTER_IDLE_MS_DEFAULT,
  POOL_QUEUE_LIMIT_DEFAULT,
  type PoolOptions,
  type PoolWarning,
} from "./options.ts";
