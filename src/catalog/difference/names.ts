import { quoteIdentifier, quoteLiteral } from "../../sql/index.ts";
import type { CatalogObject } from "../model.ts";

/** Words that SQL takes for something else unless they are quoted: `pg_get_keywords()` of 18 but the unreserved. */
const KEYWORDS: ReadonlySet<string> = new Set(
  `all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case cast
  char character check coalesce collate collation column concurrently constraint create cross current_catalog
  current_date current_role current_schema current_time current_timestamp current_user dec decimal default deferrable
  desc distinct do else end except exists extract false fetch float for foreign freeze from full grant greatest group
  grouping having ilike in initially inner inout int integer intersect interval into is isnull join json json_array
  json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize json_table json_value
  lateral leading least left like limit localtime localtimestamp merge_action national natural nchar none normalize not
  notnull null nullif numeric offset on only or order out outer overlaps overlay placing position precision primary real
  references returning right row select session_user setof similar smallint some substring symmetric system_user table
  tablesample then time timestamp to trailing treat trim true union unique user using values varchar variadic verbose
  when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot
  xmlserialize xmltable`.split(/\s+/),
);

/** A name as a person would write it: quoted only where SQL would read it otherwise. */
export function sqlName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) && !KEYWORDS.has(name) && name.length <= 63
    ? name
    : quoteIdentifier(name);
}

/** A name with its schema, where that is not home. */
export function refTo({ schema, name }: Pick<CatalogObject, "schema" | "name">): string {
  return schema === undefined ? sqlName(name) : `${sqlName(schema)}.${sqlName(name)}`;
}

export function sqlNames(names: readonly string[]): string {
  return names.map(sqlName).join(", ");
}

/** Text as a literal; `E'…'` where it holds a backslash. */
export function literal(value: string): string {
  return quoteLiteral(value).trim();
}

/** Strings, quoted names, dollar-quoted bodies and comments keep their case; everything else has none. */
const KEPT = /('(?:[^']|'')*'|"(?:[^"]|"")*"|(\$(?:[A-Za-z_][A-Za-z0-9_]*)?\$)[\s\S]*?\2|--[^\n]*)/;
const ESCAPED = /^[\s\S]*\\/;

/**
 * The server writes keywords in capitals. Unquoted names have no capitals in its texts, so that whatever stands
 * outside of quotes can be written small.
 */
export function lowerCase(sql: string): string {
  let rest = sql;
  let written = "";
  while (rest !== "") {
    const match = KEPT.exec(rest);
    if (match === null) return written + rest.toLowerCase();
    const [kept] = match;
    written += rest.slice(0, match.index).toLowerCase();
    const isEscape = kept.startsWith("'") && written.endsWith("e") && /(^|[^a-z0-9_$"])e$/.test(written);
    const text = isEscape && ESCAPED.test(kept) ? escapeString(rest.slice(match.index)) : kept;
    written += text;
    rest = rest.slice(match.index + text.length);
  }
  return written;
}

/** In `E'…'` a backslash takes the next character with it, a quote included. */
function escapeString(text: string): string {
  return /^'(?:[^'\\]|''|\\[\s\S])*'/.exec(text)?.[0] ?? text;
}

const BYTES_LIMIT = 63;

/** A name made of another one, cut so that the ending stays, and not yet taken. */
export function derivedName(base: string, ending: string, taken: ReadonlySet<string>): string {
  for (let attempt = 1; ; attempt++) {
    const tail = attempt === 1 ? ending : `${ending}${attempt}`;
    let head = base;
    while (Buffer.byteLength(`${head}${tail}`) > BYTES_LIMIT) head = head.slice(0, -1);
    const name = `${head}${tail}`;
    if (!taken.has(name)) return name;
  }
}
