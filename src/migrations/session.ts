import type { Connection } from "../driver/index.ts";
import { ConnectionError } from "../errors/index.ts";
import { quoteIdentifier } from "../sql/index.ts";

/** @see https://www.postgresql.org/docs/current/runtime-config-connection.html#GUC-CLIENT-CONNECTION-CHECK-INTERVAL */
const NOTICE_DEAD_CLIENT = "set client_connection_check_interval to '2s'";

/** A build that waits for other transactions blocks nobody, and giving it up means starting again. */
const CONCURRENT_LOCK_TIMEOUT_MS = 1_800_000;

/** What every migration's session is set to. */
export interface SessionPins {
  readonly schemaName: string;
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
  /** The server can notice that a client has died (`checksClients`). */
  readonly noticesDeadClient: boolean;
}

/**
 * The statements that bring the session into the state every migration begins with, whatever the previous one
 * set. Names without a schema mean the application's, which is what lets `DATABASE_SCHEMA` rename it. With row security off a
 * role that policies bind fails where it would otherwise change none of the rows they hide.
 */
export function pinSession(pins: SessionPins): string {
  return `reset session authorization;
reset role;
reset all;
set search_path to ${quoteIdentifier(pins.schemaName)};
set lock_timeout to ${pins.lockTimeoutMs};
set statement_timeout to ${pins.statementTimeoutMs};
set row_security to off;
set idle_in_transaction_session_timeout to 0${pins.noticesDeadClient ? `;\n${NOTICE_DEAD_CLIENT}` : ""}`;
}

/** The lock time-out of a statement that runs outside a transaction. */
export function concurrentLockTimeout(pins: SessionPins): string {
  return `set lock_timeout to ${Math.max(pins.lockTimeoutMs, CONCURRENT_LOCK_TIMEOUT_MS)}`;
}

const WATCH_MS = { least: 10, most: 1_000 } as const;

/** How often to look who blocks a statement: several times before it gives up. */
export function watchEveryMs({ lockTimeoutMs }: SessionPins): number {
  if (lockTimeoutMs === 0) return WATCH_MS.most;
  return Math.min(Math.max(lockTimeoutMs / 4, WATCH_MS.least), WATCH_MS.most);
}

export function usualLockTimeout(pins: SessionPins): string {
  return `set lock_timeout to ${pins.lockTimeoutMs}`;
}

/**
 * Whether the server can be told to notice within seconds that a runner was killed, so that its statement stops
 * and its lock is free. Some platforms cannot check, and refuse the setting: there the server finishes what the
 * killed runner had begun, and the next one waits for it.
 */
export async function canNoticeDeadClient(connection: Connection): Promise<boolean> {
  return connection.script(NOTICE_DEAD_CLIENT).then(
    () => true,
    () => {
      if (!connection.isOpen)
        throw new ConnectionError("CONNECTION_LOST", "the session ended while it was set up");
      return false;
    },
  );
}
