import { SEARCH_CONFIG_NAME } from "../../schema/index.ts";
import type { Call, ParameterNode } from "../../sql/index.ts";
import { encodeValue } from "../../statement/index.ts";
import type { Given } from "../given.ts";
import { refuse } from "../options.ts";
import { comparison, type Operand, type Operator, type Operators, refuseNull } from "./operand.ts";

/** On columns of text: parts of it, and words in it. */
export const TEXT: Operators = new Map([
  ["startsWith", like((literal) => `${literal}%`)],
  ["endsWith", like((literal) => `%${literal}`)],
  ["contains", like((literal) => `%${literal}%`)],
  ["matches", matches],
]);

const PATTERNS = ["startsWith", "endsWith", "contains"];

/** The text search configuration where none is named: words as they are, of any language. */
const SEARCH_CONFIG_DEFAULT = "simple";

/** Longer than people type; far longer ones take PostgreSQL seconds to read, or more stack than it has. */
const SEARCH_LENGTH_LIMIT = 1_000;

/** Dashes with no word between them, each of which would be a "not" of the next; PostgreSQL fails at 32 of them. */
const LONE_DASHES = /(?<![\p{L}\p{N}])-[^\p{L}\p{N}]*-/gu;

/** `%`, `_` and the escape character itself stand for themselves. Backslash is LIKE's default escape character. */
export function escapeLike(literal: string): string {
  return literal.replaceAll(/[\\%_]/g, (character) => `\\${character}`);
}

function like(pattern: (literal: string) => string): Operator {
  return (operand) => {
    refuseNull(operand.given);
    const operator = isInsensitive(operand.beside) ? "ilike" : "like";
    return comparison(
      operand.of,
      operator,
      plainText(operand, (text) => pattern(escapeLike(text))),
    );
  };
}

/**
 * `to_tsvector(config, column) @@ websearch_to_tsquery(config, $1)`: the words of a text, as people type them (quotes for
 * a phrase, `or`, `-` for without). The configuration stands in the text, as an index on the same expression has it.
 * Source: https://www.postgresql.org/docs/current/textsearch-controls.html#TEXTSEARCH-PARSING-QUERIES
 */
function matches(operand: Operand): ReturnType<Operator> {
  refuseNull(operand.given);
  const config = { kind: "literal", text: searchConfigOf(operand.beside) } as const;
  return comparison({ kind: "function", name: "to_tsvector", of: [config, operand.of] }, "@@", {
    kind: "function",
    name: "websearch_to_tsquery",
    of: [config, plainText(operand, (text) => searched(text, operand.given.path))],
  });
}

/** What people type, as PostgreSQL can read it. @throws {INVALID_QUERY} for more than people type. */
export function searched(text: string, path: string): string {
  if (text.length > SEARCH_LENGTH_LIMIT) refuse(path, `must have at most ${SEARCH_LENGTH_LIMIT} characters`);
  return text.replaceAll(LONE_DASHES, " ");
}

/** What is looked for is any text, also where the column itself takes a few only. */
function plainText({ column, given }: Operand, write: (text: string) => string): ParameterNode {
  const free = { ...column, marks: {} };
  const value = (call: Call): string => {
    const encoded = encodeValue(free, given.in(call), given.path);
    if (typeof encoded !== "string") refuse(given.path, "must be a string");
    return write(encoded);
  };
  return { kind: "parameter", value };
}

/** Refuses a `mode` or `config` that changes nothing: whoever wrote it meant a condition. */
export function refuseLoneTextOptions({ value, path }: Given, names: readonly string[]): void {
  if (typeof value !== "object" || value === null) return;
  if (Object.hasOwn(value, "mode") && !PATTERNS.some((name) => names.includes(name)))
    refuse(`${path}.mode`, `belongs to one of ${PATTERNS.join(", ")}`);
  if (Object.hasOwn(value, "config") && !names.includes("matches"))
    refuse(`${path}.config`, "belongs to matches");
}

function isInsensitive({ value, path }: Given): boolean {
  const mode = optionOf(value, "mode");
  if (mode === undefined) return false;
  if (mode !== "sensitive" && mode !== "insensitive")
    refuse(`${path}.mode`, "must be sensitive or insensitive");
  return mode === "insensitive";
}

function searchConfigOf({ value, path }: Given): string {
  const config = optionOf(value, "config");
  if (config === undefined) return SEARCH_CONFIG_DEFAULT;
  if (typeof config !== "string" || !SEARCH_CONFIG_NAME.test(config)) {
    refuse(`${path}.config`, "must be the name of a text search configuration, such as english");
  }
  return config;
}

function optionOf(operators: unknown, name: string): unknown {
  if (typeof operators !== "object" || operators === null || !Object.hasOwn(operators, name))
    return undefined;
  const option: unknown = Reflect.get(operators, name);
  return option === undefined ? null : option;
}
