import type { Catalog, TableObject } from "../../catalog/index.ts";
import type { Cell, Connection } from "../../driver/index.ts";
import { qualifiedName, quoteIdentifier } from "../../sql/index.ts";

/** Tables with more rows are counted only: migrations bring that many with reference data, a proof never does. */
const ROWS_LIMIT = 1_000;

/** The rows of a table at one moment. */
export interface RowPrint {
  /** As the catalog's ids write it. */
  readonly table: string;
  readonly count: number;
  /** Names as in the database; `labels` as ids write them, with the table. */
  readonly columns: readonly string[];
  readonly labels: ReadonlyMap<string, string>;
  /** Cells by row; undefined when there are too many. */
  readonly rows: readonly (readonly Cell[])[] | undefined;
}

/** Prints of every table, by its name in the catalog's ids. */
export type RowPrints = ReadonlyMap<string, RowPrint>;

/** Tables that hold rows themselves or for their partitions. */
export function tablesOf(catalog: Catalog): readonly TableObject[] {
  return catalog.objects.filter(
    (object): object is TableObject => object.kind === "table" && object.partitionOf === undefined,
  );
}

/** How a table is called in findings: bare in the home schema. */
export function labelOf(table: TableObject): string {
  return table.id.slice("table ".length);
}

/** Reads all rows of all tables, which are few on a shadow server. One flight of statements. */
export async function printRows(connection: Connection, catalog: Catalog): Promise<RowPrints> {
  const tables = tablesOf(catalog);
  const outcomes = await inOneFlight(
    connection,
    tables.map((table) => selectCells(catalog.home, table)),
  );
  return new Map(
    tables.map((table, index) => {
      const rows = outcomes[index] ?? [];
      const label = labelOf(table);
      const print: RowPrint = {
        table: label,
        count: rows.length,
        columns: table.columns.map(({ name }) => name),
        labels: new Map(table.columns.map(({ id, name }) => [name, id.slice("column ".length)])),
        rows: rows.length > ROWS_LIMIT ? undefined : rows,
      };
      return [label, print];
    }),
  );
}

/** How many rows each table has. One flight of statements. */
export async function countRows(
  connection: Connection,
  catalog: Catalog,
): Promise<ReadonlyMap<string, number>> {
  const tables = tablesOf(catalog);
  const texts = tables.map((table) => `select count(*) from ${relation(catalog.home, table)}`);
  const outcomes = await inOneFlight(connection, texts);
  return new Map(tables.map((table, index) => [labelOf(table), Number(outcomes[index]?.[0]?.[0] ?? 0)]));
}

async function inOneFlight(
  connection: Connection,
  texts: readonly string[],
): Promise<readonly (readonly (readonly Cell[])[])[]> {
  if (texts.length === 0) return [];
  const outcomes = await connection.batch(texts.map((text) => ({ text, values: [] })));
  return outcomes.map(({ rows }) => rows);
}

function selectCells(home: string, table: TableObject): string {
  const cells = table.columns.map(({ name }) => `${quoteIdentifier(name)}::text`);
  return `select ${cells.join(", ")} from ${relation(home, table)} limit ${ROWS_LIMIT + 1}`;
}

/** Without the rows of tables that inherit from it: they are printed as their own. */
function relation(home: string, table: TableObject): string {
  const name = qualifiedName(table.schema ?? home, table.name);
  return table.partitionKey === undefined ? `only ${name}` : name;
}
