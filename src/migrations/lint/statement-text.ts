/** A statement's text, taken apart without changing a letter: for fixes that are ready to paste. */
import { endOfQuoted, skipBlank } from "../text-guard.ts";

/**
 * The text with everything that is no code covered, letter by letter: strings and names in quotes become `q`, comments
 * blanks. What is found in it stands at the same place in the text.
 */
export function coverQuoted(text: string): string {
  let covered = "";
  let at = 0;
  while (at < text.length) {
    const code = skipBlank(text, at);
    covered += " ".repeat(code - at);
    at = code;
    if (at >= text.length) break;
    const end = endOfQuoted(text, at);
    const next = end === undefined ? at + 1 : end + 1;
    covered += end === undefined ? text.charAt(at) : "q".repeat(next - at);
    at = next;
  }
  return covered;
}

/** A word of code: a keyword or a name, with its quotes where it has some. */
export interface CodeWord {
  readonly start: number;
  readonly end: number;
}

/** Where words of code begin and end: none in strings and comments. */
export function* wordsIn(text: string): Generator<CodeWord> {
  const word = /[\p{L}_][\p{L}\p{N}_$]*/uy;
  let at = skipBlank(text, 0);
  while (at < text.length) {
    const quotedEnd = endOfQuoted(text, at);
    word.lastIndex = at;
    const found = quotedEnd === undefined ? word.exec(text)?.[0] : undefined;
    const end = quotedEnd === undefined ? at + (found?.length ?? 1) : quotedEnd + 1;
    if (found !== undefined || text.charAt(at) === '"') yield { start: at, end };
    at = skipBlank(text, end);
  }
}

/** `alter table t` and the commands behind it, as they are written. */
export interface TakenApart {
  readonly head: string;
  readonly commands: readonly string[];
}

const HEAD =
  /^\s*alter\s+(?:foreign\s+|materialized\s+)?(?:table|view|index|sequence)\s+(?:if\s+exists\s+)?(?:only\s+)?[\p{L}\p{N}_$.]+(?:\s*\*)?\s+/iu;

/** Takes `alter table … , …` apart at its commas. Undefined when it is none. */
export function takeApart(text: string): TakenApart | undefined {
  const covered = coverQuoted(text);
  const head = HEAD.exec(covered)?.[0];
  if (head === undefined) return undefined;
  return { head: text.slice(0, head.length).trim(), commands: splitList(text, covered, head.length) };
}

function splitList(text: string, covered: string, from: number): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = from;
  for (let at = from; at < covered.length; at++) {
    const character = covered.charAt(at);
    if (character === "(" || character === "[") depth += 1;
    if (character === ")" || character === "]") depth -= 1;
    if (character !== "," || depth > 0) continue;
    parts.push(text.slice(start, at).trim());
    start = at + 1;
  }
  return [...parts, text.slice(start).trim()];
}

/** Puts `word` behind the first place in code where `pattern` matches; as it is when it matches nowhere. */
export function insertBehind(text: string, pattern: RegExp, word: string): string {
  const match = pattern.exec(coverQuoted(text));
  if (match === null) return text;
  const end = match.index + match[0].length;
  return `${text.slice(0, end)}${word}${text.slice(end)}`;
}

/** The parentheses, with what they hold, behind the place in code where `pattern` matches for the `nth` time, from 0. */
export function groupBehind(text: string, pattern: RegExp, nth: number): string | undefined {
  const covered = coverQuoted(text);
  const match = [...covered.matchAll(pattern)][nth];
  if (match === undefined) return undefined;
  const start = match.index + match[0].length;
  let depth = 0;
  for (let at = start; at < covered.length; at++) {
    if (covered.charAt(at) === "(") depth += 1;
    if (covered.charAt(at) === ")") depth -= 1;
    if (depth === 0) return text.slice(start, at + 1);
  }
  return undefined;
}

/** Takes out what `pattern` matches in code, with the blanks behind it. */
export function cutOut(text: string, pattern: RegExp): string {
  const match = pattern.exec(coverQuoted(text));
  if (match === null) return text;
  return `${text.slice(0, match.index)}${text.slice(match.index + match[0].length).trimStart()}`;
}

const SHOWN_LIMIT = 160;

/** The statement in one line, cut where it gets long. */
export function oneLine(text: string): string {
  const flat = text.replace(/\s+/g, " ").trim();
  return flat.length > SHOWN_LIMIT ? `${flat.slice(0, SHOWN_LIMIT - 1)}…` : flat;
}
