import type { Catalog } from "../../catalog/index.ts";
import type { Connection } from "../../driver/index.ts";
import { fillTogether, linkRows } from "./circle.ts";
import type { PlanGround } from "./compose.ts";
import { type Family, familiesOf, isHard, needsItself, needsOf, present } from "./families.ts";
import { insertInto } from "./insert.ts";
import { groupsInOrder } from "./order.ts";
import { countRows } from "./queries.ts";
import { type DatabaseShape, readShape, type TableShape } from "./shape.ts";

/** How tables are filled. */
export interface FillOptions {
  /** How many rows a table should have, with those it has already. A partitioned table gets one a partition at least. */
  readonly rowsPerTable: number;
  /** Tables that get a few more even if they have enough: their new columns are empty otherwise. Labels as in the result. */
  readonly renewed?: ReadonlySet<string> | undefined;
  /** Tables not worth another try, as they stayed empty before; `supply` is still asked. Labels as in the result. */
  readonly passedOver?: ReadonlySet<string> | undefined;
  /** The same seed gives the same rows. @default "plinth" */
  readonly seed?: string | undefined;
  /** Asked for the rows of a table that cannot be filled automatically, before the tables that refer to it. */
  readonly supply?: RowSupplier | undefined;
}

const RENEWED_ROWS = 2;

/** A table that every migration touches stops growing here. */
const RENEWAL_LIMIT = 40;

/** Inserts rows into one table, on the same connection. What it throws becomes part of the table's `why`. */
export type RowSupplier = (table: string, connection: Connection) => Promise<void>;

/** A table with rows. */
export interface FilledTable {
  /** As the catalog's ids write it: bare in the home schema, quoted where SQL quotes. */
  readonly table: string;
  readonly rows: number;
}

/** A table without a row, and what stood in the way. */
export interface UnfilledTable {
  readonly table: string;
  /** Names the check, the type, the parent, or gives the server's words. */
  readonly why: string;
}

export interface FilledTables {
  readonly filled: readonly FilledTable[];
  readonly unfilled: readonly UnfilledTable[];
}

/**
 * Inserts generated rows into every table of the catalog, so that types, keys, foreign keys and checks are satisfied:
 * parents first; circles by columns that may be empty, or by one statement for all of them. Constants of a check are
 * read from its parse tree, candidates near them are tested on the server, and those that pass are kept. What a table
 * refuses all the same is a value, never an error: it is in `unfilled`.
 *
 * Meant for shadow databases: it inserts as whoever is connected, and triggers fire. Leaves the session's
 * settings as they were. About two round trips a table, more where rows are refused.
 */
export async function fillTables(
  connection: Connection,
  catalog: Catalog,
  options: FillOptions,
): Promise<FilledTables> {
  const { rows } = await connection.query({
    text: `select current_setting('search_path'), current_setting('synchronous_commit'),
  set_config('search_path', quote_ident($1), false), set_config('synchronous_commit', 'off', false)`,
    values: [catalog.home],
  });
  try {
    return await fill(connection, catalog, options);
  } finally {
    if (connection.isOpen) {
      await connection.query({
        text: "select set_config('search_path', $1, false), set_config('synchronous_commit', $2, false)",
        values: [rows[0]?.[0] ?? "", rows[0]?.[1] ?? "on"],
      });
    }
  }
}

async function fill(connection: Connection, catalog: Catalog, options: FillOptions): Promise<FilledTables> {
  const shape = await readShape(connection);
  const { rowsPerTable, seed = "plinth" } = options;
  const ground: PlanGround = {
    connection,
    shape,
    home: catalog.home,
    types: shape.types,
    seed,
    size: Math.max(24, rowsPerTable * 3),
    cache: new Map(),
  };
  const families = familiesOf(catalog, shape);
  const counts = await countAll(connection, shape);
  const hadRows = new Set([...counts].flatMap(([id, count]) => (count > 0 ? [id] : [])));
  const whys = new Map<string, string>();
  for (const group of groupsInOrder({ nodes: [...families.keys()], needs: needsOf(families, () => true) })) {
    const circle = new Map(group.flatMap((id) => present(families, id)));
    const needs = needsOf(circle, isHard);
    for (const members of groupsInOrder({ nodes: group, needs })) {
      await fillGroup(
        { ground, options, counts, whys, needs },
        members.flatMap((id) => present(families, id)).map(([, family]) => family),
      );
    }
    // Rows that were there before are not touched.
    const fresh = [...circle.values()].flatMap(({ parts }) => parts.filter(({ id }) => !hadRows.has(id)));
    if (group.length > 1 || needsItself(circle)) await linkRows(ground, fresh);
  }
  return report(families, await countAll(connection, shape), whys);
}

