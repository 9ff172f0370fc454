import { qualifiedName, quoteIdentifier, quoteLiteral } from "../../sql/index.ts";
import { refuse } from "../options.ts";

/** Untyped options of how bytes are written. */
export interface FormatShape {
  readonly format?: unknown;
  readonly header?: unknown;
  readonly delimiter?: unknown;
  readonly null?: unknown;
}

export const FORMAT_OPTION_NAMES = ["format", "header", "delimiter", "null"];

const FORMATS: readonly unknown[] = ["text", "csv", "binary"];

/** @throws {INVALID_QUERY} */
export function copyFromText(
  table: { readonly schema: string; readonly name: string },
  columns: readonly string[],
  format: FormatShape,
): string {
  const list = columns.length === 0 ? "" : ` (${columns.map(quoteIdentifier).join(", ")})`;
  return `copy ${qualifiedName(table.schema, table.name)}${list} from stdin${clauseOf(format, ["match"])}`;
}

/**
 * Lines of their own: the query may end in a comment.
 *
 * @throws {INVALID_QUERY}
 */
export function copyToText(query: string, format: FormatShape): string {
  return `copy (\n${query}\n) to stdout${clauseOf(format, [])}`;
}

function clauseOf({ format = "text", header = false, ...texts }: FormatShape, headers: unknown[]): string {
  if (!FORMATS.includes(format)) refuse("format", "must be text, csv or binary");
  if (typeof header !== "boolean" && !headers.includes(header))
    refuse("header", `must be true or false${headers.map((word) => ` or "${word}"`).join("")}`);
  const parts: string[] = [];
  if (format !== "text") parts.push(`format ${format}`);
  if (header !== false) parts.push(`header ${header}`);
  for (const [name, value] of Object.entries({ delimiter: texts.delimiter, null: texts.null })) {
    if (value === undefined) continue;
    if (typeof value !== "string" || value.includes("\0")) refuse(name, "must be a text");
    parts.push(`${name} ${quoteLiteral(value).trimStart()}`);
  }
  const stray = ["header", "delimiter", "null"].find((name) => parts.some((part) => part.startsWith(name)));
  if (format === "binary" && stray !== undefined) refuse(stray, "belongs to text and csv");
  return parts.length === 0 ? "" : ` with (${parts.join(", ")})`;
}
