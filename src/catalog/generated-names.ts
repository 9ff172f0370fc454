import { IDENTIFIER_BYTES_LIMIT, unquoted } from "../sql/index.ts";
import { escapeRegExp } from "./escape-reg-exp.ts";

/** What a constraint's name may have been made from. */
export interface NamedConstraint {
  readonly type: "primary key" | "unique" | "foreign key" | "check" | "exclusion" | "trigger";
  /** The table's name, unquoted. */
  readonly table: string;
  /** Unquoted; `undefined` for an expression. */
  readonly columns: readonly (string | undefined)[];
  readonly definition: string;
}

/**
 * Whether the server or Drizzle made the name up, from the table and its columns: such a name says nothing that
 * table and definition do not say, and differs from one history of the same schema to another.
 *
 * @see https://github.com/postgres/postgres/blob/REL_18_STABLE/src/backend/commands/indexcmds.c `ChooseRelationName`
 */
export function isGeneratedConstraintName(name: string, constraint: NamedConstraint): boolean {
  const { type, table, columns } = constraint;
  const all = columns.join("_");
  switch (type) {
    case "primary key":
      return isMadeBy(name, table, "", "pkey") || name === cut(`${table}_${all}_pk`);
    case "unique":
      return isMadeBy(name, table, all, "key") || name === cut(`${table}_${all}_unique`);
    case "foreign key":
      return isMadeBy(name, table, all, "fkey") || name === drizzleForeignKey(constraint, all);
    case "check":
      // The column is in the name where it is the only one.
      return (
        isMadeBy(name, table, "", "check") || (columns.length === 1 && isMadeBy(name, table, all, "check"))
      );
    case "exclusion":
      return isMadeOfKeys(name, table, columns, "excl");
    case "trigger":
      return false;
  }
}

/** The same for an index. */
export function isGeneratedIndexName(
  name: string,
  table: string,
  columns: readonly (string | undefined)[],
): boolean {
  return isMadeOfKeys(name, table, columns, "idx") || name === cut(`${table}_${columns.join("_")}_index`);
}

/** The name `serial` gives its sequence; `columnPath` is `tasks.id`, quoted where it must be. */
export function isGeneratedSequenceName(name: string, columnPath: string): boolean {
  const [table = "", column = ""] = (columnPath.match(/"(?:[^"]|"")*"|[^."]+/g) ?? [])
    .slice(-2)
    .map(unquoted);
  return isMadeBy(name, table, column, "seq");
}

function drizzleForeignKey({ table, definition }: NamedConstraint, columns: string): string {
  const [, target = "", targetColumns = ""] =
    /REFERENCES (?:[^(]*\.)?([^(]+)\(([^)]*)\)/.exec(definition) ?? [];
  const referenced = targetColumns.split(", ").map(unquoted).join("_");
  return cut(`${table}_${columns}_${unquoted(target)}_${referenced}_fk`);
}

/** An expression goes by the function or type it begins with; a name that comes twice is numbered. */
function isMadeOfKeys(
  name: string,
  table: string,
  columns: readonly (string | undefined)[],
  label: string,
): boolean {
  if (!columns.includes(undefined) && new Set(columns).size === columns.length) {
    return isMadeBy(name, table, columns.join("_"), label);
  }
  const parts = columns.map((column) => (column === undefined ? "[^_].*" : `${escapeRegExp(column)}\\d*`));
  // In a name of full length the table's may have been cut.
  const isFull = Buffer.byteLength(name) > IDENTIFIER_BYTES_LIMIT - 4;
  const start = isFull ? `${escapeRegExp(cut(table, 20))}.*` : escapeRegExp(table);
  return new RegExp(`^${start}_${parts.join("_")}_${label}\\d*$`).test(name);
}

/** `table_columns_label`, both shortened where it would be too long, and a number where the name was taken. */
function isMadeBy(name: string, table: string, columns: string, label: string): boolean {
  const [, number = ""] = new RegExp(`_${label}([1-9]\\d*)?$`).exec(name) ?? [];
  return name === makeName(table, columns, `${label}${number}`);
}

/** @see https://github.com/postgres/postgres/blob/REL_18_STABLE/src/backend/commands/indexcmds.c `makeObjectName` */
function makeName(table: string, columns: string, label: string): string {
  const room = IDENTIFIER_BYTES_LIMIT - Buffer.byteLength(label) - (columns === "" ? 1 : 2);
  let [first, second] = [Buffer.byteLength(table), Buffer.byteLength(columns)];
  while (first + second > room) {
    if (first > second) first--;
    else second--;
  }
  const parts = [cut(table, first), ...(columns === "" ? [] : [cut(columns, second)]), label];
  return parts.join("_");
}

/** Never within a character, as the server cuts. */
function cut(text: string, bytes = IDENTIFIER_BYTES_LIMIT): string {
  let kept = "";
  let size = 0;
  for (const character of text) {
    size += Buffer.byteLength(character);
    if (size > bytes) break;
    kept += character;
  }
  return kept;
}