interface Work {
  readonly ground: PlanGround;
  readonly options: FillOptions;
  readonly counts: Map<string, number>;
  readonly whys: Map<string, string>;
  readonly needs: ReadonlyMap<string, ReadonlySet<string>>;
}

async function fillGroup(work: Work, members: readonly Family[]): Promise<void> {
  const { ground, options, counts, whys, needs } = work;
  const { rowsPerTable } = options;
  const tried = members.filter(({ label }) => options.passedOver?.has(label) !== true);
  const isCircle = members.length > 1 || members.some(({ id }) => needs.get(id)?.has(id) === true);
  if (isCircle) {
    const missing = rowsPerTable - Math.min(...members.map((family) => rowsIn(family, counts)));
    const isTried = missing > 0 && tried.length === members.length;
    const why = isTried ? await fillTogether(ground, members, missing) : undefined;
    for (const { id } of members) if (why !== undefined) whys.set(id, why);
  } else {
    for (const family of tried) {
      const each = Math.max(1, Math.ceil(rowsPerTable / Math.max(1, family.parts.length)));
      for (const part of family.parts) {
        const had = counts.get(part.id) ?? 0;
        const isRenewed = options.renewed?.has(family.label) === true && had < RENEWAL_LIMIT;
        const wanted = Math.max(each - had, isRenewed ? RENEWED_ROWS : 0);
        const why = wanted > 0 ? await insertInto(ground, part, { had, wanted }) : undefined;
        if (why !== undefined) whys.set(part.id, why);
      }
      if (family.parts.length === 0) whys.set(family.id, "it has no partition that could hold a row");
    }
  }
  for (const family of members) await supply(work, family);
}

async function supply({ ground, options, counts, whys }: Work, family: Family): Promise<void> {
  const { connection } = ground;
  if (options.supply === undefined) return;
  const { root } = family;
  const count = await countOne(connection, root);
  if (count > 0) return;
  try {
    await options.supply(family.label, connection);
  } catch (error) {
    if (!connection.isOpen) throw error;
    if (connection.transactionStatus !== "idle") await connection.script("rollback");
    const reason =
      error instanceof Error ? error.message.split("\n", 1)[0] : "it threw something that is no error";
    whys.set(family.id, `${whys.get(family.id) ?? ownWhy(family, whys)}; proveRows failed: ${reason}`);
  }
  counts.set(root.id, await countOne(connection, root));
}

function ownWhy({ parts }: Family, whys: ReadonlyMap<string, string>): string {
  return parts.map(({ id }) => whys.get(id)).find((why) => why !== undefined) ?? "it stayed empty";
}

function rowsIn({ parts }: Family, counts: ReadonlyMap<string, number>): number {
  return parts.reduce((sum, { id }) => sum + (counts.get(id) ?? 0), 0);
}

async function countAll(connection: Connection, { tables }: DatabaseShape): Promise<Map<string, number>> {
  const all = [...tables.values()];
  if (all.length === 0) return new Map();
  const calls = all.map(({ schema, name, isPartitioned }) => ({
    text: countRows(schema, name, isPartitioned),
    values: [],
  }));
  const outcomes = await connection.batch(calls);
  return new Map(all.map(({ id }, index) => [id, Number(outcomes[index]?.rows[0]?.[0] ?? 0)]));
}

async function countOne(connection: Connection, table: TableShape): Promise<number> {
  const text = countRows(table.schema, table.name, table.isPartitioned);
  return Number((await connection.query({ text, values: [] })).rows[0]?.[0] ?? 0);
}

function report(
  families: ReadonlyMap<string, Family>,
  counts: ReadonlyMap<string, number>,
  whys: ReadonlyMap<string, string>,
): FilledTables {
  const filled: FilledTable[] = [];
  const unfilled: UnfilledTable[] = [];
  for (const family of families.values()) {
    const rows = counts.get(family.id) ?? 0;
    if (rows > 0) filled.push({ table: family.label, rows });
    else unfilled.push({ table: family.label, why: whys.get(family.id) ?? ownWhy(family, whys) });
  }
  return { filled, unfilled };
}
