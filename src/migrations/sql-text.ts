/** A statement with its semicolon, which a line comment at its end would swallow. */
export function ended(statement: string): string {
  const lastLine = statement.slice(statement.lastIndexOf("\n") + 1);
  return lastLine.includes("--") ? `${statement}\n;` : `${statement};`;
}

/** A name as a comment can hold it: a line end would end the comment. */
export function oneLine(name: string): string {
  return name.replaceAll(/[\p{Cc}\u2028\u2029]/gu, "?");
}
