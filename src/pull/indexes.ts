import type { IndexObject } from "../catalog/index.ts";
import type { PullContext } from "./context.ts";
import { call, member, object, quoted, template } from "./literal.ts";
import { notDeclared, partlyDeclared } from "./model.ts";
import { bare, inParentheses, splitTop, takeName } from "./scan.ts";

/** What the column an index is on is called, and whether it may be null. */
export interface IndexedColumn {
  readonly key: string;
  readonly notNull: boolean;
}

/** Drizzle's index for one of the database; undefined, and reported, where it cannot say what it is. */
export function indexSource(
  context: PullContext,
  index: IndexObject,
  columns: ReadonlyMap<string, IndexedColumn>,
  others: readonly IndexObject[],
): string | undefined {
  const read = readIndex(index);
  if (read === undefined || read.rest !== "") {
    const why =
      read === undefined ? "its definition could not be read" : `there is no declaration for ${read.rest}`;
    context.report(notDeclared(index.id, why));
    return undefined;
  }
  if (!index.isValid) context.report(partlyDeclared(index.id, "it is invalid; declared, it would be built"));
  const { file } = context;
  // Two indexes on the same columns would be given one name.
  const isAlone = others.every((other) => other === index || other.columns.join() !== index.columns.join());
  const name = index.isNameGenerated && isAlone ? "" : quoted(index.name);
  const parts = read.parts.map((part) => partSource(context, part, columns, index.method));
  const on =
    index.method === "btree"
      ? `.on(${parts.join(", ")})`
      : `.using(${quoted(index.method)}, ${parts.join(", ")})`;
  const where = read.where === undefined ? "" : `.where(${file.use("sql")}${template(read.where)})`;
  const options = read.options === undefined ? "" : `.with(${read.options})`;
  const source = `${file.use(index.isUnique ? "uniqueIndex" : "index")}(${name})${on}${options}${where}`;
  return index.comment === undefined ? source : call(file.use("comment"), source, quoted(index.comment));
}

interface IndexRead {
  readonly parts: readonly string[];
  /** As TypeScript. */
  readonly options: string | undefined;
  readonly where: string | undefined;
  /** What is left, which has no declaration: INCLUDE, NULLS NOT DISTINCT. */
  readonly rest: string;
}

function readIndex({ definition }: IndexObject): IndexRead | undefined {
  const using = / USING (?:[\w$]+|"(?:[^"]|"")+") (?=\()/.exec(definition);
  if (using === null) return undefined;
  const parts = inParentheses(definition, using.index + using[0].length);
  if (parts === undefined) return undefined;
  let rest = definition.slice(parts.end);
  let where: string | undefined;
  const whereAt = topLevel(rest, " WHERE ");
  if (whereAt >= 0) {
    where = bare(rest.slice(whereAt + " WHERE ".length));
    rest = rest.slice(0, whereAt);
  }
  let options: string | undefined;
  const withAt = topLevel(rest, " WITH ");
  const given = withAt < 0 ? undefined : inParentheses(rest, withAt + " WITH ".length);
  if (given !== undefined) {
    options = optionsSource(given.inner);
    rest = rest.slice(0, withAt) + rest.slice(given.end);
  }
  return { parts: splitTop(parts.inner, ","), options, where, rest: rest.trim() };
}

/** Where a word stands outside quotes and parentheses; below 0 where it does not. */
function topLevel(text: string, word: string): number {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const before = text.slice(0, at);
    if (isBalanced(before)) return at;
  }
  return -1;
}

function isBalanced(text: string): boolean {
  const opened = text.replaceAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"/g, "");
  return !/['"]/.test(opened) && opened.split("(").length === opened.split(")").length;
}

function optionsSource(inner: string): string {
  return object(
    splitTop(inner, ",").map((option) => {
      const [name = "", value = ""] = splitTop(option, "=");
      const text = value.replace(/^'(.*)'$/, "$1");
      return [name, /^-?\d+(?:\.\d+)?$/.test(text) ? text : quoted(text)];
    }),
  );
}

/**
 * A column with Drizzle's words for its order, or the part as it stands. Drizzle says `nulls last` of every `desc()` on
 * a column that may be null, where PostgreSQL's own default is the opposite.
 */
function partSource(
  { file }: PullContext,
  part: string,
  columns: ReadonlyMap<string, IndexedColumn>,
  method: string,
): string {
  const raw = `${file.use("sql")}${template(part)}`;
  const taken = takeName(part);
  const column = taken === undefined ? undefined : columns.get(taken.name);
  if (taken === undefined || column === undefined) return raw;
  const match = /^(?: ([\w.]+_ops))?( DESC)?( NULLS (?:FIRST|LAST))?$/.exec(taken.rest);
  if (match === null) return raw;
  const [, operators, descending, nulls] = match;
  const t = member("t", column.key);
  const op = operators === undefined ? "" : `.op(${quoted(operators)})`;
  if (method !== "btree") return descending === undefined && nulls === undefined ? t + op : raw;
  if (descending === undefined) {
    return nulls === undefined ? t + op : nulls === " NULLS FIRST" ? `${t}.nullsFirst()${op}` : raw;
  }
  if (nulls === undefined) return column.notNull ? `${t}.desc()${op}` : `${t}.desc().nullsFirst()${op}`;
  return column.notNull ? raw : `${t}.desc()${op}`;
}
