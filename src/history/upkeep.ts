import type { Connection, StatementCall } from "../driver/index.ts";
import { InputError } from "../errors/index.ts";
import { historyBeginText, quoteIdentifier, quoteLiteral } from "../sql/index.ts";
import {
  countOlder,
  deleteOlder,
  existsBetween,
  existsBound,
  existsOlder,
  notePruned,
  selectHistories,
  selectPartitions,
} from "./queries.ts";

/** Rows deleted in one transaction. */
const BATCH_ROWS = 10_000;
/** A partition is made or dropped under a lock that writes wait for; rather than hold them up, it is left for next time. */
const LOCK_TIMEOUT = "5s";

export const MONTHS_AHEAD_DEFAULT = 3;
export const MONTHS_AHEAD_LIMIT = 120;

/** Where histories are looked after. */
export interface HistoryUpkeep {
  /** A session of the tables' owner, outside a transaction. */
  readonly connection: Connection;
  readonly schemaName: string;
  /** Says what would be done, and does nothing. @default false */
  readonly dryRun?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How far ahead to look. */
export interface PrepareHistoryOptions extends HistoryUpkeep {
  /** Months, this one among them. @default 3. Limit: 120. */
  readonly months?: number | undefined;
  /** @default the process's clock */
  readonly now?: Date | undefined;
}

/** What is too old. */
export interface PruneHistoryOptions extends HistoryUpkeep {
  readonly before: Date;
}

/** What was done to one history, or would be. */
export interface HistoryPreparation {
  readonly table: string;
  readonly made: readonly string[];
  /**
   * Nothing said when the history began, which is then as of now: its table was made by other hands than a migration's, or
   * loaded without its rows.
   */
  readonly notedBegin: boolean;
  /** The SQL that does so. */
  readonly statements: readonly string[];
}

export interface HistoryPruning {
  readonly table: string;
  /** Partitions that were older as a whole: dropped, with all their rows. */
  readonly dropped: readonly string[];
  /** Rows of the others that were older. */
  readonly deletedRows: number;
  /** The SQL that takes them away; a deletion is run again until nothing is left. */
  readonly statements: readonly string[];
}

/**
 * Makes the partitions of this month and the next ones, where they are missing. A write needs none of them: its row goes
 * into the default partition otherwise, where it can only be deleted, not dropped. A month that has rows there already is
 * passed over.
 *
 * Their names begin with `plinth_`, so they are no part of the schema: nothing compares, dumps or generates them.
 *
 * Where nothing says from when on the past is known, it says that it is from now on: without, `asOf` refuses every moment.
 */
export async function prepareHistory(options: PrepareHistoryOptions): Promise<readonly HistoryPreparation[]> {
  const { connection, schemaName, dryRun = false, signal } = options;
  const { months = MONTHS_AHEAD_DEFAULT, now = new Date() } = options;
  if (!Number.isInteger(months) || months < 1 || months > MONTHS_AHEAD_LIMIT) {
    throw new InputError("INVALID_VALUE", [
      { path: "months", message: `must be a whole number from 1 to ${MONTHS_AHEAD_LIMIT}` },
    ]);
  }
  const done: HistoryPreparation[] = [];
  for (const history of await historiesOf(connection, schemaName)) {
    const made: string[] = [];
    const statements: string[] = [];
    for (let ahead = 0; ahead < months; ahead++) {
      signal?.throwIfAborted();
      const month = monthOf(now, ahead);
      if (
        history.partitions.some(
          ({ isDefault, from, to }) => !isDefault && from < month.toMs && month.fromMs < to,
        )
      )
        continue;
      const rest = history.partitions.find(({ isDefault }) => isDefault);
      if (rest !== undefined && (await isTrue(connection, existsBetween(rest.path, month.from, month.to))))
        continue;
      const name = `plinth_${history.name}_${month.name}`;
      const own = partitionStatements(schemaName, history, { ...month, name });
      if (!dryRun) await inTransaction(connection, own);
      made.push(name);
      statements.push(...own);
    }
    const notedBegin = !(await isTrue(connection, existsBound(history.path)));
    if (notedBegin) {
      const note = historyBeginText(history.path);
      if (!dryRun) await connection.query({ text: note, values: [] });
      statements.push(note);
    }
    done.push({ table: history.name, made, notedBegin, statements });
  }
  return done;
}

/**
 * Deletes what is older than a moment: partitions that are older as a whole are dropped, of the others rows go in batches
 * of 10,000, a transaction each. What is younger stays complete: the past of a row is told by what came after it. That it is
 * gone is noted before it goes, so that no reader and no interruption meets a past with holes.
 *
 * @throws {PERMISSION_DENIED} for a role that is not the tables' owner.
 */
export async function pruneHistory(options: PruneHistoryOptions): Promise<readonly HistoryPruning[]> {
  const { connection, schemaName, before, dryRun = false, signal } = options;
  const moment = before.toISOString();
  const done: HistoryPruning[] = [];
  for (const history of await historiesOf(connection, schemaName)) {
    const dropped: string[] = [];
    const statements: string[] = [];
    let deletedRows = 0;
    if (await hasOlder(connection, history, before)) {
      const note = notePruned(history.path, moment);
      if (!dryRun) await connection.query({ text: note, values: [] });
      statements.push(note);
    }
    for (const partition of history.partitions) {
      signal?.throwIfAborted();
      if (partition.to <= before.getTime()) {
        const drop = `drop table ${partition.path}`;
        if (!dryRun) await inTransaction(connection, [drop]);
        dropped.push(partition.name);
        statements.push(drop);
      } else if (partition.from < before.getTime()) {
        const rows = dryRun
          ? Number(await cellOf(connection, countOlder(partition.path, moment)))
          : await deleteRows(connection, partition, moment, signal);
        if (rows > 0)
          statements.push(`delete from only ${partition.path} where at < ${quoteLiteral(moment)}`);
        deletedRows += rows;
      }
    }
    done.push({ table: history.name, dropped, deletedRows, statements });
  }
  return done;
}

async function hasOlder(connection: Connection, { partitions }: History, before: Date): Promise<boolean> {
  for (const { path, from, to } of partitions) {
    if (to <= before.getTime()) return true;
    if (from >= before.getTime()) continue;
    if (await isTrue(connection, existsOlder(path, before.toISOString()))) return true;
  }
  return false;
}

interface History {
  readonly name: string;
  /** Its name in SQL, with the schema. */
  readonly path: string;
  readonly guard: string;
  /** Policies show a tenant's rows alone. */
  readonly isSecured: boolean;
  readonly partitions: readonly Partition[];
}

interface Partition {
  readonly name: string;
  readonly path: string;
  readonly isDefault: boolean;
  /** Of the default partition: all time. */
  readonly from: number;
  readonly to: number;
}

async function historiesOf(connection: Connection, schemaName: string): Promise<readonly History[]> {
  const { rows } = await connection.query(selectHistories(schemaName));
  const histories: History[] = [];
  for (const [oid, name = "", path = "", guard = "", secured = ""] of rows) {
    const parts = await connection.query(selectPartitions(oid ?? ""));
    const partitions = parts.rows.map(([partition, partitionPath, , , from = null, to = null]) => ({
      name: partition ?? "",
      path: partitionPath ?? "",
      isDefault: from === null,
      from: from === null ? Number.NEGATIVE_INFINITY : Number(from),
      to: to === null ? Number.POSITIVE_INFINITY : Number(to),
    }));
    histories.push({
      name: name ?? "",
      path: path ?? "",
      guard: guard ?? "",
      isSecured: secured === "t",
      partitions,
    });
  }
  return histories;
}

interface Month {
  /** `2026_11` */
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Months of UTC: the same ones wherever it runs. */
function monthOf(now: Date, ahead: number): Month {
  const [from, to] = [0, 1].map(
    (more) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead + more, 1)),
  );
  const [start, end] = [from?.toISOString() ?? "", to?.toISOString() ?? ""];
  return {
    name: start.slice(0, 7).replace("-", "_"),
    from: start,
    to: end,
    fromMs: from?.getTime() ?? 0,
    toMs: to?.getTime() ?? 0,
  };
}

