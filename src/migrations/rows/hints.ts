import type { Node } from "libpg-query";
import { isRecord } from "../../config/index.ts";
import { decodeArray } from "../../statement/index.ts";
import { parseSql } from "../parse-sql.ts";

/** The constants a condition speaks of: values near them are what satisfies it. */
export interface Hints {
  readonly texts: readonly string[];
  readonly numbers: readonly string[];
  /** Regular expressions, of `~`. */
  readonly patterns: readonly string[];
  /** Of `like`. */
  readonly likes: readonly string[];
  /** Columns it names, each once. */
  readonly columns: readonly string[];
  /** There is a condition, though perhaps one that hides its constants in a function. */
  readonly isConditional: boolean;
}

/** Reads the constants of a condition as the server writes it. Gives none for one that cannot be parsed. */
export async function hintsOf(expression: string): Promise<Hints> {
  const { statements } = await parseSql(`select ${expression}`);
  const found = {
    texts: new Set<string>(),
    numbers: new Set<string>(),
    patterns: new Set<string>(),
    likes: new Set<string>(),
    columns: new Set<string>(),
  };
  for (const { tree } of statements) walk(tree, found);
  return {
    texts: [...found.texts],
    numbers: [...found.numbers],
    patterns: [...found.patterns],
    likes: [...found.likes],
    columns: [...found.columns],
    isConditional: true,
  };
}

/** All hints of several conditions. */
export function mergeHints(all: readonly Hints[]): Hints {
  const merged = (read: (hints: Hints) => readonly string[]): readonly string[] => [
    ...new Set(all.flatMap(read)),
  ];
  return {
    texts: merged(({ texts }) => texts),
    numbers: merged(({ numbers }) => numbers),
    patterns: merged(({ patterns }) => patterns),
    likes: merged(({ likes }) => likes),
    columns: merged(({ columns }) => columns),
    isConditional: all.some(({ isConditional }) => isConditional),
  };
}

type Found = Readonly<Record<Exclude<keyof Hints, "isConditional">, Set<string>>>;

function walk(value: unknown, found: Found): void {
  if (Array.isArray(value)) for (const item of value) walk(item, found);
  if (!isRecord(value)) return;
  if ("A_Const" in value) readConstant(value.A_Const, found.texts, found.numbers);
  if ("A_Expr" in value) readOperator(value.A_Expr, found);
  if ("ColumnRef" in value) readColumn(value.ColumnRef, found.columns);
  for (const child of Object.values(value)) walk(child, found);
}

function readConstant(constant: unknown, texts: Set<string>, numbers: Set<string>): void {
  if (!isRecord(constant)) return;
  const { sval, ival, fval } = constant;
  if (isRecord(ival)) numbers.add(String(ival.ival ?? 0));
  if (isRecord(fval)) numbers.add(String(fval.fval ?? "0"));
  if (!isRecord(sval)) return;
  const text = String(sval.sval ?? "");
  texts.add(text);
  // `= any ('{a,b}'::text[])`
  if (/^\{.*\}$/s.test(text)) {
    for (const item of decodeArray(text)) if (typeof item === "string") texts.add(item);
  }
}

function readOperator(operator: unknown, found: Found): void {
  if (!isRecord(operator)) return;
  const name = stringIn(Array.isArray(operator.name) ? operator.name.at(-1) : undefined);
  const target =
    name === "~" || name === "~*"
      ? found.patterns
      : name === "~~" || name === "~~*"
        ? found.likes
        : undefined;
  if (target === undefined) return;
  const patterns = new Set<string>();
  const collect = { ...found, texts: patterns };
  walk(operator.rexpr, collect);
  for (const pattern of patterns) target.add(pattern);
}

function readColumn(reference: unknown, columns: Set<string>): void {
  if (!isRecord(reference) || !Array.isArray(reference.fields)) return;
  const name = stringIn(reference.fields.at(-1));
  if (name !== undefined) columns.add(name);
}

function stringIn(node: Node | undefined): string | undefined {
  return node !== undefined && "String" in node ? node.String.sval : undefined;
}
