import type { Random } from "./random.ts";

/** Repetitions without an upper bound end here. */
const REPEAT_LIMIT = 3;
const LENGTH_LIMIT = 2_000;
const DEPTH_LIMIT = 20;

/** The characters a class is tried with. */
const ALPHABET = "abcxyzABCXYZ0123456789_-.@ /:+#";

/**
 * A text that a simple regular expression matches: literals, classes, groups, alternatives, repetitions. Undefined
 * for anything else (back references, lookaround). The caller tests it: this is a guess with good odds, not a proof.
 * `repeat` is how often what may be repeated without an end is.
 */
export function textMatching(pattern: string, random: Random, repeat?: number): string | undefined {
  const reader: Reader = { pattern, at: 0, random, repeat, depth: 0 };
  const text = readAlternatives(reader);
  return text === undefined || reader.at < pattern.length ? undefined : text.slice(0, LENGTH_LIMIT);
}

/** Where a regular expression is being read; an unknown construct gives undefined all the way up. */
interface Reader {
  readonly pattern: string;
  at: number;
  readonly random: Random;
  readonly repeat: number | undefined;
  depth: number;
}

function readAlternatives(reader: Reader): string | undefined {
  const branches: string[] = [];
  for (;;) {
    const branch = readBranch(reader);
    if (branch === undefined) return undefined;
    branches.push(branch);
    if (reader.pattern[reader.at] !== "|") return reader.random.pick(branches);
    reader.at += 1;
  }
}

function readBranch(reader: Reader): string | undefined {
  let text = "";
  while (reader.at < reader.pattern.length && !/[|)]/.test(reader.pattern.charAt(reader.at))) {
    const start = reader.at;
    const atom = readAtom(reader);
    if (atom === undefined) return undefined;
    const end = reader.at;
    const count = readCount(reader);
    const after = reader.at;
    for (let turn = 0; turn < count && text.length < LENGTH_LIMIT; turn++) {
      // Read again, so that each repetition chooses for itself.
      reader.at = start;
      text += turn === 0 ? atom : (readAtom(reader) ?? atom);
    }
    reader.at = Math.max(after, end);
  }
  return text;
}

function readAtom(reader: Reader): string | undefined {
  const { pattern, random } = reader;
  const character = pattern.charAt(reader.at);
  reader.at += 1;
  switch (character) {
    case "^":
    case "$":
      return "";
    case ".":
      return random.pick(["a", "b", "7"]);
    case "(":
      return readGroup(reader);
    case "[":
      return readClass(reader);
    case "\\":
      return readEscape(reader);
    case "*":
    case "+":
    case "?":
    case "{":
      return undefined;
    default:
      return character;
  }
}

function readGroup(reader: Reader): string | undefined {
  if (reader.pattern[reader.at] === "?") {
    if (reader.pattern[reader.at + 1] !== ":") return undefined;
    reader.at += 2;
  }
  if (reader.depth >= DEPTH_LIMIT) return undefined;
  reader.depth += 1;
  const text = readAlternatives(reader);
  reader.depth -= 1;
  if (reader.pattern[reader.at] !== ")") return undefined;
  reader.at += 1;
  return text;
}

function readClass(reader: Reader): string | undefined {
  // A bracket that comes first stands for itself.
  const end = reader.pattern.indexOf(
    "]",
    reader.at + (/^\^?\]/.test(reader.pattern.slice(reader.at)) ? 2 : 0),
  );
  const close = closingBracket(reader.pattern, reader.at, end);
  if (close < 0) return undefined;
  const source = reader.pattern.slice(reader.at, close);
  reader.at = close + 1;
  const isNegated = source.startsWith("^");
  const body = expandNames(isNegated ? source.slice(1) : source);
  let expression: RegExp;
  try {
    expression = new RegExp(`[${isNegated ? "^" : ""}${body}]`);
  } catch {
    return undefined;
  }
  const fitting = [...ALPHABET].filter((one) => expression.test(one));
  if (fitting.length > 0) return reader.random.pick(fitting);
  const [first] = body;
  return isNegated || first === undefined ? undefined : first;
}

/** `[[:alpha:]_]`: the inner `]` ends a name, not the class. */
function closingBracket(pattern: string, from: number, first: number): number {
  let close = first;
  while (close > 0 && pattern[close - 1] === ":" && pattern.slice(from, close).includes("[:")) {
    close = pattern.indexOf("]", close + 1);
    if (close > 0 && pattern[close - 1] !== ":") break;
  }
  return close;
}

const CLASS_NAMES: Readonly<Record<string, string>> = {
  alpha: "a-zA-Z",
  digit: "0-9",
  alnum: "a-zA-Z0-9",
  lower: "a-z",
  upper: "A-Z",
  space: "\\s",
  punct: "_.@/:+#-",
  xdigit: "0-9a-fA-F",
  word: "\\w",
};

function expandNames(body: string): string {
  return body.replaceAll(/\[:(\w+):\]/g, (_, name: string) => CLASS_NAMES[name] ?? "").replaceAll("[", "\\[");
}

const ESCAPES: Readonly<Record<string, string>> = {
  d: "0-9",
  w: "a-z0-9_",
  s: " ",
  D: "a-z",
  W: "-@",
  S: "a-z0-9",
};

function readEscape(reader: Reader): string | undefined {
  const character = reader.pattern.charAt(reader.at);
  reader.at += 1;
  if ("AZmMyY".includes(character)) return "";
  const set = ESCAPES[character];
  if (set !== undefined) {
    const expression = new RegExp(`[${set}]`);
    return reader.random.pick([...ALPHABET].filter((one) => expression.test(one)));
  }
  return /[a-zA-Z0-9]/.test(character) || character === "" ? undefined : character;
}

function readCount(reader: Reader): number {
  const { pattern, random } = reader;
  const rest = pattern.slice(reader.at);
  const match = /^(?:[*+?]|\{(\d{1,4})(,)?(\d{1,4})?\})\??/.exec(rest);
  if (match === null) return 1;
  reader.at += match[0].length;
  const [least, most] = bounds(match, reader.repeat);
  return least + random.below(most - least + 1);
}

function bounds(match: RegExpExecArray, repeat: number | undefined): readonly [number, number] {
  const [sign, low, comma, high] = [match[0].charAt(0), match[1], match[2], match[3]];
  if (sign === "?") return [0, 1];
  const least = sign === "+" ? 1 : sign === "*" ? 0 : Number(low);
  if (sign === "{" && comma === undefined) return [least, least];
  if (high !== undefined) return [least, Math.max(least, Number(high))];
  return repeat === undefined
    ? [least, least + REPEAT_LIMIT]
    : [Math.max(least, repeat), Math.max(least, repeat)];
}
