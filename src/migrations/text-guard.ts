/** Longest run of operator characters in code or a block comment; PostgreSQL's own operators have 63 at most. */
const OPERATOR_RUN_LIMIT = 1_000;
const COMMENT_DEPTH_LIMIT = 100;

const OPERATOR_CHARACTERS = new Set("~!@#^&|`?+-*/%<>=");

/** Why a text cannot be given to the parser. */
export interface TextProblem {
  readonly why: string;
  /** Offset into the text. */
  readonly offset: number;
}

/**
 * Finds what makes PostgreSQL's lexer quadratic: inside code and comments it reads a whole run of operator
 * characters again for each `/*`, so that 400 kB of slash-star takes minutes. One pass, linear in the text.
 *
 * It is looser than the real lexer (a dollar quote's tag, say, is anything between two `$`), which is enough to
 * know where a run of operator characters is only text.
 */
export function findTextProblem(text: string): TextProblem | undefined {
  let run = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (depth === 0) {
      const end = endOfQuoted(text, at);
      if (end !== undefined) {
        run = 0;
        at = end;
        continue;
      }
    }
    const next = text.charAt(at + 1);
    run = OPERATOR_CHARACTERS.has(character) ? run + 1 : 0;
    if (run > OPERATOR_RUN_LIMIT) return { why: "more than 1,000 operator characters in a row", offset: at };
    if (character === "/" && next === "*") {
      depth += 1;
      at += 1;
      run += 1;
      if (depth > COMMENT_DEPTH_LIMIT) return { why: "comments are nested more than 100 deep", offset: at };
    } else if (depth > 0 && character === "*" && next === "/") {
      depth -= 1;
      at += 1;
      run += 1;
    }
  }
  return undefined;
}

/** Where white space and comments before a statement end. Linear. */
export function skipBlank(text: string, from: number): number {
  let at = from;
  while (at < text.length) {
    if (/\s/.test(text.charAt(at))) at += 1;
    else if (text.startsWith("--", at)) at = lineEnd(text, at);
    else if (text.startsWith("/*", at)) at = commentEnd(text, at);
    else break;
  }
  return at;
}

/** The last character of a string, quoted name, dollar quote or line comment that begins at `at`. */
export function endOfQuoted(text: string, at: number): number | undefined {
  const character = text.charAt(at);
  if (character === "-" && text.charAt(at + 1) === "-") return lineEnd(text, at) - 1;
  if (character === "'" || character === '"') {
    return character === "'" && isEscapeString(text, at)
      ? escapeStringEnd(text, at)
      : last(text, text.indexOf(character, at + 1), 1);
  }
  // In `a$b$` the dollars belong to a name.
  if (character !== "$" || /[\w$\u0080-\uffff]/.test(text.charAt(at - 1))) return undefined;
  // A tag has the length of a name at most, which keeps a text of dollar signs linear.
  const tagEnd = text.slice(at + 1, at + 65).indexOf("$");
  if (
    tagEnd < 0 ||
    !/^(?:[^\W\d]|[\u0080-\uffff])?[\w\u0080-\uffff]*$/.test(text.slice(at + 1, at + 1 + tagEnd))
  )
    return undefined;
  const delimiter = text.slice(at, at + tagEnd + 2);
  return last(text, text.indexOf(delimiter, at + delimiter.length), delimiter.length);
}

/** Unterminated: the rest is quoted, and the parser says so. */
function last(text: string, found: number, length: number): number {
  return found < 0 ? text.length - 1 : found + length - 1;
}

function isEscapeString(text: string, quote: number): boolean {
  return /[eE]/.test(text.charAt(quote - 1)) && !/[\w$]/.test(text.charAt(quote - 2));
}

function escapeStringEnd(text: string, quote: number): number {
  for (let at = quote + 1; at < text.length; at++) {
    if (text.charAt(at) === "\\") at += 1;
    else if (text.charAt(at) === "'") return at;
  }
  return text.length - 1;
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

function commentEnd(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    if (text.startsWith("/*", at)) {
      depth += 1;
      at += 1;
    } else if (text.startsWith("*/", at)) {
      depth -= 1;
      at += 1;
      if (depth === 0) return at + 1;
    }
  }
  return text.length;
}
