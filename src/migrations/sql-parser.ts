type SqlParser = Pick<typeof import("libpg-query"), "parse" | "parsePlPgSQL" | "scan">;

let current: Promise<SqlParser> | undefined;
let replaced = 0;

/**
 * Runs `work` with PostgreSQL's own parser, which is loaded when it is first asked for: 1.7 MB of WebAssembly that not
 * every run needs.
 *
 * A text that is nested too deep runs the parser out of stack, and has it write over its own memory. What it says from
 * there on is wrong, so the next text gets a parser of its own.
 *
 * @throws {RangeError} for such a text.
 */
export async function withSqlParser<T>(work: (parser: SqlParser) => Promise<T>): Promise<T> {
  current ??= replaced === 0 ? import("libpg-query") : import(/* @vite-ignore */ freshAddress());
  const parser = await current;
  try {
    return await work(parser);
  } catch (error) {
    if (!isOverflow(error)) throw error;
    current = undefined;
    replaced += 1;
    throw new RangeError("nested too deep to be parsed", { cause: error });
  }
}

/** JavaScript's stack, or that of WebAssembly, whose errors no type declares here. */
function isOverflow(error: unknown): boolean {
  return error instanceof RangeError || (error instanceof Error && error.name === "RuntimeError");
}

/** A module is evaluated once for each address, and what stands behind the question mark belongs to that. */
function freshAddress(): string {
  return `${import.meta.resolve("libpg-query")}?${replaced}`;
}
