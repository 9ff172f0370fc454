import { InputError } from "../errors/index.ts";
import type { StatementCall } from "./connection.ts";

/** The protocol counts parameters in 16 bits; one more would be cut in silence and read as another message. */
export const PARAMETERS_LIMIT = 65_535;
/** NAMEDATALEN - 1: two longer names could become one. */
const NAME_BYTES_LIMIT = 63;

/**
 * Refuses a text or name the wire format cannot carry, before anything is sent: a half-written flight would leave
 * the session out of step.
 *
 * @throws {INVALID_QUERY}
 */
export function checkText({ text, name }: Pick<StatementCall, "text" | "name">): void {
  if (text.includes("\0")) throw refuse("text", "an SQL text cannot hold a NUL character");
  if (name !== undefined && (Buffer.byteLength(name) > NAME_BYTES_LIMIT || name.includes("\0"))) {
    throw refuse("name", "the name of a prepared statement is longer than 63 bytes or holds a NUL character");
  }
}

const BEGIN = /^\s*(?:begin|start\s+transaction)\b/i;

/**
 * Refuses a text that does not open a transaction: the statement behind it would commit by itself.
 *
 * @throws {INVALID_QUERY}
 */
export function checkBegin(text: string): void {
  if (!BEGIN.test(text)) throw refuse("begin", "must be a BEGIN or START TRANSACTION");
}

/**
 * Refuses parameters the wire format cannot carry.
 *
 * @throws {INVALID_QUERY}
 */
export function checkValues(values: StatementCall["values"]): void {
  if (values.length > PARAMETERS_LIMIT) {
    throw refuse("values", `a statement takes at most 65,535 parameters, this one has ${values.length}`);
  }
  for (let i = 0; i < values.length; i++) {
    const value: unknown = values[i];
    if (typeof value !== "string" && value !== null && !Buffer.isBuffer(value)) {
      throw refuse(`values.${i}`, `a parameter is text, bytes or null here, not ${typeof value}`);
    }
  }
}

const CONTROL =
  /^\s*(?:begin|start\s+transaction|commit|rollback|savepoint|release|abort|end|set\s+(?:local|transaction))\b/i;

/** True for a text that only starts, ends or shapes a transaction, and so leaves nothing in the session. Linear. */
export function controlsTransactionOnly(text: string): boolean {
  if (!CONTROL.test(text)) return false;
  const end = text.indexOf(";");
  return end === -1 || text.slice(end + 1).trim() === "";
}

/** Statements whose effect is the session's, and outlives their transaction. */
const SESSION_STATEMENT =
  /^(?:set\s+(?!local\b|transaction\b|constraints\b)\S+|reset|listen|prepare\s+(?!transaction\b)\S+|deallocate|discard|load)\b/i;
