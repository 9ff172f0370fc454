import type { Health } from "../health/index.ts";

/** A status and a body for it, whatever the web framework. */
export interface HealthAnswer<B> {
  readonly status: 200 | 503;
  readonly body: B;
}

/** The process runs and its event loop turns. Asks nothing of the database: restarting us would not bring it back. */
export function liveness(): HealthAnswer<{ readonly status: "ok" }> {
  return { status: 200, body: { status: "ok" } };
}

/**
 * Whether to send traffic here: 503 with the reason in each check while the database is away, migrations are pending,
 * or the pool is stuck. Answers within two seconds and never throws.
 *
 * @example
 * ```ts
 * app.get("/health/ready", async (c) => { const { status, body } = await readiness(db); return c.json(body, status); });
 * // 503 {"status":"unavailable","checks":{"database":{"status":"failed","reason":"…"},"migrations":…,"pool":…}}
 * ```
 */
export async function readiness(database: { health(): Promise<Health> }): Promise<HealthAnswer<Health>> {
  const health = await database.health();
  return { status: health.status === "ok" ? 200 : 503, body: health };
}
