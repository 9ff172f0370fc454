import { setTimeout as sleep } from "node:timers/promises";
import type { Cell, Connection } from "../../driver/index.ts";
import type { Form } from "./corpus.fixture.ts";
import type { LockMode, StatementEffects } from "./model.ts";

/** What the server did with one form. */
export type Truth =
  | { readonly effects: StatementEffects; readonly sqlstate: undefined }
  | { readonly effects: undefined; readonly sqlstate: string };

/** The schema every form runs in; its names are bare in effects. */
export const CORPUS_SCHEMA = "corpus";

/** Weakest first. */
const MODES: readonly LockMode[] = [
  "AccessShareLock",
  "RowShareLock",
  "RowExclusiveLock",
  "ShareUpdateExclusiveLock",
  "ShareLock",
  "ShareRowExclusiveLock",
  "ExclusiveLock",
  "AccessExclusiveLock",
];

const RELATIONS = `
select c.oid::text, c.relfilenode::text, c.relkind::text,
  case when n.nspname = '${CORPUS_SCHEMA}' then '' else quote_ident(n.nspname) || '.' end || quote_ident(c.relname),
  pg_stat_get_xact_numscans(c.oid)::text, pg_stat_get_xact_tuples_returned(c.oid)::text,
  (c.relkind in ('r', 'm') and pg_relation_size(c.oid) = 0)::text
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'm', 'v', 'i', 'I', 'S')
  and c.relpersistence <> 't'
  and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')`;

/** Without a list `analyze` reads the system catalogs as well, which takes longer than everything else. */
const ANALYZE = `
do $$
declare name text;
begin
  for name in select format('%I', relname) from pg_class
    where relnamespace = '${CORPUS_SCHEMA}'::regnamespace and relkind in ('r', 'm', 'p')
  loop
    execute 'analyze ' || name;
  end loop;
end $$`;

const EMPTY = `
do $$
declare names text;
begin
  select string_agg(format('%I.%I', n.nspname, c.relname), ', ') into names
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('${CORPUS_SCHEMA}', 'side') and c.relkind in ('r', 'p');
  if names is not null then
    execute 'truncate ' || names || ' cascade';
  end if;
end $$`;

interface Relation {
  readonly oid: string;
  readonly filenode: string;
  readonly kind: string;
  readonly name: string;
  readonly scans: number;
  readonly rowsRead: number;
  readonly isEmpty: boolean;
}

/** Sets up an empty schema for a form, as if the migrations before its file had run. */
export async function prepareGround(connection: Connection, form: Pick<Form, "setup">): Promise<void> {
  await prepareSession(connection);
  await connection.script(`drop schema if exists ${CORPUS_SCHEMA} cascade;\ncreate schema ${CORPUS_SCHEMA}`);
  await connection.script(form.setup);
  await connection.script(ANALYZE);
}

/** The same ground without a row, as migrations leave it on a shadow database. */
export async function prepareEmptyGround(connection: Connection, form: Pick<Form, "setup">): Promise<void> {
  await prepareSession(connection);
  await connection.script(`drop schema if exists ${CORPUS_SCHEMA} cascade;\ncreate schema ${CORPUS_SCHEMA}`);
  await connection.script(form.setup);
  await connection.script(EMPTY);
}

/** Brings a session into the state that forms begin with, whatever the last one left. */
export async function prepareSession(connection: Connection): Promise<void> {
  await connection.script(`
rollback;
reset all;
discard temp;
set client_min_messages to error;
set search_path to ${CORPUS_SCHEMA};
set timezone to 'UTC'`);
}

/** An index for one row and a scan for many, although no table is large. */
const LIKE_LARGE_TABLES = `
set random_page_cost to 0.5;
set enable_mergejoin to off;
set enable_indexonlyscan to off;
set max_parallel_workers_per_gather to 0;
set max_parallel_maintenance_workers to 0`;

/**
 * Runs the form and reads what it did off the server: a plain script that shares nothing with the linter.
 * What can run in a transaction is rolled back.
 */
export async function measureForm(connection: Connection, form: Form): Promise<Truth> {
  await connection.script(`${LIKE_LARGE_TABLES};\ndiscard plans;\nbegin`);
  const before = await relations(connection, "transaction");
  try {
    await connection.script(form.sql);
  } catch (error) {
    await connection.script("rollback");
    return { effects: undefined, sqlstate: sqlstateOf(error) };
  }
  const locks = named(await heldLocks(connection, connection.processId), before);
  const after = await relations(connection, "transaction");
  await connection.script("rollback");
  return { effects: effectsOf(before, after, locks), sqlstate: undefined };
}

/** Whether each statement of one transaction works while something is kept from its readers or writers; commits. */
export async function measureTransaction(
  connection: Connection,
  statements: readonly string[],
): Promise<readonly { readonly sql: string; readonly blocking: boolean }[]> {
  await prepareSession(connection);
  const [first = ""] = statements;
  if (statements.length === 1 && /concurrently/.test(first)) {
    await connection.script(first);
    return [{ sql: first, blocking: false }];
  }
  await connection.script(`${LIKE_LARGE_TABLES};\nbegin`);
  const known = await relations(connection, "transaction");
  const measured: { sql: string; blocking: boolean }[] = [];
  for (const sql of statements) {
    const before = await relations(connection, "transaction");
    await connection.script(sql);
    const held = named(await heldLocks(connection, connection.processId), known);
    const after = await relations(connection, "transaction");
    const old = before.filter(({ oid }) => known.some((one) => one.oid === oid));
    measured.push({ sql, blocking: isBlocking(effectsOf(old, after, held)) });
  }
  await connection.script("commit");
  return measured;
}

