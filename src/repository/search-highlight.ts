import { randomBytes } from "node:crypto";
import { unknownName } from "../errors/index.ts";
import type { SearchDescription } from "../schema/index.ts";
import type { Call, Expression, TableReference } from "../sql/index.ts";
import { isPlainObject, refuse, refuseUnknownOptions } from "./options.ts";
import { textParameter } from "./search-text.ts";

/** What the option `highlight` asks for. */
export interface Highlighting {
  readonly keys: readonly string[];
  readonly marks: readonly [before: string, after: string];
  readonly words: number;
  readonly excerpts: number;
}

const WORDS_DEFAULT = 35;
const WORDS_LIMIT = 1_000;
const EXCERPTS_LIMIT = 10;
const DELIMITER = " … ";
const NO_HIGHLIGHT: Highlighting = { keys: [], marks: ["", ""], words: WORDS_DEFAULT, excerpts: 1 };

/** @throws {INVALID_QUERY} for columns that are not searched, and numbers out of range. */
export function highlightingOf({ columns }: SearchDescription, given: unknown): Highlighting {
  if (given === undefined) return NO_HIGHLIGHT;
  const options = isPlainObject(given) ? given : { columns: given };
  refuseUnknownOptions(options, ["columns", "marks", "words", "excerpts"], "highlight");
  const keys: unknown = options.columns;
  const known = columns.map(({ column }) => column.key);
  if (!Array.isArray(keys) || keys.length === 0) refuse("highlight", "must be a list of columns");
  for (const key of keys) {
    if (!known.includes(key)) refuse("highlight", unknownName("column", key, known));
  }
  return {
    keys: [...new Set<string>(keys)],
    marks: marksOf(options.marks),
    words: numberOf("words", options.words, WORDS_DEFAULT, 2, WORDS_LIMIT),
    excerpts: numberOf("excerpts", options.excerpts, 1, 1, EXCERPTS_LIMIT),
  };
}

function marksOf(given: unknown = ["<mark>", "</mark>"]): Highlighting["marks"] {
  const [before, after, ...others]: readonly unknown[] = Array.isArray(given) ? given : [];
  if (typeof before !== "string" || typeof after !== "string" || others.length > 0)
    refuse("highlight.marks", "must be two texts: what stands before a found word, and after it");
  return [before, after];
}

function numberOf(name: string, given: unknown, usual: number, min: number, max: number): number {
  if (given === undefined) return usual;
  if (typeof given !== "number" || !Number.isInteger(given) || given < min || given > max)
    refuse(`highlight.${name}`, `must be a whole number between ${min} and ${max}`);
  return given;
}

/** What one call marks found words with on the wire. */
export interface WireMarks {
  readonly before: string;
  readonly after: string;
  readonly between: string;
}

/** What no stored text can foresee: another one for every call. */
export function createMarkSecret(): string {
  return randomBytes(12).toString("hex");
}

export function createWireMarks(secret: string): WireMarks {
  return { before: `b${secret}`, after: `a${secret}`, between: `d${secret}` };
}

/** `ts_headline(config, column, query, options)` for each column. Its options are a parameter. */
export function headlines(
  { columns, config }: SearchDescription,
  table: TableReference,
  query: Expression,
  { keys }: Highlighting,
  optionsIn: (call: Call) => string,
): readonly Expression[] {
  const options = textParameter(optionsIn);
  return keys.flatMap((key) => {
    const name = columns.find(({ column }) => column.key === key)?.column.name;
    if (name === undefined) return [];
    return {
      kind: "function",
      name: "ts_headline",
      of: [{ kind: "literal", text: config }, { kind: "column", table, name }, query, options],
    } as const;
  });
}

/** One excerpt is the best one there is; several are looked for apart. */
export function headlineOptions({ words, excerpts }: Highlighting, marks: WireMarks): string {
  const { before, after, between } = marks;
  const counts = `MaxWords=${words}, MinWords=${Math.min(15, Math.ceil(words / 2))}`;
  const fragments = excerpts === 1 ? 0 : excerpts;
  return `StartSel=${before}, StopSel=${after}, FragmentDelimiter=${between}, MaxFragments=${fragments}, ${counts}`;
}

/**
 * A headline as HTML. The text is escaped here, after PostgreSQL has looked for words in it as it is; of what it holds
 * only the call's own marks become marks.
 */
export function asHtml(headline: string, wire: WireMarks, [before, after]: Highlighting["marks"]): string {
  return escapeHtml(headline)
    .replaceAll(wire.before, () => before)
    .replaceAll(wire.after, () => after)
    .replaceAll(wire.between, DELIMITER);
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
