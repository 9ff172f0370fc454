import type { Catalog, TableObject } from "../../catalog/index.ts";
import type { Cell, Connection } from "../../driver/index.ts";
import { insertRows } from "../rows/queries.ts";
import { labelOf, printRows, tablesOf } from "./row-print.ts";

/** Rows of one table, as far as its earlier form has the columns. */
export interface TakenRows {
  readonly table: TableObject;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** Takes rows that fit the schema after `up` in the form the schema had before it. */
export async function takeRows(
  connection: Connection,
  before: Catalog,
  after: Catalog,
): Promise<readonly TakenRows[]> {
  const prints = await printRows(connection, after);
  return tablesOf(before).flatMap((table): readonly TakenRows[] => {
    const print = prints.get(labelOf(table));
    if (print?.rows === undefined || print.rows.length === 0) return [];
    const columns = table.columns
      .filter(({ generated, name }) => generated === undefined && print.columns.includes(name))
      .map(({ name }) => name);
    const places = columns.map((column) => print.columns.indexOf(column));
    const rows = print.rows.map((row) => places.map((place) => row[place] ?? null));
    return columns.length === 0 ? [] : [{ table, columns, rows }];
  });
}

/**
 * Inserts them, without asking triggers and foreign keys, which were content before. Gives how many tables took theirs: one
 * with a column that only its earlier form requires takes none.
 */
export async function plantRows(
  connection: Connection,
  home: string,
  taken: readonly TakenRows[],
): Promise<number> {
  // Only a superuser may; without it parents may come too late, and their children are left out.
  await refused(connection, connection.script("set session_replication_role to replica"));
  let planted = 0;
  for (const { table, columns, rows } of taken) {
    const text = insertRows(table.schema ?? home, table.name, columns, rows.length);
    const isRefused = await refused(connection, connection.query({ text, values: rows.flat() }));
    planted += isRefused ? 0 : 1;
  }
  await refused(connection, connection.script("set session_replication_role to origin"));
  return planted;
}

/** Counts as no error as long as the server is there. */
async function refused(connection: Connection, work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return false;
  } catch (error) {
    if (!connection.isOpen) throw error;
    return true;
  }
}