/**
 * The same for what runs outside a transaction: locks are what a second session happens to see, once a millisecond, so
 * they are a part of the truth; rewrites and scans are all of it.
 */
export async function measureOutside(
  connection: Connection,
  watcher: Connection,
  form: Form,
): Promise<Truth> {
  const flush = "select pg_stat_force_next_flush()";
  await connection.script(flush);
  const before = await relations(connection, "database");
  const locks = new Map<string, LockMode>();
  let failure: unknown;
  let isDone = false;
  const running = connection
    .script(form.sql)
    .catch((error: unknown) => {
      failure = error;
    })
    .finally(() => {
      isDone = true;
    });
  while (!isDone) {
    // The names are read after the locks: `reindex concurrently` drops the old index under another name, which is no
    // lock on the index that everybody uses by then.
    const held = await heldLocks(watcher, connection.processId);
    for (const [name, mode] of named(held, before, await currentNames(watcher))) {
      locks.set(name, strongerOf(locks.get(name), mode));
    }
    await sleep(1);
  }
  await running;
  if (failure !== undefined) return { effects: undefined, sqlstate: sqlstateOf(failure) };
  await connection.script(flush);
  return { effects: effectsOf(before, await relations(connection, "database"), locks), sqlstate: undefined };
}

async function relations(
  connection: Connection,
  counters: "transaction" | "database",
): Promise<readonly Relation[]> {
  const text = counters === "transaction" ? RELATIONS : RELATIONS.replaceAll("_xact_", "_");
  const { rows } = await connection.query({ text, values: [] });
  return rows.map(([oid, filenode, kind, name, scans, rowsRead, isEmpty]) => ({
    oid: String(oid),
    filenode: String(filenode),
    kind: String(kind),
    name: String(name),
    scans: Number(scans),
    rowsRead: Number(rowsRead),
    isEmpty: isEmpty === "true",
  }));
}

/** OID and mode, one row a lock. */
async function heldLocks(connection: Connection, processId: number): Promise<readonly (readonly Cell[])[]> {
  const { rows } = await connection.query({
    text: `select relation::text, mode from pg_locks
where locktype = 'relation' and pid = $1 and granted
  and database = (select oid from pg_database where datname = current_database())`,
    values: [String(processId)],
  });
  return rows;
}

async function currentNames(connection: Connection): Promise<ReadonlyMap<string, string>> {
  const { rows } = await connection.query({ text: "select oid::text, relname from pg_class", values: [] });
  return new Map(rows.map(([oid, name]) => [String(oid), String(name)]));
}

/** The strongest mode by the relation's name; without those that have another name by now. */
function named(
  locks: readonly (readonly Cell[])[],
  before: readonly Relation[],
  now?: ReadonlyMap<string, string>,
): ReadonlyMap<string, LockMode> {
  const strongest = new Map<string, LockMode>();
  for (const [oid, text] of locks) {
    const relation = before.find((one) => one.oid === oid);
    const mode = MODES.find((one) => one === text);
    if (relation === undefined || mode === undefined) continue;
    if (now !== undefined && now.get(relation.oid) !== relation.name) continue;
    strongest.set(relation.name, strongerOf(strongest.get(relation.name), mode));
  }
  return strongest;
}

function strongerOf(left: LockMode | undefined, right: LockMode): LockMode {
  return left !== undefined && MODES.indexOf(left) > MODES.indexOf(right) ? left : right;
}

/** Every lock of `part` is in `whole`, at least as strong. */
export function isCovered(part: StatementEffects, whole: StatementEffects): boolean {
  return part.locks.every(({ relation, mode }) => {
    const lock = whole.locks.find((one) => one.relation === relation);
    return lock !== undefined && MODES.indexOf(lock.mode) >= MODES.indexOf(mode);
  });
}

export function effectsOf(
  before: readonly Relation[],
  after: readonly Relation[],
  locks: ReadonlyMap<string, LockMode>,
): StatementEffects {
  const rewrites: string[] = [];
  const scans: string[] = [];
  for (const relation of before) {
    const same = after.find(({ oid }) => oid === relation.oid);
    const now = same ?? after.find(({ name }) => name === relation.name);
    const isStored = /[rmi]/.test(relation.kind);
    if (isStored && now !== undefined && now.filenode !== relation.filenode) rewrites.push(relation.name);
    if (!/[rm]/.test(relation.kind) || same === undefined) continue;
    const isRead = same.rowsRead > relation.rowsRead || (relation.isEmpty && same.scans > relation.scans);
    if (isRead) scans.push(relation.name);
  }
  return {
    locks: [...locks]
      .map(([relation, mode]) => ({ relation, mode }))
      .sort((a, b) => (a.relation < b.relation ? -1 : 1)),
    rewrites: rewrites.sort(),
    scans: scans.sort(),
  };
}

/** One statement alone: it keeps readers or writers out while it does work that grows with the data. */
export function isBlocking({ locks, rewrites, scans }: StatementEffects): boolean {
  const holdsOut = locks.some(({ mode }) => MODES.indexOf(mode) >= MODES.indexOf("ShareLock"));
  return holdsOut && rewrites.length + scans.length > 0;
}

function sqlstateOf(error: unknown): string {
  return typeof error === "object" && error !== null && "sqlstate" in error
    ? String(error.sqlstate)
    : String(error);
}
