import { type Catalog, historyTables, type TableObject } from "../../catalog/index.ts";
import type { Cell, Connection } from "../../driver/index.ts";
import { qualifiedName, quoteIdentifier, quoteLiteral } from "../../sql/index.ts";
import { groupsInOrder } from "../rows/order.ts";

/** Rows that migrations make are reference data; more than this is a load, which a squash does not carry. */
const ROWS_LIMIT = 10_000;

/** What is in a table after migrations ran on an empty database. */
export interface TableContent {
  readonly table: TableObject;
  /** `roles`, `audit.entries`. */
  readonly label: string;
  /** Without generated columns. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

export type Contents = ReadonlyMap<string, TableContent>;

/**
 * Reads the rows of every table that has any. One flight of statements. A history is left out: what it records of the
 * squash's own rows is as true as what it recorded of theirs.
 */
export async function readContents(connection: Connection, catalog: Catalog): Promise<Contents> {
  const histories = historyTables(catalog.objects);
  const tables = catalog.objects.filter(
    (object): object is TableObject =>
      object.kind === "table" && object.partitionOf === undefined && !histories.includes(object),
  );
  if (tables.length === 0) return new Map();
  const outcomes = await connection.batch(
    tables.map((table) => ({ text: selectRows(catalog.home, table), values: [] })),
  );
  const contents = tables.map((table, index): TableContent => {
    const label = table.id.slice("table ".length);
    return { table, label, columns: givenColumns(table), rows: outcomes[index]?.rows ?? [] };
  });
  return new Map(contents.filter(({ rows }) => rows.length > 0).map((content) => [content.label, content]));
}

function givenColumns(table: TableObject): readonly string[] {
  return table.columns.filter(({ generated }) => generated === undefined).map(({ name }) => name);
}

function selectRows(home: string, table: TableObject): string {
  const cells = givenColumns(table).map((name) => `${quoteIdentifier(name)}::text`);
  const name = qualifiedName(table.schema ?? home, table.name);
  const only = table.partitionKey === undefined ? "only " : "";
  return `select ${cells.join(", ")} from ${only}${name} limit ${ROWS_LIMIT + 1}`;
}

/** A table whose rows a squash can carry, or why it cannot. */
export type Carried =
  | { readonly content: TableContent; readonly columns: readonly string[]; readonly why: undefined }
  | { readonly content: TableContent; readonly columns: undefined; readonly why: string };

/**
 * Which columns of which tables can be written down: all whose values are the same in a second run of the same
 * migrations. One that differs (the time, a random key) is left to its default; without a default nothing can be done.
 */
export function carriedRows(first: Contents, second: Contents): readonly Carried[] {
  return [...new Set([...first.keys(), ...second.keys()])].flatMap((label): readonly Carried[] => {
    const content = first.get(label) ?? second.get(label);
    return content === undefined ? [] : [carriedTable(content, second.get(label))];
  });
}

function carriedTable(content: TableContent, again: TableContent | undefined): Carried {
  const refuse = (why: string): Carried => ({ content, columns: undefined, why });
  if (content.rows.length > ROWS_LIMIT) return refuse(`it has more than ${ROWS_LIMIT} rows`);
  const isStable = (column: string): boolean => equalRows(content, again, [column]);
  const columns = content.columns.filter(isStable);
  const changing = content.table.columns.filter(
    ({ name }) => content.columns.includes(name) && !columns.includes(name),
  );
  const stuck = changing.find((column) => column.default === undefined && column.identity === undefined);
  if (stuck !== undefined) {
    return refuse(`${stuck.name} is different each time the migrations run, and has no default`);
  }
  if (columns.length === 0 || !equalRows(content, again, columns)) {
    return refuse("its rows are different each time the migrations run");
  }
  return { content, columns, why: undefined };
}

/** The same rows in these columns, as often. */
export function equalRows(
  one: TableContent,
  other: TableContent | undefined,
  columns: readonly string[],
): boolean {
  if (other === undefined || one.rows.length !== other.rows.length) return false;
  const keys = ({ columns: all, rows }: TableContent): readonly string[] => {
    const places = columns.map((column) => all.indexOf(column));
    return rows.map((row) => JSON.stringify(places.map((place) => row[place] ?? null))).sort();
  };
  const [left, right] = [keys(one), keys(other)];
  return left.every((key, index) => key === right[index]);
}

/** The statements that insert the rows: parents first, tables in a circle together. */
export function renderRows(catalog: Catalog, carried: readonly Carried[]): readonly string[] {
  const byId = new Map(carried.map((one) => [one.content.table.id, one]));
  const needs = new Map<string, Set<string>>();
  for (const object of catalog.objects) {
    if (object.kind !== "constraint" || object.references === undefined) continue;
    const parents = needs.get(object.table) ?? new Set();
    parents.add(object.references);
    needs.set(object.table, parents);
  }
  return groupsInOrder({ nodes: [...byId.keys()], needs }).map((group) => {
    const inserts = group.flatMap((id) => insertOf(catalog.home, byId.get(id)));
    // Foreign keys are looked at when a statement ends.
    const together = inserts.map((text, index) => `i${index} as (\n${text}\n)`).join(",\n");
    return inserts.length === 1 ? (inserts[0] ?? "") : `with ${together}\nselect 1`;
  });
}

function insertOf(home: string, carried: Carried | undefined): readonly string[] {
  if (carried?.columns === undefined) return [];
  const { content, columns } = carried;
  const { table, rows } = content;
  const name = qualifiedName(table.schema === home ? undefined : table.schema, table.name);
  const places = columns.map((column) => content.columns.indexOf(column));
  const lines = rows.map((row) => {
    const cells = places.map((place) => row[place] ?? null);
    return `  (${cells.map((cell) => (cell === null ? "null" : quoteLiteral(cell).trim())).join(", ")})`;
  });
  const hasAlways = table.columns.some(
    (column) => column.identity?.mode === "always" && columns.includes(column.name),
  );
  const overriding = hasAlways ? "\noverriding system value" : "";
  return [
    `insert into ${name} (${columns.map(quoteIdentifier).join(", ")})${overriding}\nvalues\n${lines.join(",\n")}`,
  ];
}
