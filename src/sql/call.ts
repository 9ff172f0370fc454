/** On whose behalf a unit of work runs: what `db.as(actor, …)` binds. */
export interface Actor {
  readonly userId?: string;
  readonly tenantId?: string;
  /** Why, for whoever reads the history. */
  readonly reason?: string;
  readonly requestId?: string;
}

/**
 * What one call brings to a statement that is written already: its arguments, and on whose behalf it runs. Everything
 * else about the statement follows from the call's shape, and is worked out once for all calls of that shape.
 */
export interface Call {
  readonly input: readonly unknown[];
  readonly actor: Actor | undefined;
  /** What an earlier statement of the same call found, for one that goes on from there: one array for each part of a key. */
  readonly found?: readonly Encoded[] | undefined;
}

/** A value as it travels: PostgreSQL's text, or bytes. */
export type Encoded = string | Buffer | null;
