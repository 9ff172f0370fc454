import type { SearchDescription } from "../schema/index.ts";
import type { Call, Expression, ParameterNode } from "../sql/index.ts";
import { refuse } from "./options.ts";
import { searched } from "./where/patterns.ts";

/** PostgreSQL's texts hold no such character, and no word does. */
const NUL = /\0/g;

/** Reads the text of a call. @throws {INVALID_QUERY} for what is no text, and for more than people type. */
export function textOf({ input: [, text] }: Call): string {
  if (typeof text !== "string") refuse("text", "must be a string");
  return searched(text.replaceAll(NUL, " "), "text");
}

/** What a text is looked for by. */
export interface TypedQuery {
  /** All of it, as its words are. */
  readonly whole: Expression;
  /** The same, or its last word as the beginning of one. */
  readonly query: Expression;
  /** Any of its words and phrases: what is marked, however far apart they stand. */
  readonly any: Expression;
}

/** The last word is taken as it stands: its stem would be the beginning of too much, `run` of `runway`. */
const UNSTEMMED = "simple";

/**
 * The query that a text stands for. With `isPrefix` its last word may be the beginning of one, beside being a word itself:
 * `whole || before && last:*`. The three parts are parameters in any case, so that one statement serves every text.
 */
export function typedQuery({ config }: SearchDescription, isPrefix: boolean): TypedQuery {
  const read = (name: "websearch_to_tsquery" | "to_tsquery", by: string, of: (call: Call) => string) =>
    ({ kind: "function", name, of: [{ kind: "literal", text: by }, textParameter(of)] }) as const;
  const whole = read("websearch_to_tsquery", config, textOf);
  const any = read("websearch_to_tsquery", config, alternatives);
  if (!isPrefix) return { whole, query: whole, any };
  const before = read("websearch_to_tsquery", config, (call) => typedParts(textOf(call)).before);
  const last = read("to_tsquery", UNSTEMMED, (call) => typedParts(textOf(call)).last);
  const unfinished: Expression = { kind: "function", name: "tsquery_and", of: [before, last] };
  const either = (of: readonly Expression[]) => ({ kind: "function", name: "tsquery_or", of }) as const;
  return { whole, query: either([whole, unfinished]), any: either([any, last]) };
}

export function textParameter(value: (call: Call) => string): ParameterNode {
  return { kind: "parameter", value, type: "text" };
}

/** A text without what must not be there, and without the signs that say so. */
export function wantedText(call: Call): string {
  return textOf(call).replaceAll(/(?<!\S)-(?:"[^"]*"?|\S+)/gu, " ");
}

/** Words and phrases, with `or` between them. */
function alternatives(call: Call): string {
  const parts = wantedText(call).match(/"[^"]*"?|[^\s"]+/gu) ?? [];
  return parts.filter((part) => part.toLowerCase() !== "or" && /[\p{L}\p{N}]/u.test(part)).join(" or ");
}

interface TypedParts {
  /** What must be there besides; nothing where the last word is an alternative of its own. */
  readonly before: string;
  /** The last word as a query of `to_tsquery`, quoted, so that nothing in it is an operator. */
  readonly last: string;
}

/** It ends in the middle of a word, and does not say that the word must not be there. */
const IS_BEGUN = /^(?!-).*[\p{L}\p{M}\p{N}]$/su;

const NONE: TypedParts = { before: "", last: "" };

/**
 * Takes the word apart that somebody is typing. There is none where the text ends with a blank, inside a quotation, or
 * with a sign, or with a word that must not be there.
 */
export function typedParts(text: string): TypedParts {
  const [last] = /[^\s"]+$/u.exec(text) ?? [];
  if (last === undefined || !IS_BEGUN.test(last) || last.toLowerCase() === "or") return NONE;
  const before = text.slice(0, text.length - last.length);
  // A quotation that is still open, or one that ends right here.
  if (/\S$/u.test(before) || (before.split('"').length - 1) % 2 === 1) return NONE;
  const alternative = /(?:^|\s)or\s+$/iu.test(before);
  const quoted = last.replaceAll("\\", "\\\\").replaceAll("'", "''");
  return { before: alternative ? "" : before, last: `'${quoted}':*` };
}
