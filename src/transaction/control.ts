import { TransactionError } from "../errors/index.ts";

/** Statements that begin, end or split a transaction. Inside Plinth only Plinth sends them. */
const CONTROL = /^(begin|start|commit|end|rollback|abort|savepoint|release)\b/i;

/**
 * Refuses a raw statement that would end a transaction behind Plinth's back. The extended protocol takes one
 * statement per text, so looking at the first word is enough once comments are out of the way.
 *
 * @throws {TRANSACTION_CONTROL}
 */
export function refuseTransactionControl(text: string): void {
  const start = withoutLeadingComments(text);
  const command =
    CONTROL.exec(start)?.[0] ?? (isPrepareTransaction(start) ? "prepare transaction" : undefined);
  if (command === undefined) return;
  throw new TransactionError("TRANSACTION_CONTROL", `${command.toUpperCase()} is not sent by hand`, {
    hint: "Use db.transaction(async (tx) => { … }): it commits, rolls back and gives the connection back for you.",
  });
}

/** Ends the transaction too; `prepare name as …` does not. */
function isPrepareTransaction(text: string): boolean {
  const prepare = /^prepare\b/i.exec(text)?.[0];
  return prepare !== undefined && /^transaction\b/i.test(withoutLeadingComments(text.slice(prepare.length)));
}

/** Skips white space, `-- …` and nested comments; linear in what it skips. */
function withoutLeadingComments(text: string): string {
  let i = 0;
  for (;;) {
    while (i < text.length && /[\s;]/.test(text.charAt(i))) i += 1;
    if (text.startsWith("--", i)) {
      const end = text.indexOf("\n", i);
      if (end === -1) return "";
      i = end + 1;
    } else if (text.startsWith("/*", i)) {
      i = endOfComment(text, i);
    } else {
      return text.slice(i);
    }
  }
}

function endOfComment(text: string, start: number): number {
  let depth = 0;
  let i = start;
  while (i < text.length) {
    if (text.startsWith("/*", i)) {
      depth += 1;
      i += 2;
    } else if (text.startsWith("*/", i)) {
      depth -= 1;
      i += 2;
      if (depth === 0) return i;
    } else {
      i += 1;
    }
  }
  return text.length;
}
