import type { DoStmt } from "libpg-query";
import { endOfQuoted, skipBlank } from "./text-guard.ts";

/** What may stand before a statement of PL/pgSQL; `""` is the body's begin. */
const STATEMENT_BEGINS = new Set(["", ";", "begin", "then", "else", "loop", ">>"]);

/**
 * Whether a `do` block ends transactions itself, so that none may be wrapped around it: its body says `commit` or
 * `rollback` as a statement, outside strings and comments. A column of that name is none.
 *
 * Only PL/pgSQL is looked into; what a procedure commits that the block calls is not seen.
 *
 * @see https://www.postgresql.org/docs/current/plpgsql-transactions.html
 */
export function commitsInside(statement: DoStmt): boolean {
  if ((textOption(statement, "language") ?? "plpgsql").toLowerCase() !== "plpgsql") return false;
  const body = textOption(statement, "as") ?? "";
  let before = "";
  let candidate = false;
  for (const token of tokensOf(body)) {
    if (candidate && (token === ";" || token === "and")) return true;
    candidate = (token === "commit" || token === "rollback") && STATEMENT_BEGINS.has(before);
    before = token;
  }
  return false;
}

/** Words in lower case, `;`, `>>`, and any other character by itself; no strings, no comments. Linear. */
function* tokensOf(body: string): Generator<string> {
  const word = /[\p{L}_][\p{L}\p{N}_$]*/uy;
  let at = skipBlank(body, 0);
  while (at < body.length) {
    const quotedEnd = endOfQuoted(body, at);
    word.lastIndex = at;
    const token =
      quotedEnd !== undefined
        ? "''"
        : (word.exec(body)?.[0] ?? (body.startsWith(">>", at) ? ">>" : body.charAt(at)));
    yield token.toLowerCase();
    at = skipBlank(body, quotedEnd === undefined ? at + token.length : quotedEnd + 1);
  }
}

function textOption(statement: DoStmt, name: string): string | undefined {
  for (const argument of statement.args ?? []) {
    if (!("DefElem" in argument) || argument.DefElem.defname !== name) continue;
    const value = argument.DefElem.arg;
    if (value !== undefined && "String" in value) return value.String.sval ?? "";
  }
  return undefined;
}