const TEMPORARY_TABLE = /^create\s+(?:(?:global|local)\s+)?temp(?:orary)?\s/i;
const ENDS_WITH_TRANSACTION = /\bon\s+commit\s+drop\b/i;
const HELD_CURSOR = /^declare\b[\s\S]{1,500}?\bwith\s+hold\b/i;
const SESSION_LOCK = /\bpg_(?:try_)?advisory_lock(?:_shared)?\s*\(/i;
/** `set_config(name, value, false)`; its arguments may hold one pair of parentheses each. */
const SESSION_SETTING =
  /\bset_config\s*\((?:[^()]|\([^()]*\)){1,1000}?,\s*(?:is_local\s*[:=][=>]\s*)?(?:false|'f(?:alse)?')\s*\)/i;

/** What begins something whose inside is no SQL, and what ends a statement. */
const MARK = /'|"|\$(\w*)\$|--|\/\*|;/g;
/** As long as `'false'`: what longer texts say is no rule's business. */
const LITERAL_SHOWN = 7;

/** The statements of a text, with a blank for each comment, and `''` for what is quoted at length. Linear. */
function statementsIn(text: string): readonly string[] {
  const places = placesOfTags(text);
  const mark = new RegExp(MARK);
  const statements: string[] = [];
  let shown = "";
  let from = 0;
  for (let found = mark.exec(text); found !== null; found = mark.exec(text)) {
    const { 0: what, 1: tag, index } = found;
    shown += text.slice(from, index);
    from = index + what.length;
    if (what === ";") {
      statements.push(shown);
      shown = "";
    } else if (what === "--" || what === "/*") {
      from = what === "--" ? endAt(text, "\n", from) : endOfComment(text, from);
      shown += " ";
    } else if (tag === undefined) {
      const hasEscapes = what === "'" && /[eE]/.test(text.charAt(index - 1));
      from = hasEscapes ? endOfEscapes(text, from) : endAt(text, what, from);
      const isShown = what === '"' || from - index <= LITERAL_SHOWN;
      shown += isShown ? text.slice(index, from) : "''";
    } else {
      const end = nextPlace(places.get(tag), from);
      // Nothing ends it: a name with dollars in it, or nothing that the server would take.
      from = end === undefined ? index + 1 : end + what.length;
      shown += end === undefined ? "$" : "''";
    }
    mark.lastIndex = from;
  }
  return [...statements, shown + text.slice(from)];
}

/** Where the tag of each dollar quote stands, the last place first: those behind us come off the end. */
function placesOfTags(text: string): ReadonlyMap<string, number[]> {
  const places = new Map<string, number[]>();
  for (const { 1: tag = "", index } of [...text.matchAll(/\$(?=(\w*)\$)/g)].reverse()) {
    const own = places.get(tag);
    if (own === undefined) places.set(tag, [index]);
    else own.push(index);
  }
  return places;
}

function nextPlace(places: number[] = [], from: number): number | undefined {
  while ((places.at(-1) ?? from) < from) places.pop();
  return places.at(-1);
}

function endAt(text: string, what: string, from: number): number {
  const end = text.indexOf(what, from);
  return end === -1 ? text.length : end + what.length;
}

function endOfEscapes(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text.charAt(at) === "\\") at += 1;
    else if (text.charAt(at) === "'") return at + 1;
  }
  return text.length;
}

function endOfComment(text: string, from: number): number {
  const edge = /\/\*|\*\//g;
  edge.lastIndex = from;
  for (let depth = 1; depth > 0; ) {
    const found = edge.exec(text);
    if (found === null) return text.length;
    depth += found[0] === "/*" ? 1 : -1;
  }
  return edge.lastIndex;
}

/**
 * Refuses what would stay behind in a session of the server that a pooler gives to somebody else next: a setting, a
 * lock, a channel, a temporary table; of one statement or of a script's. What a function does inside, no text tells.
 *
 * @throws {INVALID_QUERY}
 */
export function refuseSessionState(text: string): void {
  for (const statement of statementsIn(text)) refuseStateOf(statement.trimStart());
}

function refuseStateOf(start: string): void {
  const what =
    SESSION_STATEMENT.exec(start)?.[0].split(/\s/)[0]?.toUpperCase() ??
    (TEMPORARY_TABLE.test(start) && !ENDS_WITH_TRANSACTION.test(start)
      ? "a temporary table without ON COMMIT DROP"
      : undefined) ??
    (HELD_CURSOR.test(start) ? "a cursor WITH HOLD" : undefined) ??
    (SESSION_LOCK.test(start) ? "a session's advisory lock" : undefined) ??
    (SESSION_SETTING.test(start) ? "set_config(…, false)" : undefined);
  if (what === undefined) return;
  throw refuse(
    "text",
    `${what} would stay in a session that the pooler gives to others; inside a transaction use SET LOCAL, ` +
      "set_config(…, true) or pg_advisory_xact_lock, or connect to the server itself",
  );
}

function refuse(path: string, message: string): InputError {
  return new InputError("INVALID_QUERY", [{ path, message }]);
}
