import type { Section } from "./migration-file.ts";

/** Widest part of a line that is shown, and how much of it stands before the caret. */
const WIDTH = 120;
const BEFORE_CARET = 80;

/** A place in a migration file, ready to show. */
export interface Snippet {
  /** Counted from 1, in the file. */
  readonly line: number;
  /** The line with a caret under the place; no final line end. */
  readonly text: string;
}

/** Shows the place at `offset` of a section: its line, and a caret below. */
export function snippetAt(section: Section, offset: number): Snippet {
  // From -1 `lastIndexOf` would look at the first character all the same.
  const start = offset === 0 ? 0 : section.text.lastIndexOf("\n", offset - 1) + 1;
  const end = section.text.indexOf("\n", offset);
  const source = section.text.slice(start, end < 0 ? undefined : end).replaceAll("\t", " ");
  const column = offset - start;
  const line = section.firstLine + countLineEnds(section.text, start);
  const cut = column > BEFORE_CARET + 20 ? column - BEFORE_CARET : 0;
  const shown = `${cut > 0 ? "…" : ""}${source.slice(cut, cut + WIDTH)}${source.length > cut + WIDTH ? "…" : ""}`;
  const indent = column - cut + (cut > 0 ? 1 : 0);
  const number = String(line);
  return {
    line,
    text: `  ${number} | ${shown}\n  ${" ".repeat(number.length)} | ${" ".repeat(indent)}^`,
  };
}

/** PostgreSQL counts characters, JavaScript counts UTF-16 units. `characters` begins at 0. */
export function offsetOfCharacter(text: string, characters: number): number {
  let offset = 0;
  for (let left = characters; left > 0 && offset < text.length; left--) {
    offset += (text.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1;
  }
  return offset;
}

function countLineEnds(text: string, end: number): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < end; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}
