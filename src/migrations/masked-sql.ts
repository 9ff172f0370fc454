import { endOfQuoted, skipBlank } from "./text-guard.ts";

/** Longest text that is shown. */
const LENGTH_LIMIT = 300;

/**
 * Another session's statement, fit to be shown: strings and numbers become `?`, comments go, blanks shrink. What the
 * server keeps of it may be cut off anywhere, so this needs no parser. Linear.
 */
export function maskSql(text: string): string {
  const word = /[\p{L}_$][\p{L}\p{N}_$]*/uy;
  const number = /\.?\d[\w.]*/uy;
  let masked = "";
  let at = skipBlank(text, 0);
  while (at < text.length && masked.length <= LENGTH_LIMIT) {
    const end = endOfQuoted(text, at);
    word.lastIndex = at;
    number.lastIndex = at;
    let length = 1;
    if (end !== undefined) {
      length = end + 1 - at;
      // A quoted name says which table; a string says what is in it.
      if (text.startsWith('"', at)) masked += text.slice(at, at + length);
      // `'it''s'` reads as two strings.
      else if (!masked.endsWith("?")) masked += "?";
    } else {
      const name = word.exec(text)?.[0];
      const digits = name === undefined ? number.exec(text)?.[0] : undefined;
      length = (name ?? digits ?? text.charAt(at)).length;
      masked += digits === undefined ? text.slice(at, at + length) : "?";
    }
    const next = skipBlank(text, at + length);
    if (next > at + length && next < text.length) masked += " ";
    at = next;
  }
  return masked.length > LENGTH_LIMIT ? `${masked.slice(0, LENGTH_LIMIT)}…` : masked;
}
