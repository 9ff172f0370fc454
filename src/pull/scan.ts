/** Reading of PostgreSQL's own definitions, whose form is regular, without a parser. */
import { unquoted } from "../sql/index.ts";

/** Splits at a character, but not inside quotes, parentheses or brackets. */
export function splitTop(text: string, at: string): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const end = endOfGroup(text, i);
    if (end !== undefined) i = end;
    else if (text.charAt(i) === at) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  const last = text.slice(start).trim();
  return parts.length === 0 && last === "" ? [] : [...parts, last];
}

/** What stands between the parentheses that begin at `from`, and where they end; undefined when none begin there. */
export function inParentheses(
  text: string,
  from: number,
): { readonly inner: string; readonly end: number } | undefined {
  if (text.charAt(from) !== "(") return undefined;
  const end = endOfGroup(text, from);
  return end === undefined ? undefined : { inner: text.slice(from + 1, end), end: end + 1 };
}

/** An expression without parentheses around the whole of it. */
export function bare(expression: string): string {
  const trimmed = expression.trim();
  const group = inParentheses(trimmed, 0);
  return group !== undefined && group.end === trimmed.length ? bare(group.inner) : trimmed;
}

/** An identifier at the beginning of a text, quoted or not, and what follows it. */
export function takeName(text: string): { readonly name: string; readonly rest: string } | undefined {
  const match = /^(?:"((?:[^"]|"")+)"|([\p{L}_][\p{L}\p{N}_$]*))/u.exec(text);
  if (match === null) return undefined;
  const [whole, quoted, plain] = match;
  return { name: quoted?.replaceAll('""', '"') ?? plain ?? "", rest: text.slice(whole.length) };
}

/** A list of names, as in `(a, "B")`. */
export function namesIn(list: string): readonly string[] {
  return splitTop(list, ",").map(unquoted);
}

/** A string literal without its quotes, as `pg_get_expr` writes one; undefined for anything else. */
export function literalText(literal: string): string | undefined {
  const plain = /^'((?:[^']|'')*)'$/.exec(literal)?.[1];
  return plain?.replaceAll("''", "'");
}

const CLOSING: Readonly<Record<string, string>> = { "(": ")", "[": "]" };

/** The last character of a quoted text or a group that begins at `at`; undefined where none begins. */
function endOfGroup(text: string, at: number): number | undefined {
  const character = text.charAt(at);
  if (character === "'") return endOfString(text, at);
  if (character === '"') return indexOr(text.indexOf('"', at + 1), text);
  const closing = CLOSING[character];
  if (closing === undefined) return undefined;
  for (let i = at + 1; i < text.length; i++) {
    if (text.charAt(i) === closing) return i;
    i = endOfGroup(text, i) ?? i;
  }
  return text.length - 1;
}

/** In `E'…'` a backslash escapes. */
function endOfString(text: string, at: number): number {
  const isEscaped = /[eE]/.test(text.charAt(at - 1)) && !/[\w$]/.test(text.charAt(at - 2));
  for (let i = at + 1; i < text.length; i++) {
    if (isEscaped && text.charAt(i) === "\\") i += 1;
    else if (text.charAt(i) === "'") return i;
  }
  return text.length - 1;
}

function indexOr(found: number, text: string): number {
  return found < 0 ? text.length - 1 : found;
}