/** Attached, not made in place: that would keep everybody out of the whole history, readers too. */
function partitionStatements(
  schemaName: string,
  { path, guard, isSecured }: History,
  { name, from, to }: Pick<Month, "name" | "from" | "to">,
): readonly string[] {
  const partition = `${quoteIdentifier(schemaName)}.${quoteIdentifier(name)}`;
  return [
    `create table ${partition} (like ${path} including defaults including constraints including indexes)`,
    `create trigger history_guard before insert or update or delete or truncate on ${partition} for each statement execute function ${guard}()`,
    // Without a policy of its own: who reads the whole table meets the policy there, and nobody else reads a part.
    ...(isSecured ? [`alter table ${partition} enable row level security`] : []),
    `alter table ${path} attach partition ${partition} for values from (${quoteLiteral(from)}) to (${quoteLiteral(to)})`,
  ];
}

async function deleteRows(
  connection: Connection,
  { path }: Partition,
  before: string,
  signal: AbortSignal | undefined,
): Promise<number> {
  let deleted = 0;
  for (;;) {
    signal?.throwIfAborted();
    const [, outcome] = await connection.batch([
      { text: "select set_config('plinth.history_pruning', 'on', true)", values: [] },
      deleteOlder(path, before, BATCH_ROWS),
    ]);
    const count = outcome?.rowCount ?? 0;
    deleted += count;
    if (count < BATCH_ROWS) return deleted;
  }
}

/** One Sync, which is one transaction. */
async function inTransaction(connection: Connection, statements: readonly string[]): Promise<void> {
  await connection.batch(
    [`select set_config('lock_timeout', '${LOCK_TIMEOUT}', true)`, ...statements].map((text) => ({
      text,
      values: [],
    })),
  );
}

async function cellOf(connection: Connection, call: StatementCall): Promise<string | null> {
  return (await connection.query(call)).rows[0]?.[0] ?? null;
}

async function isTrue(connection: Connection, call: StatementCall): Promise<boolean> {
  return (await cellOf(connection, call)) === "t";
}
