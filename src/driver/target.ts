/**
 * What speaks the protocol once a session is open: Plinth itself, or the `pg` library. Both pass the same tests;
 * `pg` is slower, never pipelines, and is there for when a network between needs it (ADR 0022).
 */
export type WireChoice = "plinth" | "pg";

/** Where and as whom to connect, and how the session is set up. Built by `parseTarget`, frozen. */
export interface ConnectionTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Kept off logs: not enumerable on the objects `parseTarget` makes. */
  readonly password: string | undefined;
  readonly database: string;
  readonly tls: "disable" | "require" | "verify-full";
  readonly session: SessionSettings;
}

/** Settings every session starts with. A zero switches a time-out off, as in PostgreSQL. */
export interface SessionSettings {
  readonly applicationName: string;
  readonly connectTimeoutMs: number;
  readonly keepAlive: boolean;
  readonly keepAliveDelayMs: number;
  readonly statementTimeoutMs: number;
  readonly lockTimeoutMs: number;
  readonly idleInTransactionTimeoutMs: number;
  /** @default "plinth" */
  readonly wire: WireChoice;
}
