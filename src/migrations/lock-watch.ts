import { setTimeout as sleep } from "node:timers/promises";
import { type Connection, type ConnectionTarget, connect, retarget } from "../driver/index.ts";
import { maskSql } from "./masked-sql.ts";
import { selectBlockers } from "./queries.ts";

/** A session that keeps a statement from its lock. Fields are absent where the role may not see them. */
export interface LockBlocker {
  /** 0 for a prepared transaction, which has no process. */
  readonly processId: number;
  readonly user: string | undefined;
  readonly applicationName: string | undefined;
  /** `client backend`, `autovacuum worker`, … */
  readonly backendType: string | undefined;
  /** `active`, `idle in transaction`, … */
  readonly state: string | undefined;
  /** How long its transaction has been open. */
  readonly transactionSeconds: number | undefined;
  /** What it runs, or ran last, with every value replaced by `?`. */
  readonly statement: string | undefined;
}

/** Looks, on a connection of its own, at who blocks the runner's session. */
export interface LockWatch {
  /**
   * Runs `work`, one statement of the runner, and looks every `everyMs` who blocks it: afterwards the lock is given
   * up and nobody can tell. The connection is opened with the first look, so a statement that is quick costs nothing.
   */
  during<T>(everyMs: number, work: () => Promise<T>, onBlocked?: BlockedListener): Promise<T>;
  /** Who blocked the last statement, when it was last seen waiting. */
  readonly blockers: readonly LockBlocker[];
  close(): Promise<void>;
}

export type BlockedListener = (blockers: readonly LockBlocker[], waitedMs: number) => void;

/** The watch over a session of `target`. Nothing is opened yet. It never fails: without an answer nobody is named. */
export function createLockWatch(target: ConnectionTarget, processId: number): LockWatch {
  let blockers: readonly LockBlocker[] = [];
  let opening: Promise<Connection | undefined> | undefined;
  const open = (): Promise<Connection | undefined> => {
    opening ??= openSession(target);
    return opening;
  };
  const look = async (): Promise<readonly LockBlocker[]> => {
    const connection = await open();
    if (connection === undefined) return [];
    return readBlockers(connection, processId).catch(() => []);
  };
  const watch = async (everyMs: number, over: AbortSignal, onBlocked?: BlockedListener): Promise<void> => {
    const start = performance.now();
    while (!over.aborted) {
      await sleep(everyMs, undefined, { signal: over, ref: false }).catch(() => undefined);
      if (over.aborted) return;
      const found = await look();
      // An answer that comes after the end speaks of the next statement.
      if (over.aborted || found.length === 0) continue;
      blockers = found;
      onBlocked?.(found, Math.round(performance.now() - start));
    }
  };
  return {
    get blockers() {
      return blockers;
    },
    during: async (everyMs, work, onBlocked) => {
      blockers = [];
      const over = new AbortController();
      // Not awaited: a look that hangs must not hold up the statement's end.
      void watch(everyMs, over.signal, onBlocked);
      try {
        return await work();
      } finally {
        over.abort();
      }
    },
    close: async () => {
      const connection = await opening;
      await connection?.close().catch(() => connection.destroy());
    },
  };
}

/** `app (psql), server process 4711, idle in transaction, its transaction open for 12 s: select … where id = ?` */
export function describeBlocker(blocker: LockBlocker): string {
  const { processId, user, applicationName, backendType, state, transactionSeconds, statement } = blocker;
  if (processId === 0) return "a prepared transaction (see pg_prepared_xacts)";
  const who =
    user ?? (backendType === undefined || backendType === "client backend" ? "another role" : backendType);
  const program = applicationName === undefined || applicationName === "" ? "" : ` (${applicationName})`;
  const doing = state === undefined ? "" : `, ${state}`;
  const since = transactionSeconds === undefined ? "" : `, its transaction open for ${transactionSeconds} s`;
  return `${who}${program}, server process ${processId}${doing}${since}${statement === undefined ? "" : `: ${statement}`}`;
}

async function openSession(target: ConnectionTarget): Promise<Connection | undefined> {
  const session = { applicationName: "plinth migrate (lock watch)", statementTimeoutMs: 5_000 };
  return connect(retarget(target, { session })).then(
    (connection) => {
      connection.unref();
      return connection;
    },
    // No free place on the server, say: the statement itself goes on.
    () => undefined,
  );
}

async function readBlockers(connection: Connection, processId: number): Promise<readonly LockBlocker[]> {
  const { rows } = await connection.query({ text: selectBlockers, values: [String(processId)] });
  return rows.map(([pid, user, applicationName, backendType, state, seconds, query]) => ({
    processId: Number(pid),
    user: user ?? undefined,
    applicationName: applicationName ?? undefined,
    backendType: backendType ?? undefined,
    state: state ?? undefined,
    transactionSeconds: seconds == null ? undefined : Number(seconds),
    statement: query == null || query === "" ? undefined : maskSql(query),
  }));
}
