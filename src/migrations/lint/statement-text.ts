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
