import type { Connection } from "../driver/index.ts";
import { qualifiedName } from "../sql/index.ts";
import {
  dropIndexConcurrently,
  finalizeDetach,
  selectDatabase,
  selectIndex,
  selectPartition,
  selectReindexLeftovers,
} from "./queries.ts";
import type { Recovery, RelationName } from "./statement-kind.ts";

/** What to do with a statement that runs outside a transaction. */
export interface Preparation {
  /** `done`: an interrupted run had already finished it. */
  readonly next: "run" | "done";
  /**
   * Whether the runner may mark it as begun: only then will an object found after a kill count as its work. An
   * index that was there before, under the same name, must fail and not be taken for ours.
   */
  readonly isOurs: boolean;
  /** What was cleaned away, in words. */
  readonly cleaned: readonly string[];
}

const RUN: Preparation = { next: "run", isOurs: true, cleaned: [] };
const DONE: Preparation = { next: "done", isOurs: true, cleaned: [] };

/**
 * Looks at what an earlier attempt left behind, and cleans it. A concurrent index build that fails or is killed
 * leaves an index that is invalid: it costs every write, serves no read, and makes `if not exists` skip the new
 * build in silence.
 *
 * @param hadBegun the ledger says that a killed runner had begun this statement
 * @see https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
 */
export async function prepareOutside(
  connection: Connection,
  schemaName: string,
  recovery: Recovery,
  hadBegun: boolean,
): Promise<Preparation> {
  switch (recovery.kind) {
    case "rerun":
    case "rebuild":
      return RUN;
    case "create-index":
      return prepareIndex(connection, schemaName, recovery, hadBegun);
    case "drop-index":
      return hadBegun && (await findIndex(connection, schemaName, recovery.index)) === undefined ? DONE : RUN;
    case "reindex":
      return hadBegun
        ? { ...RUN, cleaned: await cleanReindex(connection, schemaName, recovery.relation) }
        : RUN;
    case "detach":
      return hadBegun ? prepareDetach(connection, schemaName, recovery) : RUN;
    case "create-database":
      return hadBegun && (await databaseExists(connection, recovery.name)) ? DONE : RUN;
    case "drop-database":
      return hadBegun && !(await databaseExists(connection, recovery.name)) ? DONE : RUN;
  }
}

/** After a build: an index that is there but invalid is a failure, whatever the server answered. */
export async function isIndexInvalid(
  connection: Connection,
  schemaName: string,
  recovery: Recovery,
): Promise<boolean> {
  if (recovery.kind !== "create-index") return false;
  const index = await findIndex(connection, schemaName, {
    schema: recovery.table.schema,
    name: recovery.index,
  });
  return index?.isValid === false;
}

async function prepareIndex(
  connection: Connection,
  schemaName: string,
  recovery: Extract<Recovery, { readonly kind: "create-index" }>,
  hadBegun: boolean,
): Promise<Preparation> {
  // An index lives in its table's schema.
  const name = { schema: recovery.table.schema, name: recovery.index };
  const index = await findIndex(connection, schemaName, name);
  if (index === undefined) return RUN;
  const isOnTable =
    index.table === recovery.table.name && index.tableSchema === (recovery.table.schema ?? schemaName);
  if (index.isValid) return hadBegun && isOnTable ? DONE : { ...RUN, isOurs: false };
  // Somebody else's build under way is invalid too, until it ends: the server refuses the name, and says so.
  if (!isOnTable || index.isBeingBuilt) return { ...RUN, isOurs: false };
  await connection.script(dropIndexConcurrently(index.schema, recovery.index));
  return { ...RUN, cleaned: [`index ${recovery.index}, left invalid by a build that did not finish`] };
}

interface FoundIndex {
  readonly isValid: boolean;
  readonly schema: string;
  readonly table: string;
  readonly tableSchema: string;
  readonly isBeingBuilt: boolean;
}

async function findIndex(
  connection: Connection,
  schemaName: string,
  index: RelationName,
): Promise<FoundIndex | undefined> {
  const { rows } = await connection.query({
    text: selectIndex,
    values: [index.name, index.schema ?? schemaName],
  });
  const [row] = rows;
  if (row === undefined) return undefined;
  const [isValid, schema, table, tableSchema, isBeingBuilt] = row;
  return {
    isValid: isValid === "t",
    schema: schema ?? "",
    table: table ?? "",
    tableSchema: tableSchema ?? "",
    isBeingBuilt: isBeingBuilt === "t",
  };
}

async function cleanReindex(
  connection: Connection,
  schemaName: string,
  relation: RelationName | undefined,
): Promise<readonly string[]> {
  // Reindexing a whole schema or database: its left-overs cannot be told from another session's work.
  if (relation === undefined) return [];
  const { rows } = await connection.query({
    text: selectReindexLeftovers,
    values: [relation.name, relation.schema ?? schemaName],
  });
  const cleaned: string[] = [];
  for (const [schema, name] of rows) {
    if (schema == null || name == null) continue;
    await connection.script(dropIndexConcurrently(schema, name));
    cleaned.push(`index ${name}, left by a reindex that did not finish`);
  }
  return cleaned;
}

async function prepareDetach(
  connection: Connection,
  schemaName: string,
  recovery: Extract<Recovery, { readonly kind: "detach" }>,
): Promise<Preparation> {
  const { parent, partition } = recovery;
  const { rows } = await connection.query({
    text: selectPartition,
    values: [partition.name, partition.schema ?? schemaName],
  });
  const [row] = rows;
  if (row === undefined) return DONE;
  if (row[0] !== "t") return RUN;
  await connection.script(
    finalizeDetach(
      qualifiedName(parent.schema ?? schemaName, parent.name),
      qualifiedName(partition.schema ?? schemaName, partition.name),
    ),
  );
  return { ...DONE, cleaned: [`the detaching of ${partition.name}, which had stopped half way`] };
}

async function databaseExists(connection: Connection, name: string): Promise<boolean> {
  const { rows } = await connection.query({ text: selectDatabase, values: [name] });
  return rows.length > 0;
}
