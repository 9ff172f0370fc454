import type { Connection } from "../driver/index.ts";
import { InputError, SafetyError, unknownName } from "../errors/index.ts";
import type { EntityDescription } from "../schema/index.ts";
import {
  countDead,
  cutOff,
  lockPurge,
  removeBatch,
  seeAllOrFail,
  seeAsUsual,
  unlockPurge,
} from "./purge-queries.ts";

/** `pg_locks.classid` and `objid` of the lock between purges: "plin" as a number, and a 2. */
const LOCK = ["1886153070", "2"];

export const PURGE_BATCH_DEFAULT = 1_000;
export const PURGE_BATCH_LIMIT = 100_000;

/** What is removed for good, and how. */
export interface PurgeOptions {
  /** A session outside a transaction, of a role that may delete. */
  readonly connection: Connection;
  /** Everything the schema declares: what refers to a row decides whether it can go. */
  readonly entities: readonly EntityDescription[];
  /** Rows that died longer ago than this, by the database's clock. */
  readonly olderThanDays: number;
  /** One table only. @default all that are soft-deleted */
  readonly table?: string | undefined;
  /** Rows looked at in one transaction. @default 1_000. Limit: 100_000. */
  readonly batchRows?: number | undefined;
  /** Counts, and removes nothing. @default false */
  readonly dryRun?: boolean | undefined;
  /** Stops before the next batch. */
  readonly signal?: AbortSignal | undefined;
}

/** What became of one table's dead rows. */
export interface PurgedTable {
  readonly table: string;
  /** In a dry run: how many are old enough. */
  readonly removedRows: number;
  /** Old enough, and still there: rows that are not refer to them, or another session holds them. */
  readonly keptRows: number;
  /** One batch, its values in it, without the key that it goes on from. */
  readonly statement: string;
}

/**
 * Removes the rows that have been dead for a time: below their parents first, in batches that are a transaction each. It
 * removes no row that another still refers to by CASCADE, RESTRICT or NO ACTION, so no row goes along uncounted, and none
 * that lives or died since; such a row is counted as kept. It may be stopped at any time: the next run goes on.
 *
 * Cost: a walk along the primary key for each table, and for each row the look-ups that its foreign keys make; a child's
 * foreign key needs an index.
 *
 * @throws {SAFETY_REFUSED} while another purge works on the database.
 * @throws {ROW_SECURITY_VIOLATION} for a role that policies bind: of tenants' rows it could see none.
 * @throws {INVALID_VALUE} for a table that is not soft-deleted, and a limit.
 */
export async function purgeDead(options: PurgeOptions): Promise<readonly PurgedTable[]> {
  const { connection } = options;
  await connection.query({ text: seeAllOrFail, values: [] });
  try {
    return await purgeSeen(options);
  } finally {
    if (connection.isOpen) await connection.query({ text: seeAsUsual, values: [] }).catch(() => undefined);
  }
}

async function purgeSeen(options: PurgeOptions): Promise<readonly PurgedTable[]> {
  const { connection, signal, dryRun = false } = options;
  const tables = chosenTables(options);
  const batchRows = wholeNumber("batchRows", options.batchRows ?? PURGE_BATCH_DEFAULT, PURGE_BATCH_LIMIT);
  const days = wholeNumber("olderThanDays", options.olderThanDays, 100_000);
  const before = String((await connection.query({ text: cutOff, values: [String(days)] })).rows[0]?.[0]);
  const walks = tables.map((entity) => new Walk(options, entity, before, batchRows));
  if (dryRun) {
    const counted: PurgedTable[] = [];
    for (const walk of walks) counted.push(await walk.count());
    return counted;
  }
  await takeLock(connection);
  try {
    // What refers to each other in a circle of tables, and trees, take several rounds.
    for (let isMoving = true; isMoving; ) {
      isMoving = false;
      for (const walk of walks) isMoving = (await walk.run(signal)) || isMoving;
    }
  } finally {
    // Closing the session frees it as well.
    if (connection.isOpen) await connection.query({ text: unlockPurge, values: LOCK }).catch(() => undefined);
  }
  return walks.map((walk) => walk.result);
}

/** One table's rows, batch by batch along its key. */
class Walk {
  readonly #connection: Connection;
  readonly #entity: EntityDescription;
  readonly #entities: readonly EntityDescription[];
  readonly #before: string;
  readonly #batchRows: number;
  #removed = 0;
  #kept = 0;
  #isDone = false;

  constructor(options: PurgeOptions, entity: EntityDescription, before: string, batchRows: number) {
    this.#connection = options.connection;
    this.#entities = options.entities;
    this.#entity = entity;
    this.#before = before;
    this.#batchRows = batchRows;
  }

  get result(): PurgedTable {
    return {
      table: this.#entity.name,
      removedRows: this.#removed,
      keptRows: this.#kept,
      statement: this.#batch(undefined).text,
    };
  }

  async count(): Promise<PurgedTable> {
    const { rows } = await this.#connection.query(countDead(this.#entity, this.#before));
    return { ...this.result, removedRows: Number(rows[0]?.[0]) };
  }

  /** Whether another round could remove more: this one removed some, and left some. */
  async run(signal: AbortSignal | undefined): Promise<boolean> {
    if (this.#isDone) return false;
    let [removed, kept] = [0, 0];
    for (let after: readonly string[] | undefined; ; ) {
      signal?.throwIfAborted();
      const { rows } = await this.#connection.query(this.#batch(after));
      const [seen, gone, ...last] = rows[0] ?? [];
      removed += Number(gone);
      kept += Number(seen) - Number(gone);
      if (Number(seen) < this.#batchRows) break;
      after = last.map(String);
    }
    this.#removed += removed;
    this.#kept = kept;
    this.#isDone = kept === 0;
    return removed > 0;
  }

  #batch(after: readonly string[] | undefined): ReturnType<typeof removeBatch> {
    return removeBatch(this.#entity, this.#entities, {
      before: this.#before,
      batchRows: this.#batchRows,
      after,
    });
  }
}

async function takeLock(connection: Connection): Promise<void> {
  const { rows } = await connection.query({ text: lockPurge, values: LOCK });
  if (rows[0]?.[0] === "t") return;
  throw new SafetyError("another purge works on this database", {
    hint: "Nothing was changed. Wait for it: what it leaves behind, the next one finds.",
  });
}

/** Those that refer to others come first; where tables refer to each other, in the order they are declared. */
function chosenTables({ entities, table }: PurgeOptions): readonly EntityDescription[] {
  const soft = entities.filter((entity) => entity.softDelete);
  if (table !== undefined) {
    const named = soft.find(({ name }) => name === table);
    if (named !== undefined) return [named];
    const message = unknownName(
      "soft-deleted table",
      table,
      soft.map(({ name }) => name),
    );
    throw new InputError("INVALID_VALUE", [{ path: "table", message }]);
  }
  const ordered = new Set<EntityDescription>();
  const visited = new Set<EntityDescription>();
  const visit = (entity: EntityDescription): void => {
    if (visited.has(entity)) return;
    visited.add(entity);
    for (const child of soft) if (child.foreignKeys.some(({ target }) => target === entity)) visit(child);
    ordered.add(entity);
  };
  for (const entity of soft) visit(entity);
  return [...ordered];
}

function wholeNumber(path: string, value: number, limit: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= limit) return value;
  throw new InputError("INVALID_VALUE", [{ path, message: `must be a whole number from 1 to ${limit}` }]);
}
