import type { Node } from "libpg-query";
import { parseSql } from "../../parse-sql.ts";
import { withSqlParser } from "../../sql-parser.ts";
import { literalOf } from "./expressions.ts";
import { selectedExpression } from "./predicates.ts";

/** The statements and expressions of a body, as SQL. */
export interface BodyParts {
  readonly texts: readonly string[];
  /** Statements that come parsed, as those of `begin atomic` do. */
  readonly trees: readonly Node[];
  /** What only shows when it runs. */
  readonly unknowns: readonly string[];
}

/** A `do` block. Undefined when it cannot be parsed. */
export async function readBlock(body: string): Promise<BodyParts | undefined> {
  let tag = "$plinth$";
  while (body.includes(tag)) tag = tag.replace("$plinth", "$plinth_");
  return readBody("plpgsql", `create function block() returns void language plpgsql as ${tag}${body}${tag}`);
}

/** The body of a function, given with its `create function`. Undefined when it cannot be parsed. */
export async function readBody(language: string, definition: string): Promise<BodyParts | undefined> {
  return language === "sql" ? readSql(definition) : readPlpgsql(definition);
}

async function readSql(definition: string): Promise<BodyParts | undefined> {
  const { statements } = await parseSql(definition);
  const tree = statements[0]?.tree;
  if (tree === undefined || !("CreateFunctionStmt" in tree)) return undefined;
  const { options, sql_body: body } = tree.CreateFunctionStmt;
  if (body !== undefined) return { texts: [], trees: statementsIn(body), unknowns: [] };
  const source = (options ?? []).flatMap((option) => {
    if (!("DefElem" in option) || option.DefElem.defname !== "as") return [];
    const { arg } = option.DefElem;
    return arg !== undefined && "List" in arg ? (arg.List.items ?? []) : [];
  })[0];
  return source !== undefined && "String" in source
    ? { texts: [source.String.sval ?? ""], trees: [], unknowns: [] }
    : undefined;
}

/** `begin atomic …; end` is a list in a list; `return …` is an expression. */
function statementsIn(body: Node): readonly Node[] {
  if ("List" in body) return (body.List.items ?? []).flatMap((item) => statementsIn(item));
  return [body];
}

async function readPlpgsql(definition: string): Promise<BodyParts | undefined> {
  let parsed: unknown;
  try {
    parsed = await withSqlParser(({ parsePlPgSQL }) => parsePlPgSQL(definition));
  } catch {
    return undefined;
  }
  const texts: string[] = [];
  const unknowns: string[] = [];
  await collect(parsed, texts, unknowns);
  return { texts, trees: [], unknowns };
}

/** Kinds of the parser's nodes whose query is made while the function runs. */
const DYNAMIC = ["PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors"] as const;

async function collect(tree: unknown, texts: string[], unknowns: string[]): Promise<void> {
  if (typeof tree !== "object" || tree === null) return;
  if (Array.isArray(tree)) {
    for (const item of tree) await collect(item, texts, unknowns);
    return;
  }
  for (const [key, value] of Object.entries(tree)) {
    const isDynamic = DYNAMIC.some((name) => name === key) || key === "dynquery";
    if (isDynamic) await collectDynamic(value, texts, unknowns);
    if (key === "PLpgSQL_expr") texts.push(...expressionText(value));
    else await collect(value, texts, unknowns);
  }
}

/** `execute 'alter table …'` with nothing put together is as good as the statement itself. */
async function collectDynamic(value: unknown, texts: string[], unknowns: string[]): Promise<void> {
  const query = typeof value === "object" && value !== null && "query" in value ? value.query : value;
  const [text] =
    typeof query === "object" && query !== null && "PLpgSQL_expr" in query
      ? expressionText(query.PLpgSQL_expr)
      : [];
  const { statements } = await parseSql(text ?? "");
  const tree = statements[0]?.tree;
  const literal = tree === undefined ? [] : literalOf(selectedExpression(tree));
  if (literal[0] === undefined) unknowns.push("execute runs a text that is put together");
  else texts.push(literal[0]);
}

/** How PL/pgSQL parses the text: a statement, an expression, or an assignment. */
const PARSE_STATEMENT = 0;
const PARSE_EXPRESSION = 2;

function expressionText(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null || !("query" in value)) return [];
  const { query } = value;
  const mode = "parseMode" in value ? value.parseMode : PARSE_STATEMENT;
  if (typeof query !== "string") return [];
  if (mode === PARSE_STATEMENT) return [query];
  if (mode === PARSE_EXPRESSION) return [`select ${query}`];
  const assigned = /^[^:=]*:?=(.*)$/s.exec(query)?.[1];
  return assigned === undefined ? [] : [`select ${assigned}`];
}
