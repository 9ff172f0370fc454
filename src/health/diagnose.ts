import { type Connection, type ConnectionTarget, connect } from "../driver/index.ts";
import type { HolderReport } from "../errors/index.ts";
import type { Pool, PoolStats } from "../pool/index.ts";

/** A transaction that is open in the database, of any client. */
export interface OpenTransaction {
  /** As in `pg_stat_activity.pid`. */
  readonly processId: number;
  readonly role: string;
  /** `application_name`; empty where the client gave none. */
  readonly application: string;
  /** `active`, `idle in transaction`, `idle in transaction (aborted)`, … */
  readonly state: string;
  /** Since it began. */
  readonly openMs: number;
  /** Since its state is this. */
  readonly stateMs: number;
  /** Those it waits for, by their process. Empty where it waits for nobody. */
  readonly blockedBy: readonly number[];
  /** Those that wait for it, themselves or by way of others. */
  readonly blocks: readonly number[];
  /** The line that began it: `file:line:column`. Of transactions of this process only. */
  readonly begunAt: string | undefined;
  /** Its last statement, as PostgreSQL shows it to this role. Other programs' may hold values. */
  readonly query: string;
}

/** What is going on in the database at this moment. */
export interface Diagnosis {
  /** The oldest first. */
  readonly transactions: readonly OpenTransaction[];
  /** What is wrong, in words, the worst first: who is idle in a transaction, who holds whom up. */
  readonly problems: readonly string[];
  readonly pool: PoolStats;
  /** Who holds a connection of this process, since when, from which line. */
  readonly holders: readonly HolderReport[];
}

/** What a diagnosis looks at. */
export interface DiagnosisSources {
  readonly pool: Pool;
  readonly target: ConnectionTarget;
}

/** A transaction that waits for the application this long is holding locks for no reason. */
const IDLE_MS = 5_000;
/** One that is open for this long keeps `vacuum` from what has died since. */
const LONG_MS = 60_000;

/** Looks by a connection of its own: the pool may be what is stuck. One connection and one statement. */
export async function diagnose({ pool, target }: DiagnosisSources): Promise<Diagnosis> {
  const connection = await connect(target);
  try {
    const seen = await readTransactions(connection);
    const holders = pool.holders();
    const lines = new Map(holders.map(({ processId, callSite }) => [processId, callSite]));
    const transactions = seen.map((transaction): OpenTransaction => {
      const blocks = waitersOf(transaction.processId, seen);
      return { ...transaction, blocks, begunAt: lines.get(transaction.processId) };
    });
    return { transactions, problems: problemsOf(transactions), pool: pool.stats, holders };
  } finally {
    await connection.close();
  }
}

type SeenTransaction = Omit<OpenTransaction, "blocks" | "begunAt">;

/** https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW */
const TRANSACTIONS = `
  select pid, coalesce(usename, ''), coalesce(application_name, ''), coalesce(state, ''), coalesce(query, ''),
    round(extract(epoch from clock_timestamp() - xact_start) * 1000),
    round(extract(epoch from clock_timestamp() - state_change) * 1000),
    case when wait_event_type = 'Lock' then array_to_string(pg_blocking_pids(pid), ',') else '' end
  from pg_catalog.pg_stat_activity
  where datname = current_database() and xact_start is not null and pid <> pg_backend_pid()
    and backend_type = 'client backend'
  order by xact_start, pid`;

async function readTransactions(connection: Connection): Promise<readonly SeenTransaction[]> {
  const { rows } = await connection.query({ text: TRANSACTIONS, values: [], leavesNoTrace: true });
  return rows.map(([pid, role, application, state, query, openMs, stateMs, blockers]) => ({
    processId: Number(pid),
    role: role ?? "",
    application: application ?? "",
    state: state ?? "",
    openMs: Math.max(0, Number(openMs)),
    stateMs: Math.max(0, Number(stateMs)),
    // A prepared transaction has no process, and is shown as 0.
    blockedBy: [...new Set((blockers ?? "").split(",").filter(Boolean).map(Number))],
    query: query ?? "",
  }));
}

/** Everybody who waits for a process, also at second hand. */
function waitersOf(processId: number, seen: readonly SeenTransaction[]): readonly number[] {
  const waiting = new Set<number>();
  const look = (blocker: number): void => {
    for (const other of seen) {
      if (!other.blockedBy.includes(blocker) || waiting.has(other.processId)) continue;
      waiting.add(other.processId);
      look(other.processId);
    }
  };
  look(processId);
  waiting.delete(processId);
  return [...waiting];
}

function problemsOf(transactions: readonly OpenTransaction[]): readonly string[] {
  const found = transactions.flatMap((transaction): { readonly rank: number; readonly text: string }[] => {
    const { blocks, blockedBy, state, stateMs, openMs } = transaction;
    const isIdle = state.startsWith("idle in transaction");
    const held =
      blocks.length === 0 ? "" : `, and ${blocks.length} ${blocks.length === 1 ? "waits" : "wait"} for it`;
    const who = describeTransaction(transaction);
    if (isIdle && (stateMs >= IDLE_MS || blocks.length > 0)) {
      return [
        {
          rank: blocks.length + 1,
          text: `${who} has been idle in a transaction for ${seconds(stateMs)}${held}`,
        },
      ];
    }
    if (blocks.length > 0 && blockedBy.length === 0) {
      return [{ rank: blocks.length, text: `${who} has been running for ${seconds(openMs)}${held}` }];
    }
    if (openMs >= LONG_MS)
      return [{ rank: 0, text: `${who} has been in a transaction for ${seconds(openMs)}` }];
    return [];
  });
  return found.toSorted((one, other) => other.rank - one.rank).map(({ text }) => text);
}

function describeTransaction({ processId, role, application, begunAt }: OpenTransaction): string {
  const name = application === "" ? role : `${role}, ${application}`;
  return `process ${processId} (${name})${begunAt === undefined ? "" : `, begun at ${begunAt},`}`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
