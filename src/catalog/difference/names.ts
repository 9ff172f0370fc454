import { quoteLiteral, sqlName } from "../../sql/index.ts";
import type { CatalogObject } from "../model.ts";

export { sqlName };

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
