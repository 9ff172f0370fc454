/**
 * Puts a text between dollar quotes whose tag does not occur in it.
 *
 * @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-DOLLAR-QUOTING
 */
export function dollarQuote(text: string): string {
  for (let i = 0; ; i++) {
    const tag = i === 0 ? "$$" : `$body${i === 1 ? "" : i}$`;
    // The end of the text and the closing tag may make an earlier one together.
    if (`${text}${tag}`.indexOf(tag) === text.length) return `${tag}${text}${tag}`;
  }
}
